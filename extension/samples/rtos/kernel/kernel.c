#include "kernel.h"

#include "interrupts.h"
#include "memory.h"
#include "sdk/board.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"
#include "sdk/psci.h"

#define PSTATE_EL1H_UNMASKED 5UL
#define FPEN (3UL << 20)

struct cpu {
	struct task *current;
	struct task_list ready[PRIORITY_COUNT];
	struct task *asleep;
	unsigned int depth; /* interrupts being handled */
	uint64_t deadline;
	struct cpu_statistics statistics;
	struct task idle;
};

extern const char kernel_vectors[];
extern void kernel_other_cpu(void);
extern void kernel_resume(struct context *context) __attribute__((noreturn));
void kernel_run_cpu(uint64_t number) __attribute__((noreturn));
struct context *kernel_interrupt(struct context *context);

static struct cpu cpus[CPU_MAX];
static unsigned int cpu_count = 1;
static uint64_t tick_counts; /* counter ticks between two kernel ticks */
static volatile unsigned int kernel_lock;

/* --- one lock for everything, held with interrupts masked --- */

static uint64_t lock(void)
{
	uint64_t daif = irq_mask();

	while (__atomic_exchange_n(&kernel_lock, 1, __ATOMIC_ACQUIRE) != 0)
		__asm__ volatile("yield");
	return daif;
}

static void unlock(uint64_t daif)
{
	__atomic_store_n(&kernel_lock, 0, __ATOMIC_RELEASE);
	irq_restore(daif);
}

unsigned int kernel_cpu(void)
{
	return (unsigned int)(READ_SYSREG("mpidr_el1") & 0xff);
}

unsigned int kernel_cpu_count(void)
{
	return cpu_count;
}

uint64_t kernel_ticks(void)
{
	return cpus[kernel_cpu()].statistics.ticks;
}

const struct cpu_statistics *kernel_statistics(unsigned int cpu)
{
	return &cpus[cpu].statistics;
}

/* --- lists --- */

static void append(struct task_list *list, struct task *task)
{
	task->next = NULL;
	if (list->last != NULL)
		list->last->next = task;
	else
		list->first = task;
	list->last = task;
}

static struct task *take_first(struct task_list *list)
{
	struct task *task = list->first;

	if (task == NULL)
		return NULL;
	list->first = task->next;
	if (list->first == NULL)
		list->last = NULL;
	return task;
}

/* --- tasks; the lock is held --- */

static void reschedule(unsigned int cpu)
{
	interrupts_send(cpu, SGI_RESCHEDULE);
}

static void make_ready(struct task *task)
{
	struct cpu *cpu = &cpus[task->cpu];

	task->state = TASK_READY;
	task->slice = SLICE_TICKS;
	if (cpu->current == task)
		return; /* it was about to wait and has not left its CPU yet */
	append(&cpu->ready[task->priority], task);
	if (cpu->current != NULL && cpu->current->priority < task->priority)
		reschedule(task->cpu);
}

/* The highest priority that has a ready task. */
static int highest_ready(const struct cpu *cpu)
{
	int priority = PRIORITY_COUNT - 1;

	while (priority >= 0 && cpu->ready[priority].first == NULL)
		priority--;
	return priority;
}

static struct task *choose(struct cpu *cpu)
{
	struct task *current = cpu->current;
	bool goes_on = current != NULL && current->state == TASK_READY;
	int highest = highest_ready(cpu);

	if (goes_on && highest < (int)current->priority)
		return current;
	if (goes_on && highest == (int)current->priority && current->slice > 0)
		return current;
	if (goes_on) {
		current->slice = SLICE_TICKS;
		append(&cpu->ready[current->priority], current);
	}
	cpu->statistics.switches++;
	return take_first(&cpu->ready[highest]);
}

static struct context *switch_task(struct cpu *cpu)
{
	uint64_t daif = lock();
	struct task *task = choose(cpu);

	if (task != cpu->current)
		task->switches++;
	cpu->current = task;
	unlock(daif);
	return task->context;
}

static void task_begin(struct task *task)
{
	task->entry(task->argument);
	lock();
	task->state = TASK_ENDED;
	reschedule(task->cpu);
	__atomic_store_n(&kernel_lock, 0, __ATOMIC_RELEASE);
	irq_enable();
	for (;;)
		;
}

static void prepare(struct task *task, const char *name, unsigned int cpu, unsigned int priority)
{
	struct context *context = (struct context *)(task->stack + STACK_SIZE) - 1;

	*context = (struct context){ .pc = (uint64_t)task_begin, .pstate = PSTATE_EL1H_UNMASKED };
	context->x[0] = (uint64_t)task;
	task->context = context;
	task->name = name;
	task->cpu = cpu;
	task->priority = priority;
}

void task_make(struct task *task, const char *name, unsigned int cpu, unsigned int priority, void (*entry)(void *), void *argument)
{
	uint64_t daif;

	if (cpu >= cpu_count || priority == 0 || priority >= PRIORITY_COUNT)
		panic("task %s has no CPU %u or no priority %u", name, cpu, priority);
	prepare(task, name, cpu, priority);
	task->entry = entry;
	task->argument = argument;
	daif = lock();
	make_ready(task);
	unlock(daif);
}

/* Gives up the CPU until somebody makes the task ready: the interrupt that it sends itself comes as soon as they are unmasked. */
static void wait(struct task *task, uint64_t daif)
{
	task->state = TASK_WAITING;
	reschedule(task->cpu);
	unlock(daif);
	while (*(volatile enum task_state *)&task->state == TASK_WAITING)
		cpu_isb();
}

void task_sleep_ticks(uint64_t ticks)
{
	uint64_t daif = lock();
	struct cpu *cpu = &cpus[kernel_cpu()];
	struct task *task = cpu->current;

	task->wake_tick = cpu->statistics.ticks + ticks;
	task->next_asleep = cpu->asleep;
	cpu->asleep = task;
	wait(task, daif);
}

void semaphore_make(struct semaphore *semaphore, unsigned int count)
{
	*semaphore = (struct semaphore){ .count = count };
}

void semaphore_take(struct semaphore *semaphore)
{
	uint64_t daif = lock();
	struct task *task = cpus[kernel_cpu()].current;

	if (semaphore->count > 0) {
		semaphore->count--;
		unlock(daif);
	} else {
		append(&semaphore->waiting, task);
		wait(task, daif);
	}
}

void semaphore_give(struct semaphore *semaphore)
{
	uint64_t daif = lock();
	struct task *task = take_first(&semaphore->waiting);

	if (task != NULL)
		make_ready(task);
	else
		semaphore->count++;
	unlock(daif);
}

void mailbox_make(struct mailbox *mailbox)
{
	*mailbox = (struct mailbox){ 0 };
	semaphore_make(&mailbox->free, MAILBOX_LENGTH);
	semaphore_make(&mailbox->used, 0);
}

void mailbox_send(struct mailbox *mailbox, uint64_t item)
{
	uint64_t daif;

	semaphore_take(&mailbox->free);
	daif = lock();
	mailbox->items[mailbox->tail++ % MAILBOX_LENGTH] = item;
	unlock(daif);
	semaphore_give(&mailbox->used);
}

uint64_t mailbox_receive(struct mailbox *mailbox)
{
	uint64_t daif, item;

	semaphore_take(&mailbox->used);
	daif = lock();
	item = mailbox->items[mailbox->head++ % MAILBOX_LENGTH];
	unlock(daif);
	semaphore_give(&mailbox->free);
	return item;
}

/* --- interrupts --- */

static void wake_sleepers(struct cpu *cpu)
{
	struct task **link = &cpu->asleep;

	while (*link != NULL) {
		struct task *task = *link;

		if (task->wake_tick > cpu->statistics.ticks) {
			link = &task->next_asleep;
			continue;
		}
		*link = task->next_asleep;
		make_ready(task);
	}
}

static void timer_tick(struct cpu *cpu)
{
	uint64_t daif = lock();

	cpu->statistics.ticks++;
	cpu->deadline += tick_counts;
	if (cpu->deadline <= READ_SYSREG("cntvct_el0")) /* too late for ticks that were missed */
		cpu->deadline = READ_SYSREG("cntvct_el0") + tick_counts;
	WRITE_SYSREG("cntv_cval_el0", cpu->deadline);
	if (cpu->current->slice > 0)
		cpu->current->slice--;
	wake_sleepers(cpu);
	unlock(daif);
	/* An urgent interrupt comes right here, in the middle of this handler. */
	if (cpu->statistics.ticks % 4 == 0)
		interrupts_send(kernel_cpu(), SGI_URGENT);
}

/* Runs with interrupts unmasked: more urgent ones come in between. */
static void handle(struct cpu *cpu, uint32_t intid)
{
	if (intid == board.timer_intid)
		timer_tick(cpu);
	else if (intid == SGI_URGENT)
		cpu->statistics.nested += cpu->depth > 1;
}

/* Called by context.S with interrupts masked: handles one interrupt, and at the last level of nesting chooses who goes on. */
struct context *kernel_interrupt(struct context *context)
{
	struct cpu *cpu = &cpus[kernel_cpu()];
	uint32_t intid = interrupts_take();

	cpu->statistics.interrupts++;
	if (cpu->depth == 0 && cpu->current != NULL)
		cpu->current->context = context;
	if (intid < NO_INTERRUPT) {
		cpu->depth++;
		irq_enable();
		handle(cpu, intid);
		irq_mask();
		cpu->depth--;
		interrupts_end(intid);
	}
	return cpu->depth > 0 ? context : switch_task(cpu);
}

/* --- start --- */

static void be_idle(void *argument)
{
	(void)argument;
	for (;;)
		__asm__ volatile("wfi" : : : "memory");
}

void kernel_init(void)
{
	irq_mask();
	memory_init_cpu();
	tick_counts = READ_SYSREG("cntfrq_el0") / 1000000 * TICK_US;
	while (cpu_count < CPU_MAX && psci_call(PSCI_AFFINITY_INFO, cpu_count, 0, 0) == 1)
		cpu_count++;
}

void kernel_run_cpu(uint64_t number)
{
	struct cpu *cpu = &cpus[number];

	WRITE_SYSREG("vbar_el1", (uint64_t)kernel_vectors);
	WRITE_SYSREG("cpacr_el1", FPEN);
	cpu_isb();
	if (number != 0)
		memory_init_cpu();
	interrupts_init_cpu((unsigned int)number, board.timer_intid);
	prepare(&cpu->idle, "idle", (unsigned int)number, 0);
	cpu->idle.entry = be_idle;
	append(&cpu->ready[0], &cpu->idle);
	cpu->deadline = READ_SYSREG("cntvct_el0") + tick_counts;
	WRITE_SYSREG("cntv_cval_el0", cpu->deadline);
	WRITE_SYSREG("cntv_ctl_el0", 1);
	kernel_resume(switch_task(cpu));
}

void kernel_start(void)
{
	for (unsigned int number = 1; number < cpu_count; number++)
		if (psci_cpu_on(number, (uintptr_t)kernel_other_cpu, number) != 0)
			panic("CPU %u does not start", number);
	kernel_run_cpu(0);
}

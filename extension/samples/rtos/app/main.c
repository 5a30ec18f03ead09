/*
 * What runs on the kernel: on every CPU two tasks that compute with floating point in different rounding modes, one with vectors, one that
 * sleeps and wakes, and a producer that feeds the consumer of the next CPU. Each compares what it gets, under preemption and interrupts,
 * with what it got alone. The last one to end prints the figures and switches the machine off.
 */
#include "kernel/kernel.h"
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/psci.h"

#define ROUNDS 300U
#define TERMS 400U
#define ITEMS 300U
#define SLEEPS 20U
#define TASKS_PER_CPU 6U

#define ROUND_UP (1UL << 22)
#define ROUND_DOWN (2UL << 22)

/* In a function: its result is not to be taken from an earlier call. */
#define COMPUTE_ANEW __asm__ volatile("" : : : "memory")

typedef uint32_t vector __attribute__((vector_size(16)));

struct worker {
	struct task task;
	uint64_t rounding; /* FPCR */
	unsigned int cpu;
	unsigned int rounds, wrong;
};

static struct worker ups[CPU_MAX], downs[CPU_MAX], vectors[CPU_MAX], sleepers[CPU_MAX], producers[CPU_MAX], consumers[CPU_MAX];
static struct mailbox mailboxes[CPU_MAX];
static struct semaphore done;
static struct task reporter;
static double pi_up, pi_down;
static uint32_t vector_sum;

/* Pi by Leibniz: every term rounds, so that the last bits tell the rounding mode. */
static __attribute__((noinline)) double leibniz(void)
{
	double sum = 0;

	COMPUTE_ANEW;
	for (unsigned int i = 0; i < TERMS; i++)
		sum += (i % 2 == 0 ? 4.0 : -4.0) / (double)(2 * i + 1);
	return sum;
}

static double leibniz_rounded(uint64_t fpcr)
{
	double sum;

	WRITE_SYSREG("fpcr", fpcr);
	sum = leibniz();
	return sum;
}

/* Four random generators side by side, all in vector registers. */
static __attribute__((noinline)) uint32_t mix(void)
{
	vector a = { 1, 2, 3, 4 }, b = { 5, 6, 7, 8 }, c = { 9, 10, 11, 12 }, d = { 13, 14, 15, 16 };

	COMPUTE_ANEW;
	for (unsigned int i = 0; i < TERMS; i++) {
		a += b * 1664525 + 1013904223;
		b ^= c << 7 | c >> 25;
		c += d ^ a;
		d = d * 22695477 + (a >> 3);
	}
	a ^= b + c - d;
	return a[0] ^ a[1] ^ a[2] ^ a[3];
}

static bool is_same(double a, double b)
{
	return __builtin_memcmp(&a, &b, sizeof a) == 0;
}

static void compute(void *argument)
{
	struct worker *worker = argument;
	double expected = worker->rounding == ROUND_UP ? pi_up : pi_down;

	WRITE_SYSREG("fpcr", worker->rounding);
	for (; worker->rounds < ROUNDS; worker->rounds++) {
		bool right = is_same(leibniz(), expected) && READ_SYSREG("fpcr") == worker->rounding;

		worker->wrong += !right;
	}
	semaphore_give(&done);
}

static void compute_vectors(void *argument)
{
	struct worker *worker = argument;

	for (; worker->rounds < ROUNDS; worker->rounds++)
		worker->wrong += mix() != vector_sum;
	semaphore_give(&done);
}

/* Wakes at the tick that it asked for: its priority is the highest. A tick may come before it sleeps and one before it looks. */
static void sleep_and_wake(void *argument)
{
	struct worker *worker = argument;

	for (; worker->rounds < SLEEPS; worker->rounds++) {
		uint64_t before = kernel_ticks();
		uint64_t asleep;

		task_sleep_ticks(3);
		asleep = kernel_ticks() - before;
		worker->wrong += asleep < 3 || asleep > 5;
	}
	semaphore_give(&done);
}

static void produce(void *argument)
{
	struct worker *worker = argument;
	struct mailbox *mailbox = &mailboxes[(worker->cpu + 1) % kernel_cpu_count()];

	for (; worker->rounds < ITEMS; worker->rounds++)
		mailbox_send(mailbox, worker->rounds * 3 + 1);
	semaphore_give(&done);
}

static void consume(void *argument)
{
	struct worker *worker = argument;

	for (; worker->rounds < ITEMS; worker->rounds++)
		worker->wrong += mailbox_receive(&mailboxes[worker->cpu]) != worker->rounds * 3 + 1;
	semaphore_give(&done);
}

static void report(void *argument)
{
	unsigned int count = kernel_cpu_count();
	unsigned int wrong = 0;

	(void)argument;
	for (unsigned int i = 0; i < count * TASKS_PER_CPU; i++)
		semaphore_take(&done);
	for (unsigned int cpu = 0; cpu < count; cpu++) {
		const struct cpu_statistics *statistics = kernel_statistics(cpu);

		print("CPU %u: %lu ticks, %lu switches, %lu interrupts, %lu of them nested\n", cpu, statistics->ticks, statistics->switches, statistics->interrupts, statistics->nested);
		print("  rounds: %u up, %u down, %u vectors, %u sleeps, %u sent, %u received\n", ups[cpu].rounds, downs[cpu].rounds, vectors[cpu].rounds, sleepers[cpu].rounds,
		      producers[cpu].rounds, consumers[cpu].rounds);
		wrong += ups[cpu].wrong + downs[cpu].wrong + vectors[cpu].wrong + sleepers[cpu].wrong + consumers[cpu].wrong;
	}
	print("%u wrong results\n", wrong);
	psci_system_off();
}

static void start(struct worker *worker, const char *name, unsigned int priority, void (*entry)(void *))
{
	task_make(&worker->task, name, worker->cpu, priority, entry, worker);
}

static void make_tasks(unsigned int cpu)
{
	ups[cpu] = (struct worker){ .cpu = cpu, .rounding = ROUND_UP };
	downs[cpu] = (struct worker){ .cpu = cpu, .rounding = ROUND_DOWN };
	vectors[cpu].cpu = sleepers[cpu].cpu = producers[cpu].cpu = consumers[cpu].cpu = cpu;
	mailbox_make(&mailboxes[cpu]);
	start(&ups[cpu], "up", 2, compute);
	start(&downs[cpu], "down", 2, compute);
	start(&vectors[cpu], "vectors", 2, compute_vectors);
	start(&sleepers[cpu], "sleeper", 6, sleep_and_wake);
	start(&producers[cpu], "producer", 3, produce);
	start(&consumers[cpu], "consumer", 4, consume);
}

void guest_main(void)
{
	kernel_init();
	WRITE_SYSREG("cpacr_el1", 3UL << 20);
	cpu_isb();
	pi_up = leibniz_rounded(ROUND_UP);
	pi_down = leibniz_rounded(ROUND_DOWN);
	WRITE_SYSREG("fpcr", 0);
	vector_sum = mix();
	print("%u CPUs, pi rounded up %s pi rounded down\n", kernel_cpu_count(), is_same(pi_up, pi_down) ? "is" : "is not");
	semaphore_make(&done, 0);
	for (unsigned int cpu = 0; cpu < kernel_cpu_count(); cpu++)
		make_tasks(cpu);
	task_make(&reporter, "reporter", 0, 1, report, NULL);
	kernel_start();
}

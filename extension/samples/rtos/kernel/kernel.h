/*
 * A small preemptive kernel: tasks with priorities and time slices on up to eight CPUs, semaphores, mailboxes, sleep. A task stays on the CPU
 * that it was made for. Every switch happens on the way out of an interrupt; a task that has to wait sends one to itself.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_MAX 8U
#define PRIORITY_COUNT 8U /* 0 is the idle task's, 7 the most urgent */
#define STACK_SIZE 0x3000U
#define TICK_US 100U
#define SLICE_TICKS 2U

/* What context.S saves of a task, on the task's stack. The layouts belong together. */
struct context {
	uint64_t x[31];
	uint64_t pc;
	uint64_t pstate;
	uint64_t unused;
	uint64_t fpsr;
	uint64_t fpcr;
	struct {
		uint64_t low, high;
	} q[32];
};

enum task_state { TASK_READY, TASK_WAITING, TASK_ENDED };

struct task {
	struct context *context; /* while it does not run */
	struct task *next;       /* in a list of ready tasks, or of those who wait for the same thing */
	struct task *next_asleep;
	const char *name;
	void (*entry)(void *argument);
	void *argument;
	unsigned int cpu;
	unsigned int priority;
	unsigned int slice; /* ticks left */
	uint64_t wake_tick;
	enum task_state state;
	uint64_t switches; /* how often it was given the CPU */
	uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
};

struct task_list {
	struct task *first, *last;
};

struct semaphore {
	unsigned int count;
	struct task_list waiting;
};

#define MAILBOX_LENGTH 8U

struct mailbox {
	struct semaphore free, used;
	uint64_t items[MAILBOX_LENGTH];
	unsigned int head, tail;
};

/* Figures of one CPU. */
struct cpu_statistics {
	uint64_t ticks, switches, interrupts, nested;
};

/* Makes a task ready. Before kernel_start, or by a task. */
void task_make(struct task *task, const char *name, unsigned int cpu, unsigned int priority, void (*entry)(void *), void *argument);
void task_sleep_ticks(uint64_t ticks);
uint64_t kernel_ticks(void); /* of this CPU */
unsigned int kernel_cpu(void);
unsigned int kernel_cpu_count(void);
const struct cpu_statistics *kernel_statistics(unsigned int cpu);

void semaphore_make(struct semaphore *semaphore, unsigned int count);
void semaphore_take(struct semaphore *semaphore);
void semaphore_give(struct semaphore *semaphore); /* by a task or an interrupt handler */

void mailbox_make(struct mailbox *mailbox);
void mailbox_send(struct mailbox *mailbox, uint64_t item);
uint64_t mailbox_receive(struct mailbox *mailbox);

/* Finds and counts the CPUs; then tasks can be made for them. */
void kernel_init(void);
/* Starts all CPUs; does not return. */
void kernel_start(void) __attribute__((noreturn));

#endif

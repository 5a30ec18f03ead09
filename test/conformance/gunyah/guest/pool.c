/* Work for other CPUs of the primary VM. One CPU speaks at a time: who gives work waits for its end before it speaks again. */
#include "probe.h"

static volatile struct post {
	void (*work)(u64);
	u64 argument, arrived, rest;
} posts[8];

static struct frame frames[8];

u64 call(u64 id, u64 a1, u64 a2, u64 a3)
{
	struct frame *f = &frames[this_cpu() - cpus];

	pattern(f, 0);
	f->x[0] = id;
	f->x[1] = a1;
	f->x[2] = a2;
	f->x[3] = a3;
	call_with(f, HVC(0));
	return f->x[0];
}

bool wait_while(volatile u64 *word, u64 value)
{
	u64 limit = MRS(cntvct_el0) + 62500000ull * 20;

	while (*word == value) {
		__asm__ volatile("yield");
		if (MRS(cntvct_el0) > limit)
			return false;
	}
	return true;
}

void work_on(u64 context)
{
	volatile struct post *post = &posts[context & 7];

	post->arrived = 1;
	for (;;) {
		void (*work)(u64) = post->work;

		if (work == 0) {
			__asm__ volatile("wfe");
			continue;
		}
		work(post->argument);
		post->work = 0;
		__asm__ volatile("dsb sy\n\tsev");
	}
}

void cpu_begin(u32 cpu, void (*work)(u64), u64 argument)
{
	posts[cpu].argument = argument;
	__asm__ volatile("dsb sy");
	posts[cpu].work = work;
	__asm__ volatile("dsb sy\n\tsev");
}

bool cpu_end(u32 cpu)
{
	u64 limit = MRS(cntvct_el0) + 62500000ull * 20;

	while (posts[cpu].work != 0) {
		__asm__ volatile("yield");
		if (MRS(cntvct_el0) > limit) {
			say("cpu %x does not end its work\n", (u64)cpu);
			return false;
		}
	}
	return true;
}

void cpu_do(u32 cpu, void (*work)(u64), u64 argument)
{
	if (&cpus[cpu] == this_cpu()) {
		work(argument);
		return;
	}
	cpu_begin(cpu, work, argument);
	cpu_end(cpu);
}

static u64 info(u32 cpu)
{
	return call(0xc4000004, cpu, 0, 0);
}

u64 cpu_on_at(u32 cpu, u64 id, u64 mpidr, u64 entry, u64 context)
{
	u64 result;

	posts[cpu].arrived = 0;
	posts[cpu].work = 0;
	result = call(id, mpidr, entry, context);
	if (result == 0 && !wait_while(&posts[cpu].arrived, 0))
		say("cpu %x does not arrive\n", (u64)cpu);
	return result;
}

u64 cpu_on(u32 cpu, u64 id, u64 mpidr, u64 context)
{
	return cpu_on_at(cpu, id, mpidr, (u64)other_cpu_entry, context);
}

static void go_off(u64 argument)
{
	(void)argument;
	call(0x84000002, 0, 0, 0);
}

void cpu_off(u32 cpu)
{
	u64 limit = MRS(cntvct_el0) + 62500000ull * 20;

	cpu_begin(cpu, go_off, 0);
	while (info(cpu) != 1)
		if (MRS(cntvct_el0) > limit) {
			say("cpu %x does not go off\n", (u64)cpu);
			return;
		}
	/* It is said to be off while the hypervisor still works on it; turned on in that time it would bring a real hypervisor down. */
	delay(10000);
}

void cpus_on(void)
{
	for (u32 n = 1; n < 8; n++)
		cpu_on(n, 0xc4000003, n, n);
}

void cpus_off(void)
{
	for (u32 n = 1; n < 8; n++)
		cpu_off(n);
}

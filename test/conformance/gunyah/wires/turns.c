/*
 * Whose turn it is on the owner's CPU while it runs a vCPU by vcpu_run and a third thread, which nobody runs, has been turned on there: before the call by the owner, or
 * in its midst by another CPU.
 */
#include "wires.h"

#define PULPIT 0x300000000ull
#define FREQUENCY 62500000ull
#define WORK (FREQUENCY / 1000 * 40)
#define SLICE 10000000
enum { RUN, THIRD, THREADS };

static struct { u64 thread[THREADS]; } child;
static volatile u64 here, is_on, third_ran, third_result;

static void expect(const char *what, struct result r)
{
	if (r.x[0] != 0)
		say("turns: %s answers %x\n", what, r.x[0]);
}

/* The vCPU that is run: works for 40 ms after the third was turned on, then says at its pulpit whether the third ran before that was over. */
void run_turn(void)
{
	u64 start = MRS(cntvct_el0), saw;

	here = 1;
	do {
		if (is_on == 0)
			start = MRS(cntvct_el0);
	} while (MRS(cntvct_el0) - start < WORK);
	saw = third_ran;
	for (;;)
		write64(PULPIT, saw);
}

void third_turn(void)
{
	third_ran = 1;
	for (;;)
		__asm__ volatile("wfi");
}

static void make_child(u64 run_priority, u64 third_priority)
{
	u64 cspace = make('c'), addrspace = make('a'), vic = make('v'), group = make('g');

	expect("map", make_call(0x2b, addrspace, OWN, OWN_BASE, 0xf0077, 0, 0));
	expect("vmmio", make_call(0x60, addrspace, PULPIT, 0x1000, 0, 0, 0));
	for (u64 n = 0; n < THREADS; n++) {
		u64 vcpu = child.thread[n] = keep(make_call(5, PARTITION, CSPACE, 0, 0, 0, 0).x[1]);

		expect("cspace", make_call(0x3e, cspace, vcpu, 0, 0, 0, 0));
		expect("addrspace", make_call(0x2a, addrspace, vcpu, 0, 0, 0, 0));
		expect("vic", make_call(0x29, vic, vcpu, n, 0, 0, 0));
		expect("group", make_call(0x3c, group, vcpu, n, 0, 0, 0));
		expect("options", make_call(0x34, vcpu, n == RUN ? PROXY : 0, 0, 0, 0, 0));
		expect("timeslice", make_call(0x47, vcpu, SLICE, 0, 0, 0, 0));
		expect("priority", make_call(0x46, vcpu, n == RUN ? run_priority : third_priority, 0, 0, 0, 0));
		expect("affinity", make_call(0x3d, vcpu, 0, ALL_ONES, 0, 0, 0));
		expect("activation", make_call(0x0c, vcpu, 0, 0, 0, 0, 0));
		keep_thread(vcpu);
	}
}

static void start_third(u64 unused)
{
	(void)unused;
	third_result = make_call(0x38, child.thread[THIRD], (u64)other_cpu_entry, THIRD_TURN, 0, 0, 0).x[0];
	is_on = 1;
}

/* By then the vCPU runs in a slice of its own. */
static void start_third_late(u64 unused)
{
	wait_while(&here, 0);
	delay(20000);
	start_third(unused);
}

static void ask_turn(u64 run_priority, u64 third_priority, bool is_late)
{
	struct result r;
	u64 before;

	here = is_on = third_ran = 0;
	make_child(run_priority, third_priority);
	expect("power on", make_call(0x38, child.thread[RUN], (u64)other_cpu_entry, RUN_TURN, 0, 0, 0));
	if (is_late)
		cpu_begin(1, start_third_late, 0);
	else {
		/* With a slice anew, for one of the owner's own rank comes when that ends. */
		make_call(0x3b, 0, 0, 0, 0, 0, 0);
		start_third(0);
	}
	before = third_ran;
	do
		r = make_call(0x65, child.thread[RUN], 0, 0, 0, 0, 0);
	while (r.x[0] == 0 && r.x[1] == 0);
	if (is_late)
		cpu_end(1);
	say("turns run at %x, third at %x %s = on %x", run_priority, third_priority, is_late ? "late" : "first", third_result);
	say(" before %x state %x %x between %x at return %x", before, r.x[0], r.x[1], r.x[4], third_ran);
	delay(30000);
	say(" later %x\n", third_ran);
	/* It ends where nobody else is. Some never do, and keep a mapping of the memory, of which there is a limit. */
	make_call(0x3d, child.thread[THIRD], 2, ALL_ONES, 0, 0, 0);
	make_call(0x3a, child.thread[THIRD], 0, 0, 0, 0, 0);
	for (u32 n = 0; n < 1000 && make_call(0x68, child.thread[THIRD], 0, 0, 0, 0, 0).x[0] == 0x1f; n++)
		delay(100);
	unmake_all();
}

void ask_turns(void)
{
	static const u8 runs[] = { 20, 32, 40 }, thirds[] = { 26, 36, 44 };

	cpu_on(1, 0xc4000003, 1, 1);
	for (u32 late = 0; late < 2; late++)
		for (u32 n = 0; n < sizeof(runs); n++)
			for (u32 k = 0; k < sizeof(thirds); k++)
				ask_turn(runs[n], thirds[k], late);
	cpu_off(1);
}

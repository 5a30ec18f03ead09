/*
 * A VM of two vCPUs that the owner runs: what the calls on a vCPU answer in each of its states, what becomes of it when another CPU
 * runs it, and how it ends.
 */
#include "owner.h"

#define PULPIT 0x300000000ull /* where it asks for work */
#define FREQUENCY 62500000ull
#define VMMIO_READ 4

/* The VM: capabilities of the owner. */
static struct child {
	u64 vcpu[2], cspace, addrspace, vic, group;
} child;

static volatile u64 here, go;

/* ---- Inside: vCPU n has the stack of the owner's CPU 4 + n, which the owner does not have ---- */

typedef u64 (*work_t)(void);

static u64 do_nothing(void)
{
	return 0;
}

static u64 do_wait(void)
{
	__asm__ volatile("wfi");
	return 0x11;
}

/* Until the owner says so. */
static u64 do_spin(void)
{
	u64 limit = MRS(cntvct_el0) + FREQUENCY * 20;

	here = 1;
	while (go == 0 && MRS(cntvct_el0) < limit)
		__asm__ volatile("nop");
	return 0x22;
}

static u64 service, service_arguments[3];

static u64 do_service(void)
{
	return call(service, service_arguments[0], service_arguments[1], service_arguments[2]);
}

static u64 do_read_nothing(void)
{
	return read64(0x280000000ull);
}

static u64 do_jump_nowhere(void)
{
	return jump_run(0x280000000ull);
}

void child_main(void)
{
	u64 said = 0;
	work_t work;

	for (;;) {
		write64(PULPIT, said);
		work = (work_t)read64(PULPIT);
		said = work == 0 ? 0 : work();
	}
}

/* ---- Outside ---- */

static void say_result(struct result r, u32 count)
{
	say("%x", r.x[0]);
	for (u32 n = 1; n < count; n++)
		say(" %x", r.x[n]);
}

static struct result run_with(u32 n, u64 a, u64 b, u64 c)
{
	return make_call(0x65, child.vcpu[n], a, b, c, 0, 0);
}

/* Runs a vCPU until it is at its pulpit again, and gives it work there. */
static struct result give_work(u32 n, work_t work)
{
	struct result r = run_with(n, 0, 0, 0);

	for (u32 i = 0; i < 50 && r.x[0] == 0 && (r.x[1] == 0 || r.x[1] == 3 || r.x[1] == 5); i++)
		r = run_with(n, 0, 0, 0);
	if (r.x[0] != 0 || r.x[1] != VMMIO_READ) {
		say("states vcpu %x does not ask for work: ", (u64)n);
		say_result(r, 5);
		say("\n");
		return r;
	}
	r = run_with(n, (u64)work, 0, 0);
	for (u32 i = 0; i < 50 && r.x[0] == 0 && (r.x[1] == 0 || r.x[1] == 3); i++)
		r = run_with(n, 0, 0, 0);
	return r;
}

/* What work comes to: the state that it leaves the vCPU in. */
static void ask_work(const char *name, u32 n, work_t work)
{
	struct result r = give_work(n, work);

	say("states %s = ", name);
	say_result(r, 5);
	say("\n");
}

static void expect(const char *what, struct result r)
{
	if (r.x[0] != 0)
		say("states: %s answers %x\n", what, r.x[0]);
}

static u64 created(u32 number)
{
	return keep(make_call(number, PARTITION, CSPACE, 0, 0, 0, 0).x[1]);
}

static u64 timeslice = 20000000, priority = 32;

static void begin(bool with_group)
{
	child.cspace = make('c');
	child.addrspace = make('a');
	child.vic = make('v');
	child.group = with_group ? make('g') : 0;
	expect("map", make_call(0x2b, child.addrspace, OWN, OWN_BASE, 0xf0077, 0, 0));
	expect("vmmio", make_call(0x60, child.addrspace, PULPIT, 0x1000, 0, 0, 0));
	for (u64 n = 0; n < 2; n++) {
		u64 vcpu = created(5);

		child.vcpu[n] = vcpu;
		expect("cspace", make_call(0x3e, child.cspace, vcpu, 0, 0, 0, 0));
		expect("addrspace", make_call(0x2a, child.addrspace, vcpu, 0, 0, 0, 0));
		expect("vic", make_call(0x29, child.vic, vcpu, n, 0, 0, 0));
		if (with_group)
			expect("group", make_call(0x3c, child.group, vcpu, n, 0, 0, 0));
		expect("options", make_call(0x34, vcpu, PROXY, 0, 0, 0, 0));
		expect("timeslice", make_call(0x47, vcpu, timeslice, 0, 0, 0, 0));
		expect("priority", make_call(0x46, vcpu, priority, 0, 0, 0, 0));
		expect("affinity", make_call(0x3d, vcpu, 0, ALL_ONES, 0, 0, 0));
		expect("activation", make_call(0x0c, vcpu, 0, 0, 0, 0, 0));
		keep_thread(vcpu);
	}
}

/* Turns a vCPU on and has it come to its pulpit. */
static void turn_on(u32 n)
{
	expect("power on", make_call(0x38, child.vcpu[n], (u64)other_cpu_entry, 4 + n, 0, 0, 0));
	give_work(n, do_nothing);
}

/* Calls that change nothing, or what they change is changed back, or that refuse. */
static void ask_state(const char *name)
{
	u64 cap = child.vcpu[0];

	say("states %s check = ", name);
	say_result(make_call(0x68, cap, 0, 0, 0, 0, 0), 5);
	say("\nstates %s calls =", name);
	say(" affinity %x", make_call(0x3d, cap, 1, ALL_ONES, 0, 0, 0).x[0]);
	say(" %x", make_call(0x3d, cap, 0xffff, ALL_ONES, 0, 0, 0).x[0]);
	say(" %x", make_call(0x3d, cap, 0, ALL_ONES, 0, 0, 0).x[0]);
	say(" priority %x", make_call(0x46, cap, 20, 0, 0, 0, 0).x[0]);
	say(" timeslice %x", make_call(0x47, cap, 5000000, 0, 0, 0, 0).x[0]);
	say(" configure %x", make_call(0x34, cap, 0, 0, 0, 0, 0).x[0]);
	say(" activate %x", make_call(0x0c, cap, 0, 0, 0, 0, 0).x[0]);
	say(" attach %x %x %x", make_call(0x3e, child.cspace, cap, 0, 0, 0, 0).x[0], make_call(0x2a, child.addrspace, cap, 0, 0, 0, 0).x[0], make_call(0x29, child.vic, cap, 1, 0, 0, 0).x[0]);
	say(" yield %x", make_call(0x3b, 1, cap, 0, 0, 0, 0).x[0]);
	say(" bind halt %x %x %x", make_call(0x5c, cap, VIC, 40, 0, 0, 0).x[0], make_call(0x5d, cap, 0, 0, 0, 0, 0).x[0], make_call(0x5d, cap, 0, 0, 0, 0, 0).x[0]);
	say(" bind wakeup %x %x", make_call(0x5c, cap, VIC, 41, 1, 0, 0).x[0], make_call(0x5d, cap, 1, 0, 0, 0, 0).x[0]);
	say(" bind other %x %x", make_call(0x5c, cap, VIC, 42, 2, 0, 0).x[0], make_call(0x5d, cap, 2, 0, 0, 0, 0).x[0]);
	if (child.group)
		say(" group %x", make_call(0x45, child.group, 0, 0, 0, 0, 0).x[1]);
	say("\n");
}

static void ask_refusals(const char *name)
{
	u64 cap = child.vcpu[0];

	say("states %s power =", name);
	say(" register %x", make_call(0x64, cap, 0, 3, 0x55, 0, 0).x[0]);
	say(" on %x", make_call(0x38, cap, (u64)other_cpu_entry, 4, 0, 0, 0).x[0]);
	say(" off, last %x\n", make_call(0x39, cap, 1, 0, 0, 0, 0).x[0]);
}

static void say_run(const char *name, u32 n)
{
	struct result r = run_with(n, 0, 0, 0);

	/* The end of a timeslice and the way from another CPU depend on time. */
	for (u32 i = 0; i < 200 && r.x[0] == 0 && (r.x[1] == 0 || r.x[1] == 3); i++) {
		if (r.x[1] == 3)
			delay(200);
		r = run_with(n, 0, 0, 0);
	}
	say("states %s run = ", name);
	say_result(r, 5);
	say("\n");
}

/* ---- States ---- */

static void ask_lives_of_one(bool with_group)
{
	const char *name = with_group ? "in a group," : "alone,";

	begin(with_group);
	say("states %s\n", name);
	ask_state("off");
	say_run("off", 0);
	turn_on(0);
	ask_state("at its pulpit");
	ask_refusals("at its pulpit");
	ask_work("wait", 0, do_wait);
	ask_state("waiting");
	ask_refusals("waiting");
	say_run("waiting", 0);
	say_run("waiting again", 0);
	unmake_all();

	static const struct { const char *name; u64 id, a, b, c; } services[] = {
		{ "version", 0x84000000, 0, 0, 0 }, { "cpu suspend to standby", 0xc4000001, 0, 0, 0 }, { "cpu suspend to power down", 0xc4000001, 0x10000, 0x41000000, 4 }, { "cpu suspend to cluster", 0xc4000001, 0x1010000, 0x41000000, 4 },
		{ "affinity info of the other", 0xc4000004, 1, 0, 0 }, { "affinity info of none", 0xc4000004, 2, 0, 0 }, { "cpu on of itself", 0xc4000003, 0, 0x41000000, 0 }, { "cpu on of none", 0xc4000003, 2, 0x41000000, 0 }, { "cpu off", 0x84000002, 0, 0, 0 },
		{ "system suspend", 0xc400000e, 0x41000000, 4, 0 }, { "system off", 0x84000008, 0, 0, 0 }, { "system reset", 0x84000009, 0, 0, 0 }, { "system reset 2", 0x84000012, 0, 0x77, 0 }, { "system reset 2, 64 bits", 0xc4000012, 0x80000001, 0x123456789abcull, 0 },
		{ "system reset 2, other type", 0xc4000012, 1, 0x55, 0 }, { "mem protect", 0x84000013, 1, 0, 0 }, { "features of suspend", 0x8400000a, 0xc400000e, 0, 0 }, { "migrate info", 0x84000006, 0, 0, 0 }, { "freeze", 0x8400000b, 0, 0, 0 }, { "default suspend", 0xc400000c, 0x41000000, 4, 0 }, { "set suspend mode", 0x8400000f, 1, 0, 0 },
	};
	for (u32 others = 0; others < 2; others++)
		for (u32 i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
			begin(with_group);
			turn_on(0);
			if (others)
				turn_on(1);
			service = services[i].id;
			service_arguments[0] = services[i].a;
			service_arguments[1] = services[i].b;
			service_arguments[2] = services[i].c;
			say("states %s %s ", others ? "two on," : "one on,", services[i].name);
			ask_work("by a service", 0, do_service);
			say_run("after it", 0);
			say_run("after it, again", 0);
			say_run("after it, the other", 1);
			say_run("after it, the other again", 1);
			ask_state("after it");
			ask_refusals("after it");
			say_run("after refusals", 0);
			unmake_all();
		}
}

static void ask_ends(void)
{
	begin(true);
	turn_on(0);
	turn_on(1);
	ask_work("read of nothing", 0, do_read_nothing);
	say_run("after a read of nothing", 0);
	ask_work("jump nowhere", 1, do_jump_nowhere);
	say_run("after a jump nowhere", 1);
	say("states killed at its pulpit = %x %x\n", make_call(0x3a, child.vcpu[0], 0, 0, 0, 0, 0).x[0], make_call(0x3a, child.vcpu[0], 0, 0, 0, 0, 0).x[0]);
	ask_state("killed");
	say_run("killed", 0);
	say_run("killed, again", 0);
	ask_state("killed and run");
	ask_refusals("killed and run");
	say_run("the other of one that is killed", 1);
	say("states off by its owner = %x %x", make_call(0x39, child.vcpu[1], 0, 0, 0, 0, 0).x[0], make_call(0x39, child.vcpu[1], 1, 0, 0, 0, 0).x[0]);
	say(" group %x\n", make_call(0x45, child.group, 0, 0, 0, 0, 0).x[1]);
	unmake_all();
}

/* ---- Two CPUs and one vCPU ---- */

static volatile struct result runner_result;
static volatile u64 runner_runs;

/* The owner's CPU 1: gives vCPU 0 work that does not end before `go`, and runs it until it is at its pulpit. */
static void run_spinning(u64 unused)
{
	struct result r;

	(void)unused;
	/* Where it comes from another CPU it is blocked for a moment. */
	do
		r = run_with(0, 0, 0, 0);
	while (r.x[0] == 0 && r.x[1] != VMMIO_READ && here == 0);
	r = run_with(0, (u64)do_spin, 0, 0);
	for (runner_runs = 1; r.x[0] == 0 && (r.x[1] == 0 || r.x[1] == 3) && runner_runs < 1000; runner_runs++)
		r = run_with(0, 0, 0, 0);
	runner_result = r;
}

static void spin_on_another(void)
{
	here = go = 0;
	timeslice = 100000000;
	begin(true);
	turn_on(0);
	cpu_begin(1, run_spinning, 0);
	wait_while(&here, 0);
}

static void say_runner(const char *name)
{
	go = 1;
	cpu_end(1);
	say("states %s, the runner = %x %x %x %x %x\n", name, runner_result.x[0], runner_result.x[1], runner_result.x[2], runner_result.x[3], runner_result.x[4]);
}

static void ask_two_cpus(void)
{
	u64 cap;

	cpu_on(1, 0xc4000003, 1, 1);
	spin_on_another();
	cap = child.vcpu[0];
	say_run("it runs elsewhere,", 0);
	say("states it runs elsewhere, check = ");
	say_result(make_call(0x68, cap, 0, 0, 0, 0, 0), 5);
	say(" on %x priority %x timeslice %x yield %x", make_call(0x38, cap, 0, 0, 0, 0, 0).x[0], make_call(0x46, cap, 20, 0, 0, 0, 0).x[0], make_call(0x47, cap, 5000000, 0, 0, 0, 0).x[0], make_call(0x3b, 1, cap, 0, 0, 0, 0).x[0]);
	say(" bind halt %x %x", make_call(0x5c, cap, VIC, 40, 0, 0, 0).x[0], make_call(0x5d, cap, 0, 0, 0, 0, 0).x[0]);
	say(" bind wakeup %x %x", make_call(0x5c, cap, VIC, 41, 1, 0, 0).x[0], make_call(0x5d, cap, 1, 0, 0, 0, 0).x[0]);
	say(" register %x group %x\n", make_call(0x64, cap, 0, 3, 0x55, 0, 0).x[0], make_call(0x45, child.group, 0, 0, 0, 0, 0).x[1]);
	say_runner("it ran elsewhere");
	say_run("it ran elsewhere, now", 0);
	unmake_all();

	spin_on_another();
	say("states killed while it runs elsewhere = %x", make_call(0x3a, child.vcpu[0], 0, 0, 0, 0, 0).x[0]);
	cpu_end(1);
	say(" then %x\n", make_call(0x3a, child.vcpu[0], 0, 0, 0, 0, 0).x[0]);
	say_runner("killed");
	say_run("killed elsewhere, here", 0);
	unmake_all();

	spin_on_another();
	say("states off while it runs elsewhere = %x", make_call(0x39, child.vcpu[0], 0, 0, 0, 0, 0).x[0]);
	say(" last %x\n", make_call(0x39, child.vcpu[0], 1, 0, 0, 0, 0).x[0]);
	say_runner("off");
	say_run("off elsewhere, here", 0);
	unmake_all();
	cpu_off(1);
}

/* ---- Whose time it is: the owner's slice is 5 ms, and nobody else is on its CPU ---- */

#define MS(n) ((n) * (FREQUENCY / 1000))

static void pass(u64 ticks)
{
	u64 start = MRS(cntvct_el0);

	while (MRS(cntvct_el0) - start < ticks)
		;
}

static u64 do_work_long(void)
{
	pass(MS(400));
	return 0x33;
}

/* By then the owner's slice is over. */
#define IDLE MS(20)

static void ask_turns(void)
{
	static const struct { const char *name; u64 priority; } ranks[] = { { "of its owner's rank", 32 }, { "of lower rank", 20 }, { "of higher rank", 40 } };

	timeslice = 100000000;
	for (u32 i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++) {
		u64 start;
		struct result r;

		priority = ranks[i].priority;
		begin(true);
		expect("power on", make_call(0x38, child.vcpu[0], (u64)other_cpu_entry, 4, 0, 0, 0));
		pass(IDLE);
		for (u32 n = 0; n < 2; n++) {
			say("states %s, run %x = ", ranks[i].name, n);
			say_result(run_with(0, 0, 0, 0), 5);
			say("\n");
		}
		give_work(0, do_nothing);
		say_run(ranks[i].name, 0);
		/* Work that does not end by itself: how many slices of its own it has at a time. */
		pass(IDLE);
		start = MRS(cntvct_el0);
		r = run_with(0, (u64)do_work_long, 0, 0);
		say("states %s, work = %x %x, slices %x\n", ranks[i].name, r.x[0], r.x[1], (MRS(cntvct_el0) - start) / MS(100));
		unmake_all();
	}
	priority = 32;
}

void ask_states(void)
{
	prepare_objects();
	ask_lives_of_one(false);
	ask_lives_of_one(true);
	ask_ends();
	ask_two_cpus();
	ask_turns();
}

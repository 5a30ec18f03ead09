/* A second VM that does what its owner tells it, so that each state of its vCPUs can be looked at: it asks for a command by reading emulated memory. */
#include "probe.h"
#include "vm.h"

#define ASKING 0x10000000ull
#define ANSWERING 0x10000008ull
#define ARGUMENTS (ORDER_OFFSET + 0x100)
#define RUN 0x65
#define CHECK 0x68
#define GICD 0x08000000ull

static u64 argument(u32 n)
{
	return read64(BASE + ARGUMENTS + 8 * n);
}

/* ---- The owner's side ---- */

static struct result run_while_ready(u32 cpu, u64 data)
{
	struct result r;

	for (u32 i = 0; i < 100000; i++) {
		r = hypercall(RUN, vcpu[cpu], data, 0, 0, 0, 0);
		if (r.x[0] != 0 || (r.x[1] != 0 && r.x[1] != 3))
			break;
	}
	return r;
}

static void say_state_of(const char *what, const char *name, struct result r)
{
	say("runs %s %s = %x | %x %x %x %x\n", what, name, r.x[0], r.x[1], r.x[2], r.x[3], r.x[4]);
}

static void say_check(const char *name)
{
	say_state_of("check", name, hypercall(CHECK, vcpu[0], 0, 0, 0, 0, 0));
}

static void say_run(const char *name, u64 data)
{
	say_state_of("run", name, run_while_ready(0, data));
}

static void command(u64 a, u64 b, u64 c, u64 d)
{
	write64(HERE + ARGUMENTS, a);
	write64(HERE + ARGUMENTS + 8, b);
	write64(HERE + ARGUMENTS + 16, c);
	write64(HERE + ARGUMENTS + 24, d);
}

u64 obey(const char *name, enum command what, u64 a, u64 b, u64 c, u64 d)
{
	struct result r;

	command(a, b, c, d);
	r = run_while_ready(0, what);
	/* How often it is asked while it sleeps is a matter of time. */
	for (u32 i = 0; i < 50 && what == DOZE && r.x[0] == 0 && r.x[1] == 1; i++) {
		delay(1000);
		r = run_while_ready(0, 0);
	}
	if (r.x[0] != 0 || r.x[1] != 5 || r.x[2] != ANSWERING) {
		say_state_of("instead of an answer", name, r);
		return ALL_ONES;
	}
	u64 answer = r.x[4];

	r = run_while_ready(0, 0);
	if (r.x[0] != 0 || r.x[1] != 4 || r.x[2] != ASKING)
		say_state_of("instead of a question", name, r);
	return answer;
}

u64 obey_request(const char *name, u32 id, u32 count, u32 a, u32 b, u32 c)
{
	memcpy((void *)(HERE + ORDER_OFFSET + 0x400), name, strlen(name) + 1);
	write64(HERE + ARGUMENTS + 32, b);
	write64(HERE + ARGUMENTS + 40, c);
	return obey(name, REQUEST, id, count, 0, a);
}

static void tell(const char *name, enum command what, u64 a, u64 b, u64 c, u64 d)
{
	say("runs inside %s = ", name);
	say("%x\n", obey(name, what, a, b, c, d));
}

void live_to_obey(const char *name, u32 id, u32 cpu_count)
{
	live(name, OBEY, id, cpu_count);
	say_run("first question", 0);
}

void end_obeying(void)
{
	run("to its end", 0, STOP_OBEYING);
	once("off");
	say("rm runs off =");
	say_answers(0);
	end();
}

/* Which of the owner's VIRQs of this VM are pending: its vCPU's, bell's and queues'. */
static void say_pending(const char *name)
{
	say("runs pending %s = %x\n", name, (u64)(read32(GICD + 0x200 + 120) & 0xfc));
}

static void clear_pending(void)
{
	write32(GICD + 0x280 + 120, ~0u);
}

static void say_answer(const char *name, u32 number, u64 a, u64 b, u64 c, u64 d)
{
	struct result r = hypercall(number, a, b, c, d, 0, 0);

	say("runs %s %x of %x %x %x = %x\n", name, (u64)number, b, c, d, r.x[0]);
}

/* What an owner may not do to a vCPU, and what is asked wrongly. */
static void ask_vcpu_calls(const char *name, u64 cap)
{
	static const u64 cpus_of[] = { 0, 1, 7, 0xffff, 0x10000, ALL_ONES };
	static const u64 numbers[] = { 0, 1, 32, 63, 64, 0xff, 0x100, 99999, 100000, 5000000, 100000000, 100000001, ALL_ONES };

	for (u64 flags = 0; flags < 5; flags++)
		say_answer(name, 0x38, cap, BASE, 0, flags);
	for (u64 flags = 0; flags < 3; flags++)
		say_answer(name, 0x39, cap, flags, 0, 0);
	for (u32 i = 0; i < sizeof(cpus_of) / sizeof(cpus_of[0]); i++)
		say_answer(name, 0x3d, cap, cpus_of[i], 0, 0);
	for (u32 i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		say_answer(name, 0x46, cap, numbers[i], 0, 0);
		say_answer(name, 0x47, cap, numbers[i], 0, 0);
		say_answer(name, 0x34, cap, numbers[i], 0, 0);
	}
	for (u64 set = 0; set < 4; set++)
		say_answer(name, 0x64, cap, set, 0, 0);
	for (u64 type = 0; type < 4; type++) {
		say_answer(name, 0x5c, cap, bell_in, 970, type);
		say_answer(name, 0x5c, cap, 40, 970, type);
	}
	say_answer(name, 0x3b, 1, cap, 0, 0);
}

static void ask_bindings(const char *name, u64 cap)
{
	static const u8 binds[] = { 0x10, 0x17, 0x18, 0x5c };
	static const u64 irqs[] = { 0, 31, 32, 970, 1019, 1020, 1023, 1024, 0xffffffff, 0x100000020ull };

	for (u32 i = 0; i < sizeof(binds); i++)
		for (u32 j = 0; j < sizeof(irqs) / sizeof(irqs[0]); j++) {
			say_answer(name, binds[i], cap, 0, irqs[j], 0);
			say_answer(name, binds[i], cap, cap, irqs[j], 0);
			say_answer(name, binds[i], cap, 40, irqs[j], 0);
		}
}

static void ask_states(void)
{
	say_check("asking");
	say_check("asking again");
	say_run("with a command", CALL);
	say_check("answering");
	say_run("answered", ALL_ONES);
	tell("doze", DOZE, 100000, 0, 0, 0);
}

static void ask_sleep(void)
{
	static const u64 powers[] = { 0, 1, 2, 3, 4, 0x40000003, 0x10003, 0x1000003, 0x40000000, 0x80000003, 0x100000003ull };

	clear_pending();
	say_pending("awake");
	command(0, 0, 0, 0);
	say_run("sleep", DOZE);
	say_check("sleep");
	say_pending("sleep");
	say_run("still asleep", 0x5555);
	say_answer("bell", 0x12, bell_out, 1, 0, 0);
	say_pending("woken");
	say_check("woken");
	say_run("woken", 0);
	say_pending("woken and run");
	say_run("woken", 0);
	clear_pending();
	say_pending("cleared");
	tell("takes", TAKE, 0, 0, 0, 0);
	tell("bell", CALL, 0x13, 2, ALL_ONES, 0);
	tell("takes none", TAKE, 0, 0, 0, 0);
	for (u32 i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
		command(0xc4000001, powers[i], BASE, 0);
		say_run("suspend", SERVICE);
		say_check("suspend");
		say_answer("bell", 0x12, bell_out, 1, 0, 0);
		delay(100);
		say_pending("suspend");
		struct result r = run_while_ready(0, 0);

		if (r.x[1] == 5)
			r = run_while_ready(0, 0);
		say_state_of("run", "after suspend", r);
		tell("takes", TAKE, 0, 0, 0, 0);
		tell("bell", CALL, 0x13, 2, ALL_ONES, 0);
		clear_pending();
	}
}

/* ---- Thresholds and the owner's VIRQs ---- */

static void ask_bell(void)
{
	static const u64 masks[][2] = { { ALL_ONES, 0 }, { 1, 0 }, { 2, 0 }, { 3, 3 }, { 1, 3 }, { 0, 0 }, { 0, ALL_ONES }, { 1ull << 63, 0 } };

	for (u32 i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		struct result r = hypercall(0x15, bell_in, masks[i][0], masks[i][1], 0, 0, 0);

		say("runs mask %x %x = %x %x\n", masks[i][0], masks[i][1], r.x[0], r.x[1]);
		for (u64 flags = 1; flags < 4; flags++) {
			say("runs bell inside %x = %x\n", flags, obey("bell", CALL, 0x12, 3, flags, 0));
			say_pending("bell");
			r = hypercall(0x13, bell_in, 1, 0, 0, 0, 0);
			say("runs bell receive 1 = %x %x\n", r.x[0], r.x[1]);
			say_pending("bell read in part");
			r = hypercall(0x13, bell_in, ALL_ONES, 0, 0, 0, 0);
			say("runs bell receive = %x %x\n", r.x[0], r.x[1]);
			say_pending("bell read");
		}
	}
	say("runs bell inside = %x\n", obey("bell", CALL, 0x12, 3, 1ull << 63, 0));
	say_pending("before reset");
	say("runs bell reset = %x\n", hypercall(0x14, bell_in, 0, 0, 0, 0, 0).x[0]);
	say_pending("after reset");
}

static void ask_receive_threshold(void)
{
	static const u64 thresholds[] = { 1, 2, 7, 8, 0, 9, 0xfffffffe, 0xffffffff };
	static u8 bytes[240];

	for (u32 i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++) {
		say("runs threshold of receiver %x = %x\n", thresholds[i], hypercall(0x20, queue_in, thresholds[i], 0xffffffff, ALL_ONES, 0, 0).x[0]);
		for (u64 n = 1; n < 10; n++) {
			say("runs queue sent inside %x = %x\n", n, obey("queue", CALL, 0x1b, 5, 4, BASE));
			say_pending("sent");
		}
		for (u64 n = 0; n < 9; n++) {
			struct result r = hypercall(0x1c, queue_in, (u64)bytes, sizeof(bytes), 0, 0, 0);

			say("runs queue received %x = %x %x %x\n", n, r.x[0], r.x[1], r.x[2]);
			say_pending("received");
		}
	}
	hypercall(0x20, queue_in, 1, 0xffffffff, ALL_ONES, 0, 0);
	say("runs queue sent inside = %x\n", obey("queue", CALL, 0x1b, 5, 4, BASE));
	say_pending("before flush");
	say("runs queue flushed = %x\n", hypercall(0x1d, queue_in, 0, 0, 0, 0, 0).x[0]);
	say_pending("after flush");
	/* With and without push, at a threshold that one message does not reach. */
	hypercall(0x20, queue_in, 5, 0xffffffff, ALL_ONES, 0, 0);
	say("runs queue sent without push = %x\n", obey("queue", CALL, 0x1b, 5, 4, BASE));
	say_pending("without push");
	for (u64 t = 1; t < 4; t++) {
		say("runs threshold lowered %x = %x\n", t, hypercall(0x20, queue_in, t, 0xffffffff, ALL_ONES, 0, 0).x[0]);
		say_pending("lowered");
	}
	hypercall(0x1d, queue_in, 0, 0, 0, 0, 0);
}

static void ask_send_threshold(void)
{
	static const u64 thresholds[] = { 0, 1, 2, 3, 0xfffffffe, 0xffffffff };
	static u8 bytes[240];

	for (u32 i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++) {
		say("runs threshold of sender %x = %x\n", thresholds[i], hypercall(0x1f, queue_out, thresholds[i], 0xffffffff, ALL_ONES, 0, 0).x[0]);
		say_pending("at first");
		for (u64 n = 1; n < 4; n++) {
			struct result r = hypercall(0x1b, queue_out, 4, (u64)bytes, 0, 0, 0);

			say("runs queue sent %x = %x %x\n", n, r.x[0], r.x[1]);
			say_pending("sent");
		}
		for (u64 n = 0; n < 3; n++) {
			say("runs queue received inside %x = %x\n", n, obey("queue", CALL, 0x1c, 4, BASE + ORDER_OFFSET + 0x300, 240));
			say_pending("received");
		}
	}
	say("runs queue sent = %x\n", hypercall(0x1b, queue_out, 4, (u64)bytes, 0, 0, 0).x[0]);
	say("runs queue sent = %x\n", hypercall(0x1b, queue_out, 4, (u64)bytes, 0, 0, 0).x[0]);
	say("runs queue flushed inside = %x\n", obey("queue", CALL, 0x1d, 4, 0, 0));
	say_pending("flushed inside");
}

static void ask_unbinding(void)
{
	static const u8 unbinds[] = { 0x11, 0x19, 0x1a };
	const u64 caps[] = { bell_in, bell_out, queue_in, queue_out, vcpu[0], 40 };

	for (u32 n = 0; n < 2; n++)
		for (u32 i = 0; i < sizeof(unbinds); i++)
			for (u32 j = 0; j < 6; j++)
				say("runs unbind %x of %x = %x\n", (u64)unbinds[i], (u64)j, hypercall(unbinds[i], caps[j], 0, 0, 0, 0, 0).x[0]);
	say_pending("unbound");
	say("runs bell inside = %x\n", obey("bell", CALL, 0x12, 3, 1, 0));
	say_pending("unbound, sent");
	for (u64 type = 0; type < 4; type++)
		say("runs unbind of vcpu %x = %x\n", type, hypercall(0x5d, vcpu[0], type, 0, 0, 0, 0).x[0]);
}

void ask_runs(void)
{
	rm_patience = 200;
	write32(GICD, 3);
	live_to_obey("obey", SHARE, 1);
	ask_states();
	ask_vcpu_calls("vcpu", vcpu[0]);
	ask_vcpu_calls("bell", bell_in);
	ask_bindings("bind vcpu", vcpu[0]);
	ask_bindings("bind bell", bell_in);
	ask_bindings("bind queue", queue_in);
	ask_bindings("bind sender", queue_out);
	ask_sleep();
	ask_bell();
	ask_receive_threshold();
	ask_send_threshold();
	ask_unbinding();
	end_obeying();
}

/* ---- Inside ---- */

static u64 take(void)
{
	u64 number;

	__asm__ volatile("mrs %0, S3_0_C12_C12_0" : "=r"(number));
	__asm__ volatile("msr S3_0_C12_C12_1, %0" :: "r"(number));
	return number;
}

static void fail(u64 kind)
{
	MSR(vbar_el1, NOWHERE);
	switch (kind) {
	case 0: (void)read64(NOWHERE); break;
	case 1: jump_run(NOWHERE); break;
	case 2: __asm__ volatile("udf #0"); break;
	case 3: __asm__ volatile("brk #1"); break;
	case 4: __asm__ volatile("svc #1"); break;
	default: write64(NOWHERE + 4, 1); break;
	}
}

static u64 do_as_told(u64 what)
{
	switch ((enum command)what) {
	case CALL: return hypercall((u32)argument(0), argument(1), argument(2), argument(3), 0, 0, 0).x[0];
	case SERVICE: return smccc((u32)argument(0), argument(1), argument(2), argument(3));
	case REQUEST: {
		static u32 words[16];

		for (u32 i = 0; i < argument(1); i++)
			words[i] = (u32)argument(3 + i);
		expect_handles((u32)read64(BASE + ORDER_OFFSET + 0x500));
		rm_ask_handles((const char *)BASE + ORDER_OFFSET + 0x400, (u32)argument(0), (u32)argument(1), words);
		return reply_word(0);
	}
	case DOZE:
		if (argument(0))
			timer_in(argument(0));
		__asm__ volatile("wfi");
		MSR(cntv_ctl_el0, 0);
		return argument(0) ? take() : 0;
	case SPIN:
		write64(BASE + ORDER_OFFSET + 0x208, 1);
		while (read64(BASE + ORDER_OFFSET + 0x200) == 0)
			;
		return 0;
	case TAKE: return take();
	case FAIL: fail(argument(0)); return 0;
	case READ: return read32(argument(0));
	case WRITE: write32(argument(0), (u32)argument(1)); return 0;
	default: return ALL_ONES;
	}
}

void second_obey(void)
{
	u64 what;

	rm_patience = 500;
	set_up_gic();
	/* Group 1, enabled, this CPU's: all that its devices may have. */
	for (u32 n = 1; n < 31; n++) {
		write32(0x8000080 + 4 * n, ~0u);
		write32(0x8000100 + 4 * n, ~0u);
	}
	while ((what = read64(ASKING)) != STOP_OBEYING)
		write64(ANSWERING, do_as_told(what));
}

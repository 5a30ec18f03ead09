/* Calls that others than the interrupt controller log about: memory, a vCPU that is run, errors, power. */
#include "tracer.h"

#define PULPIT 0x300000000ull

typedef u64 (*work_t)(void);

static u64 space, addrspace, vic, group, vcpu;

/* ---- Inside ---- */

static u64 service, service_argument[3];

static u64 do_nothing(void)
{
	return 0;
}

static u64 do_wait(void)
{
	__asm__ volatile("wfi");
	return 1;
}

static u64 do_service(void)
{
	return call(service, service_argument[0], service_argument[1], service_argument[2]);
}

static u64 do_read_nothing(void)
{
	return read64(0x280000000ull);
}

static u64 do_jump_nowhere(void)
{
	return jump_run(0x280000000ull);
}

static u64 do_odd_register(void)
{
	return instruction(MRS_WORD(3, 0, 5, 3, 0), 0, 0);
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

static struct result run_with(u64 a, u64 b)
{
	step();
	return do_call(0x65, vcpu, a, b, 0, 0, 0);
}

static void begin(void)
{
	align_steps();
	space = make('c');
	addrspace = make('a');
	vic = make('v');
	group = make('g');
	step();
	do_call(0x2b, addrspace, OWN, OWN_BASE, 0xf0077, 0, 0);
	step();
	do_call(0x60, addrspace, PULPIT, 0x1000, 0, 0, 0);
	vcpu = keep(do_call(5, PARTITION, CSPACE, 0, 0, 0, 0).x[1]);
	do_call(0x3e, space, vcpu, 0, 0, 0, 0);
	do_call(0x2a, addrspace, vcpu, 0, 0, 0, 0);
	do_call(0x29, vic, vcpu, 0, 0, 0, 0);
	do_call(0x3c, group, vcpu, 0, 0, 0, 0);
	do_call(0x34, vcpu, PROXY, 0, 0, 0, 0);
	do_call(0x47, vcpu, 100000000, 0, 0, 0, 0);
	do_call(0x3d, vcpu, 0, ALL_ONES, 0, 0, 0);
	step();
	do_call(0x0c, vcpu, 0, 0, 0, 0, 0);
	keep_thread(vcpu);
}

static void give_work(work_t work)
{
	struct result r = run_with(0, 0);

	for (u32 i = 0; i < 10 && r.x[0] == 0 && r.x[1] != 4; i++)
		r = run_with(0, 0);
	align_steps();
	run_with((u64)work, 0);
}

static void power_on(void)
{
	step();
	do_call(0x38, vcpu, (u64)other_cpu_entry, 4, 0, 0, 0);
}

static void trace_child(void)
{
	static const struct { u64 id, a, b, c; } services[] = {
		{ 0x84000000, 0, 0, 0 }, { 0xc4000001, 0, 0, 0 }, { 0xc4000001, 0x10000, 0x41000000, 4 }, { 0xc4000001, 0x1010000, 0x41000000, 4 }, { 0xc4000004, 0, 0, 0 }, { 0x8400000f, 1, 0, 0 },
		{ 0xc400000e, 0x41000000, 4, 0 }, { 0x84000002, 0, 0, 0 }, { 0x84000009, 0, 0, 0 }, { 0x84000008, 0, 0, 0 },
	};

	begin();
	run_with(0, 0);
	power_on();
	give_work(do_nothing);
	give_work(do_wait);
	run_with(0, 0);
	step();
	do_call(0x64, vcpu, 0, 3, 0x55, 0, 0);
	step();
	do_call(0x3a, vcpu, 0, 0, 0, 0, 0);
	run_with(0, 0);
	run_with(0, 0);
	unmake_all();
	for (u32 i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		begin();
		power_on();
		give_work(do_nothing);
		service = services[i].id;
		service_argument[0] = services[i].a;
		service_argument[1] = services[i].b;
		service_argument[2] = services[i].c;
		give_work(do_service);
		run_with(0, 0);
		run_with(0, 0);
		unmake_all();
	}
	static const work_t ends[] = { do_read_nothing, do_jump_nowhere, do_odd_register };

	for (u32 i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		begin();
		power_on();
		give_work(do_nothing);
		give_work(ends[i]);
		run_with(0, 0);
		unmake_all();
	}
}

static void trace_memory(void)
{
	u64 extent = make('m'), other = make('m'), all, part, scratch;

	scratch = make('a');
	step();
	do_call(0x2b, scratch, extent, 0x400000000ull, 0xf0077, 0, 0);
	step();
	do_call(0x2d, scratch, extent, 0x400000000ull, 0x66, 0, 0);
	step();
	do_call(0x2c, scratch, extent, 0x400000000ull, 0, 0, 0);
	step();
	do_call(0x30, extent, 0, 0, 0x1000, 0, 0);
	step();
	do_call(0x30, extent, 1, 0, 0x1000, 0, 0);
	all = keep(do_call(4, PARTITION, CSPACE, 0, 0, 0, 0).x[1]);
	step();
	do_call(0x32, all, OWN, PLAY_OFFSET + 0x1d00000, 0x4000, 0x10007, 0);
	step();
	do_call(0x0c, all, 0, 0, 0, 0, 0);
	step();
	do_call(0x61, 0, OWN, all, PLAY_OFFSET + 0x1d00000, 0x4000, 0);
	part = keep(do_call(4, PARTITION, CSPACE, 0, 0, 0, 0).x[1]);
	step();
	do_call(0x32, part, all, 0x1000, 0x2000, 0x10007, 0);
	step();
	do_call(0x0c, part, 0, 0, 0, 0, 0);
	step();
	do_call(0x61, 0, all, part, 0x1000, 0x1000, 0);
	step();
	do_call(0x61, 1, all, part, 0, 0x1000, 0);
	step();
	do_call(0x61, 0, part, all, 0, 0x1000, 0);
	step();
	do_call(0x22, CSPACE, part, 0, 0, 0, 0);
	step();
	do_call(0x22, CSPACE, other, 0, 0, 0, 0);
	unmake_all();
}

static void trace_errors(void)
{
	static const u32 numbers[] = { 0x00, 0x01, 0x0e, 0x16, 0x24, 0x2f, 0x3f, 0x57, 0x5a, 0x63, 0x69, 0x6f };

	for (u32 n = 0; n < sizeof(numbers) / 4; n++) {
		step();
		do_call(numbers[n], 0, 0, 0, 0, 0, 0);
		step();
		make_call(numbers[n], 0, 0, 0, 0, 0, 0);
	}
	step();
	do_call(0x12, 0, 0, 0, 0, 0, 0);
	step();
	make_call(0x12, 1, 2, 3, 4, 5, 6);
	step();
	call(0x84000000, 0, 0, 0);
	step();
	call(0x80000001, 0x80008000, 0, 0);
	step();
	call(0xc600bff0, 1, 2, 3);
	step();
	call(0x8600ff01, 1, 2, 3);
	step();
	call(0xc4000002, 1, 2, 3);
	/* What the CPU itself refuses, what the hypervisor refuses, and addresses with nothing behind. */
	step();
	do_odd_register();
	step();
	instruction(MRS_WORD(3, 0, 0, 0, 7), 0, 0);
	step();
	do_read_nothing();
	step();
	do_jump_nowhere();
	step();
	instruction(0xd4000003 | 5 << 5, 0, 0);
	step();
	do_call(0x3f, 0, 0x70000, 0, 0, 0, 0);
	step();
	do_call(0x3f, 0x70000, 0, 0, 0, 0, 0);
}

void trace_calls(void)
{
	trace_child();
	trace_memory();
	trace_errors();
}

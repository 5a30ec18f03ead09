/* The order of the tracer's groups. */
#include "tracer.h"

static u64 count;

void step(void)
{
	do_call(0x12, MARK, count++, 0, 0, 0, 0);
}

void align_steps(void)
{
	count = (count + 99) / 100 * 100;
}

struct result do_call(u32 number, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	const u64 arguments[7] = { a0, a1, a2, a3, a4, a5, 0 };

	return call_by(NATIVE, number, arguments);
}

void probe_main(void)
{
	say("tracer begins\n");
	prepare_objects();
	do_call(0x3f, ALL_ONES, 0, 0, 0, 0, 0);
	trace_interrupts();
	trace_lines();
	trace_cpus();
	trace_calls();
	step();
	say("tracer ends\n");
	for (;;)
		;
}

void other_main(u64 context)
{
	if (context >= 4)
		child_main();
	work_on(context);
}

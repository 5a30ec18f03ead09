/* The order of the groups about wires. */
#include "wires.h"

void probe_main(void)
{
	say("owner begins\n");
	prepare_objects();
	open_controller();
	ask_sequences();
	ask_walks();
	ask_crowds();
	ask_turns();
	say("owner ends\n");
	for (;;)
		__asm__ volatile("wfi");
}

void other_main(u64 context)
{
	if (context == RUN_TURN)
		run_turn();
	if (context == THIRD_TURN)
		third_turn();
	if (context >= SUSPENDS)
		source_main(context);
	work_on(context);
}

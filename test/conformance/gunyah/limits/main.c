/* The order of the groups about values at their edges. The owner's VM and objects are those of `owner/`. */
#include "limits.h"

void probe_main(void)
{
	say("owner begins\n");
	ask_sweeps();
	ask_edges();
	say("owner ends\n");
	for (;;)
		__asm__ volatile("wfi");
}

/* Calls by chance, with the owner's VM and objects. */
#include "chance.h"

void probe_main(void)
{
	say("owner begins\n");
	ask_by_chance();
	say("owner ends\n");
	for (;;)
		__asm__ volatile("wfi");
}

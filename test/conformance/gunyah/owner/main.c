/* The order of the owner's groups. */
#include "owner.h"

void probe_main(void)
{
	say("owner begins\n");

	ask_rights();
	say("owner ends\n");
	for (;;)
		__asm__ volatile("wfi");
}

void other_main(u64 context)
{
	work_on(context);
}

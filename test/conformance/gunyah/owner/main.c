/* The order of the owner's groups. */
#include "owner.h"

/* For work on the last groups. */
static const bool quick = false;

void probe_main(void)
{
	say("owner begins\n");
	if (!quick) {
		prepare_objects();
		ask_rights();
	}
	ask_states();
	say("owner ends\n");
	for (;;)
		__asm__ volatile("wfi");
}

void other_main(u64 context)
{
	if (context >= 4)
		child_main();
	work_on(context);
}

/* The group about device trees without room. */
#include "requests.h"

void probe_main(void)
{
	is_second = MRS(midr_el1) == 0xf0480;
	if (is_second) {
		second_main(at_entry.x[0]);
		return;
	}
	ask_rooms();
	smccc(0x84000008, 0, 0, 0);
}

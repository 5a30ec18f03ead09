/* The order of the groups. */
#include "requests.h"

void probe_main(void)
{
	is_second = MRS(midr_el1) == 0xf0480;
	if (is_second) {
		second_main(at_entry.x[0]);
		return;
	}
	ask_lengths();
	ask_parcel_forms("own", 0xff);
	ask_fields();
	ask_stages();
	smccc(0x84000008, 0, 0, 0);
}

/*
 * A VM that goes on: every so often it asks RM three questions whose answers it knows, rings nobody, and prints one line. It never ends.
 * Other VMs' troubles must not show in what it prints.
 */
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/exception.h"
#include "sdk/rm.h"
#include "sdk/timer.h"

#define PAUSE_US 1500U

void guest_main(void)
{
	static struct rm_resource_list resources;
	static struct rm rm;
	enum rm_vm_state state = RM_VM_NONE;
	uint16_t vmid = 0;
	uint32_t first = 0;

	if (!rm_open(&rm, &board.fdt))
		panic("there is no Resource Manager");
	for (uint32_t turn = 0;; turn++) {
		enum rm_error error = rm_get_vmid(&rm, &vmid);

		if (error == RM_OK)
			error = rm_get_state(&rm, vmid, &state);
		if (error == RM_OK)
			error = rm_get_resources(&rm, vmid, &resources);
		if (turn == 0)
			first = resources.count;
		print("turn %u: %s, VM %x in state %u, %s\n", turn, rm_error_name(error), vmid, state,
		      resources.count == first ? "what it always had" : "other resources");
		timer_sleep_us(PAUSE_US);
	}
}

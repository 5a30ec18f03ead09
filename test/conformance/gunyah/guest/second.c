/* The second VM asked at length: registers, calls, aborts, the interrupt controller, and what its owner sees of it meanwhile. */
#include "probe.h"
#include "tree.h"
#include "vm.h"

void second_registers(void)
{
	ask_registers();
	ask_instructions();
}

void second_faults(u64 which)
{
	(void)which;
	every_form("emulated", 0x10000000);
	every_form("end of the emulated", 0x3fffffc0);
	every_form("the first page", 0x40000000);
	every_form("behind the first page", 0x40001000);
}

/* When it sleeps is a matter of time. */
static void ask_quiet_life(const char *name, enum order order)
{
	live(name, order, LEND, 1);
	run_until_off(0);
	run("off", 0, 0);
	say("rm vm after %s =", name);
	say_answers(0);
	end();
}

void ask_inside(void)
{
	rm_patience = 200;
	ask_short_life("registers", REGISTERS);
	ask_short_life("every-register", EVERY_REGISTER);
	ask_short_life("calls", CALLS);
	ask_short_life("capabilities", CAPABILITIES);
	ask_short_life("aborts", ABORTS);
	ask_quiet_life("controller", CONTROLLER);
	ask_short_life("faults", FAULTS);
}

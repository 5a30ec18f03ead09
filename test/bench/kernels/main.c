/* Runs one kernel, prints its checksum and switches off. */
#include "kernel.h"
#include "mmu.h"

#include "sdk/board.h"
#include "sdk/console.h"

#ifndef ITERATIONS
#error "pass -DITERATIONS=…"
#endif

void guest_main(void)
{
#ifdef WITH_MMU
	mmu_on();
#endif
	print("%s %u checksum 0x%08x\n", kernel_name, (unsigned int)ITERATIONS, kernel_run(ITERATIONS));
}

/* What the asking second VM is told by its owner, in its own memory. */
#ifndef SECOND_H
#define SECOND_H

#include "../guest/probe.h"

#define TOLD_OFFSET 0x1a0100ull
/* Memory that is given to it for good: where it is for the owner and, as it asks for that, for itself. */
#define OWN 0x64000000u
#define OWN_SIZE 0x40000u

struct told {
	/* VMs: itself; one that is allocated; one that runs. */
	u32 self, allocated, running;
	/* And one at each other stage. */
	u32 configured, ready, exited, was_reset, failed;
	/* Parcels: its image, memory to keep, lent and shared. */
	u32 image, donated, lent, shared;
	u32 interrupt;
};

void ask_as_second(void);

/* ---- What is told (hear.c) ---- */

/* Takes what is there. */
void hear(void);
void say_told(void);

#endif

/* Turns on the MMU of this CPU with a map that changes nothing but makes RAM cacheable, so that exclusives work between CPUs. */
#ifndef MEMORY_H
#define MEMORY_H

void memory_init_cpu(void);

#endif

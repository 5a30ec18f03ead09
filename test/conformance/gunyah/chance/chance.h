/* Calls that a generator with a fixed seed puts together: see chance.c. */
#ifndef CHANCE_H
#define CHANCE_H

#include "../limits/limits.h"

void ask_by_chance(void);

#endif

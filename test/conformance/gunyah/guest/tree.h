/* Writing a small device tree: nodes and properties in order. See tree.c. */
#ifndef TREE_H
#define TREE_H

#include "probe.h"

void tree_begin(u64 address);
void tree_node(const char *name);
void tree_end(void);
void tree_bytes(const char *name, const void *bytes, u32 size);
void tree_text(const char *name, const char *text);
void tree_cells(const char *name, u32 count, ...);
/* Size of the whole. */
u32 tree_finish(void);

#endif

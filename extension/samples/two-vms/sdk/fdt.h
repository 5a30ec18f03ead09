/*
 * Reads a flattened device tree (Devicetree Specification, chapter 5) in place. A node is the offset of its
 * FDT_BEGIN_NODE token; negative means "none".
 */
#ifndef SDK_FDT_H
#define SDK_FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FDT_NONE (-1)
#define FDT_ROOT 0

struct fdt {
	const uint8_t *blob;
	const uint8_t *structs;
	const char *strings;
	uint32_t total_size;
	uint32_t structs_size;
};

struct fdt_property {
	const uint8_t *value; /* big-endian, four-byte aligned */
	uint32_t size;        /* bytes */
};

/* An entry of an interrupts property for a GICv3. */
struct fdt_interrupt {
	uint32_t intid;
	bool edge;
};

/* Returns false if there is no valid tree at blob. */
bool fdt_open(struct fdt *fdt, const void *blob);

/* The node after this one in the tree's own order (depth first). *depth, if not NULL, follows the nesting. */
int fdt_next_node(const struct fdt *fdt, int node, int *depth);
int fdt_parent(const struct fdt *fdt, int node);
const char *fdt_name(const struct fdt *fdt, int node);

/* "/a/b" finds nodes a and b with or without their unit addresses. */
int fdt_find_path(const struct fdt *fdt, const char *path);

/* The first node behind `after` (FDT_NONE: from the start) that is compatible with the name. */
int fdt_find_compatible(const struct fdt *fdt, int after, const char *compatible);
bool fdt_is_compatible(const struct fdt *fdt, int node, const char *compatible);

bool fdt_get(const struct fdt *fdt, int node, const char *name, struct fdt_property *property);
const char *fdt_get_string(const struct fdt *fdt, int node, const char *name);
uint32_t fdt_get_u32(const struct fdt *fdt, int node, const char *name, uint32_t otherwise);
uint32_t fdt_cell(const struct fdt_property *property, uint32_t index);
uint64_t fdt_cells64(const struct fdt_property *property, uint32_t index, uint32_t cell_count);

/* Entry `index` of reg, in the parent's #address-cells and #size-cells. */
bool fdt_get_reg(const struct fdt *fdt, int node, uint32_t index, uint64_t *address, uint64_t *size);
bool fdt_get_interrupt(const struct fdt *fdt, int node, uint32_t index, struct fdt_interrupt *interrupt);

#endif

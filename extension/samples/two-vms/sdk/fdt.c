#include "fdt.h"

#include "string.h"

#define FDT_MAGIC 0xd00dfeedU
#define FDT_BEGIN_NODE 1U
#define FDT_END_NODE 2U
#define FDT_PROP 3U
#define FDT_NOP 4U
#define FDT_END 9U
#define FDT_DEPTH_MAX 16

static uint32_t read_be32(const uint8_t *from)
{
	return __builtin_bswap32(*(const uint32_t *)(const void *)from);
}

static uint32_t align4(uint32_t size)
{
	return (size + 3U) & ~3U;
}

bool fdt_open(struct fdt *fdt, const void *blob)
{
	const uint8_t *header = blob;

	if (header == NULL || ((uintptr_t)header & 7) != 0 || read_be32(header) != FDT_MAGIC)
		return false;
	fdt->blob = header;
	fdt->total_size = read_be32(header + 4);
	fdt->structs = header + read_be32(header + 8);
	fdt->strings = (const char *)header + read_be32(header + 12);
	fdt->structs_size = read_be32(header + 36);
	return true;
}

/* One token of the structure block. */
struct token {
	uint32_t kind;
	int next; /* offset of the token behind it */
};

static struct token read_token(const struct fdt *fdt, int offset)
{
	struct token token = { .kind = FDT_END, .next = offset };

	if (offset < 0 || (uint32_t)offset + 4 > fdt->structs_size)
		return token;
	token.kind = read_be32(fdt->structs + offset);
	token.next = offset + 4;
	if (token.kind == FDT_BEGIN_NODE)
		token.next += (int)align4((uint32_t)strlen((const char *)fdt->structs + offset + 4) + 1);
	else if (token.kind == FDT_PROP)
		token.next += 8 + (int)align4(read_be32(fdt->structs + offset + 4));
	return token;
}

int fdt_next_node(const struct fdt *fdt, int node, int *depth)
{
	int offset = node;
	int level = 0;
	struct token token = read_token(fdt, offset);

	do {
		if (token.kind == FDT_BEGIN_NODE)
			level++;
		else if (token.kind == FDT_END_NODE)
			level--;
		offset = token.next;
		token = read_token(fdt, offset);
		if (token.kind == FDT_END)
			return FDT_NONE;
	} while (token.kind != FDT_BEGIN_NODE);
	if (depth != NULL)
		*depth += level;
	return offset;
}

int fdt_parent(const struct fdt *fdt, int node)
{
	int ancestors[FDT_DEPTH_MAX] = { FDT_ROOT };
	int depth = 0;

	for (int n = FDT_ROOT; n >= 0 && depth < FDT_DEPTH_MAX; n = fdt_next_node(fdt, n, &depth)) {
		if (n == node)
			return depth > 0 ? ancestors[depth - 1] : FDT_NONE;
		ancestors[depth] = n;
	}
	return FDT_NONE;
}

const char *fdt_name(const struct fdt *fdt, int node)
{
	return (const char *)fdt->structs + node + 4;
}

static bool name_matches(const char *name, const char *component, size_t length)
{
	if (memcmp(name, component, length) != 0)
		return false;
	return name[length] == '\0' || name[length] == '@';
}

int fdt_find_path(const struct fdt *fdt, const char *path)
{
	int node = FDT_ROOT;
	int depth = 0;
	int wanted_depth = 1;

	while (*path == '/')
		path++;
	while (*path != '\0') {
		size_t length = 0;

		while (path[length] != '\0' && path[length] != '/')
			length++;
		do {
			node = fdt_next_node(fdt, node, &depth);
			if (node < 0 || depth < wanted_depth)
				return FDT_NONE;
		} while (depth != wanted_depth || strlen(fdt_name(fdt, node)) < length ||
			 !name_matches(fdt_name(fdt, node), path, length));
		wanted_depth++;
		path += length;
		while (*path == '/')
			path++;
	}
	return node;
}

bool fdt_get(const struct fdt *fdt, int node, const char *name, struct fdt_property *property)
{
	int offset = read_token(fdt, node).next;

	for (;;) {
		struct token token = read_token(fdt, offset);

		if (token.kind == FDT_PROP) {
			const uint8_t *at = fdt->structs + offset;

			if (strcmp(fdt->strings + read_be32(at + 8), name) == 0) {
				property->size = read_be32(at + 4);
				property->value = at + 12;
				return true;
			}
		} else if (token.kind != FDT_NOP) {
			return false;
		}
		offset = token.next;
	}
}

bool fdt_is_compatible(const struct fdt *fdt, int node, const char *compatible)
{
	struct fdt_property property;
	uint32_t offset = 0;

	if (!fdt_get(fdt, node, "compatible", &property))
		return false;
	while (offset < property.size) {
		const char *entry = (const char *)property.value + offset;

		if (strcmp(entry, compatible) == 0)
			return true;
		offset += (uint32_t)strlen(entry) + 1;
	}
	return false;
}

int fdt_find_compatible(const struct fdt *fdt, int after, const char *compatible)
{
	int node = after < 0 ? FDT_ROOT : fdt_next_node(fdt, after, NULL);

	while (node >= 0 && !fdt_is_compatible(fdt, node, compatible))
		node = fdt_next_node(fdt, node, NULL);
	return node;
}

const char *fdt_get_string(const struct fdt *fdt, int node, const char *name)
{
	struct fdt_property property;

	if (!fdt_get(fdt, node, name, &property) || property.size == 0)
		return NULL;
	return property.value[property.size - 1] == '\0' ? (const char *)property.value : NULL;
}

uint32_t fdt_cell(const struct fdt_property *property, uint32_t index)
{
	if ((index + 1) * 4 > property->size)
		return 0;
	return read_be32(property->value + index * 4);
}

uint64_t fdt_cells64(const struct fdt_property *property, uint32_t index, uint32_t cell_count)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < cell_count; i++)
		value = (value << 32) | fdt_cell(property, index + i);
	return value;
}

uint32_t fdt_get_u32(const struct fdt *fdt, int node, const char *name, uint32_t otherwise)
{
	struct fdt_property property;

	if (!fdt_get(fdt, node, name, &property) || property.size < 4)
		return otherwise;
	return fdt_cell(&property, 0);
}

bool fdt_get_reg(const struct fdt *fdt, int node, uint32_t index, uint64_t *address, uint64_t *size)
{
	int parent = fdt_parent(fdt, node);
	uint32_t address_cells = parent < 0 ? 2 : fdt_get_u32(fdt, parent, "#address-cells", 2);
	uint32_t size_cells = parent < 0 ? 1 : fdt_get_u32(fdt, parent, "#size-cells", 1);
	uint32_t entry = index * (address_cells + size_cells);
	struct fdt_property property;

	if (!fdt_get(fdt, node, "reg", &property))
		return false;
	if ((entry + address_cells + size_cells) * 4 > property.size)
		return false;
	*address = fdt_cells64(&property, entry, address_cells);
	if (size != NULL)
		*size = fdt_cells64(&property, entry + address_cells, size_cells);
	return true;
}

bool fdt_get_interrupt(const struct fdt *fdt, int node, uint32_t index, struct fdt_interrupt *interrupt)
{
	struct fdt_property property;
	uint32_t class;

	if (!fdt_get(fdt, node, "interrupts", &property) || (index + 1) * 12 > property.size)
		return false;
	class = fdt_cell(&property, index * 3);
	interrupt->intid = fdt_cell(&property, index * 3 + 1) + (class == 0 ? 32 : 16);
	interrupt->edge = (fdt_cell(&property, index * 3 + 2) & 3) != 0;
	return true;
}

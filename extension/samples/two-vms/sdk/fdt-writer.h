/*
 * Writes a flattened device tree (Devicetree Specification, chapter 5) from the root down: begin, nodes with their properties
 * before their children, finish. Running out of room is remembered and reported once, by fdt_writer_finish().
 */
#ifndef SDK_FDT_WRITER_H
#define SDK_FDT_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FDT_WRITER_STRINGS_MAX 1024U /* bytes of all property names together */
#define FDT_WRITER_DEPTH_MAX 8U

struct fdt_writer {
	uint8_t *blob;
	size_t capacity;
	size_t size; /* bytes written so far */
	char strings[FDT_WRITER_STRINGS_MAX];
	size_t strings_size;
	uint32_t depth;
	bool failed; /* no room, or nodes that do not match */
};

/* Starts a tree in a buffer that is aligned to eight bytes. */
void fdt_writer_begin(struct fdt_writer *writer, void *buffer, size_t capacity);

/* The root's name is "". */
void fdt_begin_node(struct fdt_writer *writer, const char *name);
void fdt_end_node(struct fdt_writer *writer);

void fdt_put(struct fdt_writer *writer, const char *name, const void *value, size_t size);
void fdt_put_flag(struct fdt_writer *writer, const char *name);
void fdt_put_string(struct fdt_writer *writer, const char *name, const char *text);
void fdt_put_u32(struct fdt_writer *writer, const char *name, uint32_t value);
void fdt_put_u64(struct fdt_writer *writer, const char *name, uint64_t value);
void fdt_put_cells(struct fdt_writer *writer, const char *name, const uint32_t *cells, size_t count);

/* A property whose cells are written out in place: FDT_CELLS(w, "reg", 0, 0x9000000, 0, 0x1000). */
#define FDT_CELLS(writer, name, ...)                                       \
	fdt_put_cells((writer), (name), (const uint32_t[]){ __VA_ARGS__ }, \
		      sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* Completes the tree and returns its size; 0 if it did not fit or its nodes do not match. */
size_t fdt_writer_finish(struct fdt_writer *writer);

#endif

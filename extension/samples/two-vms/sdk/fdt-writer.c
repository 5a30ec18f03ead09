#include "fdt-writer.h"

#include "string.h"

#define FDT_MAGIC 0xd00dfeedU
#define FDT_VERSION 17U
#define FDT_LAST_COMPATIBLE 16U
#define FDT_HEADER_SIZE 40U
#define FDT_RESERVATIONS_SIZE 16U /* only the entry that ends the list */

enum fdt_token { FDT_BEGIN_NODE = 1, FDT_END_NODE = 2, FDT_PROP = 3, FDT_END = 9 };

static bool has_room(struct fdt_writer *writer, size_t size)
{
	if (writer->failed || size > writer->capacity - writer->size)
		writer->failed = true;
	return !writer->failed;
}

static void store_be32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void append_u32(struct fdt_writer *writer, uint32_t value)
{
	if (!has_room(writer, 4))
		return;
	store_be32(writer->blob + writer->size, value);
	writer->size += 4;
}

/* Appends bytes and zeros up to the next multiple of four. */
static void append_bytes(struct fdt_writer *writer, const void *bytes, size_t size)
{
	size_t padded = (size + 3) & ~(size_t)3;

	if (padded < size || !has_room(writer, padded)) {
		writer->failed = true;
		return;
	}
	memset(writer->blob + writer->size, 0, padded);
	memcpy(writer->blob + writer->size, bytes, size);
	writer->size += padded;
}

/* Offset of a property name in the strings block; equal names share one. */
static uint32_t intern(struct fdt_writer *writer, const char *name)
{
	size_t length = strlen(name) + 1;
	size_t at = 0;

	while (at < writer->strings_size) {
		if (strcmp(writer->strings + at, name) == 0)
			return (uint32_t)at;
		at += strlen(writer->strings + at) + 1;
	}
	if (length > FDT_WRITER_STRINGS_MAX - writer->strings_size) {
		writer->failed = true;
		return 0;
	}
	memcpy(writer->strings + at, name, length);
	writer->strings_size += length;
	return (uint32_t)at;
}

void fdt_writer_begin(struct fdt_writer *writer, void *buffer, size_t capacity)
{
	memset(writer, 0, sizeof(*writer));
	writer->blob = buffer;
	writer->capacity = capacity;
	if (!has_room(writer, FDT_HEADER_SIZE + FDT_RESERVATIONS_SIZE))
		return;
	memset(buffer, 0, FDT_HEADER_SIZE + FDT_RESERVATIONS_SIZE);
	writer->size = FDT_HEADER_SIZE + FDT_RESERVATIONS_SIZE;
}

void fdt_begin_node(struct fdt_writer *writer, const char *name)
{
	if (writer->depth == FDT_WRITER_DEPTH_MAX)
		writer->failed = true;
	writer->depth++;
	append_u32(writer, FDT_BEGIN_NODE);
	append_bytes(writer, name, strlen(name) + 1);
}

void fdt_end_node(struct fdt_writer *writer)
{
	if (writer->depth == 0)
		writer->failed = true;
	writer->depth--;
	append_u32(writer, FDT_END_NODE);
}

void fdt_put(struct fdt_writer *writer, const char *name, const void *value, size_t size)
{
	append_u32(writer, FDT_PROP);
	append_u32(writer, (uint32_t)size);
	append_u32(writer, intern(writer, name));
	append_bytes(writer, value, size);
}

void fdt_put_flag(struct fdt_writer *writer, const char *name)
{
	fdt_put(writer, name, "", 0);
}

void fdt_put_string(struct fdt_writer *writer, const char *name, const char *text)
{
	fdt_put(writer, name, text, strlen(text) + 1);
}

void fdt_put_cells(struct fdt_writer *writer, const char *name, const uint32_t *cells, size_t count)
{
	fdt_put(writer, name, NULL, 0);
	if (writer->failed)
		return;
	store_be32(writer->blob + writer->size - 8, (uint32_t)(count * 4));
	for (size_t i = 0; i < count; i++)
		append_u32(writer, cells[i]);
}

void fdt_put_u32(struct fdt_writer *writer, const char *name, uint32_t value)
{
	fdt_put_cells(writer, name, &value, 1);
}

void fdt_put_u64(struct fdt_writer *writer, const char *name, uint64_t value)
{
	FDT_CELLS(writer, name, (uint32_t)(value >> 32), (uint32_t)value);
}

size_t fdt_writer_finish(struct fdt_writer *writer)
{
	size_t strings_at;

	append_u32(writer, FDT_END);
	strings_at = writer->size;
	append_bytes(writer, writer->strings, writer->strings_size);
	if (writer->failed || writer->depth != 0)
		return 0;

	const uint32_t header[FDT_HEADER_SIZE / 4] = {
		FDT_MAGIC,
		(uint32_t)writer->size,
		FDT_HEADER_SIZE + FDT_RESERVATIONS_SIZE,
		(uint32_t)strings_at,
		FDT_HEADER_SIZE,
		FDT_VERSION,
		FDT_LAST_COMPATIBLE,
		0, /* the CPU that boots */
		(uint32_t)writer->strings_size,
		(uint32_t)(strings_at - FDT_HEADER_SIZE - FDT_RESERVATIONS_SIZE),
	};

	for (size_t i = 0; i < FDT_HEADER_SIZE / 4; i++)
		store_be32(writer->blob + 4 * i, header[i]);
	return writer->size;
}

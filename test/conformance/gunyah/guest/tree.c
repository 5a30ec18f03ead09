/* Device trees: printed property by property in the order of the blob, and a small writer for the second VM's. */
#include "probe.h"
#include "tree.h"

static u32 big(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static bool starts(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return false;
	return true;
}

/* The primary VM's tree is the board's; only what RM added is a question. */
void ask_tree(u64 tree)
{
	const u8 *blob = (const u8 *)tree, *p = blob + big(blob + 8), *strings = blob + big(blob + 12);
	static char path[256];
	u32 length = 0;

	memset(path, 0, sizeof(path));
	for (;;) {
		u32 token = big(p);

		p += 4;
		if (token == 1) {
			const char *name = (const char *)p;
			u32 size = (u32)strlen(name);

			if (length != 1)
				path[length++] = '/';
			memcpy(path + length, name, size);
			length += size;
			path[length] = 0;
			p += (size + 4) & ~3u;
			if (is_second || starts(path, "/hypervisor"))
				say("tree %s\n", path);
		} else if (token == 2) {
			while (length > 0 && path[length - 1] != '/')
				length--;
			if (length > 1)
				length--;
			path[length] = 0;
			if (length == 0)
				return;
		} else if (token == 3) {
			u32 size = big(p);
			const char *name = (const char *)strings + big(p + 4);

			p += 8;
			if (is_second || starts(path, "/hypervisor")) {
				say("tree %s %s = ", path, name);
				if (strcmp(name, "kaslr-seed") == 0)
					say("%x bytes", (u64)size);
				else
					say_bytes(p, size);
				say("\n");
			}
			p += (size + 3) & ~3u;
		} else if (token == 9)
			return;
	}
}

/* ---- Writing ---- */

static u8 *start, *at;
static char names[1024];
static u32 names_size;

static void word(u32 value)
{
	*at++ = (u8)(value >> 24);
	*at++ = (u8)(value >> 16);
	*at++ = (u8)(value >> 8);
	*at++ = (u8)value;
}

void tree_begin(u64 address)
{
	start = (u8 *)address;
	memset(start, 0, 56);
	at = start + 56;
	names_size = 0;
}

void tree_node(const char *name)
{
	u32 size = (u32)strlen(name) + 1;

	word(1);
	memcpy(at, name, size);
	for (at += size; (u64)at & 3; at++)
		*at = 0;
}

void tree_end(void)
{
	word(2);
}

void tree_bytes(const char *name, const void *bytes, u32 size)
{
	u32 found = 0;

	while (found < names_size && strcmp(names + found, name) != 0)
		found += (u32)strlen(names + found) + 1;
	if (found == names_size) {
		memcpy(names + found, name, strlen(name) + 1);
		names_size += (u32)strlen(name) + 1;
	}
	word(3);
	word(size);
	word(found);
	memcpy(at, bytes, size);
	for (at += size; (u64)at & 3; at++)
		*at = 0;
}

void tree_text(const char *name, const char *text)
{
	tree_bytes(name, text, (u32)strlen(text) + 1);
}

void tree_cells(const char *name, u32 count, ...)
{
	u8 bytes[64];
	va_list arguments;

	va_start(arguments, count);
	for (u32 i = 0; i < count; i++) {
		u32 value = va_arg(arguments, u32);

		for (u32 j = 0; j < 4; j++)
			bytes[4 * i + j] = (u8)(value >> (24 - 8 * j));
	}
	va_end(arguments);
	tree_bytes(name, bytes, count * 4);
}

u32 tree_finish(void)
{
	u32 size, structure;

	word(9);
	structure = (u32)(at - start) - 56;
	memcpy(at, names, names_size);
	size = 56 + structure + names_size;
	at = start;
	word(0xd00dfeed);
	word(size);
	word(56);
	word(56 + structure);
	word(40);
	word(17);
	word(16);
	word(0);
	word(names_size);
	word(structure);
	return size;
}

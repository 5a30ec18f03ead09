/*
 * Memory and string functions. They move eight bytes at a time where both sides are aligned: with the MMU off an
 * unaligned access faults.
 */
#include "string.h"

#include <stdint.h>

typedef uint64_t __attribute__((may_alias)) word_t;

static bool both_aligned(const void *left, const void *right)
{
	return (((uintptr_t)left | (uintptr_t)right) & (sizeof(word_t) - 1)) == 0;
}

void *memcpy(void *destination, const void *source, size_t size)
{
	uint8_t *to = destination;
	const uint8_t *from = source;

	if (both_aligned(to, from)) {
		for (; size >= sizeof(word_t); size -= sizeof(word_t)) {
			*(word_t *)to = *(const word_t *)from;
			to += sizeof(word_t);
			from += sizeof(word_t);
		}
	}
	while (size-- > 0)
		*to++ = *from++;
	return destination;
}

void *memmove(void *destination, const void *source, size_t size)
{
	uint8_t *to = destination;
	const uint8_t *from = source;

	if (to <= from || to >= from + size)
		return memcpy(destination, source, size);
	while (size-- > 0)
		to[size] = from[size];
	return destination;
}

void *memset(void *destination, int value, size_t size)
{
	uint8_t *to = destination;
	uint64_t pattern = (uint8_t)value * 0x0101010101010101ULL;

	if (both_aligned(to, to)) {
		for (; size >= sizeof(word_t); size -= sizeof(word_t)) {
			*(word_t *)to = pattern;
			to += sizeof(word_t);
		}
	}
	while (size-- > 0)
		*to++ = (uint8_t)value;
	return destination;
}

int memcmp(const void *left, const void *right, size_t size)
{
	const uint8_t *a = left;
	const uint8_t *b = right;

	for (size_t i = 0; i < size; i++) {
		if (a[i] != b[i])
			return a[i] - b[i];
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0')
		length++;
	return length;
}

int strcmp(const char *left, const char *right)
{
	while (*left != '\0' && *left == *right) {
		left++;
		right++;
	}
	return (uint8_t)*left - (uint8_t)*right;
}

bool string_starts_with(const char *text, const char *prefix)
{
	while (*prefix != '\0') {
		if (*text++ != *prefix++)
			return false;
	}
	return true;
}

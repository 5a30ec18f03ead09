/* Copying and filling memory, aligned and by bytes: loads, stores and little else. */
#include "kernel.h"

#define WORD_COUNT 8192

const char kernel_name[] = "copy";

static uint64_t from[WORD_COUNT], to[WORD_COUNT];

static void __attribute__((noinline)) copy_words(uint64_t *restrict target, const uint64_t *restrict source, size_t count)
{
	for (size_t i = 0; i < count; i += 4) {
		target[i] = source[i];
		target[i + 1] = source[i + 1];
		target[i + 2] = source[i + 2];
		target[i + 3] = source[i + 3];
	}
}

static void __attribute__((noinline)) copy_bytes(uint8_t *target, const volatile uint8_t *source, size_t count)
{
	for (size_t i = 0; i < count; i++)
		target[i] = source[i];
}

uint32_t kernel_run(uint32_t iterations)
{
	for (size_t i = 0; i < WORD_COUNT; i++)
		from[i] = i * 0x9e3779b97f4a7c15UL;
	while (iterations-- > 0) {
		copy_words(to, from, WORD_COUNT);
		copy_bytes((uint8_t *)from + 1, (const uint8_t *)to + 3, 4096);
		from[iterations % WORD_COUNT] += iterations;
	}
	return (uint32_t)(to[WORD_COUNT - 1] ^ to[5] ^ from[100] ^ (from[200] >> 32));
}

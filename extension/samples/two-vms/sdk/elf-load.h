/* Loads a 64-bit ELF program (System V ABI, chapter 4) for another VM into memory that this VM still has. */
#ifndef SDK_ELF_LOAD_H
#define SDK_ELF_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `size` bytes here that will appear at the physical address `base` there. */
struct elf_destination {
	uint8_t *memory;
	size_t size;
	uint64_t base;
};

/*
 * Copies the segments to their physical addresses, clears what follows them and returns the entry point. False: not an
 * AArch64 program, damaged, or it does not fit. `file` is aligned to eight bytes.
 */
bool elf_load(const void *file, size_t file_size, const struct elf_destination *destination, uint64_t *entry);

#endif

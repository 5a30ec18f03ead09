/* The few C library functions on memory and strings that guests need; the compiler calls some of them by itself. */
#ifndef SDK_STRING_H
#define SDK_STRING_H

#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *destination, const void *source, size_t size);
void *memmove(void *destination, const void *source, size_t size);
void *memset(void *destination, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);
bool string_starts_with(const char *text, const char *prefix);

#endif

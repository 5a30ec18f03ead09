/* Console output through the PL011 serial port, and a small printf. */
#ifndef SDK_CONSOLE_H
#define SDK_CONSOLE_H

#include <stdarg.h>
#include <stdint.h>

#define CONSOLE_DEFAULT_BASE 0x09000000UL

/* Chooses the serial port; until then output goes to CONSOLE_DEFAULT_BASE. */
void console_init(uintptr_t uart_base);

void console_put_char(char c);

/* Returns the next character typed, or -1 if there is none. */
int console_try_get_char(void);

/*
 * Understands %d %i %u %x %X %p %c %s %%, the lengths l, ll, z and h, a width with optional 0 or -, and .precision for %s.
 * A newline is sent as CR LF.
 */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_va(const char *format, va_list arguments);

#endif

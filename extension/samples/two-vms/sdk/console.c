#include "console.h"

#include <stdbool.h>
#include <stddef.h>

#include "cpu.h"
#include "string.h"

/* PL011 registers (Arm PrimeCell UART, DDI 0183). */
#define UART_DR 0x000
#define UART_FR 0x018
#define UART_LCRH 0x02C
#define UART_CR 0x030

#define UART_FR_RXFE (1U << 4)
#define UART_FR_TXFF (1U << 5)
#define UART_LCRH_8BIT_FIFO 0x70U
#define UART_CR_ENABLE_TX_RX 0x301U

static uintptr_t console_base = CONSOLE_DEFAULT_BASE;

void console_init(uintptr_t uart_base)
{
	console_base = uart_base;
	mmio_write32(console_base + UART_LCRH, UART_LCRH_8BIT_FIFO);
	mmio_write32(console_base + UART_CR, UART_CR_ENABLE_TX_RX);
}

static void send_byte(char c)
{
	while (mmio_read32(console_base + UART_FR) & UART_FR_TXFF)
		;
	mmio_write32(console_base + UART_DR, (uint8_t)c);
}

void console_put_char(char c)
{
	if (c == '\n')
		send_byte('\r');
	send_byte(c);
}

int console_try_get_char(void)
{
	if (mmio_read32(console_base + UART_FR) & UART_FR_RXFE)
		return -1;
	return (int)(mmio_read32(console_base + UART_DR) & 0xff);
}

/* One conversion of a format string, taken apart. */
struct format_spec {
	bool left_align;
	bool zero_pad;
	int width;
	int precision; /* -1: none */
	int length;    /* 0 int, 1 long, 2 long long, -1 short, -2 char */
	char conversion;
};

static void pad(char c, int count)
{
	while (count-- > 0)
		console_put_char(c);
}

static const char *parse_number(const char *format, int *number)
{
	*number = 0;
	while (*format >= '0' && *format <= '9')
		*number = *number * 10 + (*format++ - '0');
	return format;
}

static const char *parse_spec(const char *format, struct format_spec *spec)
{
	*spec = (struct format_spec){ .precision = -1 };
	for (;; format++) {
		if (*format == '-')
			spec->left_align = true;
		else if (*format == '0')
			spec->zero_pad = true;
		else
			break;
	}
	format = parse_number(format, &spec->width);
	if (*format == '.')
		format = parse_number(format + 1, &spec->precision);
	for (;; format++) {
		if (*format == 'l')
			spec->length++;
		else if (*format == 'h')
			spec->length--;
		else if (*format == 'z')
			spec->length = 1;
		else
			break;
	}
	spec->conversion = *format;
	return *format == '\0' ? format : format + 1;
}

static void print_text(const struct format_spec *spec, const char *text)
{
	int length = 0;

	while ((spec->precision < 0 || length < spec->precision) && text[length] != '\0')
		length++;
	if (!spec->left_align)
		pad(' ', spec->width - length);
	for (int i = 0; i < length; i++)
		console_put_char(text[i]);
	if (spec->left_align)
		pad(' ', spec->width - length);
}

static void print_number(const struct format_spec *spec, uint64_t value, bool negative)
{
	const char *digits = spec->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned int base = (spec->conversion == 'd' || spec->conversion == 'u') ? 10 : 16;
	char buffer[24];
	int length = 0;
	int total;

	do {
		buffer[length++] = digits[value % base];
		value /= base;
	} while (value != 0);
	total = length + (negative ? 1 : 0);

	if (!spec->left_align && !spec->zero_pad)
		pad(' ', spec->width - total);
	if (negative)
		console_put_char('-');
	if (!spec->left_align && spec->zero_pad)
		pad('0', spec->width - total);
	while (length > 0)
		console_put_char(buffer[--length]);
	if (spec->left_align)
		pad(' ', spec->width - total);
}

static int64_t narrow_signed(const struct format_spec *spec, int64_t value)
{
	if (spec->length >= 1)
		return value;
	if (spec->length == -1)
		return (int16_t)value;
	return spec->length <= -2 ? (int8_t)value : (int32_t)value;
}

static uint64_t narrow_unsigned(const struct format_spec *spec, uint64_t value)
{
	if (spec->length >= 1)
		return value;
	if (spec->length == -1)
		return (uint16_t)value;
	return spec->length <= -2 ? (uint8_t)value : (uint32_t)value;
}

/* Every integer argument takes a 64-bit slot in the AArch64 procedure call standard; narrow_*() drop what is undefined. */
void print_va(const char *format, va_list arguments)
{
	while (*format != '\0') {
		struct format_spec spec;
		const char *text;
		int64_t value;

		if (*format != '%') {
			console_put_char(*format++);
			continue;
		}
		format = parse_spec(format + 1, &spec);
		switch (spec.conversion) {
		case 'c':
			console_put_char((char)va_arg(arguments, int));
			break;
		case 's':
			text = va_arg(arguments, const char *);
			print_text(&spec, text != NULL ? text : "(null)");
			break;
		case 'd':
		case 'i':
			spec.conversion = 'd';
			value = narrow_signed(&spec, va_arg(arguments, int64_t));
			print_number(&spec, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
			break;
		case 'u':
		case 'x':
		case 'X':
			print_number(&spec, narrow_unsigned(&spec, va_arg(arguments, uint64_t)), false);
			break;
		case 'p':
			console_put_char('0');
			console_put_char('x');
			print_number(&spec, va_arg(arguments, uint64_t), false);
			break;
		case '\0':
			return;
		default:
			console_put_char(spec.conversion);
			break;
		}
	}
}

void print(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_va(format, arguments);
	va_end(arguments);
}

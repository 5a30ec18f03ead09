#include "serial.h"

#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/string.h"

#define DATA 0x000
#define FLAGS 0x018
#define INTERRUPT_MASK 0x038
#define RAW_STATUS 0x03C
#define MASKED_STATUS 0x040
#define INTERRUPT_CLEAR 0x044
#define IDENTIFICATION 0xFE0

#define FLAG_INPUT_EMPTY (1U << 4)
#define FLAG_INPUT_FULL (1U << 6)
#define FLAG_OUTPUT_EMPTY (1U << 7)
#define INTERRUPT_RECEIVED (1U << 4)

static void put_char(struct serial *serial, char c)
{
	serial->characters++;
	if (c == '\r')
		return;
	if (c != '\n' && serial->line_length < SERIAL_LINE_MAX - 1)
		serial->line[serial->line_length++] = c;
	if (c == '\n' || serial->line_length == SERIAL_LINE_MAX - 1)
		serial_flush(serial);
}

static uint32_t take_char(struct serial *serial)
{
	char c;

	if (serial->input_count == 0)
		return 0;
	c = serial->input[serial->input_first];
	serial->input_first = (serial->input_first + 1) % SERIAL_INPUT_MAX;
	if (--serial->input_count == 0)
		serial->interrupts &= ~INTERRUPT_RECEIVED;
	return (uint8_t)c;
}

static uint32_t flags_of(const struct serial *serial)
{
	uint32_t flags = FLAG_OUTPUT_EMPTY;

	if (serial->input_count == 0)
		flags |= FLAG_INPUT_EMPTY;
	if (serial->input_count == SERIAL_INPUT_MAX)
		flags |= FLAG_INPUT_FULL;
	return flags;
}

static uint64_t serial_read(void *context, uint64_t offset, uint32_t size)
{
	static const uint8_t identification[] = { 0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
	struct serial *serial = context;

	(void)size;
	switch (offset) {
	case DATA: return take_char(serial);
	case FLAGS: return flags_of(serial);
	case INTERRUPT_MASK: return serial->interrupt_mask;
	case RAW_STATUS: return serial->interrupts;
	case MASKED_STATUS: return serial->interrupts & serial->interrupt_mask;
	}
	if (offset >= IDENTIFICATION && offset % 4 == 0)
		return identification[(offset - IDENTIFICATION) / 4];
	return 0;
}

static void raise_if_unmasked(struct serial *serial)
{
	enum gunyah_error error = GUNYAH_OK;

	if (serial->interrupts & serial->interrupt_mask)
		error = vmm_raise(serial->vmm, serial->interrupt_line);
	if (error != GUNYAH_OK)
		print("manager: the serial port's line: %s\n", gunyah_error_name(error));
}

static void serial_write(void *context, uint64_t offset, uint32_t size, uint64_t value)
{
	struct serial *serial = context;

	(void)size;
	switch (offset) {
	case DATA:
		put_char(serial, (char)value);
		break;
	case INTERRUPT_MASK:
		serial->interrupt_mask = (uint32_t)value;
		raise_if_unmasked(serial);
		break;
	case INTERRUPT_CLEAR:
		serial->interrupts &= ~(uint32_t)value;
		break;
	}
}

bool serial_add(struct serial *serial, struct vmm *vmm, uint64_t base, uint32_t interrupt_line)
{
	const struct vmm_device device = {
		.name = "serial port", .base = base, .size = SERIAL_SIZE, .read = serial_read, .write = serial_write, .context = serial,
	};

	memset(serial, 0, sizeof(*serial));
	serial->vmm = vmm;
	serial->interrupt_line = interrupt_line;
	return vmm_add_device(vmm, &device) != NULL;
}

void serial_type(struct serial *serial, const char *text)
{
	for (; *text != '\0' && serial->input_count < SERIAL_INPUT_MAX; text++)
		serial->input[(serial->input_first + serial->input_count++) % SERIAL_INPUT_MAX] = *text;
	serial->interrupts |= INTERRUPT_RECEIVED;
	raise_if_unmasked(serial);
}

bool serial_shows(const struct serial *serial, const char *text)
{
	return strlen(text) == serial->line_length && memcmp(serial->line, text, serial->line_length) == 0;
}

void serial_flush(struct serial *serial)
{
	if (serial->line_length == 0)
		return;
	serial->line[serial->line_length] = '\0';
	print("  | %s\n", serial->line);
	serial->line_length = 0;
}

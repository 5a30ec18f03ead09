#include "rm-console.h"

#include "string.h"

/* OPEN, CLOSE and FLUSH name nothing but the console. */
static enum rm_error call(struct rm_console *console, enum rm_message_id id)
{
	struct rm_request request;
	uint32_t payload = console->vmid;

	return rm_call(console->rm, &request, id, &payload, sizeof(payload));
}

enum rm_error rm_console_open(struct rm_console *console, struct rm *rm, uint16_t vmid)
{
	memset(console, 0, sizeof(*console));
	console->rm = rm;
	console->vmid = vmid;
	return call(console, RM_CONSOLE_OPEN);
}

enum rm_error rm_console_close(struct rm_console *console)
{
	return call(console, RM_CONSOLE_CLOSE);
}

enum rm_error rm_console_flush(struct rm_console *console)
{
	return call(console, RM_CONSOLE_FLUSH);
}

/* The message has no padding: it ends with the last character. */
static enum rm_error write_piece(struct rm_console *console, const char *text, size_t size)
{
	struct rm_request request;
	struct {
		uint16_t vmid;
		uint16_t size;
		char characters[RM_CONSOLE_WRITE_MAX];
	} payload __attribute__((aligned(8))) = { .vmid = console->vmid, .size = (uint16_t)size };
	enum rm_error error;

	memcpy(payload.characters, text, size);
	error = rm_call(console->rm, &request, RM_CONSOLE_WRITE, &payload, 4 + size);
	if (error == RM_OK)
		console->sent += (uint32_t)size;
	return error;
}

enum rm_error rm_console_write(struct rm_console *console, const char *text, size_t size)
{
	enum rm_error error = RM_OK;

	while (error == RM_OK && size > 0) {
		size_t piece = size < RM_CONSOLE_WRITE_MAX ? size : RM_CONSOLE_WRITE_MAX;

		error = write_piece(console, text, piece);
		text += piece;
		size -= piece;
	}
	return error;
}

bool rm_console_accept(struct rm_console *console, const struct rm_notification *notification)
{
	uint32_t size = notification->u.console.size;

	if (notification->id != RM_CONSOLE_CHARS || notification->u.console.from != console->vmid ||
	    notification->size < 4 || size > notification->size - 4)
		return false;
	console->received += size;
	for (uint32_t i = 0; i < size; i++) {
		if (console->input_count == RM_CONSOLE_INPUT_MAX) {
			console->lost += size - i;
			break;
		}
		console->input[(console->input_first + console->input_count++) % RM_CONSOLE_INPUT_MAX] =
			notification->u.console.characters[i];
	}
	return true;
}

int rm_console_try_get_char(struct rm_console *console)
{
	char c;

	if (console->input_count == 0)
		return -1;
	c = console->input[console->input_first];
	console->input_first = (console->input_first + 1) % RM_CONSOLE_INPUT_MAX;
	console->input_count--;
	return (uint8_t)c;
}

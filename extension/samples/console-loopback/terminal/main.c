/*
 * A terminal: a VM whose only connection is its console at the Resource Manager. The same program runs twice. `left` says
 * something and waits for the answer; `right` answers each line with the line reversed. Neither knows who is at the other end.
 */
#include "../common/conversation.h"
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"
#include "sdk/rm-console.h"
#include "sdk/string.h"

#define LONG_LINE 500U

static struct rm rm;
static struct rm_console console;

static const char *own_name(void)
{
	int node = fdt_find_path(&board.fdt, "/hypervisor/qcom,gunyah-vm");
	const char *name = node < 0 ? NULL : fdt_get_string(&board.fdt, node, "qcom,image-name");

	if (name == NULL)
		panic("the device tree does not say who this is");
	return name;
}

static void say(const char *line, size_t length)
{
	enum rm_error error = rm_console_write(&console, line, length);

	if (error == RM_OK)
		error = rm_console_write(&console, "\n", 1);
	if (error != RM_OK)
		panic("CONSOLE_WRITE: %s", rm_error_name(error));
}

/* Waits for a line. It ends with a zero here. */
static size_t hear(char line[LINE_MAX])
{
	size_t length = 0;

	for (;;) {
		int c = rm_console_try_get_char(&console);

		if (c == '\n')
			break;
		if (c >= 0 && length < LINE_MAX - 1) {
			line[length++] = (char)c;
		} else if (c < 0) {
			struct rm_notification notification = rm_next_notification(&rm);

			if (notification.id == 0)
				panic("the Resource Manager is gone");
			rm_console_accept(&console, &notification);
		}
	}
	line[length] = '\0';
	return length;
}

static void reverse(char *line, size_t length)
{
	for (size_t i = 0; i < length / 2; i++) {
		char c = line[i];

		line[i] = line[length - 1 - i];
		line[length - 1 - i] = c;
	}
}

static void exchange(const char *line)
{
	static char answer[LINE_MAX];
	size_t length = strlen(line);
	bool is_right;

	say(line, length);
	is_right = hear(answer) == length;
	reverse(answer, length);
	is_right = is_right && memcmp(answer, line, length) == 0;
	reverse(answer, length);
	print("%.40s%s -> %.40s%s: %s\n", line, length > 40 ? "..." : "", answer, length > 40 ? "..." : "", is_right ? "right" : "WRONG");
}

static void speak(void)
{
	static const char *const words[] = { "stressed", "a man, a plan, a canal: panama", "" };
	static char long_line[LONG_LINE + 1];

	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		exchange(words[i]);
	for (size_t i = 0; i < LONG_LINE; i++)
		long_line[i] = (char)('a' + i % 26);
	exchange(long_line);
	say(FAREWELL, strlen(FAREWELL));
}

static void answer(void)
{
	static char line[LINE_MAX];
	const char listening = LISTENING;
	uint32_t count = 0;

	if (rm_console_write(&console, &listening, 1) != RM_OK)
		panic("the console is closed");
	for (;;) {
		size_t length = hear(line);

		if (strcmp(line, FAREWELL) == 0)
			break;
		reverse(line, length);
		say(line, length);
		count++;
	}
	print("answered %u lines\n", count);
}

/* A VM has its own console as RM_CONSOLE_SELF only; the end that goes by its VMID is its owner's. */
static void try_the_owners_end(void)
{
	struct rm_console other;
	uint16_t vmid = 0;

	if (rm_get_vmid(&rm, &vmid) == RM_OK)
		print("VMID %u; CONSOLE_OPEN of it: %s\n", vmid, rm_error_name(rm_console_open(&other, &rm, vmid)));
}

void guest_main(void)
{
	const char *name = own_name();
	enum rm_error error;

	print("terminal: hello from \"%s\"\n", name);
	if (!rm_open(&rm, &board.fdt))
		panic("there is no Resource Manager in the device tree");
	try_the_owners_end();
	error = rm_console_open(&console, &rm, RM_CONSOLE_SELF);
	if (error != RM_OK)
		panic("CONSOLE_OPEN: %s", rm_error_name(error));
	if (strcmp(name, LEFT_NAME) == 0)
		speak();
	else
		answer();
	rm_console_close(&console);
	print("terminal: sent %u, received %u, lost %u characters\n", console.sent, console.received, console.lost);
}

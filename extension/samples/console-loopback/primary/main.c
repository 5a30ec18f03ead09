/*
 * The primary VM owns both terminals, and with them the other ends of their consoles. It opens both ends and carries each
 * character from one to the other: a cable between two serial ports. Before and after that it shows what the Resource Manager
 * refuses.
 *
 * Good places for a breakpoint: carry(), and the event rm:CONSOLE_WRITE.
 */
#include "../common/conversation.h"
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"
#include "sdk/rm-console.h"
#include "sdk/rm-vm.h"
#include "sdk/string.h"

#define NOBODY 0x55U

struct terminal {
	const char *name;
	uint16_t vmid;
	struct rm_console console;
	char line[LINE_MAX]; /* what has come of the current line */
	size_t length;
	uint32_t messages;
	bool exited;
};

static struct rm rm;
static struct terminal left = { .name = LEFT_NAME };
static struct terminal right = { .name = RIGHT_NAME };

static void show(const char *what, enum rm_error error)
{
	print("  %-50s %s\n", what, rm_error_name(error));
}

static void find(struct terminal *terminal)
{
	enum rm_error error = rm_lookup_name(&rm, terminal->name, &terminal->vmid);

	if (error != RM_OK)
		panic("no VM is called \"%s\": %s", terminal->name, rm_error_name(error));
	print("terminal \"%s\" is VM %u\n", terminal->name, terminal->vmid);
}

/* A write that claims to have more characters than it has. */
static enum rm_error write_short(uint16_t vmid)
{
	struct rm_request request;
	const struct {
		uint16_t vmid, size;
		char characters[4];
	} payload = { .vmid = vmid, .size = 10, .characters = "abcd" };

	return rm_call(&rm, &request, RM_CONSOLE_WRITE, &payload, sizeof(payload));
}

static void show_refusals(void)
{
	struct rm_console console;

	print("What can be done with consoles:\n");
	show("OPEN of one's own, which the primary VM has not", rm_console_open(&console, &rm, RM_CONSOLE_SELF));
	show("OPEN of a VM that does not exist", rm_console_open(&console, &rm, NOBODY));
	left.console = (struct rm_console){ .rm = &rm, .vmid = left.vmid };
	show("WRITE before OPEN", rm_console_write(&left.console, "x", 1));
	show("FLUSH before OPEN", rm_console_flush(&left.console));
	show("CLOSE before OPEN", rm_console_close(&left.console));
	show("OPEN of left", rm_console_open(&left.console, &rm, left.vmid));
	show("OPEN of left once more", rm_console_open(&left.console, &rm, left.vmid));
	show("WRITE to left, whose end is closed: dropped", rm_console_write(&left.console, "nobody hears this\n", 18));
	show("WRITE of fewer characters than it says", write_short(left.vmid));
	show("FLUSH", rm_console_flush(&left.console));
	show("OPEN of right", rm_console_open(&right.console, &rm, right.vmid));
}

static void start(struct terminal *terminal)
{
	enum rm_error error = rm_vm_start(&rm, terminal->vmid);

	if (error != RM_OK)
		panic("VM_START of %s: %s", terminal->name, rm_error_name(error));
}

/*
 * What is written while the other end is closed is dropped, as on a cable with a loose end. So the one who speaks first starts
 * only when the one who answers has said that it listens.
 */
static void start_both(void)
{
	int c;

	start(&right);
	do {
		struct rm_notification notification = rm_next_notification(&rm);

		if (notification.id == 0)
			panic("the Resource Manager is gone");
		rm_console_accept(&right.console, &notification);
		c = rm_console_try_get_char(&right.console);
	} while (c != LISTENING);
	print("\nright listens\n");
	start(&left);
}

static void print_line(const struct terminal *from, const struct terminal *to)
{
	print("  %s -> %s: %.40s%s (%lu)\n", from->name, to->name, from->line, from->length > 40 ? "..." : "", from->length);
}

static void follow(struct terminal *from, const struct terminal *to, char c)
{
	if (c != '\n') {
		if (from->length < LINE_MAX - 1)
			from->line[from->length++] = c;
		return;
	}
	from->line[from->length] = '\0';
	print_line(from, to);
	from->length = 0;
}

/* Takes what has come from one terminal to the other. */
static void carry(struct terminal *from, struct terminal *to)
{
	char piece[RM_CONSOLE_WRITE_MAX];
	size_t size = 0;
	int c;
	enum rm_error error;

	from->messages++;
	while (size < sizeof(piece) && (c = rm_console_try_get_char(&from->console)) >= 0) {
		piece[size++] = (char)c;
		follow(from, to, (char)c);
	}
	error = rm_console_write(&to->console, piece, size);
	if (error != RM_OK)
		panic("CONSOLE_WRITE to %s: %s", to->name, rm_error_name(error));
}

static void note_exit(const struct rm_notification *notification)
{
	struct terminal *terminal = notification->u.exited.vmid == left.vmid ? &left : &right;

	terminal->exited = true;
	print("%s has ended (%s)\n", terminal->name, rm_exit_type_name(notification->u.exited.exit_type));
}

static void be_a_cable(void)
{
	print("A cable between left and right:\n");
	while (!left.exited || !right.exited) {
		struct rm_notification notification = rm_next_notification(&rm);

		if (notification.id == 0)
			panic("the Resource Manager is gone");
		if (rm_console_accept(&left.console, &notification))
			carry(&left, &right);
		else if (rm_console_accept(&right.console, &notification))
			carry(&right, &left);
		else if (notification.id == RM_VM_EXITED)
			note_exit(&notification);
	}
	print("%u messages and %u characters to the right, %u and %u to the left\n\n", left.messages, right.console.sent, right.messages,
	      left.console.sent);
}

static void show_the_end(void)
{
	struct rm_console console;

	print("When the terminals have ended:\n");
	show("CLOSE of left", rm_console_close(&left.console));
	show("WRITE after CLOSE", rm_console_write(&left.console, "x", 1));
	show("VM_RESET of left", rm_vm_reset(&rm, left.vmid));
	if (!rm_wait_for_state(&rm, left.vmid, RM_VM_RESET_DONE))
		panic("the Resource Manager is gone");
	show("OPEN of left, which has no console any more", rm_console_open(&console, &rm, left.vmid));
	show("CLOSE of right", rm_console_close(&right.console));
}

void guest_main(void)
{
	print("primary: hello\n");
	if (!board.has_tree || !rm_open(&rm, &board.fdt))
		panic("there is no Resource Manager in the device tree");
	find(&left);
	find(&right);
	show_refusals();
	start_both();
	be_a_cable();
	show_the_end();
	print("primary: done\n");
}

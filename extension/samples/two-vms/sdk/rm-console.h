/*
 * Consoles that the Resource Manager keeps. A VM whose rm-rpc vdevice has `console-dev` has one; its two ends are the VM itself
 * and its owner. What is written at one end arrives at the other as a notification, if that end is open; else it is dropped.
 */
#ifndef SDK_RM_CONSOLE_H
#define SDK_RM_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rm.h"

#define RM_CONSOLE_SELF 0U         /* this VM's own console */
#define RM_CONSOLE_INPUT_MAX 1024U
#define RM_CONSOLE_WRITE_MAX (RM_PAYLOAD_MAX - 4U) /* characters in one message */

/* One end of a console. */
struct rm_console {
	struct rm *rm;
	uint16_t vmid; /* whose console: RM_CONSOLE_SELF, or a VM that this one owns */
	char input[RM_CONSOLE_INPUT_MAX];
	uint32_t input_first, input_count;
	uint32_t received, sent, lost; /* characters; lost: there was no room */
};

/*
 * DENIED: the VM is not this one's. ARGUMENT_INVALID: there is no such VM, or it has no console. The end stays open until it is
 * closed or the VM is reset.
 */
enum rm_error rm_console_open(struct rm_console *console, struct rm *rm, uint16_t vmid);
enum rm_error rm_console_close(struct rm_console *console);

/* DENIED: this end is not open. A long text goes in several messages. */
enum rm_error rm_console_write(struct rm_console *console, const char *text, size_t size);
enum rm_error rm_console_flush(struct rm_console *console);

/* Offers a notification to this end, which takes the characters if they are for it. */
bool rm_console_accept(struct rm_console *console, const struct rm_notification *notification);

/* The next character that has arrived, or -1. */
int rm_console_try_get_char(struct rm_console *console);

#endif

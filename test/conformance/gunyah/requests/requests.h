/* Requests to the Resource Manager by the thousand: every length and every field. Equal answers that follow each other are one line. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "../guest/probe.h"
#include "../guest/vm.h"

#define WORDS_MAX 24u
#define LOOKUP 0x5100001au
#define IRQ_LEND 0x56000051u
/* Emulated memory of the second VM. */
#define IDLE 0x10000000ull
#define MINE (self | 6u << 16)

/* Who asks: the primary VM, or the second one. */
extern u32 self;
/* Numbers that somebody has beside those; 0 behind the last. */
extern u32 others[12];
/* The parcel that the asking VM itself is in, if it is the second one. */
extern u32 own_image;

/* ---- Asking (ask.c) ---- */

/* Sends a request of `size` bytes and keeps what comes back, up to its reply. The reply's payload is in rm_reply. */
void keep_answer(u32 id, const void *payload, u32 size);
/* Likewise for something that is done on the way and not said. */
void do_quietly(u32 id, u32 count, ...);
/* The error of the answer; all ones where there is none. */
u32 answered(void);
/* What came back, as text. */
const char *kept_answer(void);
/* Questions of one kind, numbered. */
void begin_runs(const char *where, const char *name, u32 number, const char *what);
void add_to_runs(u32 number);
void end_runs(void);
void without_words(void (*work)(void));

/* A request that the real Resource Manager does not survive; see README.md. */
bool is_deadly(u32 id, u32 size, const u32 *words);

/* ---- Forms of requests (fields.c) ---- */

struct form {
	const char *name;
	u32 id;
	/* Makes what the request is about, and writes it; its size. */
	u32 (*write)(u32 *words);
	/* Takes back what a request has made that was answered with OK, and what `write` made. */
	void (*undo)(void);
};

/* Every length, every bit, every word at its edges. */
void ask_form(const char *where, const struct form *form);

u32 write_nothing(u32 *words);

/* ---- Where the second VM is in its life (stages.c) ---- */

enum stage { ALLOCATED, TO_BE_AUTHENTICATED, CONFIGURED, READY, RUNNING, EXITED, WAS_RESET, FAILED, NOWHERE_YET };
extern enum stage vm_stage;

void ask_lengths(void);
void ask_fields(void);
/* Parcels for another party, beside the asking VM. */
void ask_parcel_forms(const char *where, u32 party);
void ask_stages(void);
/* The requests of ask_stages by somebody who does not own `vmid`. */
void ask_about_vm(const char *where);
/* The same, each once and as it should be. */
void ask_once(const char *where);
void ask_devices(void);
void ask_by_chance(void);
void ask_rooms(void);

#endif

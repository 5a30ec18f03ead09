/* Asking quickly, and saying equal answers once. See requests.h. */
#include "requests.h"

#define TX 0
#define RX 1
#define REPLY 2
#define MAX 240
#define POLLS 20000
#define IRQ_RELEASED 0x56100012
#define IRQ_ACCEPTED 0x56100013
#define UNANSWERED_MAX 3

static char answer[2048], last[2048];
static u32 length;
static u8 in[MAX];
static u16 sequence = 0x4000;
static u32 unanswered;
static bool has_reply;

static void keep(char c)
{
	if (length < sizeof(answer) - 1)
		answer[length++] = c;
}

static bool makes_handle(u32 id)
{
	return id == DONATE || id == LEND || id == SHARE || id == LOOKUP || id == IRQ_LEND;
}

static u32 before;

/* How far from the last parcel's; interrupts' have a random base. */
static void say_handle(u32 id, u32 handle)
{
	if (id == IRQ_LEND)
		say("00000000 and a handle");
	else
		say("00000000+%x", (u64)(u32)(handle - before));
	if (id != IRQ_LEND && id != LOOKUP)
		before = handle;
}

/* One packet; true if it ends the answer. */
static bool take_packet(u32 id, u32 size, u32 *rest)
{
	u32 type = in[1] & 3, now = (u32)in[4] | (u32)in[5] << 8 | (u32)in[6] << 16 | (u32)in[7] << 24;

	if (type == REPLY) {
		memset(rm_reply, 0, sizeof(rm_reply));
		memcpy(rm_reply, in + 8, size - 8);
		has_reply = true;
		*rest = in[1] >> 2;
		if (now != id || in[2] != (u8)sequence || in[3] != (u8)(sequence >> 8) || in[0] != 0x21)
			say("other ");
		if (makes_handle(id) && size == 16 && reply_word(0) == 0) {
			say_handle(id, reply_word(4));
			return true;
		}
	} else if (type == 0) {
		(*rest)--;
		say("-");
	} else {
		say("(%x ", (u64)now);
	}
	u32 hidden = 0;

	if (type == 3 && now >> 16 == 0x5110) {
		say("+%x ", (u64)(((u32)in[8] | (u32)in[9] << 8 | (u32)in[10] << 16 | (u32)in[11] << 24) - before));
		hidden = 4;
	}
	if (type == 3 && (now == IRQ_RELEASED || now == IRQ_ACCEPTED))
		hidden = 4;
	say_bytes(in + 8 + hidden, size - 8 - hidden);
	if (type == 3)
		say(") ");
	return has_reply && *rest == 0;
}

/* The second VM gives its time back to its owner by asking for emulated memory. */
static void wait(u32 n)
{
	if (is_second) {
		(void)read64(IDLE);
		return;
	}
	hypercall(0x3b, 0, 0, 0, 0, 0, 0);
	delay(n < 100 ? 5 : 50);
}

void keep_answer(u32 id, const void *payload, u32 size)
{
	static u8 out[MAX];
	void (*true_sink)(char c) = sink;
	u32 rest = 0;

	sequence++;
	has_reply = false;
	length = 0;
	sink = keep;
	out[0] = 0x21;
	out[1] = 1;
	memcpy(out + 2, &sequence, 2);
	memcpy(out + 4, &id, 4);
	memcpy(out + 8, payload, size);
	hypercall(0x1b, TX, 8 + size, (u64)out, 1, 0, 0);
	for (u32 n = 0; n < POLLS; n++) {
		struct result r = hypercall(0x1c, RX, (u64)in, MAX, 0, 0, 0);

		if (r.x[0] == 0 && take_packet(id, (u32)r.x[1], &rest))
			break;
		if (r.x[0] != 0)
			wait(n);
	}
	if (!has_reply)
		say("none");
	keep('\0');
	sink = true_sink;
	unanswered = has_reply ? 0 : unanswered + 1;
	if (unanswered >= UNANSWERED_MAX) {
		say("requests no answers any more after %x\n", (u64)id);
		smccc(0x84000008, 0, 0, 0);
	}
}

const char *kept_answer(void)
{
	return answer;
}

u32 answered(void)
{
	return has_reply ? reply_word(0) : ~0u;
}

void do_quietly(u32 id, u32 count, ...)
{
	u32 payload[16];
	va_list arguments;

	va_start(arguments, count);
	for (u32 i = 0; i < count; i++)
		payload[i] = va_arg(arguments, u32);
	va_end(arguments);
	keep_answer(id, payload, count * 4);
}

static void to_nowhere(char c)
{
	(void)c;
}

void without_words(void (*work)(void))
{
	void (*true_sink)(char c) = sink;

	sink = to_nowhere;
	work();
	sink = true_sink;
}

/* ---- Runs of equal answers ---- */

static char title[128];
static u32 first_number, last_number;
static bool is_run;

static void flush(void)
{
	if (is_run && first_number == last_number)
		say("%s %x = %s\n", title, (u64)first_number, last);
	else if (is_run)
		say("%s %x to %x = %s\n", title, (u64)first_number, (u64)last_number, last);
	is_run = false;
}

static u32 title_length;

static void keep_title(char c)
{
	if (title_length < sizeof(title) - 1)
		title[title_length++] = c;
}

void begin_runs(const char *where, const char *name, u32 number, const char *what)
{
	void (*true_sink)(char c) = sink;

	title_length = 0;
	sink = keep_title;
	say("%s %s %x %s", where, name, (u64)number, what);
	title[title_length] = '\0';
	sink = true_sink;
	is_run = false;
}

void add_to_runs(u32 number)
{
	if (is_run && strcmp(last, answer) != 0)
		flush();
	if (!is_run) {
		memcpy(last, answer, sizeof(last));
		first_number = number;
		is_run = true;
	}
	last_number = number;
}

void end_runs(void)
{
	flush();
}

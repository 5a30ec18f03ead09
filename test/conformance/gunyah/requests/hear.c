/* What a VM is told without having asked, said at the end: when it comes between answers is a matter of time. The same again and again is one line. */
#include "requests.h"
#include "second.h"

#define MESSAGE_MAX 240u
#define TOLD_MAX 0x8000u

static char told_text[TOLD_MAX];
static u32 told_length;

static void keep_told(char c)
{
	if (told_length < sizeof(told_text))
		told_text[told_length++] = c;
}

static u8 message[MESSAGE_MAX], before[MESSAGE_MAX];
static u32 size_before, times;

/* Without its number; parcels of the asking VM have numbers of their own, and those of interrupts are random. */
static void forget_numbers(u8 *bytes, u32 size)
{
	bytes[2] = bytes[3] = 0;
	if (bytes[6] == 0x10 && (bytes[7] == 0x51 || (bytes[7] == 0x56 && (bytes[4] == 0x12 || bytes[4] == 0x13))))
		memset(bytes + 8, 0, size < 12 ? 0 : 4);
}

static void write_down(void)
{
	void (*true_sink)(char c) = sink;

	if (times == 0)
		return;
	sink = keep_told;
	say("told ");
	say_bytes(before + 4, 4);
	say(" ");
	say_bytes(before + 8, size_before - 8);
	say(" = %x\n", (u64)times);
	sink = true_sink;
	times = 0;
}

void hear(void)
{
	for (;;) {
		struct result r = hypercall(0x1c, 1, (u64)message, MESSAGE_MAX, 0, 0, 0);
		u32 size = (u32)r.x[1];

		if (r.x[0] != 0)
			return;
		forget_numbers(message, size);
		if (size != size_before || memcmp(message, before, size) != 0)
			write_down();
		memcpy(before, message, size);
		size_before = size;
		times++;
	}
}

void say_told(void)
{
	write_down();
	for (u32 i = 0; i < told_length; i++)
		say("%c", told_text[i]);
}

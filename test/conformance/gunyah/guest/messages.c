/* Requests to the Resource Manager that hardly anybody sends: every identifier, misuse of fragments, many at once, lists with their edges. */
#include "probe.h"
#include "vm.h"

#define PAGE 0x64000000u
#define ME (3u | 7u << 16)

/* What is asked many times is said in ranges of equal answers. */
static char kept[512];
static u32 length;

static void keep(char c)
{
	if (length < sizeof(kept) - 1)
		kept[length++] = c;
}

static void begin_quiet(void)
{
	length = 0;
	sink = keep;
}

/* The error alone: the identifier is the request's. */
static void ask_quietly(u32 id, u32 count, const u32 *words)
{
	void (*true_sink)(char c) = sink;

	begin_quiet();
	rm_reply[0] = 0xee;
	rm_ask_words("quiet", id, count, words);
	sink = true_sink;
}

static void say_range(const char *what, u32 first, u32 to, u32 error)
{
	say("messages %s %x to %x = %x\n", what, (u64)first, (u64)to, (u64)error);
}

/* Requests of `count` words in a row of identifiers, but those that do something or end the real one. */
static void ask_ids(u32 first, u32 end, u32 count)
{
	static const u32 words[2];
	u32 from = first, error = 0, now;

	for (u32 id = first; id < end; id++) {
		ask_quietly(id, count, words);
		now = rm_reply[0] == 0xee ? 0xeeeeeeee : reply_word(0);
		if (id != first && now != error) {
			say_range("ids", from, id - 1, error);
			from = id;
		}
		error = now;
	}
	say_range("ids", from, end - 1, error);
}

static void ask_allocations(void)
{
	u32 from = 1, error = 0;

	for (u32 number = 1; number <= 0x101; number++) {
		const u32 words[] = { number };

		ask_quietly(ALLOCATE, 1, words);
		const u32 now = reply_word(0);

		if (now == 0)
			ask_quietly(DEALLOCATE, 1, words);
		if (number != 1 && now != error) {
			say_range("allocate", from, number - 1, error);
			from = number;
		}
		error = now;
	}
	say_range("allocate", from, 0x101, error);
	rm_ask("messages allocate with padding", ALLOCATE, 1, 5u << 16);
	rm_ask("messages deallocate it", DEALLOCATE, 1, 0x80u);
	rm_ask("messages allocate 5 with padding", ALLOCATE, 1, 5u | 9u << 16);
	rm_ask("messages state of 5", STATE, 1, 5u);
	rm_ask("messages deallocate 5", DEALLOCATE, 1, 5u);
}

static void ask_states(u32 id, const char *name)
{
	u32 from = 0, error = 0;

	for (u32 number = 0; number <= 0x101; number++) {
		const u32 words[] = { number };

		ask_quietly(id, 1, words);
		const u32 now = reply_word(0);

		if (number != 0 && now != error) {
			say_range(name, from, number - 1, error);
			from = number;
		}
		error = now;
	}
	say_range(name, from, 0x101, error);
}

/* A list of access rights and one of ranges with their numbers of entries as given. */
static void ask_lists(void)
{
	static const u32 ids[] = { DONATE, LEND, SHARE };
	u32 words[40];

	for (u32 i = 0; i < 3; i++)
		for (u32 acl = 0; acl < 3; acl++)
			for (u32 ranges = 0; ranges < 3; ranges++) {
				u32 n = 0;

				words[n++] = 0;
				words[n++] = 0x61;
				words[n++] = acl;
				for (u32 k = 0; k < acl; k++)
					words[n++] = k == 0 && ids[i] == SHARE ? ME : 0x99u | 7u << 16;
				words[n++] = ranges;
				for (u32 k = 0; k < ranges; k++) {
					words[n++] = PAGE + 0x800u * (k + 1);
					words[n++] = 0;
					words[n++] = 0x1000;
					words[n++] = 0;
				}
				words[n++] = 0;
				say("messages %x with %x and %x\n", (u64)ids[i], (u64)acl, (u64)ranges);
				rm_ask_words("messages lists", ids[i], n, words);
				rm_ask_words("messages lists cut", ids[i], n - 1, words);
				words[n] = 7;
				rm_ask_words("messages lists and more", ids[i], n + 1, words);
			}
}

static void share(const char *name, u32 first, u32 first_size, u32 second, u32 second_size, u32 attribute)
{
	rm_ask(name, SHARE, attribute ? 15 : 14, 0u, 0x62u, 1u, ME, 2u, first, 0u, first_size, 0u, second, 0u, second_size, 0u, attribute ? 1u : 0u, attribute);
	if (reply_word(0) == 0)
		rm_ask("messages reclaim", RECLAIM, 2, reply_word(4), 0u);
}

static void ask_ranges(void)
{
	share("messages two ranges", PAGE, 0x1000, PAGE + 0x2000, 0x1000, 0);
	share("messages in reverse", PAGE + 0x2000, 0x1000, PAGE, 0x1000, 0);
	share("messages touching", PAGE, 0x1000, PAGE + 0x1000, 0x1000, 0);
	share("messages overlapping", PAGE, 0x2000, PAGE + 0x1000, 0x1000, 0);
	share("messages the same twice", PAGE, 0x1000, PAGE, 0x1000, 0);
	share("messages one not mine", PAGE, 0x1000, 0x20000000, 0x1000, 0);
	share("messages one of no size", PAGE, 0x1000, PAGE + 0x2000, 0, 0);
	share("messages one unaligned", PAGE, 0x1000, PAGE + 0x2001, 0x1000, 0);
	for (u32 attribute = 1; attribute < 6; attribute++) {
		say("messages attribute %x\n", (u64)attribute);
		share("messages with an attribute", PAGE, 0x1000, PAGE + 0x2000, 0x1000, attribute | 3u << 16);
	}
	rm_ask("messages state after all", STATE, 1, 3u);
	say("messages page = ");
	say_insn(0xf9400000, PAGE, 0);
}

static void ask_many(void)
{
	say("messages eight at once =");
	for (u32 i = 0; i < 8; i++)
		rm_send(0x21, 1, 0x700, 0x56000024, NULL, 0);
	say_answers(0x700);
	say("messages of different kinds at once =");
	rm_send(0x21, 1, 0x701, 0x56000015, NULL, 0);
	rm_send(0x21, 1, 0x701, 0x56000025, NULL, 0);
	rm_send(0x21, 1, 0x701, 0x56000fff, NULL, 0);
	rm_send(0x21, 1, 0x701, 0x56000017, "\3\0\0\0", 4);
	say_answers(0x701);
}

static void ask_fragments(void)
{
	static u8 bytes[232];

	for (u32 count = 1; count < 64; count += 9) {
		say("messages continued without a first, %x =", (u64)count);
		rm_send(0x21, (u8)(count << 2), 0x710, 0x56000013, bytes, 4);
		say_answers(0x710);
	}
	say("messages two fragments of nothing =");
	rm_send(0x21, 2 << 2 | 1, 0x711, 0x56000024, NULL, 0);
	rm_send(0x21, 2 << 2, 0x711, 0x56000024, NULL, 0);
	rm_send(0x21, 2 << 2, 0x711, 0x56000024, NULL, 0);
	say_answers(0x711);
	say("messages too few, then a whole one =");
	rm_send(0x21, 3 << 2 | 1, 0x712, 0x56000013, "\4\0\0\0", 4);
	rm_send(0x21, 3 << 2, 0x712, 0x56000013, "HLOS", 4);
	rm_send(0x21, 1, 0x713, 0x56000024, NULL, 0);
	say_answers(0x713);
	say("messages then the rest =");
	rm_send(0x21, 3 << 2, 0x712, 0x56000013, NULL, 0);
	say_answers(0x712);
	say("messages with another sequence =");
	rm_send(0x21, 1 << 2 | 1, 0x714, 0x56000013, "\4\0\0\0", 4);
	rm_send(0x21, 1 << 2, 0x715, 0x56000013, "HLOS", 4);
	rm_send(0x21, 1 << 2, 0x714, 0x56000013, "HLOS", 4);
	say_answers(0x714);
	say("messages with another count =");
	rm_send(0x21, 1 << 2 | 1, 0x716, 0x56000013, "\4\0\0\0", 4);
	rm_send(0x21, 2 << 2, 0x716, 0x56000013, "HLOS", 4);
	rm_send(0x21, 1 << 2, 0x716, 0x56000013, "HLOS", 4);
	say_answers(0x716);
	say("messages of 232 bytes =");
	rm_send(0x21, 1, 0x717, 0x56000013, bytes, 232);
	say_answers(0x717);
	say("messages of 464 bytes =");
	rm_send(0x21, 1 << 2 | 1, 0x718, 0x56000013, bytes, 232);
	rm_send(0x21, 1 << 2, 0x718, 0x56000013, bytes, 232);
	say_answers(0x718);
	say("messages a notification =");
	rm_send(0x21, 3, 0x719, 0x56100008, bytes, 8);
	say_answers(0x719);
	say("messages a reply =");
	rm_send(0x21, 2, 0x71a, 0x56000024, bytes, 4);
	say_answers(0x71a);
	for (u32 first = 0; first < 256; first += 15) {
		say("messages first byte %x =", (u64)first);
		rm_send((u8)first, 1, 0x71b, 0x56000024, NULL, 0);
		say_answers(0x71b);
	}
	rm_ask("messages after all", 0x56000024, 0);
}

void ask_messages(void)
{
	rm_patience = 20;
	ask_ids(0x50000000, 0x50000010, 0);
	ask_ids(0x51000000, 0x51000040, 0);
	/* From here on no firmware can be loaded any more. */
	ask_ids(0x51000020, 0x51000022, 1);
	ask_ids(0x51000020, 0x51000022, 2);
	ask_ids(0x51100000, 0x51100020, 0);
	ask_ids(0x52000000, 0x52000010, 0);
	ask_ids(0x55ffffff, 0x56000001, 0);
	ask_ids(0x56000056, 0x56000080, 0);
	ask_ids(0x56000085, 0x56000100, 0);
	ask_ids(0x56000087, 0x56000100, 1);
	ask_ids(0x56000026, 0x56000050, 2);
	ask_ids(0x56100000, 0x56100020, 1);
	ask_allocations();
	ask_states(STATE, "state");
	ask_states(0x56000010, "id");
	ask_states(RESOURCES, "resources");
	ask_states(0x56000019, "crash message");
	ask_states(START, "start");
	ask_states(INIT, "init");
	ask_states(0x5600000a, "authenticate");
	ask_lists();
	ask_ranges();
	ask_many();
	ask_fragments();
}

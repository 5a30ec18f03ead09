/*
 * Every argument of every call with each bit alone, all ones, and everything below a bit, while the others are right; capabilities with one bit changed;
 * registers behind the last argument. Values with the same answer stand together, as exponents.
 */
#include "limits.h"

static char *into;
static u32 into_length;

static void into_text(char c)
{
	if (into_length < ANSWER_MAX - 1)
		into[into_length++] = c;
	into[into_length] = 0;
}

u64 answer_of(enum path path, u32 number, const u64 arguments[7], char answer[ANSWER_MAX])
{
	void (*out)(char) = sink;
	struct result r = call_by(path, number, arguments);

	into = answer;
	into_length = 0;
	sink = into_text;
	say("%x", r.x[0]);
	for (u64 n = 1; n < 8; n++) {
		u64 usual = path == NATIVE ? 0 : arguments[n - 1];

		if (r.x[n] != usual)
			say(",%x=%x", n, r.x[n]);
	}
	sink = out;
	return r.x[0];
}

/* Access to memory: other access to data for EL0 than for EL1, or execution alone. */
static bool is_deadly_access(u64 value)
{
	return ((value >> 4 ^ value) & 6) != 0 || (value & 0x70) == 0x10;
}

/* Values that a real debug hypervisor does not survive: CPUs that there are not, addresses beyond a stage-2 table, some kinds of access. */
bool is_deadly(u32 number, u32 index, u64 value)
{
	switch (number) {
	case 0x2b: case 0x2c: case 0x2d:
		return (index == 2 && value >= 1ull << 36) || (index == 3 && (value & 0xff00ff88) == 0 && is_deadly_access(value));
	case 0x31: case 0x32: /* when it becomes active */
		return index == number - 0x31 + 3 && (value & 7) == 1;
	case 0x5a:
		return index == 2 && value >= 1ull << 36;
	case 0x3d:
		return index == 1 && (u16)value >= 8 && (u16)value != 0xffff;
	default:
		return false;
	}
}

struct sweep {
	const char *name;
	u64 (*value)(u32 exponent, u64 right);
	u32 first, last;
};

static u64 bit_alone(u32 exponent, u64 right)
{
	(void)right;
	return 1ull << exponent;
}

static u64 all_below(u32 exponent, u64 right)
{
	(void)right;
	return exponent == 64 ? ALL_ONES : (1ull << exponent) - 1;
}

static u64 bit_changed(u32 exponent, u64 right)
{
	return right ^ 1ull << exponent;
}

static const struct sweep bits = { "bit", bit_alone, 0, 63 }, below = { "below", all_below, 2, 64 }, changed = { "changed", bit_changed, 8, 63 };

static void sweep_argument(enum path path, const struct row *row, u32 index, const struct sweep *sweep)
{
	char last[ANSWER_MAX] = "", answer[ANSWER_MAX];
	u64 arguments[7], right = 0;
	bool is_fresh = false;
	u32 from = 0;

	say("limits call %x (%s) %s argument %x %s =", (u64)row->number, row->arguments, path_names[path], (u64)index, sweep->name);
	for (u32 n = sweep->first; n <= sweep->last; n++) {
		if (!is_fresh) {
			arguments_of(row->arguments, arguments);
			right = arguments[index];
		}
		arguments[index] = sweep->value(n, right);
		if (IS_HUNT)
			say("\n%x ", arguments[index]);
		/* What fails changes nothing, so the next value finds the same. */
		is_fresh = !is_deadly(row->number, index, arguments[index]);
		if (is_fresh)
			is_fresh = answer_of(path, row->number, arguments, answer) != 0;
		else
			memcpy(answer, "-", 2);
		if (!is_fresh)
			unmake_all();
		if (strcmp(answer, last) != 0) {
			if (n > sweep->first)
				say(" %x-%x:%s", (u64)from, (u64)n - 1, last);
			from = n;
			memcpy(last, answer, sizeof(last));
		}
	}
	if (is_fresh)
		unmake_all();
	say(" %x-%x:%s\n", (u64)from, (u64)sweep->last, last);
}

/* Registers behind the last argument, together in one line. */
static void ask_rest(enum path path, const struct row *row, u32 first)
{
	static const u64 values[] = { 1, 1ull << 31, 1ull << 32, 1ull << 63, ALL_ONES };

	say("limits call %x (%s) %s rest =", (u64)row->number, row->arguments, path_names[path]);
	for (u32 index = first; index < 7; index++) {
		char last[ANSWER_MAX] = "", answer[ANSWER_MAX];

		for (u32 n = 0; n < sizeof(values) / sizeof(values[0]); n++) {
			u64 arguments[7];

			arguments_of(row->arguments, arguments);
			arguments[index] = values[n];
			answer_of(path, row->number, arguments, answer);
			unmake_all();
			say(strcmp(answer, last) == 0 ? "." : " %s", answer);
			memcpy(last, answer, sizeof(last));
		}
		say(" |");
	}
	say("\n");
}

static void sweep_call(enum path path, const struct row *row)
{
	u64 arguments[7];
	u32 caps = arguments_of(row->arguments, arguments), count = *row->arguments != 0;

	unmake_all();
	for (const char *c = row->arguments; *c; c++)
		count += *c == ' ';
	for (u32 index = 0; index < count; index++) {
		if (caps & 1u << index)
			sweep_argument(path, row, index, &changed);
		else if (letter(row->arguments, index) != 'b') {
			sweep_argument(path, row, index, &bits);
			sweep_argument(path, row, index, &below);
		}
	}
	ask_rest(path, row, count);
}

void ask_sweeps(void)
{
	static const struct row more[] = { { 0x00, "" }, { 0x1b, "f =8 b" }, { 0x1c, "f b =40" } };

	for (u32 i = 0; i < row_count + sizeof(more) / sizeof(more[0]); i++) {
		if (i % 16 == 0)
			prepare_objects();
		for (u32 path = 0; path < PATHS; path++)
			sweep_call(path, i < row_count ? &rows[i] : &more[i - row_count]);
	}
}

/*
 * Calls that a generator with a fixed seed puts together: rows of the owner's table with arguments replaced by other capabilities of a pool of objects,
 * of any type and state, and by numbers at edges. The objects live through a round, so that what one call did is there for the next. What
 * sixteen calls answered is printed as one hash; `IS_WHOLE` prints each.
 */
#include "chance.h"

#define IS_WHOLE false

#define ROUNDS 56
#define CALLS 64
#define GROUP 16

static u64 state;

/* SplitMix64. */
static u64 next(void)
{
	u64 z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static u32 below(u32 limit)
{
	return (u32)(next() >> 32) % limit;
}

#define ONE_OF(list) ((list)[below(sizeof(list) / sizeof((list)[0]))])

/* ---- The pool: letters as `make` takes them ---- */

static const char letters[] = "ccaammmddqqvvggoouuhpCAAMMDQVGOOTT";
static u64 pool[sizeof(letters) + 8];
static char types[sizeof(pool) / sizeof(pool[0])];
static u32 pool_count;

static void fill_pool(void)
{
	static const char copied[] = "mdqvgoua";

	pool_count = 0;
	for (const char *letter_ = letters; *letter_; letter_++) {
		types[pool_count] = *letter_;
		pool[pool_count++] = make(*letter_);
	}
	/* Copies with fewer rights. */
	for (const char *letter_ = copied; *letter_; letter_++) {
		u32 n = 0;

		while (types[n] != *letter_)
			n++;
		types[pool_count] = *letter_;
		pool[pool_count++] = copy_of(pool[n], next() & 0x800003ff);
	}
}

/* A capability of this type; now and then one in the other state, or any. */
static u64 capability(char type)
{
	u32 chance = below(16), n;

	if (chance == 0)
		return ONE_OF(((const u64[]){ 0x1ff, 0x7f00, ALL_ONES, 1ull << 32 }));
	if (type == 's')
		return CSPACE;
	if (type == 'w')
		return OWN;
	if (type == 't')
		type = 'u';
	if (type == 'f')
		type = 'q';
	for (;;) {
		n = below(pool_count);
		if (chance == 1 || types[n] == type || (chance == 2 && (types[n] | 0x20) == (type | 0x20)))
			return pool[n];
	}
}

static u64 number(u64 right)
{
	static const u64 edges[] = {
		3, 4, 5, 7, 8, 9, 0xf, 0x10, 0x11, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x3f, 0x40, 0x5f, 0x60, 0x66, 0x77, 0xff, 0x100, 0x107, 0x3fb, 0x3fc, 0x400, 0xfff, 0x1000, 0x1001, 0x2000, 0x8000, 0xffff, 0x10000, 0x10007, 0x20000, 0xf0000, 0xf0077, 0x400004, 0x1000000,
		0x2000000, 0x2001000, 0x3fff000, 0x70000000, 0x80000000, 0xffffffff, 0x100000000ull, 0x200000000ull, 0x1000000000ull, 1ull << 44, 1ull << 63, ALL_ONES - 0xfff, ALL_ONES,
	};

	switch (below(8)) {
	case 0: case 1: case 2:
		return right;
	case 3: case 4:
		return below(4);
	case 5:
		return right ^ 1ull << below(64);
	default:
		return ONE_OF(edges);
	}
}

/* ---- One call ---- */

static u64 hash;

static void take(u64 value)
{
	hash = (hash ^ value) * 0x100000001b3ull;
	hash ^= hash >> 29;
}

/* Calls after which the owner, or a real hypervisor, would not go on: see README.md. */
static bool is_excluded(u32 number_, const u64 arguments[7])
{
	for (u32 index = 0; index < 7; index++)
		if (is_deadly(number_, index, arguments[index]))
			return true;
	switch (number_) {
	case 0x32: /* the owner's own half */
		return arguments[2] < PLAY_OFFSET;
	case 0x49: /* a device without queues, when it becomes active */
		return (u32)arguments[2] == 0;
	case 0x60: /* a range of which another has a part */
		return true;
	case 0x3a: case 0x65: /* how far a vCPU comes when it is run, or a killed one towards its end, differs from run to run */
		return true;
	case 0x3d: /* vCPUs that others may run */
		return (u16)arguments[1] != 0xffff;
	default:
		return false;
	}
}

/* Arguments by chance for a row by chance; once in a while with one bit of one of them changed, which does not make one capability another. */
static u32 draw(u64 arguments[7])
{
	const struct row *row = &rows[below(row_count)];
	const char *text = row->arguments;
	u32 changed = below(64);

	memset(arguments, 0, 7 * sizeof(u64));
	for (u32 i = 0; *text; i++) {
		char c = *text++;
		u64 right = 0;

		for (; *text && *text != ' '; text++)
			right = right << 4 | (u64)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
		if (*text == ' ')
			text++;
		if (c == 'b')
			arguments[i] = below(4) ? (u64)buffer + below(64) : 0x90000000;
		else if (c == 'n')
			arguments[i] = below(2) ? 250 + below(6) : number(0);
		else if (c == 'x')
			arguments[i] = number(PLAY_OFFSET + 0x1000 * below(0x1000));
		else if (c == '+')
			arguments[i] = number(0x200000000ull + 0x1000 * below(4));
		else if (c == '~')
			arguments[i] = number(ALL_ONES);
		else if (c == '=')
			arguments[i] = number(right);
		else
			arguments[i] = capability(c);
	}
	if (changed < 7)
		arguments[changed] ^= 1ull << (16 + below(48));
	return row->number;
}

static void one_call(u32 round, u32 n)
{
	u64 arguments[7];
	enum path path = below(2) ? NATIVE : SMCCC;
	struct result r;
	u32 call;

	do
		call = draw(arguments);
	while (is_excluded(call, arguments));
	if (IS_WHOLE) {
		say("chance %x.%x %s %x", (u64)round, (u64)n, path_names[path], (u64)call);
		for (u32 i = 0; i < 7; i++)
			say(" %x", arguments[i]);
		say(" =\n");
	}
	r = call_by(path, call, arguments);
	for (u32 i = 0; i < 8; i++)
		take(r.x[i]);
	if (IS_WHOLE) {
		for (u32 i = 0; i < 8; i++)
			say(" %x", r.x[i]);
		say("\n");
	}
}

void ask_by_chance(void)
{
	for (u32 round = 0; round < ROUNDS; round++) {
		state = round;
		if (round % 16 == 0)
			prepare_objects();
		fill_pool();
		say("chance %x =", (u64)round);
		hash = 0;
		for (u32 n = 0; n < CALLS; n++) {
			one_call(round, n);
			if (n % GROUP == GROUP - 1)
				say(" %x", hash);
		}
		say("\n");
		unmake_all();
	}
}

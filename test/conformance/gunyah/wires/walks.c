/* Sequences of steps, chosen and by chance. */
#include "wires.h"

#define FIRST_INTID 40
#define STEPS 32
#define WALKS 48
#define CROWD 7
#define CROWD_STEPS 64
#define CROWD_WALKS 48

static u64 state = 0x1234567;

static u32 chance(u32 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (u32)(state % below);
}

static char one_of(const char *letters)
{
	return letters[chance((u32)strlen(letters))];
}

/* One step: t take, x end, u b unbind and bind, else a change of the line, or with a dot before it of the source. */
static void step(const struct source_kind *kind, const u32 *intids, u32 line, char letter, bool is_source)
{
	bool accepted = true;
	u64 number;

	if (is_source)
		accepted = kind->change(letter);
	else if (letter == 't') {
		number = take_one();
		accepted = number == intids[0] || number == intids[kind->lines - 1];
	} else if (letter == 'x')
		accepted = end_one();
	else if (letter == 'u')
		accepted = unbind_line(kind, line);
	else if (letter == 'b')
		accepted = bind_line(kind, line, intids[line]);
	else
		change_line(intids[line], letter);
	say(" %s%s%c%s", is_source ? "." : "", !is_source && line == 1 ? "'" : "", letter, accepted ? "" : "!");
	for (u32 n = 0; n < kind->lines; n++)
		say("%x", state_of(intids[n]));
}

static u32 start_walk(const struct source_kind *kind, u32 *intids)
{
	static u32 count;

	for (u32 n = 0; n < kind->lines; n++)
		reset_line(intids[n] = FIRST_INTID + n);
	kind->begin();
	for (u32 n = 0; n < kind->lines; n++)
		if (!bind_line(kind, n, intids[n]))
			say("wires: not bound\n");
	return count++;
}

/* What is left is taken. */
static void finish(const struct source_kind *kind, const u32 *intids)
{
	u64 number = 0;

	say(" |");
	end_all();
	for (u32 n = 0; n < kind->lines; n++)
		change_line(intids[n], 'e');
	for (u32 i = 0; i < 8 && (number = take_one()) < 1020; i++) {
		say(" %x", number - FIRST_INTID);
		end_all();
	}
	say("\n");
	for (u32 n = 0; n < kind->lines; n++) {
		unbind_line(kind, n);
		change_line(intids[n], 'd');
	}
	unmake_all();
}

/* ---- Chosen: every combination of what leads there and what is done then, for both triggers ---- */

static void sequence(const struct source_kind *kind, bool is_edge, const char *before, const char *steps)
{
	u32 intids[2];

	start_walk(kind, intids);
	say("wires %s %s =", kind->name, is_edge ? "edge" : "level");
	if (is_edge)
		for (u32 n = 0; n < kind->lines; n++)
			step(kind, intids, n, 'G', false);
	for (u32 part = 0; part < 2; part++)
		for (const char *s = part == 0 ? before : steps; *s; s++) {
			bool is_source = *s == '.';
			u32 line = *s == '\'';

			if (is_source || line)
				s++;
			step(kind, intids, line, *s, is_source);
		}
	finish(kind, intids);
}

void ask_sequences(void)
{
	/* Not yet listed, listed, taken, taken and come again, ended, no longer enabled. */
	static const char *const befores[] = { ".a", ".ae", "e.a", "e.at", "e.at.a", "e.atx", "e.ad", "e.atd", "e.a.q", "e.at.q", ".a.q", ".m.a", "e.m.a", ".k.a", "e.k.a", "pe", "ept", ".ap", "e.ap", ".aO", "e.aO", "e.atO" };
	static const char *const afters[] = { "cG", "cL", "ccG", ".mG", ".rG", "uG", "ubG", "uL", "ub.q", "dcG", "d.meG", ".qc", ".qcG", ".qtx", ".nG", ".nL", "GL", "LG", "CG", "SCG", "RtxG", "IG", "Ac", "Z", "ZtxG" };

	for (u32 edge = 0; edge < 2; edge++)
		for (u32 i = 0; i < sizeof(befores) / sizeof(befores[0]); i++)
			for (u32 k = 0; k < sizeof(afters) / sizeof(afters[0]); k++)
				sequence(&source_kinds[0], edge, befores[i], afters[k]);
}

/* ---- By chance ---- */

static void walk(const struct source_kind *kind, const char *changes)
{
	bool bound[2] = { true, true };
	u32 intids[2];

	say("wires %s %x =", kind->name, start_walk(kind, intids));
	for (u32 i = 0; i < STEPS; i++) {
		bool is_source = chance(2) == 0;
		u32 line = chance(kind->lines);
		char letter = is_source ? one_of(kind->changes) : one_of(changes);

		if (letter == 'b' && !is_source) {
			letter = bound[line] ? 'u' : 'b';
			bound[line] = !bound[line];
		}
		step(kind, intids, line, letter, is_source);
	}
	finish(kind, intids);
}

void ask_walks(void)
{
	static const char *const changes[] = { "ppcccGGLLbbSC", "edttttxxxpcGLb", "eeedttttxxxpcGLbSCRWOZAI" };

	for (u32 k = 0; k < source_kind_count; k++)
		for (u32 c = 0; c < sizeof(changes) / sizeof(changes[0]); c++)
			/* There are 120 VMIDs for vCPUs. */
			for (u32 n = 0; n < (source_kinds[k].bind[0] == 0x5c ? WALKS / 3 : WALKS); n++)
				walk(&source_kinds[k], changes[c]);
}

/* ---- More lines than there are list registers ---- */

static void crowd(u32 count, const char *changes)
{
	u64 bells[CROWD], pending, active;

	say("wires crowd %x =", (u64)count);
	for (u32 n = 0; n < CROWD; n++) {
		reset_line(FIRST_INTID + n);
		bells[n] = make('d');
		make_call(0x10, bells[n], VIC, FIRST_INTID + n, 0, 0, 0);
		if (n % 2)
			change_line(FIRST_INTID + n, 'G');
		change_line(FIRST_INTID + n, 'e');
	}
	for (u32 i = 0; i < CROWD_STEPS; i++) {
		char letter = one_of(changes);
		u32 n = chance(CROWD);
		u64 number = 0;

		if (letter == 't')
			number = take_one();
		else if (letter == 'x')
			end_one();
		else if (letter == 'a')
			make_call(0x12, bells[n], 1, 0, 0, 0, 0);
		else if (letter == 'q')
			make_call(0x13, bells[n], 1, 0, 0, 0, 0);
		else if (letter == 'm' || letter == 'n')
			make_call(0x15, bells[n], letter == 'n', 0, 0, 0, 0);
		else
			change_line(FIRST_INTID + n, letter);
		pending = active = 0;
		for (u32 k = 0; k < CROWD; k++) {
			u64 now = state_of(FIRST_INTID + k);

			pending |= (now & 1) << k;
			active |= now >> 1 << k;
		}
		if (letter == 't')
			say(" t%x:%x,%x", number < 1020 ? number - FIRST_INTID : 15, pending, active);
		else
			say(" %c%x:%x,%x", letter, (u64)n, pending, active);
	}
	say("\n");
	end_all();
	for (u32 n = 0; n < CROWD; n++)
		make_call(0x11, bells[n], 0, 0, 0, 0, 0);
	unmake_all();
	for (u32 n = 0; n < CROWD; n++)
		reset_line(FIRST_INTID + n);
}

void ask_crowds(void)
{
	static const char *const changes[] = { "aaaaaqqttttxxx", "aaaaaqqqppcttttxxxdeRW", "aaaaaqqqppcttttxxxdeeRWmnnGLOZZ" };

	for (u32 c = 0; c < sizeof(changes) / sizeof(changes[0]); c++)
		for (u32 n = 0; n < CROWD_WALKS; n++)
			crowd(n + c * CROWD_WALKS, changes[c]);
}

/*
 * Every call with everything right, then with one thing wrong at a time: a capability to another type of object, without one of its rights,
 * deleted, revoked, to an object in another state. On both paths.
 */
#include "owner.h"

static const char types[] = "pcamtdqvhgo";

static void ask_base(enum path path, const struct row *row)
{
	u64 arguments[7];
	struct result r;

	arguments_of(row->arguments, arguments);
	r = call_by(path, row->number, arguments);
	say("call %x (%s) %s = %x", (u64)row->number, row->arguments, path_names[path], r.x[0]);
	for (u32 n = 1; n < 6; n++)
		say(r.x[n] == arguments[n - (path == SMCCC)] ? " k" : " %x", r.x[n]);
	say("\n");
	unmake_all();
}

/* The error when the argument is replaced by what `other` makes of it. */
static u64 error_with(enum path path, const struct row *row, u32 index, u64 (*other)(u64 cap, u64 how), u64 how)
{
	u64 arguments[7], error;

	arguments_of(row->arguments, arguments);
	arguments[index] = other(arguments[index], how);
	error = call_by(path, row->number, arguments).x[0];
	unmake_all();
	return error;
}

static u64 another(u64 cap, u64 type)
{
	(void)cap;
	return make((char)type);
}

static u64 lessened(u64 cap, u64 rights)
{
	return copy_of(cap, rights);
}

static u64 deleted(u64 cap, u64 how)
{
	(void)how;
	cap = copy_of(cap, 0xffffffff);
	make_call(0x22, CSPACE, cap, 0, 0, 0, 0);
	return cap;
}

static u64 revoked(u64 cap, u64 how)
{
	u64 copy = copy_of(cap, 0xffffffff);

	(void)how;
	make_call(0x59, CSPACE, cap, 0, 0, 0, 0);
	return copy;
}

static u64 number(u64 cap, u64 value)
{
	(void)cap;
	return value;
}

static void ask_argument(enum path path, const struct row *row, u32 index)
{
	char own = letter(row->arguments, index);
	bool is_made = own != 's' && own != 'w' && own != 'p' && own != 'h';

	say("call %x (%s) %s argument %x types =", (u64)row->number, row->arguments, path_names[path], (u64)index);
	for (const char *type = types; *type; type++)
		if (*type != (own | 0x20))
			say(" %x", error_with(path, row, index, another, (u64)*type));
	say(" created =");
	for (const char *type = types; *type; type++)
		if (*type != 'p' && *type != 'h' && *type != (own | 0x20))
			say(" %x", error_with(path, row, index, another, (u64)(*type & ~0x20)));
	say("\n");
	say("call %x (%s) %s argument %x rights without", (u64)row->number, row->arguments, path_names[path], (u64)index);
	for (u32 bit = 0; bit < 11; bit++)
		say(" %x", error_with(path, row, index, lessened, 0xffffffffull & ~(1ull << bit)));
	say(" %x only", error_with(path, row, index, lessened, 0x7fffffff));
	for (u32 bit = 0; bit < 11; bit++)
		say(" %x", error_with(path, row, index, lessened, 1ull << bit));
	say(" %x\n", error_with(path, row, index, lessened, 0x80000000));
	say("call %x (%s) %s argument %x deleted = %x", (u64)row->number, row->arguments, path_names[path], (u64)index, error_with(path, row, index, deleted, 0));
	if (is_made) {
		say(" revoked %x", error_with(path, row, index, revoked, 0));
		say(" other state %x", error_with(path, row, index, another, (u64)(own ^ 0x20)));
	}
	say(" no such %x %x %x\n", error_with(path, row, index, number, 0x3f), error_with(path, row, index, number, 0xff00), error_with(path, row, index, number, ALL_ONES));
}

void ask_rights(void)
{
	for (u32 i = 0; i < row_count; i++) {
		if (i % 32 == 0)
			prepare_objects();
		for (u32 path = 0; path < PATHS; path++) {
			u64 arguments[7];
			u32 caps = arguments_of(rows[i].arguments, arguments);

			unmake_all();
			ask_base(path, &rows[i]);
			for (u32 index = 0; index < 7; index++)
				if (caps & 1u << index)
					ask_argument(path, &rows[i], index);
		}
	}
}

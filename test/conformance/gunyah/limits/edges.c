/* Values at the edges of what calls take, with everything else right; and what the activation of the object says then. */
#include "limits.h"

/* Arguments as in rights.c; `?` is the value. An object that is to be activated comes first, as created. */
struct edge { u32 number; const char *arguments; const u64 *values; u32 count; };

#define LIST(name) name, sizeof(name) / sizeof(name[0])

static const u64 interrupts[] = { 0, 1, 15, 16, 17, 20, 23, 25, 26, 27, 28, 30, 31, 32, 33, 62, 63, 64, 94, 95, 96, 97, 127, 128, 1018, 1019, 1020, 1023, 1024, 4095, 4096, 8191, 8192, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000020ull };
static const u64 queues[] = {
	0, 1, 0x10000, 0x10001, 0x10002, 0x10100, 0x10101, 0x100001, 0x400001, 0x4000001, 0x4000100, 0x4000101, 0x4010001, 0xf00008, 0xffff0001, 0x1ffff, 0x10ffff, 0x1000000000000ull, 0x1000000400004ull, 0x100400004ull, 0x8000000000400004ull, 0x3000001, 0x10008, 0x4000008, 0x100ff,
};
static const u64 counts[] = { 0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1023, 1024, 3839, 3840, 3841, 4095, 4096, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000001ull };
static const u64 queue_counts[] = { 1, 2, 7, 8, 9, 16, 17, 255, 256, 0xffffffff };
static const u64 spaces[] = { 0, 1, 63, 64, 200, 255, 256, 0x1000, 0xffff, 0x10000, 0x10040 };
static const u64 sizes[] = { 0, 1, 0xfff, 0x1000, 0x1001, 0x1800, 0x2000, 0x10000, 0x200000, 0x1000000, 0x1ffffff, 0x2000000, 0x4000000, 0x4001000, 0x8000000, 1ull << 36, 1ull << 48, 1ull << 63, ALL_ONES - 0xfff, ALL_ONES };
static const u64 holes[] = { 0x1000, 0x2000, 0x3000, 0x4000, 0x10000, 0x1000000, 0x10000000, 0x20000000, 0x3ffff000, 0x40000000, 0x40001000, 0x40002000, 0x80000000 };
static const u64 bits[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x10, 0x20, 0x40, 0x70, 0x77, 0x80, 0x100, 0x107, 0x200, 0x207, 0x300, 0x400, 0x800, 0x1000, 0x10000, 0x10007, 0x20007, 0x30007, 0x80000, 0xf0007, 0xf0077, 0x10066, 0x1000000, 0x40000000, 0x80000000, 0x80000007, 0x100000000ull };
static const u64 times[] = { 0, 1, 99999, 100000, 100001, 5000000, 99999999, 100000000, 100000001, 0xffffffff, 1ull << 63, ALL_ONES };
static const u64 places[] = { 0, 0x1000, 0x1001, 0x40000000, 0x40000800, 0x6ffff000, 0x70000000, 0x77fff000, 0x80000000, 0xfffff000, 1ull << 36, (1ull << 36) - 0x1000, 1ull << 40, 1ull << 47, 1ull << 48, 1ull << 63, ALL_ONES - 0xfff, ALL_ONES };

static const struct edge edges[] = {
	{ 0x10, "d v ?", LIST(interrupts) }, { 0x17, "q v ?", LIST(interrupts) }, { 0x18, "q v ?", LIST(interrupts) }, { 0x43, "g v ?", LIST(interrupts) }, { 0x4a, "o v ?", LIST(interrupts) }, { 0x4c, "o v ?", LIST(interrupts) }, { 0x5c, "u v ?", LIST(interrupts) }, { 0x5c, "u v ? =1", LIST(interrupts) },
	{ 0x21, "Q ?", LIST(queues) }, { 0x25, "C ?", LIST(counts) }, { 0x28, "V ? =40 =2", LIST(counts) }, { 0x28, "V =1 ? =2", LIST(counts) }, { 0x28, "V =1 =40 =3 ?", LIST(counts) }, { 0x28, "V =1 =40 ?", LIST(bits) }, { 0x2e, "A ?", LIST(spaces) },
	{ 0x31, "M =70000000 ? =7", LIST(sizes) }, { 0x31, "M ? =1000 =7", LIST(places) }, { 0x31, "M =70000000 =1000 ?", LIST(bits) }, { 0x31, "M =bfffe000 ? =7", LIST(holes) }, { 0x31, "M =c0000000 ? =7", LIST(holes) }, { 0x31, "M =c000f000 ? =7", LIST(holes) }, { 0x32, "M w x ? =7", LIST(sizes) }, { 0x32, "M w ? =1000 =7", LIST(sizes) }, { 0x32, "M w x =1000 ?", LIST(bits) }, { 0x32, "M m ? =1000 =7", LIST(sizes) },
	{ 0x2b, "a m ? =f0077", LIST(places) }, { 0x2b, "a m + ?", LIST(bits) }, { 0x2b, "a m + =f0077 ?", LIST(bits) }, { 0x2c, "a m ?", LIST(places) }, { 0x2d, "a m + ?", LIST(bits) }, { 0x30, "m ?", LIST(bits) }, { 0x60, "a ? =1000", LIST(places) }, { 0x60, "a + ?", LIST(sizes) }, { 0x60, "a + =1000 ?", LIST(bits) },
	{ 0x46, "T ?", LIST(counts) }, { 0x47, "T ?", LIST(times) }, { 0x3c, "g T ?", LIST(counts) }, { 0x29, "v T ?", LIST(counts) }, { 0x64, "t ? =0 =5", LIST(counts) }, { 0x64, "t =0 ? =5", LIST(counts) }, { 0x64, "t =1 ? =5", LIST(counts) }, { 0x64, "t =2 ? =5", LIST(counts) },
	{ 0x38, "t =1000 =0 ?", LIST(bits) }, { 0x39, "t ?", LIST(bits) }, { 0x66, "G ?", LIST(bits) }, { 0x49, "O m =2 ?", LIST(bits) }, { 0x50, "o ? =10", LIST(counts) }, { 0x50, "o =0 ?", LIST(counts) }, { 0x4f, "o ? =1", LIST(counts) }, { 0x51, "o ?", LIST(counts) }, { 0x52, "o ?", LIST(counts) },
	{ 0x61, "? w m =0 =1000", LIST(bits) }, { 0x61, "=2 m m ? =1000", LIST(sizes) }, { 0x5a, "a m ? =1000", LIST(places) }, { 0x5a, "a m + ?", LIST(sizes) }, { 0x62, "a v ? + =10000", LIST(counts) }, { 0x62, "a v =0 ? =10000", LIST(places) }, { 0x62, "a v =0 + ?", LIST(sizes) }, { 0x5b, "A m ?", LIST(places) }, { 0x23, "s d c ?", LIST(bits) },
};

void ask_edges(void)
{
	for (u32 i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		const struct edge *edge = &edges[i];
		u32 index = 0;

		if (i % 8 == 0)
			prepare_objects();
		while (letter(edge->arguments, index) != '?')
			index++;
		say("limits of call %x (%s) =", (u64)edge->number, edge->arguments);
		for (u32 n = 0; n < edge->count; n++) {
			char answer[ANSWER_MAX];
			u64 arguments[7], error;

			edge_value = edge->values[n];
			if (is_deadly(edge->number, index, edge_value))
				continue;
			arguments_of(edge->arguments, arguments);
			if (IS_HUNT)
				say("\n%x ", edge_value);
			error = answer_of(SMCCC, edge->number, arguments, answer);
			say(" %x:%s", edge_value, answer);
			/* A thread is not complete; the activation of a device without queues stops a real debug hypervisor. */
			if ((edge->number != 0x49 || error == 0) && edge->arguments[0] >= 'A' && edge->arguments[0] <= 'Z' && edge->arguments[0] != 'T')
				say("/%x", make_call(0x0c, arguments[0], 0, 0, 0, 0, 0).x[0]);
			unmake_all();
		}
		say("\n");
	}
}

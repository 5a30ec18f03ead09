/* The calls with everything right, as rows of text, and the arguments that such a text stands for. */
#include "owner.h"

const struct row rows[] = {
	{ 0x01, "p c" }, { 0x02, "p c" }, { 0x03, "p c" }, { 0x04, "p c" }, { 0x05, "p c" }, { 0x06, "p c" }, { 0x07, "p c" }, { 0x09, "p c" }, { 0x0a, "p c" }, { 0x0b, "p c" }, { 0x48, "p c" },
	{ 0x0c, "D" }, { 0x0c, "C" }, { 0x0c, "A" }, { 0x0c, "M" }, { 0x0c, "T" }, { 0x0c, "Q" }, { 0x0c, "V" }, { 0x0c, "G" }, { 0x0c, "O" }, { 0x0d, "s D" }, { 0x0e, "d" }, { 0x0f, "s d" },
	{ 0x10, "d v =20" }, { 0x11, "d" }, { 0x12, "d =5" }, { 0x13, "d =5" }, { 0x14, "d" }, { 0x15, "d =5 =1" }, { 0x16, "d" },
	{ 0x17, "q v =21" }, { 0x18, "q v =22" }, { 0x19, "q" }, { 0x1a, "q" }, { 0x1b, "q =8 b" }, { 0x1c, "q b =40" }, { 0x1d, "q" }, { 0x1e, "q" }, { 0x1f, "q =1 =ffffffff ~" }, { 0x20, "q =1 =ffffffff ~" }, { 0x21, "Q =400004" },
	{ 0x22, "s d" }, { 0x23, "s d c =1" }, { 0x24, "s d" }, { 0x25, "C =20" }, { 0x26, "h v =23" }, { 0x27, "h" }, { 0x28, "V =2 =40 =2" }, { 0x29, "v T" }, { 0x2a, "a T" },
	{ 0x2b, "a m + =f0077" }, { 0x2c, "a m +" }, { 0x2d, "a m + =66" }, { 0x2e, "A n" }, { 0x2f, "a d" }, { 0x30, "m =2" }, { 0x31, "M =70000000 =1000 =7" }, { 0x32, "M w x =1000 =7" }, { 0x33, "m" },
	{ 0x34, "T =200" }, { 0x35, "t" }, { 0x36, "t" }, { 0x37, "t" }, { 0x38, "t =41000000 =77" }, { 0x39, "t" }, { 0x3a, "t" }, { 0x3b, "=0" }, { 0x3b, "=1 t" }, { 0x3c, "g T" }, { 0x3d, "t =0 ~" }, { 0x3d, "t =ffff ~" }, { 0x3d, "T =0 ~" }, { 0x3e, "c T" }, { 0x3f, "=0" },
	{ 0x40, "d T" }, { 0x41, "d v =24" }, { 0x42, "d" }, { 0x43, "g v =25" }, { 0x44, "g" }, { 0x45, "g" }, { 0x46, "T =10" }, { 0x47, "T =989680" },
	{ 0x49, "O m =2" }, { 0x4a, "o v =26" }, { 0x4b, "o" }, { 0x4c, "o v =27" }, { 0x4d, "o" }, { 0x4e, "o =1" }, { 0x4f, "o =0 =1" }, { 0x50, "o =0 =10" }, { 0x51, "o =0" }, { 0x52, "o =0" }, { 0x53, "o" }, { 0x54, "o" }, { 0x55, "o =1" },
	{ 0x56, "v d" }, { 0x58, "D" }, { 0x59, "s d" }, { 0x5a, "a m + =1000" }, { 0x5b, "A m +" }, { 0x5c, "u v =28 =1" }, { 0x5c, "t v =29 =0" }, { 0x5d, "t =1" }, { 0x5d, "u =1" }, { 0x5e, "o =1 =2 =1 =1" }, { 0x5f, "o =1 =0 =4 =1" },
	{ 0x60, "a + =1000" }, { 0x60, "A + =1000" }, { 0x61, "=0 w m =0 =1000" }, { 0x61, "=2 m m =0 =1000" }, { 0x62, "a v =0 + =10000" }, { 0x63, "d =0" }, { 0x64, "t =1 =0 =5" }, { 0x65, "t" }, { 0x65, "u" }, { 0x66, "G =1" }, { 0x67, "V =3 =0 =2 =0 =0" }, { 0x68, "t" }, { 0x68, "u" },
	{ 0x08, "p c" }, { 0x69, "p c" }, { 0x6a, "p c" }, { 0x70, "p c" },
};

const u32 row_count = sizeof(rows) / sizeof(rows[0]);

u64 edge_value;

static u64 queue_with_message(void)
{
	u64 queue = make('q');

	make_call(0x1b, queue, 16, (u64)buffer, 0, 0, 0);
	return queue;
}

u32 arguments_of(const char *text, u64 arguments[7])
{
	u32 caps = 0, i = 0;

	memset(arguments, 0, 7 * sizeof(u64));
	for (; *text; i++) {
		char c = *text++;

		if (c == '=') {
			for (; *text && *text != ' '; text++)
				arguments[i] = arguments[i] << 4 | (u64)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
		} else if (c == '~')
			arguments[i] = ALL_ONES;
		else if (c == '+')
			arguments[i] = 0x200000000ull;
		else if (c == 'b')
			arguments[i] = (u64)buffer;
		else if (c == 'n')
			arguments[i] = next_vmid();
		else if (c == 'x')
			arguments[i] = next_page();
		else if (c == '?')
			arguments[i] = edge_value;
		else if (c == 'f')
			arguments[i] = queue_with_message();
		else {
			caps |= 1u << i;
			arguments[i] = c == 's' ? copy_of(CSPACE, 0xffffffff) : c == 'w' ? copy_of(OWN, 0xffffffff) : make(c);
		}
		if (*text == ' ')
			text++;
	}
	return caps;
}

char letter(const char *text, u32 index)
{
	for (; index > 0; text++)
		if (*text == ' ')
			index--;
	return *text;
}

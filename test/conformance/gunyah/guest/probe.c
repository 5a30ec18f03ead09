/* Printing, recorded calls and single instructions. See probe.h. */
#include "probe.h"

#define UART 0x09000000ull

struct cpu cpus[8];
bool is_second;

/* Whole lines only: the hypervisor of a real machine may print on the same UART in between. */
static void uart(char c)
{
	static char line[512];
	static u32 length;

	line[length++] = c;
	if (c != '\n' && length < sizeof(line))
		return;
	for (u32 i = 0; i < length; i++) {
		if (line[i] == '\n')
			write32(UART, '\r');
		write32(UART, (u8)line[i]);
	}
	length = 0;
}

void (*sink)(char c) = uart;

static void say_text(const char *text)
{
	while (*text)
		sink(*text++);
}

static void say_number(u64 value)
{
	int shift = 60;

	while (shift > 0 && (value >> shift) == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		sink("0123456789abcdef"[(value >> shift) & 15]);
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	for (; *format; format++) {
		if (*format != '%') {
			sink(*format);
			continue;
		}
		format++;
		if (*format == 'x')
			say_number(va_arg(arguments, u64));
		else if (*format == 's')
			say_text(va_arg(arguments, const char *));
		else if (*format == 'c')
			sink((char)va_arg(arguments, int));
	}
	va_end(arguments);
}

void say_bytes(const u8 *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		sink("0123456789abcdef"[bytes[i] >> 4]);
		sink("0123456789abcdef"[bytes[i] & 15]);
	}
}

void *memset(void *to, int byte, size_t count)
{
	u8 *p = to;

	while (count--)
		*p++ = (u8)byte;
	return to;
}

void *memcpy(void *to, const void *from, size_t count)
{
	u8 *p = to;
	const u8 *q = from;

	while (count--)
		*p++ = *q++;
	return to;
}

int memcmp(const void *a, const void *b, size_t count)
{
	const u8 *p = a, *q = b;

	for (; count--; p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

size_t strlen(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a - *b;
}

void delay(u64 microseconds)
{
	u64 end = MRS(cntvct_el0) + microseconds * 125 / 2;

	/* Reading the counter leaves the vCPU; in between time passes by itself. */
	while (MRS(cntvct_el0) < end)
		for (u32 n = 0; n < (microseconds < 100 ? 50u : 2000u); n++)
			__asm__ volatile("nop");
}

/* ---- Code that is put together ---- */

static void place(u32 *site, u32 word)
{
	if (*(volatile u32 *)site == word)
		return;
	*(volatile u32 *)site = word;
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" :: "r"(site) : "memory");
}

void call_with(struct frame *frame, u32 instruction_word)
{
	place(&call_site, instruction_word);
	call_site_run(frame);
}

void pattern(struct frame *frame, u64 nzcv)
{
	for (u32 n = 0; n < 31; n++)
		frame->x[n] = 0x5500000000aa0000ull + n;
	for (u32 n = 0; n < 64; n++)
		frame->v[n] = 0xf0f0000000001000ull + n;
	frame->nzcv = nzcv;
	frame->sp = 0;
}

void say_effect(const struct frame *before, const struct frame *after)
{
	u32 changed = 0;

	for (u32 n = 0; n < 18; n++) {
		if (after->x[n] == before->x[n])
			say(n == 0 ? "k" : " k");
		else if (after->x[n] == (u64)&call_site + 4)
			say(" n");
		else
			say(n == 0 ? "%x" : " %x", after->x[n]);
	}
	for (u32 n = 18; n < 31; n++)
		changed += after->x[n] != before->x[n];
	say(" | %s", changed ? "changed" : "kept");
	changed = 0;
	for (u32 n = 0; n < 64; n++)
		changed += after->v[n] != before->v[n];
	say(" %s %s %s", changed ? "changed" : "kept", after->nzcv == before->nzcv ? "kept" : "changed", after->sp == 0 ? "kept" : "changed");
}

struct result hypercall(u32 number, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6)
{
	static struct frame f;
	struct result r;

	pattern(&f, 0);
	f.x[0] = 0xc6008000u + number;
	f.x[1] = a1;
	f.x[2] = a2;
	f.x[3] = a3;
	f.x[4] = a4;
	f.x[5] = a5;
	f.x[6] = a6;
	f.x[7] = 0;
	f.x[8] = 0;
	call_with(&f, HVC(0));
	memcpy(r.x, f.x, sizeof(r.x));
	return r;
}

u64 native(u32 number, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
	static struct frame f;

	pattern(&f, 0);
	f.x[0] = a0;
	f.x[1] = a1;
	f.x[2] = a2;
	f.x[3] = a3;
	f.x[4] = a4;
	f.x[5] = f.x[6] = f.x[7] = 0;
	call_with(&f, HVC(0x6000 + number));
	return f.x[0];
}

u64 smccc(u32 id, u64 a1, u64 a2, u64 a3)
{
	static struct frame f;

	pattern(&f, 0);
	f.x[0] = id;
	f.x[1] = a1;
	f.x[2] = a2;
	f.x[3] = a3;
	call_with(&f, HVC(0));
	return f.x[0];
}

struct cpu *this_cpu(void)
{
	return (struct cpu *)MRS(tpidr_el1);
}

u64 instruction(u32 word, u64 x0, u64 x1)
{
	place(&insn_site, word);
	return insn_run(x0, x1);
}

void say_insn(u32 word, u64 x0, u64 x1)
{
	struct cpu *cpu = this_cpu();
	u64 count = cpu->count;
	u64 value = instruction(word, x0, x1);
	u64 class = cpu->esr >> 26;

	if (cpu->count == count) {
		say("ok %x\n", value);
		return;
	}
	say("esr %x", cpu->esr);
	if (cpu->vector != 0x200)
		say(" vector %x", cpu->vector);
	if (cpu->count != count + 1)
		say(" times %x", cpu->count - count);
	if (class >= 0x20 && class <= 0x25)
		say(" far %x", cpu->far);
	say("\n");
}

u64 read_register(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2)
{
	return instruction(MRS_WORD(op0, op1, crn, crm, op2), 0, 0);
}

/*
 * The root VM of a real hypervisor, in place of the runtime and the Resource Manager: makes the owner's VM as `run-owner.ts` does on our machine,
 * and sleeps. Capabilities of the root VM are found by their names in its environment.
 */
#include <stdint.h>
#include <stddef.h>

typedef uint64_t u64;
typedef uint8_t u8;

#define UART 0x09000000ull

struct result { u64 x[8]; };

static struct result call(uint32_t number, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6)
{
	register u64 x0 __asm__("x0") = a0;
	register u64 x1 __asm__("x1") = a1;
	register u64 x2 __asm__("x2") = a2;
	register u64 x3 __asm__("x3") = a3;
	register u64 x4 __asm__("x4") = a4;
	register u64 x5 __asm__("x5") = a5;
	register u64 x6 __asm__("x6") = a6;
	register u64 x7 __asm__("x7") = 0;
	

	switch (number) {
#define NATIVE(n) case n: __asm__ volatile("hvc #0x6000+" #n : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6), "+r"(x7) :: "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory"); break;
	NATIVE(0x02) NATIVE(0x03) NATIVE(0x04) NATIVE(0x05) NATIVE(0x0a) NATIVE(0x0b) NATIVE(0x0c) NATIVE(0x23) NATIVE(0x25) NATIVE(0x28) NATIVE(0x29) NATIVE(0x2a)
	NATIVE(0x2b) NATIVE(0x2e) NATIVE(0x31) NATIVE(0x32) NATIVE(0x34) NATIVE(0x38) NATIVE(0x3c) NATIVE(0x3d) NATIVE(0x3e) NATIVE(0x61) NATIVE(0x66)
	}
	return (struct result){ { x0, x1, x2, x3, x4, x5, x6, x7 } };
}

static void put(char c)
{
	*(volatile uint32_t *)UART = (u8)c;
}

static void text(const char *s)
{
	for (; *s; s++)
		put(*s);
}

static void number(u64 v)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		if (shift == 0 || v >> shift)
			put("0123456789abcdef"[v >> shift & 15]);
}

static const u8 *environment;

/* The number that stands behind a name; the n-th of a list. */
static u64 find(const char *name, u64 nth)
{
	for (const u8 *p = environment; p < environment + 0x4000; p++) {
		size_t n = 0;
		const u8 *q;

		while (name[n] && p[n] == (u8)name[n])
			n++;
		if (name[n] || (p[-1] != 0x60 + n && p[-1] != n))
			continue;
		q = p + n;
		if (*q >> 5 == 4)
			q += *q == 0x9f || (*q & 31) < 24 ? 1 : *q == 0x98 ? 2 : 3;
		for (;; nth--) {
			u64 value = *q & 31, size = 0;

			if (value >= 24) {
				size = 1ull << (value - 24);
				value = 0;
				for (u64 i = 0; i < size; i++)
					value = value << 8 | q[1 + i];
			}
			if (nth == 0)
				return value;
			q += 1 + size;
		}
	}
	return ~0ull;
}

static u64 checked(const char *what, struct result r)
{
	if (r.x[0] != 0) {
		text("boot: ");
		text(what);
		text(" answers ");
		number(r.x[0]);
		text("\r\n");
	}
	return r.x[1];
}

static u64 partition, cspace;

static u64 create(const char *what, uint32_t n)
{
	return checked(what, call(n, partition, cspace, 0, 0, 0, 0, 0));
}

static void activate(const char *what, u64 cap)
{
	checked(what, call(0x0c, cap, 0, 0, 0, 0, 0, 0));
}

static u64 extent(u64 parent, u64 offset, u64 size)
{
	u64 cap = create("extent", 0x04);

	checked("derive", call(0x32, cap, parent, offset, size, 0x10007, 0, 0));
	activate("extent", cap);
	checked("donate", call(0x61, 0, parent, cap, 0, size, 0, 0));
	return cap;
}

static void give(u64 to, u64 cap)
{
	checked("copy", call(0x23, cspace, cap, to, 0xffffffff, 0, 0, 0));
}

#define OWN 0x41000000ull
#define OWN_SIZE 0x4000000ull

void boot_main(const u8 *env)
{
	u64 all, own, space, addrspace, vic, vpm, vcpu[4];

	environment = env;
	partition = find("partition_capid", 0);
	cspace = find("cspace_capid", 0);
	call(0x2b, find("addrspace_capid", 0), find("uart_me_capid", 0), UART, 0x10066, 0, 0, 0);
	text("boot: hello\r\n");
#ifdef DUMP
	for (u64 i = 0; i < 0x1800; i++)
		put(env[i] >= 32 && env[i] < 127 ? (char)env[i] : '.');
	text("\r\n");
	for (u64 i = 0; i < 0x1800; i++) { put("0123456789abcdef"[env[i] >> 4]); put("0123456789abcdef"[env[i] & 15]); }
	text("\r\n");
#endif
	all = create("all", 0x04);
	checked("configure all", call(0x31, all, 0, 0x80000000, 0x10007, 0, 0, 0));
	activate("all", all);
	checked("donate all", call(0x61, 0, partition, all, 0x40000000, 0x30000000, 0, 0));
	own = extent(all, OWN, OWN_SIZE);
	space = create("cspace", 0x02);
	checked("configure cspace", call(0x25, space, 0x200, 0, 0, 0, 0, 0));
	activate("cspace", space);
	addrspace = create("addrspace", 0x03);
	checked("configure addrspace", call(0x2e, addrspace, 10, 0, 0, 0, 0, 0));
	activate("addrspace", addrspace);
	vic = create("vic", 0x0a);
	checked("configure vic", call(0x28, vic, 4, 64, 0, 0, 0, 0));
	activate("vic", vic);
	vpm = create("vpm", 0x0b);
	checked("configure vpm", call(0x66, vpm, 0, 0, 0, 0, 0, 0));
	activate("vpm", vpm);
	for (u64 n = 0; n < 4; n++) {
		vcpu[n] = create("thread", 0x05);
		checked("attach cspace", call(0x3e, space, vcpu[n], 0, 0, 0, 0, 0));
		checked("attach addrspace", call(0x2a, addrspace, vcpu[n], 0, 0, 0, 0, 0));
		checked("attach vic", call(0x29, vic, vcpu[n], n, 0, 0, 0, 0));
		checked("attach vpm", call(0x3c, vpm, vcpu[n], n, 0, 0, 0, 0));
		checked("configure vcpu", call(0x34, vcpu[n], 0, 0, 0, 0, 0, 0));
		checked("affinity", call(0x3d, vcpu[n], n, ~0ull, 0, 0, 0, 0));
		activate("vcpu", vcpu[n]);
	}
	checked("map", call(0x2b, addrspace, own, OWN, 0xf0077, 0, 0, 0));
	checked("map uart", call(0x2b, addrspace, find("uart_me_capid", 0), UART, 0x10066, 0, 0, 0));
	give(space, space);
	give(space, partition);
	for (u64 n = 0; n < 4; n++)
		give(space, vcpu[n]);
	give(space, addrspace);
	give(space, vic);
	give(space, vpm);
	give(space, own);
	give(space, find("device_me_capid", 0));
	give(space, find("vic_hwirq", 200));
	text("boot: starts\r\n");
	checked("power on", call(0x38, vcpu[0], OWN, 0, 0, 0, 0, 0));
}

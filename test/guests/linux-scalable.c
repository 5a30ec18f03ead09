/*
 * A program for Linux without a C library: two processes on one CPU fill all scalable registers with values of their own and look at
 * them for some time, in which the kernel switches between them. A system call may change these registers, so none is made meanwhile.
 * With an argument it executes an instruction of the arithmetic.
 */
typedef unsigned long u64;

static long call(long number, long a, long b, long c)
{
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = 0, x4 __asm__("x4") = 0;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}

static void say(const char *text) { long size = 0; while (text[size]) size++; call(64, 1, (long)text, size); }

#define VECTORS(op, at) \
  op " z0, [" at "]\n\t" op " z7, [" at ", #7, mul vl]\n\t" op " z16, [" at ", #16, mul vl]\n\t" op " z31, [" at ", #31, mul vl]\n\t"
/* Predicates lie behind the vectors; FFR is the last. */
#define EACH(op, at) \
  op " p1, [" at ", #0, mul vl]\n\t" op " p6, [" at ", #1, mul vl]\n\t" op " p11, [" at ", #2, mul vl]\n\t" op " p15, [" at ", #3, mul vl]\n\t"

static unsigned char wanted[1024], found[1024];

/* Looks `rounds` times; how often something was different. */
static long look(long rounds)
{
  long wrong = 0;
  unsigned char *p = wanted + 512, *q = found + 512;
  __asm__ volatile("ldr p0, [%1, #4, mul vl]\n\twrffr p0.b\n\t" VECTORS("ldr", "%0") EACH("ldr", "%1") :: "r"(wanted), "r"(p)
    : "memory", "v0", "v7", "v16", "v31");
  while (rounds--) {
    __asm__ volatile(VECTORS("str", "%0") EACH("str", "%1") "rdffr p0.b\n\tstr p0, [%1, #4, mul vl]\n\t" :: "r"(found), "r"(q) : "memory");
    for (int i = 0; i < 1024; i += 8) {
      int kept = i == 0 || i == 8 || i == 112 || i == 120 || i == 256 || i == 264 || i == 496 || i == 504 || i == 512;
      if (kept && *(u64 *)(wanted + i) != *(u64 *)(found + i)) wrong++;
    }
    if (*(unsigned short *)(wanted + 520) != *(unsigned short *)(found + 520)) wrong++;
  }
  return wrong;
}

__attribute__((used)) void program(long *stack)
{
  if (stack[0] > 1) {
    __asm__ volatile("add z0.s, z0.s, z0.s");
    say("added\n");
    call(93, 0, 0, 0);
  }
  long child = call(220, 17, 0, 0);
  for (int i = 0; i < 1024; i++) wanted[i] = i * 7 + (child ? 1 : 90);
  /* FFR has a first part of ones. */
  *(unsigned short *)(wanted + 520) = child ? 0x00ff : 0x7fff;
  long wrong = look(60000);
  say(wrong ? "lost\n" : "kept\n");
  if (child) call(260, child, 0, 0);
  call(93, wrong != 0, 0, 0);
}

__asm__(".global _start\n_start: mov x0, sp\n\tb program\n");

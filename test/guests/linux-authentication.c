/* A program for Linux without a C library, built with branch protection: says what works, and does one wrong thing if asked. */
typedef unsigned long u64;

static long call(long number, long a, long b, long c)
{
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}

static void say(const char *text) { long size = 0; while (text[size]) size++; call(64, 1, (long)text, size); }

/* Recursion, so that return addresses are signed and authenticated many times. */
__attribute__((noinline)) u64 fibonacci(u64 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

__asm__("unmarked: nop\n\tret\nmarked: bti c\n\tret\n");
extern char unmarked[], marked[];
static int data = 5;

__attribute__((used)) void program(long *stack)
{
  const char *what = stack[0] > 1 ? (const char *)stack[2] : "";
  u64 pointer = (u64)&data, made = pointer;
  __asm__ volatile("pacda %0, %1" : "+r"(made) : "r"(pointer));
  say(made == pointer ? "plain\n" : "signed\n");
  if (*what == 'f') made ^= 1ul << 50;
  __asm__ volatile("autda %0, %1" : "+r"(made) : "r"(pointer));
  say(*(int *)made == 5 ? "authentic\n" : "wrong\n");
  __asm__ volatile("blr %0" :: "r"(*what == 'j' ? unmarked : marked) : "x30");
  say(fibonacci(15) == 610 ? "counted\n" : "miscounted\n");
  call(93, 0, 0, 0);
}

__asm__(".global _start\n_start: bti c\n\tmov x0, sp\n\tb program\n");

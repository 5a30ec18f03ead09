/* Recording, printing and switching off. See probe.h. */
#include "probe.h"

struct taken taken[TAKEN_MAX];
volatile u64 steps_left, taken_count, look_inside, leave_classes, spsr_clear, spsr_set;
void (*volatile on_interrupt)(u64 vector);
volatile u32 *volatile uart = (volatile u32 *)0x9000000;
extern u64 guard[16];

#define IS_GUARDED guard[13]
#define CLASS(n) (1ull << (n))
#define ALWAYS_LEAVES (CLASS(0x20) | CLASS(0x21) | CLASS(0x22))
/* Their ELR is where to go on: SVC, HVC, illegal state, software step. */
#define GOES_ON_AT_ELR (CLASS(0x15) | CLASS(0x16) | CLASS(0x0e) | CLASS(0x32) | CLASS(0x33))

/* Called from the vectors with the exception; changes ELR and SPSR for the return. 1 leaves guarded code with `x0`. */
u64 record(struct taken *raw)
{
  u64 class = raw->esr >> 26;
  int is_synchronous = (raw->vector & 0x180) == 0;
  if (is_synchronous && raw->esr == 0x5600700dull && (raw->spsr & 15) == 0) return 1;
  if (taken_count < TAKEN_MAX) taken[taken_count] = *raw;
  taken_count++;
  if (taken_count > TAKEN_MAX) { say("too many exceptions\n"); end(); }
  raw->spsr = (raw->spsr & ~spsr_clear) | spsr_set;
  spsr_clear = spsr_set = 0;
  if (!is_synchronous) { if (on_interrupt) on_interrupt(raw->vector); return 0; }
  if ((ALWAYS_LEAVES | leave_classes) & CLASS(class)) {
    if (!IS_GUARDED) { show_taken("no way back"); end(); }
    raw->x0 = abandoned;
    return 1;
  }
  if (class == 0x32 || class == 0x33) {
    if (steps_left) { steps_left--; raw->spsr |= 1ull << 21; }
    else MSR(mdscr_el1, MRS(mdscr_el1) & ~1ull);
  }
  raw->spsr &= ~(1ull << 20);
  if (!(GOES_ON_AT_ELR & CLASS(class))) raw->elr += 4;
  return 0;
}

static void put(char c) { *uart = (u32)(unsigned char)c; }

void say(const char *text) { while (*text) put(*text++); }

void say_number(u64 value)
{
  int shift = 60;
  while (shift > 0 && (value >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) put("0123456789abcdef"[(value >> shift) & 15]);
}

void show(const char *name, u64 value) { say(name); say("="); say_number(value); say("\n"); }

static void column(const char *name, u64 value) { say(" "); say(name); say("="); say_number(value); }

static void show_records(const char *title, int with_far)
{
  u64 count = taken_count;
  say(title); say(": "); say_number(count); say("\n");
  for (u64 n = 0; n < count; n++) {
    struct taken *t = &taken[n];
    say(" ");
    column("vector", t->vector);
    if ((t->vector & 0x180) == 0 || (t->vector & 0x180) == 0x180) column("esr", t->esr);
    column("elr", t->elr);
    if (with_far) column("far", t->far);
    column("spsr", t->spsr);
    if (t->inside) column("inside", t->inside);
    say("\n");
  }
  taken_count = 0;
}

void show_taken(const char *title) { show_records(title, 1); }
void show_taken_without_far(const char *title) { show_records(title, 0); }
void forget_taken(void) { taken_count = 0; }

/* PSCI SYSTEM_OFF. */
void end(void)
{
  say("end\n");
  register u64 x0 __asm__("x0") = 0x84000008;
  for (;;) __asm__ volatile("hvc #0" : "+r"(x0) :: "memory");
}

void *memset(void *to, int byte, unsigned long count) { volatile char *p = to; while (count--) *p++ = (char)byte; return to; }
void *memcpy(void *to, const void *from, unsigned long count) { volatile char *p = to; const char *q = from; while (count--) *p++ = *q++; return to; }

/* The primary VM's side: it makes three VMs, runs one that asks (second.c) and one that listens, and says what they write down and what it is told itself meanwhile. */
#include "requests.h"
#include "second.h"

#define PLACE(n) (HERE + 0x400000ull * (n))
#define OTHER PLACE(1)
#define PLACES 7ull
#define LENT 0x65000000u
#define INTERRUPT 110u

/* ---- Making ---- */

static void image(u64 place)
{
	do_quietly(ALLOCATE, 1, 0u);
	vmid = reply_word(4);
	do_quietly(SHARE, 11, 0u, 0u, 2u, vmid | 7u << 16, 3u | 7u << 16, 1u, (u32)place, 0u, (u32)SIZE, 0u, 0u);
	parcel = reply_word(4);
}

static void configure_at(u32 tree)
{
	do_quietly(CONFIGURE, 10, vmid, parcel, 0u, 0u, (u32)TREE_OFFSET, 0u, tree, 0u, (u32)TREE_SIZE, 0u);
}

static void configure_and_start(void)
{
	configure_at(TREE_OFFSET);
	do_quietly(INIT, 1, vmid);
	without_words(resources);
	do_quietly(START, 1, vmid);
	say("second %x start = %s\n", (u64)vmid, kept_answer());
}

static void fill_all(void)
{
	more.console = true;
	fill(WORK, 1, "asks");
	for (u64 place = 1; place < PLACES; place++)
		for (u64 n = 0; n < SIZE; n += 8)
			write64(PLACE(place) + n, read64(HERE + n));
	more.console = false;
}

static void wait_for_reset(void)
{
	do_quietly(RESET, 1, vmid);
	for (u32 n = 0; n < 200; n++) {
		do_quietly(STATE, 1, vmid);
		if (rm_reply[4] == 11)
			break;
		delay(20);
	}
}

/* VMs that come to different stages of their lives and stay there. */
static void make_others(struct told *told)
{
	image(PLACE(2));
	told->configured = vmid;
	configure_at(TREE_OFFSET);
	image(PLACE(3));
	told->ready = vmid;
	configure_at(TREE_OFFSET);
	do_quietly(INIT, 1, vmid);
	image(PLACE(4));
	told->exited = vmid;
	configure_and_start();
	do_quietly(STOP, 2, vmid | 1u << 16, 0u);
	image(PLACE(5));
	told->was_reset = vmid;
	configure_at(TREE_OFFSET);
	do_quietly(INIT, 1, vmid);
	wait_for_reset();
	image(PLACE(6));
	told->failed = vmid;
	configure_at(0);
	do_quietly(INIT, 1, vmid);
}

/* The asking VM is 80; 81 is only allocated, 82 runs and is given time at the end: it says what it was told. */
static void make_all(struct told *told)
{
	u64 first, third;

	fill_all();
	image(HERE);
	told->self = vmid;
	told->image = parcel;
	configure_and_start();
	first = vcpu[0];
	do_quietly(ALLOCATE, 1, 0u);
	told->allocated = reply_word(4);
	image(OTHER);
	told->running = vmid;
	configure_and_start();
	third = vcpu[0];
	make_others(told);
	vmid = told->self;
	vcpu[0] = first;
	vcpu[1] = third;
	do_quietly(DONATE, 10, 0u, 0x81u, 1u, vmid | 7u << 16, 1u, OWN, 0u, OWN_SIZE, 0u, 0u);
	told->donated = reply_word(4);
	do_quietly(LEND, 14, 0u, 0x82u, 1u, vmid | 7u << 16, 2u, LENT, 0u, 0x1000u, 0u, LENT + 0x4000u, 0u, 0x2000u, 0u, 0u);
	told->lent = reply_word(4);
	do_quietly(SHARE, 12, 0u, 0x83u, 2u, vmid | 6u << 16, 3u | 6u << 16, 1u, LENT + 0x10000u, 0u, 0x1000u, 0u, 1u, vmid << 16);
	told->shared = reply_word(4);
	do_quietly(IRQ_LEND, 3, vmid, INTERRUPT, 0x84u);
	told->interrupt = reply_word(4);
}

/* ---- Running ---- */

/* Whole lines that are new in the memory of one. */
static u64 say_new_text(u64 place, u64 said)
{
	u64 size = read64(place + TEXT_OFFSET), end = said;

	for (u64 i = said; i < size; i++)
		if (*(volatile char *)(place + TEXT_OFFSET + 8 + i) == '\n')
			end = i + 1;
	for (; said < end; said++)
		say("%c", *(volatile char *)(place + TEXT_OFFSET + 8 + said));
	return end;
}

/* Until it ends; what it says, and how it ended. */
static void run_one(const char *name, u64 cap, u64 place)
{
	struct result r;
	u64 said = 0;

	do {
		r = hypercall(0x65, cap, 0, 0, 0, 0, 0);
		said = say_new_text(place, said);
		hear();
		/* It waits for RM. */
		if (r.x[1] == 4)
			hypercall(0x3b, 0, 0, 0, 0, 0, 0);
	} while (r.x[0] == 0 && (r.x[1] == 0 || r.x[1] == 1 || r.x[1] == 3 || (r.x[1] == 4 && r.x[2] == IDLE)));
	say("%s ended = %x %x %x %x\n", name, r.x[0], r.x[1], r.x[2], r.x[3]);
}

void probe_main(void)
{
	struct told *told = (struct told *)(HERE + TOLD_OFFSET);

	is_second = MRS(midr_el1) == 0xf0480;
	if (is_second) {
		second_work = ask_as_second;
		second_main(at_entry.x[0]);
		return;
	}
	make_all(told);
	run_one("second", vcpu[0], HERE);
	run_one("third", vcpu[1], OTHER);
	delay(30000);
	hear();
	say_told();
	smccc(0x84000008, 0, 0, 0);
}

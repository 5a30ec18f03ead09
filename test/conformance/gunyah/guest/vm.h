/* The second VM: what the groups about it share. `vm.c` makes, runs and ends it. */
#ifndef VM_H
#define VM_H

#include "probe.h"

/* The second VM's memory as it sees it. The image is this one's, at the same address. */
#define BASE 0x41000000ull
#define SIZE 0x200000ull
#define TREE_OFFSET 0x180000ull
#define TREE_SIZE 0x8000ull
#define ORDER_OFFSET 0x1a0000ull
#define TEXT_OFFSET 0x1a1000ull
#define TEXT_MAX 0x5e000ull
/* The same as the primary VM sees it. */
#define HERE 0x50000000ull

#define DONATE 0x51000010u
#define ACCEPT 0x51000011u
#define LEND 0x51000012u
#define SHARE 0x51000013u
#define RELEASE 0x51000014u
#define RECLAIM 0x51000015u
#define NOTIFY 0x51000017u
#define APPEND 0x51000018u
#define ALLOCATE 0x56000001u
#define DEALLOCATE 0x56000002u
#define START 0x56000004u
#define STOP 0x56000005u
#define RESET 0x56000006u
#define CONFIGURE 0x56000009u
#define INIT 0x5600000bu
#define STATE 0x56000017u
#define RESOURCES 0x56000020u

#define NOWHERE 0x300000000ull

enum order {
	VIEW, TALK, CPU_OFF, SYSTEM_RESET, RESET2, RESET2_64, FAULT, TWO_CPUS, DEVICES, KILL,
	REGISTERS, EVERY_REGISTER, CALLS, CAPABILITIES, ABORTS, CONTROLLER, FAULTS, PARCELS, EXCHANGE, MORE_DEVICES, SLEEP, OBEY, WORK, ORDERS
};

/* What a second VM does whose order is WORK. */
extern void (*second_work)(void);

/* What the tree of the next VM has beside the usual. */
struct more {
	void (*devices)(void); /* in /gunyah-vm-config/vdevices */
	void (*identity)(void); /* properties of /gunyah-vm-config */
	void (*config)(void);  /* nodes in /gunyah-vm-config */
	void (*root)(void);    /* in / */
	bool no_devices;       /* without the usual vdevices but RM's */
	bool no_base;          /* without base-address */
	u64 base;              /* another base-address */
	bool console;          /* console-dev in RM's vdevice */
};
extern struct more more;

extern u32 vmid, parcel;
extern u64 vcpu[4], bell_out, bell_in, queue_out, queue_in;

u32 reply_word(u32 offset);
void allocate(void);
/* Lends or shares its memory. */
void give(u32 id);
void configure(void);
void resources(void);
/* Writes image, order and tree. */
/* The tree alone; its size. */
u32 write_tree(u32 cpu_count, const char *name);
void fill(enum order order, u32 cpu_count, const char *name);
/* All up to its start. */
void live(const char *name, enum order order, u32 id, u32 cpu_count);
void run(const char *name, u32 cpu, u64 data);
void run_until_off(u32 cpu);
void run_to_end(const char *name, u32 cpu);
void once(const char *name);
/* Reset, reclaim, what it said, deallocate. */
void end(void);
void ask_short_life(const char *name, enum order order);
void say_text_of_second(void);
void say_call(const char *name, struct result r, u32 count);

/* ---- A second VM that obeys (runs.c) ---- */

enum command { STOP_OBEYING, CALL, SERVICE, REQUEST, DOZE, SPIN, TAKE, FAIL, READ, WRITE };

/* Has it do something; its answer. Other states than the expected are printed. */
u64 obey(const char *name, enum command command, u64 a, u64 b, u64 c, u64 d);
/* Up to its first command. */
void live_to_obey(const char *name, u32 id, u32 cpu_count);
void end_obeying(void);
/* A request to RM of `count` words, at most three of them; its error. */
u64 obey_request(const char *name, u32 id, u32 count, u32 a, u32 b, u32 c);

/* ---- Lent interrupts (lends.c) ---- */

/* The handle of interrupt 0, for rm_ask_handles. */
void expect_handles(u32 base);
/* A request; handles of interrupts are printed as {interrupt}. */
void rm_ask_handles(const char *name, u32 id, u32 count, const u32 *words);

/* ---- Inside ---- */

void set_up_gic(void);
void timer_in(u64 ticks);
/* Sleeps so that the owner has its turn. */
void sleep(void);

void second_registers(void);
void second_faults(u64 which);
void second_parcels(void);
void second_exchange(void);
void second_more_devices(void);
void second_obey(void);

#endif

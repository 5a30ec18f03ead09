/*
 * The owner: a VM that holds capabilities to itself and to what everything else is made of, and asks the hypervisor about all its calls
 * with objects of its own making. Lines as in probe.h.
 */
#ifndef OWNER_H
#define OWNER_H

#include "../guest/probe.h"

/* Capabilities that it is given, in its capability space. */
enum given { CSPACE, PARTITION, VCPU0, VCPU1, VCPU2, VCPU3, ADDRSPACE, VIC, VPM_GROUP, OWN, DEVICES, HWIRQ };

/* What it has: one sparse extent of 64 MiB, mapped where it lies. The upper half is for play. */
#define OWN_BASE 0x41000000ull
#define PLAY_OFFSET 0x2000000ull
/* Memory of the partition. */
#define PARTITION_MEMORY 0x70000000ull
/* Options of a vCPU: scheduled by vcpu_run. */
#define PROXY (1ull << 9)

enum path { NATIVE, SMCCC, PATHS };
extern const char *const path_names[PATHS];

/* A call with arguments from x0 (native) or x1. */
struct result call_by(enum path path, u32 number, const u64 arguments[7]);
/* The same by SMCCC, for what is not a question: only its error and first result matter. */
struct result make_call(u32 number, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6);

/*
 * A fresh object and its capability in the owner's space. Lower case: active; upper case: as created.
 * a addrspace, c cspace, d doorbell, g vpm_group, h hwirq, m memextent, o virtio_mmio, p partition, q msgqueue, t thread, u thread that vcpu_run runs, v vic.
 */
u64 make(char type);
/* A copy with these rights. */
u64 copy_of(u64 cap, u64 rights);
/* To be deleted with the others. */
u64 keep(u64 cap);
/* A thread that must have ended before its capability is deleted. */
void keep_thread(u64 cap);
/* Deletes all capabilities that were made since. */
void unmake_all(void);
/* A page of the owner's memory that nothing was made of yet: its offset in OWN. */
u64 next_page(void);
/* A VMID that nothing has. */
u64 next_vmid(void);
void prepare_objects(void);

/*
 * A call with everything right. Arguments, parted by blanks: a letter as `make` takes it, `f` a queue of 64-byte messages with one of 16 bytes in it, `s` the owner's own capability space,
 * `b` the buffer, `=` a number in hexadecimal, `~` all ones, `+` an address where nothing is mapped, `w` the owner's memory, `n` a VMID, `x` a page's offset, `?` what `edge_value` holds.
 */
struct row { u32 number; const char *arguments; };

extern const struct row rows[];
extern const u32 row_count;
extern u64 edge_value;

/* Arguments of a row, with fresh objects. Answers which are capabilities. */
u32 arguments_of(const char *text, u64 arguments[7]);
/* The letter of a row's argument. */
char letter(const char *text, u32 index);

/* Memory for calls that take an address. */
extern u8 buffer[8192];

void child_main(void);
void ask_rights(void);
void ask_states(void);

#endif

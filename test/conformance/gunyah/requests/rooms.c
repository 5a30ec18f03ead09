/*
 * Whether RM's additions to a VM's device tree have room. Small trees are put together elsewhere and larger ones twice in their own region, so the
 * size from which on a VM does not start any more says how large the additions are for RM. Looked for here, for several VMs, byte by byte of the base's size.
 */
#include "../guest/tree.h"
#include "requests.h"

#define PLACE 0x100000ull
#define FILLER_MAX 0x10000u

static u32 filler, odd;
static u8 zeros[FILLER_MAX];

/* Any size: the property's in steps of four, and a name of one to four letters. */
static void write_filler(void)
{
	static const char *const names[] = { "a", "ab", "abc", "abcd" };

	tree_bytes(names[odd], "", 0);
	tree_bytes("filler", zeros, filler);
}

/* A tree of `size` bytes; false if it cannot be so small. */
static bool write_tree_of(u32 size, u32 cpu_count, const char *name)
{
	u32 least;

	filler = odd = 0;
	least = write_tree(cpu_count, name);
	while ((size - least) & 3) {
		odd++;
		least++;
	}
	filler = size - least;
	return size >= least && filler < FILLER_MAX && write_tree(cpu_count, name) == size;
}

static u32 state_of(void)
{
	do_quietly(STATE, 1, vmid);
	return answered() == 0 ? rm_reply[4] : ~0u;
}

/* The answers of VM_INIT and VM_START with a tree of that size in such a region; all of it is taken back. */
static void try(u32 size, u32 region, u32 cpu_count, const char *name, u32 *init, u32 *start)
{
	*init = *start = ~0u;
	if (!write_tree_of(size, cpu_count, name))
		return;
	do_quietly(ALLOCATE, 1, 0u);
	vmid = reply_word(4);
	do_quietly(LEND, 10, 0u, 0u, 1u, vmid | 7u << 16, 1u, (u32)HERE, 0u, (u32)SIZE, 0u, 0u);
	parcel = reply_word(4);
	do_quietly(CONFIGURE, 10, vmid, parcel, 0u, 0u, (u32)PLACE, 0u, (u32)TREE_OFFSET, 0u, region, 0u);
	do_quietly(INIT, 1, vmid);
	*init = answered();
	if (*init == 0) {
		do_quietly(START, 1, vmid);
		*start = answered();
	}
	if (state_of() == 3)
		do_quietly(STOP, 2, vmid | 1u << 16, 0u);
	do_quietly(RESET, 1, vmid);
	for (u32 n = 0; n < 200 && state_of() != 11; n++)
		delay(20);
	do_quietly(RECLAIM, 2, parcel, 0u);
	do_quietly(DEALLOCATE, 1, vmid);
}

/* With the base's tree of `size` bytes, and of one more. */
static void ask_size(const char *what, u32 size, u32 region, const char *name)
{
	for (u32 n = 0; n < 2; n++) {
		u32 init, start;

		try(size + n, region, 1, name, &init, &start);
		say("rooms %s %x of %x = %x %x\n", what, (u64)(size + n), (u64)region, (u64)init, (u64)start);
	}
}

/* ---- What RM adds more or less to ---- */

static void write_pair(void)
{
	tree_node("more");
	tree_text("vdevice-type", "message-queue-pair");
	tree_cells("label", 1, 0x21u);
	tree_bytes("peer-default", "", 0);
	tree_text("generate", "/hypervisor/a-longer-name");
	tree_end();
}

static void write_identity(void)
{
	tree_text("vm-guid", "01234567-89ab-cdef-0123-456789abcdef");
}

static void write_uri(void)
{
	tree_text("vm-uri", "vm:a");
}

static void write_nodes(const char *name)
{
	write_filler();
	tree_node(name);
	tree_cells("#address-cells", 1, 2u);
	tree_cells("#size-cells", 1, 2u);
	tree_bytes("ranges", "", 0);
	tree_end();
}

static void write_reserved(void)
{
	write_nodes("reserved-memory");
}

static void write_vsoc(void)
{
	write_nodes("vsoc");
}

/* Each start that fails takes memory of RM's, which has enough for ten. */
void ask_rooms(void)
{
	more.root = write_filler;
	fill(OBEY, 1, "rooms");
	ask_size("usual", 0x3588, 0x5000, "rooms");
	ask_size("named", 0x3574, 0x5000, "rooms-with-a-longer-name");
	more.no_devices = true;
	ask_size("bare", 0x39c8, 0x5000, "rooms");
	more.devices = write_pair;
	ask_size("pair", 0x384c, 0x5000, "rooms");
	more.devices = NULL;
	more.root = write_reserved;
	ask_size("reserved", 0x39c4, 0x5000, "rooms");
	more.root = write_vsoc;
	ask_size("vsoc", 0x3a54, 0x5000, "rooms");
	more.root = write_filler;
	more.no_devices = false;
	more.identity = write_uri;
	ask_size("uri", 0x3568, 0x5000, "rooms");
	/* With this one RM's additions are whole words, so that the place behind both is now and then one for a tree. */
	more.identity = write_identity;
	ask_size("guid", 0x354f, 0x9000, "rooms");
	ask_size("guid", 0x37fc, 0x9000, "rooms");
	ask_size("guid", 0x3d48, 0x9000, "rooms");
	more.identity = NULL;
	more.root = NULL;
}

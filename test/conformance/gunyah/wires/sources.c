/* What can be at the other end of a line, and what can be done to it. */
#include "wires.h"

#define DEVICE_PAGE 0x300000000ull

u64 source;
static u64 other, page;

static bool ok(struct result r)
{
	return r.x[0] == 0;
}

/* ---- A bell: a send, q receive, m n k masks (closed, open, taken at once), r reset ---- */

static void begin_bell(void)
{
	source = make('d');
}

static bool change_bell(char letter)
{
	switch (letter) {
	case 'a': return ok(make_call(0x12, source, 1, 0, 0, 0, 0));
	case 'q': return ok(make_call(0x13, source, 1, 0, 0, 0, 0));
	case 'm': return ok(make_call(0x15, source, 0, 0, 0, 0, 0));
	case 'n': return ok(make_call(0x15, source, 1, 0, 0, 0, 0));
	case 'k': return ok(make_call(0x15, source, 1, 1, 0, 0, 0));
	}
	return ok(make_call(0x14, source, 0, 0, 0, 0, 0));
}

/* ---- A queue of four, its receiver's end first: a s send with and without a push, q receive, f flush, h l receiver's threshold 2 and 1, g w sender's threshold 0 and 3 ---- */

static void begin_queue(void)
{
	source = make('q');
}

static bool change_queue(char letter)
{
	switch (letter) {
	case 'a': return ok(make_call(0x1b, source, 8, (u64)buffer, 1, 0, 0));
	case 's': return ok(make_call(0x1b, source, 8, (u64)buffer, 0, 0, 0));
	case 'q': return ok(make_call(0x1c, source, (u64)buffer, 64, 0, 0, 0));
	case 'f': return ok(make_call(0x1d, source, 0, 0, 0, 0, 0));
	case 'h': return ok(make_call(0x20, source, 2, 0xffffffff, ALL_ONES, 0, 0));
	case 'l': return ok(make_call(0x20, source, 1, 0xffffffff, ALL_ONES, 0, 0));
	case 'g': return ok(make_call(0x1f, source, 0, 0xffffffff, ALL_ONES, 0, 0));
	}
	return ok(make_call(0x1f, source, 3, 0xffffffff, ALL_ONES, 0, 0));
}

/* ---- A virtio device, the end that its backend asserts first: a interrupts the driver, q the driver acknowledges, n notifies, g the backend looks, y v driver's status, j end of a reset ---- */

static void begin_device(void)
{
	u64 extent = keep(make_call(4, PARTITION, CSPACE, 0, 0, 0, 0).x[1]);

	page = next_page();
	if (!ok(make_call(0x32, extent, OWN, page, 0x1000, 7, 0)) || !ok(make_call(0x0c, extent, 0, 0, 0, 0, 0)))
		say("wires: no page for a device\n");
	source = make('O');
	if (!ok(make_call(0x49, source, extent, 2, 0, 0, 0)) || !ok(make_call(0x0c, source, 0, 0, 0, 0, 0)))
		say("wires: no device\n");
	if (!ok(make_call(0x2b, ADDRSPACE, extent, DEVICE_PAGE, 0xf0044, 0, 0)))
		say("wires: a device's page is not mapped\n");
	other = extent;
}

static bool driver_writes(u32 offset, u32 value)
{
	u64 before = this_cpu()->count;

	/* str w0, [x1] */
	instruction(0xb9000020, value, DEVICE_PAGE + offset);
	return this_cpu()->count == before;
}

static bool change_device(char letter)
{
	switch (letter) {
	case 'a': return ok(make_call(0x4e, source, 1, 0, 0, 0, 0));
	case 'q': return driver_writes(0x64, 1);
	case 'n': return driver_writes(0x50, 1);
	case 'g': return ok(make_call(0x53, source, 0, 0, 0, 0, 0));
	case 'y': return driver_writes(0x70, 4);
	case 'v': return driver_writes(0x70, 0);
	}
	return ok(make_call(0x54, source, 0, 0, 0, 0, 0));
}

/* ---- A vCPU that vcpu_run runs, and its group: a on, o off, k killed, v run: it suspends itself again and again, or turns its system off ---- */

static u64 vcpu_work;

void source_main(u64 work)
{
	for (;;)
		if (work == SUSPENDS)
			call(0xc4000001, 0x10003, (u64)other_cpu_entry, work);
		else
			call(0x84000008, 0, 0, 0);
}

static void begin_vcpu(void)
{
	u64 cspace = make('c'), addrspace = make('a'), vic = make('v');

	vcpu_work = SUSPENDS;
	other = make('g');
	source = keep(make_call(5, PARTITION, CSPACE, 0, 0, 0, 0).x[1]);
	if (!ok(make_call(0x2b, addrspace, OWN, OWN_BASE, 0xf0077, 0, 0)) || !ok(make_call(0x3e, cspace, source, 0, 0, 0, 0)) || !ok(make_call(0x2a, addrspace, source, 0, 0, 0, 0)) || !ok(make_call(0x29, vic, source, 0, 0, 0, 0))
		|| !ok(make_call(0x3c, other, source, 0, 0, 0, 0)) || !ok(make_call(0x34, source, PROXY, 0, 0, 0, 0)) || !ok(make_call(0x3d, source, 0, ALL_ONES, 0, 0, 0)) || !ok(make_call(0x0c, source, 0, 0, 0, 0, 0)))
		say("wires: no vCPU\n");
	keep_thread(source);
}

static void begin_halt(void)
{
	begin_vcpu();
	vcpu_work = ENDS;
}

/* Until it waits or is off, however long its slices are. */
static bool run_vcpu(void)
{
	struct result r;
	u32 n = 0;

	do
		r = make_call(0x65, source, 0, 0, 0, 0, 0);
	while (ok(r) && r.x[1] == 0 && n++ < 1000);
	return ok(r);
}

static bool change_vcpu(char letter)
{
	switch (letter) {
	case 'a': return ok(make_call(0x38, source, (u64)other_cpu_entry, vcpu_work, 0, 0, 0));
	case 'o': return ok(make_call(0x39, source, 1, 0, 0, 0, 0));
	case 'v': return run_vcpu();
	}
	return ok(make_call(0x3a, source, 0, 0, 0, 0, 0));
}

const struct source_kind source_kinds[] = {
	{ "bell", 1, "aaaqqmnkr", begin_bell, change_bell, { 0x10, 0 }, { 0x11, 0 }, { 0, 0 } },
	{ "queue", 2, "aassqqqqfhlgw", begin_queue, change_queue, { 0x18, 0x17 }, { 0x1a, 0x19 }, { 0, 0 } },
	{ "device", 2, "aaqqnnggyvj", begin_device, change_device, { 0x4a, 0x4c }, { 0x4b, 0x4d }, { 0, 0 } },
	{ "vcpu", 2, "aaavvvvvook", begin_vcpu, change_vcpu, { 0x5c, 0x43 }, { 0x5d, 0x44 }, { 1, 0 } },
	{ "halt", 1, "aavv", begin_halt, change_vcpu, { 0x5c, 0 }, { 0x5d, 0 }, { 0, 0 } },
};
const u32 source_kind_count = sizeof(source_kinds) / sizeof(source_kinds[0]);

static bool is_group(const struct source_kind *kind, u32 line)
{
	return kind->bind[line] == 0x43;
}

bool bind_line(const struct source_kind *kind, u32 line, u32 intid)
{
	return ok(make_call(kind->bind[line], is_group(kind, line) ? other : source, VIC, intid, kind->extra[line], 0, 0));
}

bool unbind_line(const struct source_kind *kind, u32 line)
{
	return ok(make_call(kind->unbind[line], is_group(kind, line) ? other : source, kind->extra[line], 0, 0, 0, 0));
}

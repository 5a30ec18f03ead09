/*
 * Every way in which a VM that this one makes can live and end, and every state that vcpu_run can return: one line each. The test
 * compares the lines.
 */
#include "vmm-board.h"

#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/elf-load.h"
#include "sdk/exception.h"
#include "sdk/string.h"
#include "sdk/timer.h"
#include "sdk/vmm-tree.h"
#include "sdk/vmm-virtio-console.h"
#include "sdk/vmm.h"

#define PAGE_SIZE 4096UL
#define TREE_OFFSET 0x1e0000UL
#define TREE_SIZE 0x8000UL
#define SERIAL_BASE 0x09000000UL
#define LOOSE_PAGES 1200U

/* What may go wrong on the way, on purpose. */
enum mishap { NO_MISHAP, DAMAGED_TREE, TREE_OUTSIDE, ODD_TREE_SIZE, NEVER_CONFIGURED, NEVER_STARTED, NEVER_RUN };

struct life {
	const char *name;
	uint32_t vcpu_count;
	enum mishap mishap;
	bool is_shared;
	bool is_level;
	bool is_stopped; /* by force, after a while */
	bool has_virtio;
};

extern const uint8_t guest_image[];
extern const uint8_t guest_image_bytes_end[];

static struct rm rm;
static struct vmm vmm;
static uint64_t image;
static struct vmm_event *ready;
static struct vmm_event *twos;
static struct vmm_virtio_console virtio;
static struct {
	uint32_t loads, stores;
	uint64_t stored;
} device;

/* ---- Devices ---- */

static uint64_t device_read(void *context, uint64_t offset, uint32_t size)
{
	(void)context;
	device.loads++;
	return 0xf0f1f2f3f4f5f600UL | (offset << 4) | size;
}

static void device_write(void *context, uint64_t offset, uint32_t size, uint64_t value)
{
	(void)context;
	device.stores++;
	device.stored = device.stored * 31 + value + (offset << 4) + size;
}

/* A serial port that is always ready; the guest prints only if it panics. */
static uint64_t serial_read(void *context, uint64_t offset, uint32_t size)
{
	(void)context;
	(void)offset;
	(void)size;
	return 0;
}

static void serial_write(void *context, uint64_t offset, uint32_t size, uint64_t value)
{
	(void)context;
	(void)size;
	if (offset == 0 && value != '\r')
		console_put_char((char)value);
}

static void ignore_text(void *context, const char *text, size_t size)
{
	(void)context;
	(void)text;
	(void)size;
}

static void add_virtio(void)
{
	virtio = (struct vmm_virtio_console){
		.vmm = &vmm,
		.line = BOARD_LINE,
		.window = { BOARD_WINDOW_BASE, (uint8_t *)(image + BOARD_RAM_SIZE), BOARD_WINDOW_SIZE },
		.print = ignore_text,
	};
	vmm_virtio_console_add(&virtio, BOARD_VIRTIO);
}

static void add_devices(void)
{
	const struct vmm_device devices[] = {
		{ "device", BOARD_DEVICE, BOARD_DEVICE_SIZE, device_read, device_write, NULL },
		{ "serial port", SERIAL_BASE, PAGE_SIZE, serial_read, serial_write, NULL },
	};
	const struct vmm_event ready_event = { .address = BOARD_READY };
	const struct vmm_event twos_event = { .address = BOARD_EVENT, .size = 4, .match_value = true, .value = 2 };

	memset(&device, 0, sizeof(device));
	for (size_t i = 0; i < ARRAY_COUNT(devices); i++)
		vmm_add_device(&vmm, &devices[i]);
	ready = vmm_add_event(&vmm, &ready_event);
	twos = vmm_add_event(&vmm, &twos_event);
	add_virtio();
}

/* ---- Making ---- */

/* Of the program's entry in its memory. */
static uint64_t image_offset;

static size_t fill_image(const struct life *life)
{
	const struct elf_destination destination = { (uint8_t *)image, TREE_OFFSET, BOARD_RAM_BASE };
	const struct vmm_tree_line line = { BOARD_LINE, life->is_level };
	struct vmm_tree tree = {
		.name = life->name, .ram_base = BOARD_RAM_BASE, .vcpu_count = life->vcpu_count, .lines = &line, .line_count = 1,
	};
	uint64_t entry;
	size_t size;

	if (life->has_virtio) {
		tree.window_base = BOARD_WINDOW_BASE;
		tree.window_label = BOARD_WINDOW_LABEL;
	}
	memset((void *)image, 0, BOARD_RAM_SIZE);
	if (!elf_load(guest_image, (size_t)(guest_image_bytes_end - guest_image), &destination, &entry))
		panic("the guest's program does not fit");
	image_offset = entry - BOARD_RAM_BASE;
	size = vmm_tree_write(&tree, (void *)(image + TREE_OFFSET), TREE_SIZE);
	if (size == 0)
		panic("the guest's tree does not fit");
	if (life->mishap == DAMAGED_TREE)
		mmio_write32(image + TREE_OFFSET, 0);
	return life->mishap == ODD_TREE_SIZE ? size : TREE_SIZE;
}

static enum rm_error give_memory(const struct life *life)
{
	const struct rm_memory_range range = { image, BOARD_RAM_SIZE };

	const struct rm_memory_range window = { image + BOARD_RAM_SIZE, BOARD_WINDOW_SIZE };
	enum rm_error error = life->is_shared ? vmm_share(&vmm, RM_RIGHTS_RWX, 0, &range, 1) : vmm_lend(&vmm, 0, &range, 1);

	return error == RM_OK && life->has_virtio ? vmm_share(&vmm, RM_RIGHTS_RW, BOARD_WINDOW_LABEL, &window, 1) : error;
}

/* The first step that fails, or NULL. */
static const char *make(const struct life *life, enum rm_error *error)
{
	struct rm_image parts = { .tree_offset = TREE_OFFSET, .tree_size = fill_image(life) };

	parts.image_offset = image_offset;

	*error = vmm_create(&vmm, &rm);
	if (*error != RM_OK)
		return "allocate";
	add_devices();
	*error = give_memory(life);
	if (*error != RM_OK)
		return "give";
	if (life->mishap == NEVER_CONFIGURED)
		return "stopped here";
	if (life->mishap == TREE_OUTSIDE)
		parts.tree_offset = BOARD_RAM_SIZE;
	*error = vmm_configure(&vmm, &parts);
	if (*error != RM_OK)
		return "configure";
	if (life->is_level && vmm_make_level(&vmm, BOARD_LINE) != GUNYAH_OK)
		return "line";
	if (life->mishap == NEVER_STARTED)
		return "stopped here";
	*error = vmm_start(&vmm);
	return *error == RM_OK ? NULL : "start";
}

/* ---- Living ---- */

static void timer_tick(void *context)
{
	vmm_pause(context);
}

/* A VM that ended by itself meanwhile is as good. */
static void stop(void)
{
	enum rm_error error = vmm_stop(&vmm, 0);

	if (error == RM_MSG_INVALID)
		error = vmm_stop(&vmm, 0); /* it was cut on its way */
	if (error == RM_VM_STATE)
		vmm_wait(&vmm); /* RM has told why */
	else if (error != RM_OK)
		panic("VM_STOP refuses");
}

static void live(const struct life *life)
{
	uint32_t rings = 0;

	if (life->is_stopped)
		timer_start_periodic(20000, timer_tick, &vmm);
	for (;;) {
		enum vmm_outcome outcome = vmm_run(&vmm);

		if (outcome == VMM_EXITED)
			break;
		if (outcome == VMM_FAILED) {
			/* The vCPU is no longer ours to run: there is nothing to do but to end the VM. */
			print(" refused");
			stop();
		} else if (outcome == VMM_PAUSED) {
			timer_start_periodic(0, NULL, NULL);
			stop();
		} else if (ready->signalled > rings) {
			rings++;
			if (vmm_raise(&vmm, BOARD_LINE) != GUNYAH_OK) {
				print(" unheard");
				stop();
			}
		} else if (strcmp(life->name, "cpu-off") == 0) {
			/* Off for good, and nobody in the VM to switch it on again. */
			stop();
		} else {
			vmm_wait(&vmm);
		}
	}
}

static void print_states(void)
{
	for (uint32_t i = 0; i < vmm.vcpu_count; i++) {
		const struct vmm_vcpu *vcpu = &vmm.vcpus[i];

		print(" vcpu%u:%s%s%s%s%s%s%s", i, vcpu->count.ready ? " ready" : "", vcpu->count.waits ? " waits" : "",
		      vcpu->count.off ? " off" : "", vcpu->count.reads ? " reads" : "", vcpu->count.writes ? " writes" : "",
		      vcpu->count.faults ? " fault" : "", vcpu->count.resets ? " reset" : "");
	}
}

static void print_findings(void)
{
	print(" findings");
	for (uint32_t i = 0; i < BOARD_FINDINGS_MAX; i++)
		print(" %lx", mmio_read64(image + (BOARD_FINDINGS - BOARD_RAM_BASE) + 8 * i));
}

/* Where memory was short for a moment, or a request was cut on its way, asking again helps. */
static enum rm_error destroy(void)
{
	return vmm_destroy(&vmm) == RM_OK ? RM_OK : vmm_destroy(&vmm);
}

static void run_life(const struct life *life)
{
	enum rm_error error, end;
	const char *failed = make(life, &error);

	print("%s:", life->name);
	if (failed != NULL) {
		print(" %s %s", failed, rm_error_name(error));
	} else {
		if (life->mishap == NEVER_RUN)
			stop();
		else
			live(life);
		print(" %s", rm_exit_type_name(vmm.exit_type));
		print(" %x %x %x %x", vmm.exit_reason[0], vmm.exit_reason[1], vmm.exit_reason[2], vmm.exit_reason[3]);
		print_states();
	}
	end = destroy();
	if (failed == NULL && !life->is_stopped)
		print_findings();
	print(" end %s\n", rm_error_name(end));
}

/* Lists that take several messages, and memory that is somebody else's already. */
static void lend_much(void)
{
	static struct rm_memory_range pages[LOOSE_PAGES];
	const struct rm_memory_range whole = { image, BOARD_RAM_SIZE };
	enum rm_error list, again, end;

	for (uint32_t i = 0; i < LOOSE_PAGES; i++)
		pages[i] = (struct rm_memory_range){ image + 2 * (LOOSE_PAGES - 1 - i) * PAGE_SIZE, PAGE_SIZE };
	vmm_create(&vmm, &rm);
	list = vmm_lend(&vmm, 7, pages, LOOSE_PAGES);
	again = vmm_lend(&vmm, 0, &whole, 1);
	pages[LOOSE_PAGES - 1].address++;
	end = destroy();
	print("%u ranges: %s, again: %s, end %s\n", LOOSE_PAGES, rm_error_name(list), rm_error_name(again), rm_error_name(end));
	vmm_create(&vmm, &rm);
	list = vmm_lend(&vmm, 7, pages, LOOSE_PAGES);
	end = destroy();
	print("the last of %u ranges is not aligned: %s, end %s\n", LOOSE_PAGES, rm_error_name(list), rm_error_name(end));
}

void guest_main(void)
{
	static const struct life lives[] = {
		{ .name = "sleep", .vcpu_count = 1 },
		{ .name = "sleep", .vcpu_count = 1, .is_shared = true },
		{ .name = "two-cpus", .vcpu_count = 2 },
		{ .name = "two-cpus", .vcpu_count = 8 },
		{ .name = "nine-cpus", .vcpu_count = 9 },
		{ .name = "no-cpu", .vcpu_count = 0 },
		{ .name = "edge-line", .vcpu_count = 1 },
		{ .name = "level-line", .vcpu_count = 1, .is_level = true },
		{ .name = "devices", .vcpu_count = 1 },
		{ .name = "nothing", .vcpu_count = 1 },
		{ .name = "broken-virtio", .vcpu_count = 1, .has_virtio = true },
		{ .name = "reset2", .vcpu_count = 1 },
		{ .name = "fault", .vcpu_count = 1 },
		{ .name = "spin", .vcpu_count = 1, .is_stopped = true },
		{ .name = "cpu-off", .vcpu_count = 1 },
		{ .name = "damaged-tree", .vcpu_count = 1, .mishap = DAMAGED_TREE },
		{ .name = "tree-outside", .vcpu_count = 1, .mishap = TREE_OUTSIDE },
		{ .name = "odd-tree-size", .vcpu_count = 1, .mishap = ODD_TREE_SIZE },
		{ .name = "never-configured", .vcpu_count = 1, .mishap = NEVER_CONFIGURED },
		{ .name = "never-started", .vcpu_count = 1, .mishap = NEVER_STARTED },
		{ .name = "never-run", .vcpu_count = 1, .mishap = NEVER_RUN },
	};
	uint64_t base, size;

	if (!rm_open(&rm, &board.fdt) ||
	    !fdt_get_reg(&board.fdt, fdt_find_path(&board.fdt, "/memory"), 0, &base, &size))
		panic("there is no Resource Manager");
	image = base + size - 8 * BOARD_RAM_SIZE;
	for (size_t i = 0; i < ARRAY_COUNT(lives); i++) {
		/* Both ways of calling the hypervisor in turn. */
		gunyah_set_path(i % 2 == 0 ? GUNYAH_PATH_SMCCC : GUNYAH_PATH_NATIVE);
		run_life(&lives[i]);
		if (lives[i].name[0] == 'd' && lives[i].name[2] == 'v')
			print("device: %u loads, %u stores, sum %lx, %u signals\n", device.loads, device.stores, device.stored,
			      twos->signalled);
	}
	lend_much();
}

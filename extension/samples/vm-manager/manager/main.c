/*
 * The manager: a primary VM that makes other VMs, as a virtual machine monitor under Linux does. It carries the guest's program
 * inside its own, lends memory for it, runs it on a proxy-scheduled vCPU, is its serial port, its virtio console, its button and
 * its keyboard, and takes everything back when it has ended. Three lives, with three ends.
 *
 * Good places for a breakpoint: live(), serial_write(), and the event hvc-return:vcpu_run.
 */
#include "../common/board.h"
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/elf-load.h"
#include "sdk/exception.h"
#include "sdk/rm-vm.h"
#include "sdk/string.h"
#include "sdk/vmm-tree.h"
#include "sdk/vmm-virtio-console.h"
#include "sdk/vmm.h"
#include "serial.h"

#define PAGE_SIZE 4096UL
#define MIB 0x100000UL

/* The guest's first parcel: its program and, near the end, its tree. */
#define IMAGE_SIZE (2 * MIB)
#define TREE_OFFSET (IMAGE_SIZE - 0x20000UL)
#define TREE_SIZE 0x8000UL

/* More memory in the same parcel: single pages, more of them than one message to RM can name. The guest sees all in one piece. */
#define LOOSE_PAGES 600U
#define LENT_SIZE (IMAGE_SIZE + 2 * LOOSE_PAGES * PAGE_SIZE)
#define WINDOW_OFFSET LENT_SIZE /* behind it: what the guest and this VM share */

#define STOP_REASON 3U

/* What the manager types, one line each time the guest asks; after the last it stops the guest by force. */
struct life {
	const char *title;
	const char *const *commands;
	enum rm_exit_type end;
};

extern const uint8_t guest_image[];
extern const uint8_t guest_image_bytes_end[];

static struct rm rm;
static struct vmm vmm;
static struct serial serial;
static struct vmm_virtio_console virtio;
static struct rm_memory_range memory[1 + LOOSE_PAGES]; /* the image, then the pages */
static struct rm_memory_range *const loose_pages = &memory[1];
static volatile bool access_failed;

static void check(const char *step, enum rm_error error)
{
	if (error != RM_OK)
		panic("%s: %s", step, rm_error_name(error));
}

/* ---- The memory that the guest gets ---- */

/* The end of this VM's memory; nothing else lives there. */
static uint64_t find_memory_to_lend(void)
{
	uint64_t base, size;
	int node = fdt_find_path(&board.fdt, "/memory");

	if (node < 0 || !fdt_get_reg(&board.fdt, node, 0, &base, &size) || size < 4 * LENT_SIZE + BOARD_WINDOW_SIZE)
		panic("too little memory in the device tree");
	return (base + size - LENT_SIZE - BOARD_WINDOW_SIZE) & ~(IMAGE_SIZE - 1);
}

static bool skip_failed_access(struct exception_frame *frame)
{
	if (exception_class_of(frame) != EC_DATA_ABORT)
		return false;
	access_failed = true;
	frame->elr += 4;
	return true;
}

static bool is_reachable(uint64_t address)
{
	access_failed = false;
	exception_set_hook(skip_failed_access);
	(void)mmio_read64(address);
	exception_set_hook(NULL);
	return !access_failed;
}

static uint32_t count_reachable(uint64_t image)
{
	uint32_t count = 0;

	for (uint64_t page = image; page < image + IMAGE_SIZE; page += PAGE_SIZE)
		count += is_reachable(page);
	for (uint32_t i = 0; i < LOOSE_PAGES; i++)
		count += is_reachable(loose_pages[i].address);
	return count;
}

static void give_memory(uint64_t image)
{
	const struct rm_memory_range window = { image + WINDOW_OFFSET, BOARD_WINDOW_SIZE };

	memory[0] = (struct rm_memory_range){ image, IMAGE_SIZE };
	for (uint32_t i = 0; i < LOOSE_PAGES; i++)
		loose_pages[i] = (struct rm_memory_range){ image + IMAGE_SIZE + 2 * i * PAGE_SIZE, PAGE_SIZE };
	/* One parcel: RM does not start a VM that was lent more private memory beside its image. */
	check("MEM_LEND", vmm_lend(&vmm, 0, memory, ARRAY_COUNT(memory)));
	check("MEM_SHARE", vmm_share(&vmm, RM_RIGHTS_RW, BOARD_WINDOW_LABEL, &window, 1));
	print("manager: lent %lu KiB in one piece and %u single pages, shared %lu KiB\n", IMAGE_SIZE >> 10, LOOSE_PAGES,
	      BOARD_WINDOW_SIZE >> 10);
}

/* ---- From an allocated VMID to a running VM ---- */

static uint64_t load_guest(uint64_t image)
{
	const struct elf_destination destination = { (uint8_t *)image, TREE_OFFSET, BOARD_RAM_BASE };
	uint64_t entry = 0;

	if (!elf_load(guest_image, (size_t)(guest_image_bytes_end - guest_image), &destination, &entry))
		panic("the guest's program does not fit its memory");
	return entry;
}

static void write_tree(uint64_t image)
{
	static const struct vmm_tree_line lines[] = {
		{ BOARD_SERIAL_LINE, false },
		{ BOARD_BUTTON_LINE, false },
		{ BOARD_VIRTIO_LINE, false },
	};
	const struct vmm_tree tree = {
		.name = "guest",
		.ram_base = BOARD_RAM_BASE,
		.vcpu_count = 1,
		.serial_base = BOARD_SERIAL_BASE,
		.serial_line = BOARD_SERIAL_LINE,
		.virtio_base = BOARD_VIRTIO_BASE,
		.virtio_line = BOARD_VIRTIO_LINE,
		.window_base = BOARD_WINDOW_BASE,
		.window_label = BOARD_WINDOW_LABEL,
		.lines = lines,
		.line_count = ARRAY_COUNT(lines),
	};

	if (vmm_tree_write(&tree, (void *)(image + TREE_OFFSET), TREE_SIZE) == 0)
		panic("no room for the guest's device tree");
}

static void start_guest(uint64_t image)
{
	struct rm_image parts = { .tree_offset = TREE_OFFSET, .tree_size = TREE_SIZE };

	check("VM_ALLOCATE", vmm_create(&vmm, &rm));
	parts.image_offset = load_guest(image) - BOARD_RAM_BASE;
	parts.image_size = TREE_OFFSET - parts.image_offset;
	write_tree(image);
	give_memory(image);
	check("VM_CONFIG_IMAGE, VM_INIT", vmm_configure(&vmm, &parts));
	print("manager: VM %u has %u vCPU, capability 0x%lx, wake-up VIRQ %u, and %u lines\n", vmm.vmid, vmm.vcpu_count,
	      vmm.vcpus[0].cap, vmm.vcpus[0].wakeup_virq, vmm.line_count);
	check("VM_START", vmm_start(&vmm));
}

/* ---- Devices ---- */

static char capital(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Who is at the other end of the virtio console: repeats everything in capitals. */
static void answer_by_virtio(void *context, const char *text, size_t size)
{
	(void)context;
	while (size > 0) {
		char answer[64];
		size_t piece = size < sizeof(answer) ? size : sizeof(answer);

		for (size_t i = 0; i < piece; i++)
			answer[i] = capital(text[i]);
		vmm_virtio_console_type(&virtio, answer, piece);
		text += piece;
		size -= piece;
	}
}

static void add_devices(uint64_t image)
{
	virtio = (struct vmm_virtio_console){
		.vmm = &vmm,
		.line = BOARD_VIRTIO_LINE,
		.window = { BOARD_WINDOW_BASE, (uint8_t *)(image + WINDOW_OFFSET), BOARD_WINDOW_SIZE },
		.print = answer_by_virtio,
	};
	if (!serial_add(&serial, &vmm, BOARD_SERIAL_BASE, BOARD_SERIAL_LINE) || !vmm_virtio_console_add(&virtio, BOARD_VIRTIO_BASE))
		panic("no room for devices");
}

/* ---- A guest's life ---- */

static void press_button(void)
{
	enum gunyah_error error = vmm_raise(&vmm, BOARD_BUTTON_LINE);

	if (error != GUNYAH_OK)
		panic("doorbell_send: %s", gunyah_error_name(error));
}

/* Runs the guest to its end, typing a command each time it asks for one. */
static void live(const struct life *life)
{
	const char *const *command = life->commands;

	for (;;) {
		enum vmm_outcome outcome = vmm_run(&vmm);

		if (outcome == VMM_FAILED)
			panic("vcpu_run refuses");
		if (outcome == VMM_EXITED)
			return;
		if (!serial_shows(&serial, BOARD_PROMPT)) {
			vmm_wait(&vmm);
		} else if (*command != NULL) {
			press_button();
			serial_type(&serial, *command++);
		} else {
			check("VM_STOP", vmm_stop(&vmm, STOP_REASON));
		}
	}
}

static void print_statistics(const struct vmm_event *kicks)
{
	const struct vmm_vcpu *vcpu = &vmm.vcpus[0];

	print("manager: ended (%s, reason 0x%x) after %u runs: %u loads and %u stores emulated, %u waits, %u wake-ups\n",
	      rm_exit_type_name(vmm.exit_type), vmm.exit_reason[0], vcpu->count.runs, vcpu->count.reads, vcpu->count.writes,
	      vcpu->count.waits, vcpu->count.wakeups);
	print("manager: %u characters through virtio, %u back\n", virtio.printed, virtio.typed);
	print("manager: %u characters, %u signals, %u accesses to nothing, button pressed %u times\n", serial.characters,
	      kicks->signalled, vmm.unclaimed_accesses, vmm.lines[1].raised);
}

/* Everything is this VM's again, with what the guest left in it. */
static void check_memory(uint64_t image, bool left_mark)
{
	const uint32_t all = IMAGE_SIZE / PAGE_SIZE + LOOSE_PAGES;
	uint64_t last = loose_pages[LOOSE_PAGES - 1].address + PAGE_SIZE - sizeof(uint64_t);
	uint32_t reachable = count_reachable(image);

	print("manager: %u of %u pages are back", reachable, all);
	if (reachable != all)
		panic("memory was lost");
	print(left_mark && mmio_read64(last) == BOARD_MARK ? ", with what the guest left in them\n" : "\n");
	mmio_write64(last, 0);
}

static void check_gone(uint16_t vmid)
{
	enum rm_vm_state state;
	enum rm_error error = rm_get_state(&rm, vmid, &state);

	print("manager: VM %u: %s\n", vmid, error == RM_OK ? rm_vm_state_name(state) : rm_error_name(error));
}

static bool was_told(const struct life *life, const char *command)
{
	for (const char *const *told = life->commands; *told != NULL; told++) {
		if (strcmp(*told, command) == 0)
			return true;
	}
	return false;
}

static void run_life(const struct life *life, uint64_t image)
{
	const struct vmm_event kick = { .address = BOARD_KICK, .size = 4 };
	struct vmm_event *kicks;

	print("\n== %s ==\n", life->title);
	start_guest(image);
	kicks = vmm_add_event(&vmm, &kick);
	if (kicks == NULL)
		panic("no room for the signal register");
	add_devices(image);
	print("manager: %u of its pages can be read from here now\n", count_reachable(image));
	live(life);
	serial_flush(&serial);
	if (vmm.exit_type != life->end)
		panic("the guest ended in another way: %s", rm_exit_type_name(vmm.exit_type));
	print_statistics(kicks);
	check("taking the VM apart", vmm_destroy(&vmm));
	check_memory(image, was_told(life, "memory\n"));
	check_gone(vmm.vmid);
}

void guest_main(void)
{
	static const char *const first[] = { "memory\n", "sleep\n", "kick\n", "poke\n", "virtio\n", "button\n", "off\n", NULL };
	static const char *const second[] = { "memory\n", "sleep\n", "reset\n", NULL };
	static const char *const third[] = { "memory\n", NULL };
	static const struct life lives[] = {
		{ "a guest that switches itself off", first, RM_EXIT_PLATFORM_OFF },
		{ "a guest that resets itself", second, RM_EXIT_PLATFORM_RESET },
		{ "a guest that is stopped", third, RM_EXIT_STOP_FORCED },
	};
	uint64_t image;

	print("manager: hello\n");
	if (!board.has_tree || !rm_open(&rm, &board.fdt))
		panic("there is no Resource Manager in the device tree");
	image = find_memory_to_lend();
	for (size_t i = 0; i < ARRAY_COUNT(lives); i++)
		run_life(&lives[i], image);
	print("\nmanager: done\n");
}

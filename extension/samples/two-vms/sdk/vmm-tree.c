#include "vmm-tree.h"

#include "fdt-writer.h"
#include "string.h"

#define PHANDLE_GIC 1U
#define PHANDLE_CLOCK 2U
#define GIC_PATH "/interrupt-controller@8000000"
#define GIC_FRAME_SIZE 0x20000U
#define GIC_DISTRIBUTOR_SIZE 0x10000U
#define CLOCK_HZ 24000000U

#define GIC_SPI 0U
#define GIC_PPI 1U
#define IRQ_EDGE_RISING 1U
#define IRQ_LEVEL_HIGH 4U

/* Properties that are lists of strings. */
#define PUT_STRINGS(writer, name, list) fdt_put((writer), (name), (list), sizeof(list))

/* "prefix" and a hexadecimal number without leading zeros. */
static const char *name_with_hex(char *buffer, const char *prefix, uint64_t number)
{
	size_t at = strlen(prefix);
	int shift = 60;

	memcpy(buffer, prefix, at);
	while (shift > 0 && (number >> shift) == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		buffer[at++] = "0123456789abcdef"[(number >> shift) & 0xf];
	buffer[at] = '\0';
	return buffer;
}

static void put_cpus(struct fdt_writer *writer, const struct vmm_tree *tree)
{
	char name[32];

	fdt_begin_node(writer, "cpus");
	fdt_put_u32(writer, "#address-cells", 1);
	fdt_put_u32(writer, "#size-cells", 0);
	for (uint32_t cpu = 0; cpu < tree->vcpu_count; cpu++) {
		fdt_begin_node(writer, name_with_hex(name, "cpu@", cpu));
		fdt_put_string(writer, "device_type", "cpu");
		fdt_put_string(writer, "compatible", "arm,armv8");
		fdt_put_u32(writer, "reg", cpu);
		fdt_put_string(writer, "enable-method", "psci");
		fdt_end_node(writer);
	}
	fdt_end_node(writer);
}

static void put_psci_and_timer(struct fdt_writer *writer)
{
	fdt_begin_node(writer, "psci");
	PUT_STRINGS(writer, "compatible", "arm,psci-1.0\0arm,psci-0.2");
	fdt_put_string(writer, "method", "hvc");
	fdt_end_node(writer);

	fdt_begin_node(writer, "timer");
	fdt_put_string(writer, "compatible", "arm,armv8-timer");
	FDT_CELLS(writer, "interrupts", GIC_PPI, 13, IRQ_LEVEL_HIGH, GIC_PPI, 14, IRQ_LEVEL_HIGH, GIC_PPI, 11, IRQ_LEVEL_HIGH,
		  GIC_PPI, 10, IRQ_LEVEL_HIGH);
	fdt_put_flag(writer, "always-on");
	fdt_end_node(writer);
}

static void put_gic(struct fdt_writer *writer, const struct vmm_tree *tree)
{
	fdt_begin_node(writer, &GIC_PATH[1]);
	fdt_put_string(writer, "compatible", "arm,gic-v3");
	fdt_put_u32(writer, "#interrupt-cells", 3);
	fdt_put_flag(writer, "interrupt-controller");
	FDT_CELLS(writer, "reg", 0, VMM_TREE_GIC_DISTRIBUTOR, 0, GIC_DISTRIBUTOR_SIZE, 0, VMM_TREE_GIC_REDISTRIBUTOR, 0,
		  GIC_FRAME_SIZE * tree->vcpu_count);
	fdt_put_u32(writer, "phandle", PHANDLE_GIC);
	fdt_end_node(writer);
}

static uint32_t flags_of_line(const struct vmm_tree *tree, uint32_t label)
{
	for (size_t i = 0; i < tree->line_count; i++) {
		if (tree->lines[i].label == label && tree->lines[i].level)
			return IRQ_LEVEL_HIGH;
	}
	return IRQ_EDGE_RISING;
}

static void put_serial(struct fdt_writer *writer, const struct vmm_tree *tree)
{
	char name[32];

	fdt_begin_node(writer, "uart-clock");
	fdt_put_string(writer, "compatible", "fixed-clock");
	fdt_put_u32(writer, "#clock-cells", 0);
	fdt_put_u32(writer, "clock-frequency", CLOCK_HZ);
	fdt_put_u32(writer, "phandle", PHANDLE_CLOCK);
	fdt_end_node(writer);

	fdt_begin_node(writer, name_with_hex(name, "pl011@", tree->serial_base));
	PUT_STRINGS(writer, "compatible", "arm,pl011\0arm,primecell");
	FDT_CELLS(writer, "reg", (uint32_t)(tree->serial_base >> 32), (uint32_t)tree->serial_base, 0, 0x1000);
	FDT_CELLS(writer, "interrupts", GIC_SPI, tree->serial_line, flags_of_line(tree, tree->serial_line));
	FDT_CELLS(writer, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
	PUT_STRINGS(writer, "clock-names", "uartclk\0apb_pclk");
	fdt_end_node(writer);
}

static void put_virtio(struct fdt_writer *writer, const struct vmm_tree *tree)
{
	char name[32];

	fdt_begin_node(writer, name_with_hex(name, "virtio@", tree->virtio_base));
	fdt_put_string(writer, "compatible", "virtio,mmio");
	FDT_CELLS(writer, "reg", (uint32_t)(tree->virtio_base >> 32), (uint32_t)tree->virtio_base, 0, VMM_TREE_VIRTIO_SIZE);
	FDT_CELLS(writer, "interrupts", GIC_SPI, tree->virtio_line, flags_of_line(tree, tree->virtio_line));
	fdt_end_node(writer);
}

/* Maps the parcel with this label at a fixed address, and makes RM describe it under /reserved-memory. */
static void put_window(struct fdt_writer *writer, const struct vmm_tree *tree)
{
	char name[32], path[48];

	fdt_begin_node(writer, name_with_hex(name, "shm-", tree->window_label));
	fdt_put_string(writer, "vdevice-type", "shm");
	fdt_put_string(writer, "generate", name_with_hex(path, "/hypervisor/shm-", tree->window_label));
	fdt_put_u32(writer, "label", tree->window_label);
	fdt_put_flag(writer, "peer-default");
	fdt_put_u64(writer, "dma_base", 0);
	fdt_begin_node(writer, "memory");
	fdt_put_u32(writer, "label", tree->window_label);
	fdt_put_u32(writer, "#address-cells", 2);
	fdt_put_u64(writer, "base", tree->window_base);
	fdt_end_node(writer);
	fdt_end_node(writer);
}

/* A doorbell of the owner for each line, connected to a fixed interrupt of the guest. */
static void put_vdevices(struct fdt_writer *writer, const struct vmm_tree *tree)
{
	fdt_begin_node(writer, "vdevices");
	if (tree->window_base != 0)
		put_window(writer, tree);
	for (size_t i = 0; i < tree->line_count; i++) {
		const struct vmm_tree_line *line = &tree->lines[i];
		char name[32], path[48];

		fdt_begin_node(writer, name_with_hex(name, "bell-", line->label));
		fdt_put_string(writer, "vdevice-type", "doorbell");
		fdt_put_string(writer, "generate", name_with_hex(path, "/hypervisor/bell-", line->label));
		fdt_put_u32(writer, "label", line->label);
		fdt_put_flag(writer, "peer-default");
		fdt_put_flag(writer, "source-can-clear");
		FDT_CELLS(writer, "interrupts", GIC_SPI, line->label, line->level ? IRQ_LEVEL_HIGH : IRQ_EDGE_RISING);
		fdt_end_node(writer);
	}
	fdt_end_node(writer);
}

static void put_vm_config(struct fdt_writer *writer, const struct vmm_tree *tree)
{
	fdt_begin_node(writer, "gunyah-vm-config");
	fdt_put_u32(writer, "#address-cells", 2);
	fdt_put_u32(writer, "#size-cells", 2);
	fdt_put_string(writer, "image-name", tree->name);
	fdt_put_string(writer, "os-type", "bare-metal");

	fdt_begin_node(writer, "memory");
	fdt_put_u64(writer, "base-address", tree->ram_base);
	fdt_end_node(writer);

	fdt_begin_node(writer, "interrupts");
	fdt_put_string(writer, "config", GIC_PATH);
	fdt_end_node(writer);

	fdt_begin_node(writer, "vcpus");
	fdt_put_string(writer, "config", "/cpus");
	fdt_put_string(writer, "affinity", "proxy");
	fdt_end_node(writer);

	put_vdevices(writer, tree);
	fdt_end_node(writer);
}

size_t vmm_tree_write(const struct vmm_tree *tree, void *buffer, size_t capacity)
{
	static struct fdt_writer writer;
	char path[32];

	fdt_writer_begin(&writer, buffer, capacity);
	fdt_begin_node(&writer, "");
	fdt_put_u32(&writer, "#address-cells", 2);
	fdt_put_u32(&writer, "#size-cells", 2);
	fdt_put_string(&writer, "compatible", "linux,dummy-virt");
	fdt_put_string(&writer, "model", tree->name);
	fdt_put_u32(&writer, "interrupt-parent", PHANDLE_GIC);
	fdt_begin_node(&writer, "chosen");
	if (tree->serial_base != 0)
		fdt_put_string(&writer, "stdout-path", name_with_hex(path, "/pl011@", tree->serial_base));
	fdt_end_node(&writer);
	put_cpus(&writer, tree);
	put_psci_and_timer(&writer);
	put_gic(&writer, tree);
	if (tree->serial_base != 0)
		put_serial(&writer, tree);
	if (tree->virtio_base != 0)
		put_virtio(&writer, tree);
	put_vm_config(&writer, tree);
	fdt_end_node(&writer);
	return fdt_writer_finish(&writer);
}

/*
 * The device tree of a VM that a VM manager makes: a small board, and in gunyah-vm-config what the Resource Manager shall
 * build. RM adds /memory, /hypervisor and more when the VM starts; the tree must not have them.
 */
#ifndef SDK_VMM_TREE_H
#define SDK_VMM_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMM_TREE_GIC_DISTRIBUTOR 0x08000000UL
#define VMM_TREE_GIC_REDISTRIBUTOR 0x080A0000UL
#define VMM_TREE_VIRTIO_SIZE 0x200U

/* An interrupt line: a doorbell of this label that the guest sees as shared peripheral interrupt 32 + label. */
struct vmm_tree_line {
	uint32_t label;
	bool level;
};

struct vmm_tree {
	const char *name;        /* of the VM; at most 79 characters */
	uint64_t ram_base;       /* where the first parcel appears, a multiple of 2 MiB */
	uint32_t vcpu_count;     /* proxy-scheduled */
	uint64_t serial_base;    /* a PL011 that the manager emulates; 0: none */
	uint32_t serial_line;    /* its interrupt, one of lines[] */
	uint64_t virtio_base;    /* a virtio device on the MMIO transport; 0: none */
	uint32_t virtio_line;
	uint64_t window_base;    /* where a shared parcel appears, away from the RAM; 0: none */
	uint32_t window_label;   /* of that parcel */
	const struct vmm_tree_line *lines;
	size_t line_count;
};

/* Writes the tree and returns its size; 0 if it does not fit. RM needs some KiB of room behind it. */
size_t vmm_tree_write(const struct vmm_tree *tree, void *buffer, size_t capacity);

#endif

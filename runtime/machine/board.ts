/**
 * The default board: where things are and which interrupts they have. Addresses are those of QEMU's `virt` machine with
 * GICv3, so that common guests run unchanged. This file is the one place for these numbers; it makes no devices.
 */

/** A window of physical (and for the primary VM also guest physical) addresses, in bytes. */
export interface BoardWindow { readonly name: string; readonly base: number; readonly sizeBytes: number }
/** A device with one shared interrupt; `spi` counts from 0, so INTID is `spi + 32`. */
export interface BoardDevice extends BoardWindow { readonly spi: number }

/** First INTID of shared interrupts. */
export const SPI_BASE = 32;

/** Distributor of the virtual GIC. */
export const BOARD_GICD = { name: 'gicd', base: 0x0800_0000, sizeBytes: 0x1_0000 } as const satisfies BoardWindow;
/** First redistributor; one every `sizeBytes`. */
export const BOARD_GICR = { name: 'gicr', base: 0x080a_0000, sizeBytes: 0x2_0000 } as const satisfies BoardWindow;
/** The banks of flash, one after the other from address 0: firmware, then its variables. */
export const BOARD_FLASH = { name: 'flash', base: 0, sizeBytes: 0x0800_0000, bankBytes: 0x0400_0000 } as const;
/** Firmware configuration device. */
export const BOARD_FW_CFG = { name: 'fw_cfg', base: 0x0902_0000, sizeBytes: 0x18 } as const satisfies BoardWindow;
/** Serial port. */
export const BOARD_UART = { name: 'pl011', base: 0x0900_0000, sizeBytes: 0x1000, spi: 1 } as const satisfies BoardDevice;
/** Real-time clock. */
export const BOARD_RTC = { name: 'pl031', base: 0x0901_0000, sizeBytes: 0x1000, spi: 2 } as const satisfies BoardDevice;

/** General-purpose lines. */
export const BOARD_GPIO = { name: 'pl061', base: 0x0903_0000, sizeBytes: 0x1000 } as const satisfies BoardWindow;
/** Interrupt Translation Service: its registers, then the frame in which devices write. */
export const BOARD_ITS = { name: 'its', base: 0x0808_0000, sizeBytes: 0x2_0000 } as const satisfies BoardWindow;
/** Where the memory and ports of PCI devices would be, and the configuration space of its bus. */
export const BOARD_PCI_WINDOW = { name: 'pci', base: 0x1000_0000, sizeBytes: 0x2f00_0000 } as const satisfies BoardWindow;
/** See `BOARD_PCI_WINDOW`. */
export const BOARD_PCI_CONFIGURATION = { name: 'pci-ecam', base: 0x3f00_0000, sizeBytes: 0x0100_0000 } as const satisfies BoardWindow;

/** How many virtio-mmio slots the board has. */
export const BOARD_VIRTIO_SLOTS = 32;
/** All slots. */
export const BOARD_VIRTIO_WINDOW = { name: 'virtio_mmio', base: 0x0a00_0000, sizeBytes: 0x4000 } as const satisfies BoardWindow;
/** The virtio-mmio slot with this index (0..31). */
export function boardVirtioSlot(index: number): BoardDevice {
  return { name: `virtio_mmio${index}`, base: BOARD_VIRTIO_WINDOW.base + index * 0x200, sizeBytes: 0x200, spi: 16 + index };
}

/** Start of RAM. */
export const BOARD_RAM_BASE = 0x4000_0000;
/** Clock of the UART and the RTC in the device tree, hertz. */
export const BOARD_APB_CLOCK_HZ = 24_000_000;

/** Timer interrupts as PPI numbers (INTID is 16 more), in the order of the Arm architected timer's binding. */
export const BOARD_TIMER_PPIS = { securePhysical: 13, physical: 14, virtual: 11, hypervisor: 10 } as const satisfies Record<string, number>;
/** INTID of the EL1 virtual timer. */
export const BOARD_VIRTUAL_TIMER_INTID = 16 + BOARD_TIMER_PPIS.virtual;
/** INTID of the EL1 physical timer. */
export const BOARD_PHYSICAL_TIMER_INTID = 16 + BOARD_TIMER_PPIS.physical;
/** PMU interrupt as a PPI number (INTID 23). */
export const BOARD_PMU_PPI = 7;

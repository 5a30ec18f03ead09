/**
 * Which interrupt controller a guest meets: the virtual one that Gunyah gives its VMs, or a physical one without a hypervisor. Both are
 * the same architecture (Arm IHI 0069); they differ in what the architecture leaves open and in how late a source's level is looked at.
 *
 * Facts of `gunyah` were observed on the real hypervisor, facts of `physical` on the machine "virt" of QEMU 7.2.
 */

/** Differences between interrupt controllers, as data. */
export interface GicProfile {
  readonly name: 'gunyah' | 'physical';
  /**
   * `lazy`: a source's level is looked at again at deactivation and when the interrupt is offered anew, as list registers make it.
   * `live`: the level is what the wire says, at any time.
   */
  readonly levels: 'lazy' | 'live';
  /** What a wrong width, a reserved place or a forbidden write does. */
  readonly badAccess: 'abort' | 'ignore';
  /** While a group is disabled, its CPU interface registers do not exist. */
  readonly disabledGroupIsUndefined: boolean;
  /** The distributor's banks begin with the caller's private interrupts, to read; else with nothing. */
  readonly showsPrivate: boolean;
  /** GICR_WAKER says at reset that the redistributor sleeps. */
  readonly sleepsAtReset: boolean;
  /** GICR_WAKER says that the CPU's children are asleep only while both groups are disabled there. Interrupts come either way. */
  readonly sleepsOnlyClosed: boolean;
  /** Bits of a priority that the distributor and redistributors keep. The CPU interface compares five. */
  readonly priorityMask: number;
  /** GICD_TYPER but for ITLinesNumber; the line count is the controller's own unless `linesNumber` is given. */
  readonly typer: number;
  readonly linesNumber?: number;
  readonly iidr: number;
  /** GICR_TYPER's fixed bits. */
  readonly redistributorTyper: number;
  /** Identification registers by offset in a 64 KiB frame, where they are not zero. */
  readonly distributorId: Readonly<Record<number, number>>;
  readonly redistributorId: Readonly<Record<number, number>>;
  /** ICC_EOIRn_EL1 does nothing while no priority is active, and for a number that no interrupt has; the architecture leaves both open. */
  readonly checksEnd: boolean;
  /** Message-based SPIs by GICD_SETSPI_NSR. */
  readonly hasMessages: boolean;
  /** ICC_SGI1R_EL1 also sends interrupts that are of group 0. */
  readonly group1SgiReachesGroup0: boolean;
  /** Below this offset a redistributor takes doublewords everywhere. */
  readonly redistributorDoublesEnd: number;
  /** Reads of GICD_IROUTER answer what was written, rather than 0 and an error bit. */
  readonly readsRoutes: boolean;
  /** Most SPIs. */
  readonly spiCountMax: number;
}

const GICV3 = 0x30;
/** Component and peripheral identification of an Arm GIC-500's kind: one byte each. */
const PHYSICAL_ID = { 0xffd0: 0x44, 0xffe4: 0xb4, 0xffe8: 0x3b, 0xfff0: 0x0d, 0xfff4: 0xf0, 0xfff8: 0x05, 0xfffc: 0xb1 } as const;

/** The virtual GIC of Gunyah: GICD_TYPER says MBIS, 10 ID bits, A3V, No1N and all lines. */
export const GUNYAH_GIC: GicProfile = {
  name: 'gunyah', levels: 'lazy', badAccess: 'abort', disabledGroupIsUndefined: true, showsPrivate: true, sleepsAtReset: false, sleepsOnlyClosed: true, priorityMask: 0xf8,
  typer: 0x0349_0000, linesNumber: 31, iidr: 0x4700_0070, redistributorTyper: 0,
  distributorId: { 0xffe8: GICV3 }, redistributorId: { 0xffe8: GICV3 }, checksEnd: false, hasMessages: true, readsRoutes: false, spiCountMax: 988, redistributorDoublesEnd: 0xa8, group1SgiReachesGroup0: true,
};

/** A plain machine's GIC: GICD_TYPER says 16 ID bits, A3V, No1N; GICR_TYPER one LPI table for all. There are no LPIs here. */
export const PHYSICAL_GIC: GicProfile = {
  name: 'physical', levels: 'live', badAccess: 'ignore', disabledGroupIsUndefined: false, showsPrivate: false, sleepsAtReset: true, sleepsOnlyClosed: false, priorityMask: 0xff,
  typer: 0x0378_0000, iidr: 0x43b, redistributorTyper: 0x100_0000,
  distributorId: { ...PHYSICAL_ID, 0xffe0: 0x92 }, redistributorId: { ...PHYSICAL_ID, 0xffe0: 0x93 },
  checksEnd: true, hasMessages: false, readsRoutes: true, spiCountMax: 256, redistributorDoublesEnd: 0, group1SgiReachesGroup0: false,
};

/**
 * Branded identifiers and addresses. Mixing a guest virtual address with an intermediate physical one is the classic
 * mistake of this field; brands make it a compile error. Only this file casts.
 */

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** Guest virtual address (Arm ARM: VA), 64 bits. */
export type Va = Branded<bigint, 'Va'>;
/** Intermediate physical address: what a guest believes is physical (Arm ARM: IPA). */
export type Ipa = Branded<bigint, 'Ipa'>;
/** Physical address of the simulated platform (Arm ARM: PA). At most 40 bits here, so also exact as a number. */
export type Pa = Branded<bigint, 'Pa'>;
/** Capability identifier, meaningful only in one cspace (Gunyah API: cap_id_t). */
export type CapId = Branded<bigint, 'CapId'>;
/** Virtual machine identifier, 0..255 (hypervisor 0, primary VM 3, Resource Manager 255). */
export type Vmid = Branded<number, 'Vmid'>;
/** Virtual interrupt number as the guest's GIC sees it (INTID). */
export type VirqNumber = Branded<number, 'VirqNumber'>;
/** Memory parcel handle of the Resource Manager. */
export type MemparcelHandle = Branded<number, 'MemparcelHandle'>;
/** Virtual time: retired instructions since power-on over all CPUs. A number; 2^53 is months of running. */
export type Ticks = Branded<number, 'Ticks'>;

/** Names a 64-bit value as a virtual address. */
export const va = (value: bigint): Va => BigInt.asUintN(64, value) as Va;
/** Names a 64-bit value as an intermediate physical address. */
export const ipa = (value: bigint): Ipa => BigInt.asUintN(64, value) as Ipa;
/** Names a 64-bit value as a physical address. */
export const pa = (value: bigint): Pa => BigInt.asUintN(64, value) as Pa;
/** Names a 64-bit value as a capability identifier. */
export const capId = (value: bigint): CapId => BigInt.asUintN(64, value) as CapId;
/** Names a number as a VMID. */
export const vmid = (value: number): Vmid => value as Vmid;
/** Names a number as a virtual interrupt number. */
export const virqNumber = (value: number): VirqNumber => value as VirqNumber;
/** Names a number as a memory parcel handle. */
export const memparcelHandle = (value: number): MemparcelHandle => (value >>> 0) as MemparcelHandle;
/** Names a number as a point in virtual time. */
export const ticks = (value: number): Ticks => value as Ticks;

/** The capability identifier that names nothing (Gunyah API: CSPACE_CAP_INVALID). */
export const CAP_ID_INVALID: CapId = capId(0xffff_ffff_ffff_ffffn);

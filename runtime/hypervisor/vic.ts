/**
 * Gunyah's VIC object: a virtual GICv3 for the vCPUs that attach to it, with interrupt sources on its lines.
 *
 * It knows no capability, no address space and no vCPU object: who may call what is decided above, vCPUs are ports, and an
 * address space passes it the accesses that hit a frame. Source: Gunyah API: VIC calls and addrspace_attach_vdevice.
 */

import { assert, present } from '../base/assert';
import { Gic } from '../machine/devices/gic';
import type { InterruptView, SavedGic } from '../machine/devices/gic';
import { GUNYAH_GIC, type GicProfile } from '../machine/devices/gic-profile';
import { INTID_LIMIT, PRIVATE_COUNT, SPI_COUNT_MAX } from '../machine/devices/gic-interrupt-state';
import type { GicObserver, InterruptEvent } from '../machine/devices/gic-interrupt-types';
import type { ErrorName } from './errors';
import { DEFAULT_MPIDR_MAPPING, affinityOfIndex, checkMpidrMapping, indexOfMpidr, mpidrOfIndex } from './vic-mpidr';
import type { MpidrMapping } from './vic-mpidr';
import type { SoftwareAction, VirqBinding, VirqSource } from './virq-source';

/** Most vCPUs that one VIC takes. */
export const VIC_VCPUS_MAX = 8;
/** Platform addresses at which a VIC answers unless its options say otherwise. */
export const VIC_DEFAULT_GICD_BASE = 0x0800_0000n;
/** First redistributor; one every 128 KiB. */
export const VIC_DEFAULT_GICR_BASE = 0x080a_0000n;
/** Size of the distributor frame. */
export const GICD_SIZE_BYTES = 0x1_0000;
/** Size of one redistributor's two frames. */
export const GICR_SIZE_BYTES = 0x2_0000;
/** Private interrupts of a vCPU that the hypervisor asserts itself. */
export const VIRQ_PMU = 23;
/** EL1 virtual timer. */
export const VIRQ_VIRTUAL_TIMER = 27;
/** EL1 physical timer. */
export const VIRQ_PHYSICAL_TIMER = 30;

const OPTION_MAX_MSIS_VALID = 1n;
const OPTION_DISABLE_DEFAULT_ADDR = 2n;
const OPTIONS_KNOWN = OPTION_MAX_MSIS_VALID | OPTION_DISABLE_DEFAULT_ADDR;
const FLAG_LAST_VALID = 1n;
const FLAG_LAST = 2n;

/** GICD_ISENABLER and GICD_ICPENDR, which hardware behind a source may have to hear of. */
const SOFTWARE_BANKS: readonly { readonly base: number; readonly action: SoftwareAction }[] = [{ base: 0x100, action: 'enable' }, { base: 0x280, action: 'clear-pending' }];
const BANK_BYTES = 0x80;

/** What a VIC needs of a vCPU. */
export interface VicVcpuPort {
  /** Level of the vCPU's virtual IRQ input. */
  setIrq(level: boolean): void;
  /** Level of the vCPU's virtual FIQ input. */
  setFiq(level: boolean): void;
  /** An interrupt became deliverable: ends WFI and suspended states. */
  wake(): void;
  /** Whether it is on a physical CPU. */
  isRunning(): boolean;
}

/** A load or store that may hit a frame. */
export interface VicAccess {
  readonly ipa: bigint;
  readonly sizeBytes: number;
  readonly isWrite: boolean;
  /** Zero-extended; 0n for a load. */
  readonly value: bigint;
  /** Attachment index of the vCPU that does it. */
  readonly vcpuIndex: number;
}

/** `handled` false: no frame there. `abort`: the frame refuses the access. Else loads have a `value`. */
export interface VicAccessResult { readonly handled: boolean; readonly value?: bigint; readonly abort?: boolean }

/** One interrupt for the debugger: GIC state and the source bound to it. */
export interface VirqView extends InterruptView { readonly source: string | undefined }

/** Told about interrupts: an edge of the line, or the guest taking and ending one. `vcpuIndex` is the vCPU concerned. */
export type VirqListener = (event: { readonly action: InterruptEvent; readonly virq: number; readonly source: string; readonly vcpuIndex: number | undefined }) => void;

/** A frame placed in an address space by addrspace_attach_vdevice. */
export interface AttachedFrame { readonly base: bigint; readonly sizeBytes: number; readonly last: boolean | undefined }

/** Plain-data form. Attached vCPUs and sources put themselves back (see `restore`). */
export interface SavedVic {
  readonly kind: 'vic'; readonly version: 1;
  readonly maxVcpus: number; readonly maxVirqs: number; readonly defaultAddresses: boolean; readonly mapping: MpidrMapping;
  readonly frames: readonly (AttachedFrame & { readonly index: number })[];
  readonly gic: SavedGic | undefined;
}

/** The VIC object. States: configurable until `activate`, then fixed. */
export class Vic {
  /** Trace hook; set by the owner. */
  onVirq: VirqListener | undefined;
  /** Follows deliveries; set by the owner before activation. */
  observer: GicObserver | undefined;
  private readonly profile: GicProfile;
  /** Until vic_configure says otherwise: one vCPU and no shared interrupts. */
  private maxVcpuCount = 1;
  private maxVirqCount = 0;
  private defaultAddresses = true;
  private mapping: MpidrMapping = DEFAULT_MPIDR_MAPPING;
  private gic: Gic | undefined;
  private readonly ports = new Map<number, VicVcpuPort>();
  /** Frame placements by vdevice index: 0 distributor, n+1 redistributor n. */
  private readonly frames = new Map<number, AttachedFrame>();
  /** Sources by line: SPIs by number, private ones by vCPU index and number. */
  private readonly sources = new Map<number, VirqSource>();

  constructor(profile: GicProfile = GUNYAH_GIC) {
    this.profile = profile;
  }

  get maxVcpus(): number {
    return this.maxVcpuCount;
  }

  get maxVirqs(): number {
    return this.maxVirqCount;
  }

  /**
   * vic_configure. ARGUMENT_INVALID for a limit out of range, an unknown option bit, or `maxMsis` other than 0 when its valid bit
   * is set. As in the real one, disable_default_addr and limits that were in order take effect even when the call then fails.
   */
  configure(maxVcpus: number, maxVirqs: number, options: bigint, maxMsis: number): ErrorName {
    if ((options & ~OPTIONS_KNOWN) !== 0n) return 'ARGUMENT_INVALID';
    this.defaultAddresses = (options & OPTION_DISABLE_DEFAULT_ADDR) === 0n;
    if (maxVcpus < 1 || maxVcpus > VIC_VCPUS_MAX) return 'ARGUMENT_INVALID';
    this.maxVcpuCount = maxVcpus;
    if (maxVirqs < 0 || maxVirqs > SPI_COUNT_MAX) return 'ARGUMENT_INVALID';
    this.maxVirqCount = maxVirqs;
    return (options & OPTION_MAX_MSIS_VALID) !== 0n && maxMsis !== 0 ? 'ARGUMENT_INVALID' : 'OK';
  }

  /** vgic_set_mpidr_mapping. ARGUMENT_INVALID for shifts of 32 and above, overlapping fields, or index bits with a gap. */
  setMpidrMapping(mapping: MpidrMapping): ErrorName {
    if (!checkMpidrMapping(mapping)) return 'ARGUMENT_INVALID';
    this.mapping = mapping;
    return 'OK';
  }

  /** Object activation: builds the GIC. */
  activate(): ErrorName {
    this.gic = this.makeGic();
    return 'OK';
  }

  /** Connects a vCPU at its activation. ARGUMENT_INVALID for an index out of range, BUSY if taken. */
  attachVcpu(index: number, port: VicVcpuPort): ErrorName {
    if (!Number.isInteger(index) || index < 0 || index >= this.maxVcpuCount) return 'ARGUMENT_INVALID';
    if (this.ports.has(index)) return 'BUSY';
    this.ports.set(index, port);
    const signals = this.gic?.signalsOf(index);
    if (signals !== undefined) this.drive(index, signals.irq, signals.fiq);
    return 'OK';
  }

  /** Disconnects a vCPU when it is destroyed. */
  detachVcpu(index: number): void {
    this.ports.delete(index);
  }

  /** True if a vCPU is connected at this index. */
  hasVcpu(index: number): boolean {
    return this.ports.has(index);
  }

  /** True if the vCPU that a shared interrupt is routed to is connected. */
  hasTarget(virq: number): boolean {
    const cpu = this.gic?.inspect(virq, 0)?.cpu;
    return cpu !== undefined && this.ports.has(cpu);
  }

  /** At a vCPU's power-off: if interrupts of a group reach it, its CPU interface is as after reset but for active priorities. */
  stopVcpu(index: number): void {
    this.active().stopCpu(index);
  }

  /** Puts one vCPU's CPU interface into its power-on state. */
  resetVcpu(index: number): void {
    this.active().resetCpu(index);
  }

  /** MPIDR_EL1 of an index, bit 31 set. */
  mpidrOf(index: number): bigint {
    return mpidrOfIndex(this.mapping, index);
  }

  /** The index that an MPIDR-format affinity names (whether or not a vCPU is there); `undefined` if it names none. */
  indexOfMpidr(affinity: bigint): number | undefined {
    return indexOfMpidr(this.mapping, affinity);
  }

  /**
   * Places a frame (addrspace_attach_vdevice): 0 is the distributor, n+1 the redistributor of vCPU index n. ARGUMENT_INVALID for
   * an index or flags that do not fit and an empty or wrapping range; IDLE if no vCPU is connected there; BUSY if placed already. A range that
   * is shorter than the frame shows only that much of it.
   */
  attachFrame(index: number, base: bigint, sizeBytes: bigint, flags: bigint): ErrorName {
    if (!Number.isInteger(index) || index < 0 || index > this.maxVcpuCount) return 'ARGUMENT_INVALID';
    const isDistributor = index === 0;
    if ((flags & ~(isDistributor ? 0n : FLAG_LAST_VALID | FLAG_LAST)) !== 0n) return 'ARGUMENT_INVALID';
    if (!isDistributor && !this.ports.has(index - 1)) return 'IDLE';
    if (this.frames.has(index)) return 'BUSY';
    if (sizeBytes === 0n || base + sizeBytes > 1n << 64n) return 'ARGUMENT_INVALID';
    const shown = Math.min(frameSize(index), Number(sizeBytes));
    this.frames.set(index, { base, sizeBytes: shown, last: (flags & FLAG_LAST_VALID) === 0n ? undefined : (flags & FLAG_LAST) !== 0n });
    return 'OK';
  }

  /** Takes a placed frame away again (the address space was destroyed). */
  detachFrame(index: number): void {
    this.frames.delete(index);
  }

  /** Placed frames by vdevice index. */
  get attachedFrames(): ReadonlyMap<number, AttachedFrame> {
    return this.frames;
  }

  /** A load or store at an IPA: placed frames first, then the default addresses. */
  access(access: VicAccess): VicAccessResult {
    const hit = this.frameAt(access.ipa);
    if (hit === undefined || this.gic === undefined) return { handled: false };
    const { vcpuIndex, sizeBytes, value } = access;
    const frameCpu = hit.index === 0 ? vcpuIndex : hit.index - 1;
    const { offset } = hit;
    if (access.isWrite) {
      const write = { offset, sizeBytes, value };
      const accepted = hit.index === 0 ? this.gic.writeDistributor(frameCpu, write) : this.gic.writeRedistributor(frameCpu, write, vcpuIndex);
      if (accepted && hit.index === 0) this.tellSources(write);
      return accepted ? { handled: true } : { handled: true, abort: true };
    }
    const result = hit.index === 0 ? this.gic.readDistributor(frameCpu, offset, sizeBytes) : this.gic.readRedistributor(frameCpu, offset, sizeBytes, vcpuIndex);
    return result === undefined ? { handled: true, abort: true } : { handled: true, value: result };
  }

  /** Reads an ICC_* register as the vCPU at `index`. */
  readSystemRegister(index: number, name: string): bigint | 'undefined' {
    return this.active().readSystemRegister(index, name);
  }

  /** Writes an ICC_* register as the vCPU at `index`. */
  writeSystemRegister(index: number, name: string, value: bigint): 'ok' | 'undefined' {
    return this.active().writeSystemRegister(index, name, value);
  }

  /** True while an interrupt is deliverable to the vCPU, whatever its PSTATE says: WFI does not wait. */
  hasDeliverable(index: number): boolean {
    const signals = this.active().signalsOf(index);
    return signals.irq || signals.fiq;
  }

  /** One interrupt as the vCPU at `index` sees it; `undefined` for a number that this VIC does not have. */
  inspect(virq: number, index = 0): VirqView | undefined {
    const view = this.gic?.inspect(virq, index);
    return view && { ...view, source: this.sources.get(lineKey(virq, index))?.kind };
  }

  /** Every interrupt that is enabled, pending, active or has a source, private ones as the vCPU at `index` sees them. */
  inspectAll(index = 0): VirqView[] {
    const views: VirqView[] = [];
    for (let virq = 0; virq < PRIVATE_COUNT + this.maxVirqCount; virq++) {
      const view = this.inspect(virq, index);
      if (view && (view.enabled || view.pending || view.active || view.source !== undefined)) views.push(view);
    }
    return views;
  }

  /** The GIC for register views; `undefined` before activation. */
  get model(): Gic | undefined {
    return this.gic;
  }

  /** Part of `VirqSource.bind`. @internal */
  addSource(source: VirqSource, { virq, vcpuIndex }: VirqBinding): ErrorName {
    if (!this.isBindable(virq, vcpuIndex)) return 'ARGUMENT_INVALID';
    const key = lineKey(virq, vcpuIndex ?? 0);
    if (this.sources.has(key)) return 'BUSY';
    this.sources.set(key, source);
    return 'OK';
  }

  /** Part of `VirqSource.unbind`. @internal */
  removeSource(source: VirqSource, binding: VirqBinding): void {
    const key = lineKey(binding.virq, binding.vcpuIndex ?? 0);
    assert(this.sources.get(key) === source, 'a source unbinds from the line it is bound to');
    this.clearSource(binding);
    this.sources.delete(key);
  }

  /** Part of `VirqSource.restoreBinding`. @internal */
  restoreSource(source: VirqSource, { virq, vcpuIndex }: VirqBinding): void {
    assert(this.isBindable(virq, vcpuIndex), 'a saved binding fits its VIC');
    this.sources.set(lineKey(virq, vcpuIndex ?? 0), source);
  }

  /** Part of `VirqSource.assertLevel` and `assertEdge`. @internal */
  assertSource({ virq, vcpuIndex }: VirqBinding, as: 'level' | 'edge'): void {
    this.gic?.assert(virq, vcpuIndex ?? 0, as);
  }

  /** Part of `VirqSource.lowerLevel`. @internal */
  lowerSource({ virq, vcpuIndex }: VirqBinding): void {
    this.gic?.lower(virq, vcpuIndex ?? 0);
  }

  /** Part of `VirqSource.clear`. @internal */
  clearSource({ virq, vcpuIndex }: VirqBinding): void {
    this.gic?.clear(virq, vcpuIndex ?? 0);
  }

  /** Part of `VirqSource.isEdgeConfigured`. @internal */
  isEdgeConfigured({ virq, vcpuIndex }: VirqBinding): boolean {
    return this.gic?.inspect(virq, vcpuIndex ?? 0)?.trigger === 'edge';
  }

  /** Part of `VirqSource.isEnabled`. @internal */
  isEnabled({ virq, vcpuIndex }: VirqBinding): boolean {
    return this.gic?.inspect(virq, vcpuIndex ?? 0)?.enabled === true;
  }

  /** Whether this is a physical controller rather than the hypervisor's. */
  get isLive(): boolean {
    return this.profile.levels === 'live';
  }

  /** Object destruction: every source becomes unbound. */
  destroy(): void {
    for (const source of this.sources.values()) source.forgetBinding();
    this.sources.clear();
    this.ports.clear();
    this.frames.clear();
    this.gic = undefined;
  }

  save(): SavedVic {
    const frames = [...this.frames].map(([index, frame]) => ({ index, ...frame })).sort((a, b) => a.index - b.index);
    return {
      kind: 'vic', version: 1, maxVcpus: this.maxVcpuCount, maxVirqs: this.maxVirqCount, defaultAddresses: this.defaultAddresses,
      mapping: this.mapping, frames, gic: this.gic?.save(),
    };
  }

  /**
   * Takes a saved state back. Sources and vCPUs are forgotten: their owners, restored after this, call
   * `VirqSource.restoreBinding` and `restoreVcpu`.
   */
  restore(saved: SavedVic): void {
    this.destroy();
    this.maxVcpuCount = saved.maxVcpus;
    this.maxVirqCount = saved.maxVirqs;
    this.defaultAddresses = saved.defaultAddresses;
    this.mapping = saved.mapping;
    for (const { index, base, sizeBytes, last } of saved.frames) this.frames.set(index, { base, sizeBytes, last });
    if (saved.gic === undefined) return;
    this.gic = this.makeGic();
    this.gic.restore(saved.gic);
  }

  /** Reconnects a vCPU after `restore`; drives nothing, since levels are part of the vCPU's own state. */
  restoreVcpu(index: number, port: VicVcpuPort): void {
    this.ports.set(index, port);
  }

  /** Tells sources of shared interrupts what the guest has just done to them by a register with one bit for each. */
  private tellSources({ offset, value }: { readonly offset: number; readonly value: bigint }): void {
    const bank = SOFTWARE_BANKS.find(({ base }) => offset >= base && offset < base + BANK_BYTES);
    if (bank === undefined) return;
    for (let rest = value, virq = (offset - bank.base) * 8; rest !== 0n; rest >>= 1n, virq++) {
      if ((rest & 1n) !== 0n && virq >= PRIVATE_COUNT) this.sources.get(virq)?.onSoftware?.(bank.action);
    }
  }

  private makeGic(): Gic {
    return new Gic({
      cpuCount: this.maxVcpuCount, spiCount: this.maxVirqCount, profile: this.profile,
      affinityOf: (cpu) => affinityOfIndex(this.mapping, cpu),
      isLast: (cpu) => this.frames.get(cpu + 1)?.last ?? cpu === this.maxVcpuCount - 1,
    }, {
      setSignals: (cpu, irq, fiq) => { this.drive(cpu, irq, fiq); },
      checkPending: (virq, cpu, isReasserted) => this.sources.get(lineKey(virq, cpu ?? 0))?.checkPending(isReasserted) ?? false,
      isAlwaysEdge: (virq, cpu) => this.sources.get(lineKey(virq, cpu ?? 0))?.isAlwaysEdge ?? false,
      ...(this.observer === undefined ? {} : { inside: this.observer }),
      isRunning: (cpu) => this.ports.get(cpu)?.isRunning() ?? false,
      event: (action, virq, vcpuIndex) => this.onVirq?.({ action, virq, vcpuIndex, source: this.sources.get(lineKey(virq, vcpuIndex ?? 0))?.kind ?? 'software' }),
    });
  }

  private drive(index: number, irq: boolean, fiq: boolean): void {
    const port = this.ports.get(index);
    if (port === undefined) return;
    port.setIrq(irq);
    port.setFiq(fiq);
    if (irq || fiq) port.wake();
  }

  private isBindable(virq: number, vcpuIndex: number | undefined): boolean {
    if (!Number.isInteger(virq)) return false;
    if (vcpuIndex === undefined) return virq >= PRIVATE_COUNT && virq < INTID_LIMIT && virq - PRIVATE_COUNT < this.maxVirqCount;
    return virq >= 16 && virq < PRIVATE_COUNT && vcpuIndex >= 0 && vcpuIndex < this.maxVcpuCount;
  }

  /** Whether a frame, placed or at its default address, is at an IPA. */
  hasFrameAt(ipa: bigint): boolean {
    return this.gic !== undefined && this.frameAt(ipa) !== undefined;
  }

  /** Where the frames that answer lie, by vdevice index: 0 the distributor, n + 1 redistributor n. Empty until the VIC is active. */
  frameRanges(): readonly { readonly index: number; readonly base: bigint; readonly sizeBytes: number }[] {
    if (this.gic === undefined) return [];
    return Array.from({ length: this.maxVcpuCount + 1 }, (_, index) => index).flatMap((index) => {
      const placed = this.frames.get(index);
      const base = placed?.base ?? this.defaultBase(index);
      return base === undefined ? [] : [{ index, base, sizeBytes: placed?.sizeBytes ?? frameSize(index) }];
    });
  }

  private frameAt(ipa: bigint): { readonly index: number; readonly offset: number } | undefined {
    for (let index = 0; index <= this.maxVcpuCount; index++) {
      const placed = this.frames.get(index);
      const base = placed?.base ?? this.defaultBase(index);
      if (base !== undefined && ipa >= base && ipa < base + BigInt(placed?.sizeBytes ?? frameSize(index))) return { index, offset: Number(ipa - base) };
    }
    return undefined;
  }

  private defaultBase(index: number): bigint | undefined {
    if (!this.defaultAddresses) return undefined;
    if (index === 0) return VIC_DEFAULT_GICD_BASE;
    return this.ports.has(index - 1) ? VIC_DEFAULT_GICR_BASE + BigInt((index - 1) * GICR_SIZE_BYTES) : undefined;
  }

  private active(): Gic {
    return present(this.gic, 'the VIC is active');
  }
}

/** Size of the distributor's frame, or of a redistributor's two. */
function frameSize(index: number): number {
  return index === 0 ? GICD_SIZE_BYTES : GICR_SIZE_BYTES;
}

/** Private lines are numbered per vCPU above the shared ones, so that one map keyed by number holds both. */
function lineKey(virq: number, vcpuIndex: number): number {
  return virq < PRIVATE_COUNT ? 0x1000 + vcpuIndex * PRIVATE_COUNT + virq : virq;
}

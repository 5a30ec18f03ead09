/**
 * Hardware interrupts: one object per line of the platform's interrupt controller that may be forwarded to a VM.
 * Shared lines (SPIs) go to any SPI of a VIC; private ones exist per CPU and are forwarded to the same number.
 */

import type { ErrorName } from './errors';
import { ObjectHeader } from './object';
import { VIC_VCPUS_MAX } from './vic';
import type { VicObject } from './vic-object';
import { type SoftwareAction, VirqSource } from './virq-source';

/** Heap bytes of the bookkeeping of a private line that is forwarded. */
export const FORWARD_BYTES = 512;

/** A vCPU as forwarding sees it: its place at the interrupt controller, and whether it stays on one CPU. */
export interface ForwardTarget { readonly index: number; readonly isPinned: boolean }

/** True for the number of a PPI. */
export function isPrivateNumber(virq: number): boolean {
  return virq >= 16 && virq < 32;
}

/** True for the number of an SPI. */
export function isSharedNumber(virq: number): boolean {
  return virq >= 32 && virq < 1020;
}

/** A forwarded line (Gunyah API: hwirq). */
export class Hwirq {
  readonly header: ObjectHeader<'hwirq'>;
  /** Number on the platform's interrupt controller. */
  readonly intid: number;
  /** One source for a shared line; for a private one, one per vCPU index of the VIC. */
  readonly sources: readonly VirqSource[];
  level = false;
  /** An edge that came while the guest had the interrupt disabled; the platform's controller keeps it. */
  isLatched = false;
  /** Told when the line interrupts the hypervisor; set by the owner. */
  onTaken: (() => void) | undefined;
  /** Bound, but to nobody: the line is not enabled. */
  isUnrouted = false;
  /** Where a private line is forwarded to, whether or not there are vCPUs yet. */
  forward: { readonly vic: VicObject; readonly virq: number } | undefined;

  constructor(id: number, intid: number) {
    this.header = new ObjectHeader('hwirq', id);
    this.header.state = 'active';
    this.intid = intid;
    this.sources = Array.from({ length: this.isPrivate ? VIC_VCPUS_MAX : 1 }, () => new VirqSource('hwirq', () => this.level, this.isPrivate ? {} : { onSoftware: (action) => { this.follow(action); } }));
  }

  /** True for a line that each CPU has its own of (PPI). */
  get isPrivate(): boolean {
    return this.intid < 32;
  }

  /**
   * Gunyah API: hwirq_bind_virq on a shared line. The physical line is routed to where the virtual one is; when that vCPU is not attached the
   * answer is ARGUMENT_INVALID, and the number stays bound without a line behind it, as in the reference build.
   */
  bind({ vic }: VicObject, virq: number): ErrorName {
    // The number is looked at before the line's own state, unlike with every other source.
    if (!isSharedNumber(virq)) return 'ARGUMENT_INVALID';
    const error = this.sources[0]?.bind(vic, virq) ?? 'FAILURE';
    this.isUnrouted = error === 'OK' && !vic.hasTarget(virq);
    return this.isUnrouted ? 'ARGUMENT_INVALID' : error;
  }

  /**
   * Gunyah API: hwirq_bind_virq on a private line: every vCPU that is attached to the controller now, or will be, gets it. DENIED if the line is
   * forwarded already or a vCPU may run on another CPU than its own; nothing is bound then.
   */
  forwardTo(vic: VicObject, virq: number, vcpus: readonly ForwardTarget[]): ErrorName {
    if (this.forward !== undefined) return 'DENIED';
    this.forward = { vic, virq };
    for (const vcpu of vcpus) {
      const error = this.bindVcpu(vcpu);
      if (error === 'OK') continue;
      this.unbindAll();
      return error;
    }
    return 'OK';
  }

  /** Forwards a private line to one more vCPU of its controller. */
  bindVcpu({ index, isPinned }: ForwardTarget): ErrorName {
    const { forward } = this;
    if (forward === undefined) return 'OK';
    if (!isPinned) return 'DENIED';
    if (!isPrivateNumber(forward.virq)) return 'ARGUMENT_INVALID';
    return this.sources[index]?.bindPrivate(forward.vic.vic, index, forward.virq) ?? 'ARGUMENT_INVALID';
  }

  /** Gunyah API: hwirq_unbind_virq. */
  unbind(): ErrorName {
    if (!this.isPrivate && this.sources[0]?.bound === undefined) return 'VIRQ_NOT_BOUND';
    this.unbindAll();
    return 'OK';
  }

  /** The device drives its wire. */
  setLevel(level: boolean): void {
    if (level === this.level) return;
    this.level = level;
    if (!level) for (const source of this.sources) source.lowerLevel();
    else if (this.isOpen) this.assertBound();
    else this.isLatched = this.sources[0]?.isEdgeConfigured === true;
  }

  /** Asserts again if the line is high: for a binding that has just been made. */
  replay(): void {
    if (this.level && this.isOpen) this.assertBound();
  }

  /** A shared line is enabled at the platform's controller only while the guest has enabled it at its own: until then it is not seen at all. */
  private get isOpen(): boolean {
    const [source] = this.sources;
    return this.isPrivate || source === undefined || source.isLive || source.isEnabled;
  }

  /** The guest's distributor is followed by the platform's. */
  private follow(action: SoftwareAction): void {
    const source = this.sources[0];
    if (source === undefined || source.isLive) return;
    const isDue = source.isEdgeConfigured ? this.isLatched : this.level;
    this.isLatched = false;
    if (action === 'enable' && isDue) this.assertBound();
  }

  private assertBound(): void {
    if (this.isUnrouted) return;
    if (this.sources.some(({ bound }) => bound !== undefined)) this.onTaken?.();
    for (const source of this.sources) source.assertLevel();
  }

  private unbindAll(): void {
    this.forward = undefined;
    this.isUnrouted = false;
    this.isLatched = false;
    for (const source of this.sources) source.unbind();
  }
}

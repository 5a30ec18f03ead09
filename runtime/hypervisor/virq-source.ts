/**
 * A virtual interrupt source: the end of an interrupt wire that an object of the hypervisor (doorbell, message queue,
 * virtual PM group, vCPU, timer, forwarded hardware line) holds. The other end is one interrupt number of one `Vic`.
 *
 * The source keeps no level of its own: `checkPending` asks the owner whether the condition still holds, and the VIC
 * calls it when it re-examines the interrupt. Source: Gunyah API, virtual interrupt sources.
 */

import type { ErrorName } from './errors';
import type { Vic } from './vic';

/** Where a source is bound. `vcpuIndex` is present for private interrupts (PPIs) only. */
export interface VirqBinding { readonly vic: Vic; readonly virq: number; readonly vcpuIndex: number | undefined }

/** A binding without its VIC, for snapshots; the owner knows which VIC it was. */
export interface SavedVirqBinding { readonly virq: number; readonly vcpuIndex: number | undefined }

/** What a guest did to a shared interrupt, whether or not that changed anything. */
export type SoftwareAction = 'enable' | 'clear-pending';

/** What a source may have beside its condition. */
export interface VirqSourceOptions {
  /** Told when the guest enables the interrupt, or clears its pending state, by the distributor's registers. */
  readonly onSoftware?: ((action: SoftwareAction) => void) | undefined;
  /** However the guest configures the interrupt while it is bound, it becomes edge-triggered. */
  readonly isAlwaysEdge?: boolean;
}

/** One interrupt source; unbound when made. */
export class VirqSource {
  /** What the source is, for trace and debugger: `msgqueue-rx`, `timer`, … */
  readonly kind: string;
  /** Whether the owner's condition holds now, or counts as holding because it was asserted again and not taken. Must not change anything. */
  readonly checkPending: (isReasserted: boolean) => boolean;
  /** Told when the guest enables the interrupt, or clears its pending state, by the distributor's registers. */
  readonly onSoftware: ((action: SoftwareAction) => void) | undefined;
  /** However the guest configures the interrupt, it becomes edge-triggered. */
  readonly isAlwaysEdge: boolean;
  private binding: VirqBinding | undefined;

  constructor(kind: string, checkPending: (isReasserted: boolean) => boolean, { onSoftware, isAlwaysEdge = false }: VirqSourceOptions = {}) {
    this.kind = kind;
    this.checkPending = checkPending;
    this.onSoftware = onSoftware;
    this.isAlwaysEdge = isAlwaysEdge;
  }

  /** The present binding, or `undefined`. */
  get bound(): VirqBinding | undefined {
    return this.binding;
  }

  /**
   * Binds to a shared interrupt (SPI). Errors in this order: VIRQ_BOUND if bound already; ARGUMENT_INVALID if the number
   * is not an SPI or beyond the VIC's `max_virqs`; BUSY if the number has another source. Earlier asserts are not replayed.
   */
  bind(vic: Vic, virq: number): ErrorName {
    return this.bindAt({ vic, virq, vcpuIndex: undefined });
  }

  /** Binds to a private interrupt (PPI 16..31) of one vCPU; same errors, ARGUMENT_INVALID also for a bad index. */
  bindPrivate(vic: Vic, vcpuIndex: number, virq: number): ErrorName {
    return this.bindAt({ vic, virq, vcpuIndex });
  }

  /** Ends the binding and takes the level away; nothing happens if unbound. */
  unbind(): void {
    this.binding?.vic.removeSource(this, this.binding);
    this.binding = undefined;
  }

  /** Asserts as a level. On a VIRQ the guest has made edge-triggered, latches one edge. Ignored while unbound. */
  assertLevel(): void {
    this.binding?.vic.assertSource(this.binding, 'level');
  }

  /** Asserts as a pulse: latched, without effect unless the guest has made the VIRQ edge-triggered. Ignored while unbound. */
  assertEdge(): void {
    this.binding?.vic.assertSource(this.binding, 'edge');
  }

  /** The level has fallen. Gunyah's interrupt controller notices at its next look, a physical one at once. Ignored while unbound. */
  lowerLevel(): void {
    this.binding?.vic.lowerSource(this.binding);
  }

  /** Takes the level away at once, rather than lazily. */
  clear(): void {
    this.binding?.vic.clearSource(this.binding);
  }

  /** True if bound to a VIRQ that the guest has made edge-triggered (virtio asks this before it resets a device). */
  get isEdgeConfigured(): boolean {
    return this.binding !== undefined && this.binding.vic.isEdgeConfigured(this.binding);
  }

  /** False while the guest has the interrupt disabled, or none is bound. */
  get isEnabled(): boolean {
    return this.binding?.vic.isEnabled(this.binding) === true;
  }

  /** True if levels come as they are on the wire, enabled or not: the VIC stands for a physical controller. */
  get isLive(): boolean {
    return this.binding?.vic.isLive === true;
  }

  /** The binding as plain data. */
  saveBinding(): SavedVirqBinding | undefined {
    return this.binding && { virq: this.binding.virq, vcpuIndex: this.binding.vcpuIndex };
  }

  /** Takes a saved binding back. The VIC must have been restored before; no interrupt state changes. */
  restoreBinding(vic: Vic | undefined, saved: SavedVirqBinding | undefined): void {
    this.binding = undefined;
    if (vic !== undefined && saved !== undefined) {
      this.binding = { vic, virq: saved.virq, vcpuIndex: saved.vcpuIndex };
      vic.restoreSource(this, this.binding);
    }
  }

  /** Called by the VIC when it is restored or destroyed. @internal */
  forgetBinding(): void {
    this.binding = undefined;
  }

  private bindAt(binding: VirqBinding): ErrorName {
    if (this.binding !== undefined) return 'VIRQ_BOUND';
    const error = binding.vic.addSource(this, binding);
    if (error === 'OK') this.binding = binding;
    return error;
  }
}

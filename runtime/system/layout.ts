/**
 * Who gets which part of the platform's RAM: primary VM, Resource Manager, memory that RM may give away, hypervisor heap.
 *
 *     primary.base ── primary VM, IPA = PA ──┬── RM private ──┬── flash, if any ──┬── free (boot images lie here first) ──┬── hypervisor heap ── end
 *
 * Nothing here touches memory; it only computes, and says what does not fit.
 */

import { alignDown, alignUp, hex } from '../base/bits';
import { pa, type Pa } from '../base/brands';
import { err, ok, type Diagnostic, type Result } from '../base/result';
import { BOARD_FLASH } from '../machine/board';
import type { SystemDescription, VmDescription } from './description';

const KIB = 1024n;
const MIB = 1024n * KIB;
/** RAM of a VM whose description gives no size. */
export const VM_MEMORY_DEFAULT = 128n * MIB;
/** Where RAM begins on the default board. */
export const RAM_BASE = 0x4000_0000n;
/** RM's own working memory. */
export const RM_PRIVATE_SIZE = 2n * MIB;
/** Stage-2 tables, object memory and trace buffers of the hypervisor. */
export const HYPERVISOR_HEAP_SIZE = 32n * MIB;
/** Most RAM the engine offers. */
export const RAM_SIZE_MAX = 3072n * MIB;

/** A range of platform RAM. */
export interface Range { readonly base: bigint; readonly sizeBytes: bigint }

/** The computed layout. */
export interface MemoryLayout {
  readonly ramBase: Pa;
  readonly ramSizeBytes: bigint;
  readonly primary: Range;
  readonly rmPrivate: Range;
  /** Memory behind the primary VM's flash; empty without firmware. */
  readonly flash: Range;
  readonly free: Range;
  readonly heap: Range;
}

/** RAM that a VM is given, in bytes. */
export function vmMemorySize(vm: VmDescription): bigint {
  return vm.memorySizeBytes === undefined ? VM_MEMORY_DEFAULT : alignUp(BigInt(vm.memorySizeBytes), 4n * KIB);
}

/** Space that a VM's boot image, device tree and ramdisk take until RM has built the VM. */
function bootImageSize(vm: VmDescription): bigint {
  const segments = vm.image.segments.reduce((sum, segment) => sum + alignUp(BigInt(segment.bytes.length), 4n * KIB), 0n);
  return segments + alignUp(BigInt(vm.ramdisk?.length ?? 0), 4n * KIB) + 2n * MIB;
}

/** Computes the layout, or says what does not fit. */
export function planMemory(description: SystemDescription): Result<MemoryLayout, Diagnostic> {
  const [primaryVm, ...others] = description.vms;
  if (primaryVm === undefined) return err(problem('system-no-vm', 'The system has no virtual machine. Add at least one entry to "vms".'));
  const base = primaryVm.memoryBase ?? RAM_BASE;
  if (base % (2n * MIB) !== 0n) return err(problem('memory-base-unaligned', `The memory base ${hex(base)} of "${primaryVm.name}" is not a multiple of 2 MiB.`));
  const primary = { base, sizeBytes: vmMemorySize(primaryVm) };
  const rmPrivate = { base: alignUp(base + primary.sizeBytes, 2n * MIB), sizeBytes: RM_PRIVATE_SIZE };
  const flash = { base: rmPrivate.base + rmPrivate.sizeBytes, sizeBytes: primaryVm.firmware === undefined ? 0n : BigInt(BOARD_FLASH.sizeBytes) };
  const freeBase = flash.base + flash.sizeBytes;
  const needed = others.reduce((sum, vm) => sum + alignUp(vmMemorySize(vm), 2n * MIB) + alignUp(bootImageSize(vm), 2n * MIB), 16n * MIB);
  const total = description.platform.memorySizeBytes === undefined
    ? freeBase + needed + HYPERVISOR_HEAP_SIZE - base
    : alignDown(BigInt(description.platform.memorySizeBytes), 4n * KIB);
  const least = freeBase + needed + HYPERVISOR_HEAP_SIZE - base;
  if (total > RAM_SIZE_MAX) return err(problem('platform-memory-too-large', `The platform would need ${total / MIB} MiB of RAM; at most ${RAM_SIZE_MAX / MIB} MiB are possible. Make the VMs smaller.`));
  if (total < least) return err(problem('platform-memory-too-small', `The VMs do not fit: the platform has ${total / MIB} MiB of RAM and needs at least ${least / MIB} MiB. Raise "platform.memory" or make the VMs smaller.`));
  const heap = { base: base + total - HYPERVISOR_HEAP_SIZE, sizeBytes: HYPERVISOR_HEAP_SIZE };
  return ok({ ramBase: pa(base), ramSizeBytes: total, primary, rmPrivate, flash, free: { base: freeBase, sizeBytes: heap.base - freeBase }, heap });
}

/** An error diagnostic of this component. */
export function problem(code: string, message: string): Diagnostic {
  return { severity: 'error', code, message };
}

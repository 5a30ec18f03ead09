/**
 * Copies between the hypervisor and a calling VM, by addresses that the caller gives (Gunyah API: user_ptr_t): EL1 virtual addresses
 * of a vCPU, or plain IPAs of the native root VM, whose stage 1 is off. A copy may be partly done when it fails on a later page.
 */

import { assert } from '../base/assert';
import { ipa, pa, type Pa, va } from '../base/brands';
import type { ErrorName } from './errors';
import type { Kernel } from './kernel';
import { ACCESS_R, ACCESS_W } from './pgtable';
import type { Thread } from './thread';

/** Limit of one copy: no call needs more. */
const COPY_SIZE_MAX = 64 * 1024;

type Direction = 'read' | 'write';

/** Reads bytes of the caller, or says why not. */
export function copyFromUser(kernel: Kernel, thread: Thread, address: bigint, sizeBytes: number): Uint8Array | ErrorName {
  const bytes = new Uint8Array(sizeBytes);
  const error = eachPage(kernel, thread, { address, sizeBytes, direction: 'read' }, (at, offset, count) => {
    bytes.set(kernel.engine.memory.read(at, count), offset);
  });
  return error === 'OK' ? bytes : error;
}

/** Writes bytes to the caller. */
export function copyToUser(kernel: Kernel, thread: Thread, address: bigint, bytes: Uint8Array): ErrorName {
  return eachPage(kernel, thread, { address, sizeBytes: bytes.length, direction: 'write' }, (at, offset, count) => {
    kernel.engine.memory.write(at, bytes.subarray(offset, offset + count));
  });
}

/** Where a native thread's IPA lies, if the access is allowed. */
export function translateIpa(kernel: Kernel, thread: Thread, address: bigint, direction: Direction): Pa | ErrorName {
  const leaf = thread.addrspace?.pgtable.lookup(Number(address >> 12n));
  if (leaf === undefined) return 'ADDR_INVALID';
  if ((leaf.attributes.kernel & (direction === 'read' ? ACCESS_R : ACCESS_W)) === 0) return 'DENIED';
  const at = pa((BigInt(leaf.paPage) << 12n) | (address & 0xfffn));
  return kernel.engine.memory.contains(at, 1) ? at : 'ADDR_INVALID';
}

interface Span { readonly address: bigint; readonly sizeBytes: number; readonly direction: Direction }

function eachPage(kernel: Kernel, thread: Thread, span: Span, visit: (at: Pa, offset: number, count: number) => void): ErrorName {
  assert(span.sizeBytes <= COPY_SIZE_MAX, 'a copy is longer than any call allows');
  if (span.sizeBytes === 0) return 'ARGUMENT_SIZE';
  if (span.address + BigInt(span.sizeBytes) > 0x1_0000_0000_0000_0000n) return 'ADDR_OVERFLOW';
  for (let offset = 0; offset < span.sizeBytes;) {
    const address = span.address + BigInt(offset);
    const count = Math.min(4096 - Number(address & 0xfffn), span.sizeBytes - offset);
    const at = translate(kernel, thread, address, span.direction);
    if (typeof at === 'string') return at;
    visit(at, offset, count);
    offset += count;
  }
  return 'OK';
}

function translate(kernel: Kernel, thread: Thread, address: bigint, direction: Direction): Pa | ErrorName {
  if (thread.engineVcpu === undefined) return translateIpa(kernel, thread, address, direction);
  const walk = kernel.engine.translate(thread.engineVcpu, va(address), 'both', 1);
  if (!walk.ok) {
    if (walk.stage === 1) return 'ARGUMENT_INVALID';
    return walk.fault === 'permission' ? 'DENIED' : 'ADDR_INVALID';
  }
  if (!(direction === 'read' ? walk.readable : walk.writable)) {
    const second = kernel.engine.translate(thread.engineVcpu, ipa(walk.ipa), 2);
    return second.ok && (direction === 'read' ? second.readable : second.writable) ? 'ARGUMENT_INVALID' : 'DENIED';
  }
  return walk.isRam && kernel.engine.memory.contains(walk.pa, 1) ? walk.pa : 'ADDR_INVALID';
}

/** Memory of a VM or of the machine, by the addresses that the client uses: what requests and expressions read and write. */

import { pa, va, type Pa } from '../runtime/index';
import type { Session } from './session';
import type { SpacedAddress } from './variables/references';

/** Bytes of any address space, as many as there are. */
export function readBytes(session: Session, { vm, space, address }: SpacedAddress, sizeBytes: number): Uint8Array {
  const { system } = session.debuggee.target;
  if (space === 'pa') return system.readPhysical(pa(address), sizeBytes);
  const vcpu = session.references.vcpuOfVm(vm);
  return space === 'ipa' ? system.readIntermediate(vcpu, address, sizeBytes) : system.readVirtual(vcpu, va(address), sizeBytes);
}

/** Writes bytes, as far as there is RAM; how many were written. History branches if this is the past. */
export function writeBytes(session: Session, address: SpacedAddress, bytes: Uint8Array): number {
  const { target } = session.requireStopped();
  const pieces = piecesOf(session, address, bytes.length);
  let done = 0;
  if (pieces.length > 0) target.branch();
  for (const piece of pieces) {
    target.system.writePhysical(piece.address, bytes.subarray(done, done + piece.sizeBytes));
    done += piece.sizeBytes;
  }
  return done;
}

/** The RAM behind a range, up to where it ends. */
export function piecesOf(session: Session, { vm, space, address }: SpacedAddress, sizeBytes: number): readonly { readonly address: Pa; readonly sizeBytes: number }[] {
  const { system } = session.debuggee.target;
  return space === 'pa' ? system.clipToRam(address, sizeBytes) : system.physicalPieces(session.references.vcpuOfVm(vm), address, sizeBytes, space === 'ipa' ? 2 : 'both');
}

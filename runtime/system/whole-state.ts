/**
 * The whole state of a system as plain data, to be kept outside and put into another instance of the same system: registers, objects, devices,
 * memory that ever held something, and what the consoles printed. What led to it (checkpoints, journal, trace) stays behind: history begins anew.
 */

import { assert } from '../base/assert';
import { err, ok, type Result } from '../base/result';
import { StateHash } from './state-hash';
import type { SystemDescription } from './description';
import type { System } from './system';

const PAGE_SIZE = 4096;
/**
 * What states are made of. Raise it when a component saves something else than before: a file with another number is refused by name, one that
 * slipped through by its hash.
 */
export const STATE_VERSION = 2;

/** The state. `fingerprint` says of which system it is. */
export interface WholeState {
  readonly kind: 'whole-system';
  readonly version: typeof STATE_VERSION;
  readonly fingerprint: string;
  readonly stateHash: string;
  readonly tick: number;
  readonly saved: unknown;
  readonly consoles: readonly { readonly text: Uint8Array; readonly position: number }[];
  readonly pages: readonly { readonly index: number; readonly bytes: Uint8Array }[];
}

/** What makes two systems the same: everything that the description gives them, disks by size. */
export function systemFingerprint({ platform, identity, vms, semihosting, services }: SystemDescription): string {
  const hash = new StateHash();
  hash.value({ platform, identity, semihosting, services });
  for (const { image, virtio, firmware, ...vm } of vms) {
    const segments = image.segments.map(({ address, bytes, sizeInMemory }) => ({ address, bytes, sizeInMemory }));
    hash.value({ vm: { ...vm, imageName: '' }, kind: image.kind, segments, firmware, networks: virtio?.networks, disks: virtio?.disks.map(({ image: disk, isReadOnly }) => ({ sizeBytes: disk.sizeBytes, isReadOnly })) });
  }
  return hash.digest();
}

/** Takes the state of a system that stands still. */
export function saveWhole(system: System): WholeState {
  const pages = system.touchedPages().map((index) => ({ index, bytes: system.readPage(index) })).filter(({ bytes }) => bytes.some((byte) => byte !== 0));
  return {
    kind: 'whole-system', version: STATE_VERSION, fingerprint: systemFingerprint(system.description), stateHash: system.stateHash(), tick: system.now,
    saved: { ...system.save(), journal: 0 }, consoles: system.consoles.map(({ transcript }) => ({ text: transcript.text(), position: transcript.position })), pages,
  };
}

/**
 * Puts a state into a system of the same description that has not run. A sentence if what came in is not what was saved, because the version
 * that saved it kept something else; the system is of no use then.
 */
export function restoreWhole(system: System, state: WholeState): Result<undefined, string> {
  assert(state.fingerprint === systemFingerprint(system.description), 'a state goes into a system of its own description');
  try {
    putBack(system, state);
    if (system.stateHash() === state.stateHash) return ok(undefined);
  } catch {
    // A part that is missing or of another shape ends in an assertion of whoever takes it.
  }
  return err('a version of this program saved it that kept other things of the state');
}

function putBack(system: System, state: WholeState): void {
  const kept = new Set(state.pages.map(({ index }) => index));
  const zeros = new Uint8Array(PAGE_SIZE);
  for (const index of system.touchedPages()) if (!kept.has(index)) system.restorePage(index, zeros);
  for (const { index, bytes } of state.pages) system.restorePage(index, bytes);
  state.consoles.forEach(({ text, position }, index) => { system.consoles[index]?.transcript.adopt(text, position); });
  system.adopt(state.saved, [...kept]);
}

/**
 * Snapshot files: the whole state of a session's system.
 *
 *     0 "GUNYAHSN" | 8 checksum of what follows, 16 hexadecimal digits | 24 the state, as `plain-codec.ts` writes it
 */

import { err, ok, StateHash, STATE_VERSION, systemFingerprint, type Result, type SystemDescription, type WholeState } from '../../runtime/index';
import { decodePlain, encodePlain } from './plain-codec';

const MAGIC = 'GUNYAHSN';
const HEADER_BYTES = 24;

/** The bytes of a file with a state. */
export function encodeSnapshot(state: WholeState): Uint8Array {
  const body = encodePlain(state);
  const file = new Uint8Array(HEADER_BYTES + body.length);
  file.set(new TextEncoder().encode(`${MAGIC}${checksum(body)}`));
  file.set(body, HEADER_BYTES);
  return file;
}

/** The state in a file, if it is whole and of this system; a sentence otherwise. */
export function decodeSnapshot(file: Uint8Array, description: SystemDescription): Result<WholeState, string> {
  const header = new TextDecoder('latin1').decode(file.subarray(0, HEADER_BYTES));
  if (!header.startsWith(MAGIC)) return err('it is no snapshot');
  const body = file.subarray(HEADER_BYTES);
  if (header.slice(MAGIC.length) !== checksum(body)) return err('it is damaged or cut off');
  const decoded = decodePlain(body);
  if (!decoded.ok) return decoded;
  if (!isWholeState(decoded.value)) return err(versionProblem(decoded.value));
  return decoded.value.fingerprint === systemFingerprint(description) ? ok(decoded.value) : err('it is of another system: images, memory, vCPUs or settings differ');
}

function checksum(body: Uint8Array): string {
  const hash = new StateHash();
  hash.bytes(body);
  return hash.digest();
}

function isWholeState(value: unknown): value is WholeState {
  return versionOf(value) === STATE_VERSION;
}

function versionOf(value: unknown): number | undefined {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'whole-system' && 'version' in value && typeof value.version === 'number' ? value.version : undefined;
}

function versionProblem(value: unknown): string {
  const version = versionOf(value);
  if (version === undefined) return 'what it holds is no state of a system';
  const whose = version < STATE_VERSION ? 'an older' : 'a newer';
  return `${whose} version of this program saved it: its state has version ${version}, and this program reads version ${STATE_VERSION}. Restore it with the version that saved it, or run the system to that point again and save a new one`;
}

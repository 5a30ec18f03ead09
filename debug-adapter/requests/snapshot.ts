/** `gunyah/snapshot`: the whole state of the session in a file, and back. */

import { saveWhole } from '../../runtime/index';
import { AdapterError } from '../errors';
import type { CustomRequestBody } from '../protocol/index';
import type { Session } from '../session';
import { decodeSnapshot, encodeSnapshot } from '../snapshot/file';
import { textOf, type Arguments } from './arguments';
import { goOnFrom } from './lifecycle';

const COMMAND = 'gunyah/snapshot';

/** Saves at once, running or not; restores when the system stands still, and stands still there. */
export async function snapshot(session: Session, args: Arguments): Promise<CustomRequestBody<'gunyah/snapshot'>> {
  const action = textOf(args, 'action', COMMAND);
  const path = textOf(args, 'path', COMMAND);
  switch (action) {
    case 'save': return save(session, path);
    case 'restore': return restore(session, path);
    default: throw new AdapterError('badArguments', { command: COMMAND, problem: '"action" must be save or restore.' });
  }
}

async function save(session: Session, path: string): Promise<CustomRequestBody<'gunyah/snapshot'>> {
  const state = saveWhole(session.debuggee.target.system);
  const file = encodeSnapshot(state);
  const written = await session.host.writeFile(path, file);
  if (!written.ok) throw new AdapterError('cannotWrite', { path, problem: written.error });
  return { action: 'save', path, sizeBytes: file.length, tick: state.tick, stateHash: state.stateHash };
}

async function restore(session: Session, path: string): Promise<CustomRequestBody<'gunyah/snapshot'>> {
  const { target } = session.requireStopped();
  const read = await session.host.readFile(path);
  if (!read.ok) throw new AdapterError('cannotRestore', { path, problem: read.error });
  const state = decodeSnapshot(read.value, target.system.description);
  if (!state.ok) throw new AdapterError('cannotRestore', { path, problem: state.error });
  await goOnFrom(session, state.value);
  const { tick, stateHash } = state.value;
  return { action: 'restore', path, sizeBytes: read.value.length, tick, stateHash };
}

/** Commands of the debug console that write and read files: `snapshot` and `trace`. */

import { exportTrace } from '../requests/trace-export';
import { snapshot } from '../requests/snapshot';
import type { Session } from '../session';
import type { Command } from './command';

/** A path as typed: words with spaces between them, relative to where the session was started. */
function pathOf(session: Session, words: readonly string[]): string {
  return session.host.resolvePath(session.debuggee.launch.cwd ?? '.', words.join(' '));
}

/** Saves and restores the session. */
export const SNAPSHOT_COMMAND: Command = {
  name: 'snapshot', verbs: ['save', 'restore'], usage: 'snapshot save|restore FILE', summary: 'Saves the whole state of the session, or goes on from a saved one.',
  run: async (session, [action = '', ...words]) => {
    const { path, tick, stateHash } = await snapshot(session, { action, path: pathOf(session, words) });
    return `${action === 'save' ? 'saved to' : 'restored from'} ${path}: tick ${tick}, state ${stateHash}`;
  },
};

/** Writes the trace. */
export const TRACE_COMMAND: Command = {
  name: 'trace', verbs: ['export'], usage: 'trace export jsonl|perfetto|pcapng FILE', summary: 'Writes the trace to a file, for scripts, Perfetto or Wireshark.',
  run: async (session, [, format = '', ...words]) => {
    const { events, path, sizeBytes } = await exportTrace(session, { format, path: pathOf(session, words) });
    return `${events} events, ${sizeBytes} bytes in ${path ?? ''}`;
  },
};

/** Commands of the debug console that write and read files: `snapshot` and `trace`. */

import { AdapterError } from '../errors';
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
  name: 'trace', verbs: ['export', 'dump'], usage: 'trace export jsonl|perfetto|pcapng FILE, or trace dump FILE', summary: 'Writes the trace to a file, for scripts, Perfetto or Wireshark; or the hypervisor\'s own trace buffers, for its decoder.',
  run: async (session, [verb, ...more]) => {
    if (verb === 'dump') return dumpTrace(session, pathOf(session, more));
    const [format = '', ...words] = more;
    const { events, path, sizeBytes } = await exportTrace(session, { format, path: pathOf(session, words) });
    return `${events} events, ${sizeBytes} bytes in ${path ?? ''}`;
  },
};

async function dumpTrace(session: Session, path: string): Promise<string> {
  const bytes = session.debuggee.target.system.inspection.traceMemory();
  if (bytes === undefined) throw new AdapterError('badArguments', { command: 'trace dump', problem: 'this machine has no hypervisor.' });
  const written = await session.host.writeFile(path, bytes);
  if (!written.ok) throw new AdapterError('cannotWrite', { path, problem: written.error });
  return `${bytes.length} bytes in ${path}`;
}

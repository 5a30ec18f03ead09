/**
 * Debug Adapter Protocol messages as they pass a tracker: foreign data, looked at field by field.
 *
 * Answers one question: does this message start or stop execution?
 */

/** What a message says about execution. */
export type RunChange =
  | { readonly kind: 'running' }
  | { readonly kind: 'stopped'; readonly threadId: number | undefined }
  | { readonly kind: 'ended' };

/** True for a plain object whose fields may be read. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

const RUN_COMMANDS = new Set(['continue', 'next', 'stepIn', 'stepOut', 'stepBack', 'reverseContinue', 'restart', 'configurationDone', 'goto', 'gunyah/seek', 'gunyah/lastWrite']);

/** Looks at a message from the editor to the adapter. */
export function changeByRequest(message: unknown): RunChange | undefined {
  if (!isRecord(message) || message['type'] !== 'request') return undefined;
  const { command } = message;
  return typeof command === 'string' && RUN_COMMANDS.has(command) ? { kind: 'running' } : undefined;
}

/** Looks at a message from the adapter to the editor. */
export function changeByAdapter(message: unknown): RunChange | undefined {
  if (!isRecord(message)) return undefined;
  if (message['type'] === 'response') return changeByResponse(message);
  if (message['type'] !== 'event') return undefined;
  const body = isRecord(message['body']) ? message['body'] : {};
  switch (message['event']) {
    case 'stopped': return { kind: 'stopped', threadId: typeof body['threadId'] === 'number' ? body['threadId'] : undefined };
    case 'continued': return { kind: 'running' };
    case 'terminated': return { kind: 'ended' };
    default: return undefined;
  }
}

/** A refused step leaves the system where it stood. */
function changeByResponse(message: Readonly<Record<string, unknown>>): RunChange | undefined {
  const { command, success } = message;
  const refused = success === false && typeof command === 'string' && RUN_COMMANDS.has(command) && command !== 'configurationDone';
  return refused ? { kind: 'stopped', threadId: undefined } : undefined;
}

/** The words of an error. */
export function messageOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

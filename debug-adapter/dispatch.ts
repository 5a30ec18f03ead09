/** Carries out requests: each is one row of the table in `requests/`, and gets exactly one response. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { AdapterError, asAdapterError } from './errors';
import { REQUESTS } from './requests/table';
import type { Session } from './session';

/** Takes one request. Never throws. */
export async function dispatch(session: Session, request: DebugProtocol.Request): Promise<void> {
  const { command } = request;
  try {
    const handler = Object.hasOwn(REQUESTS, command) ? REQUESTS[command] : undefined;
    if (handler === undefined) throw new AdapterError('unknownCommand', { command });
    const body: unknown = await handler(session, argumentsOf(request.arguments));
    session.respond(request, true, { body });
  } catch (problem) {
    const error = asAdapterError(problem);
    session.respond(request, false, { message: error.message, body: error.body });
  }
  session.runFollowUps();
  if (command === 'disconnect' || command === 'terminate') await session.leave(command);
}

/** The arguments of a request as an object, whatever was sent. */
export function argumentsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/**
 * A debug session over a message port, as in a Web Worker: each message is one DAP message as an object, with no framing. Needs nothing of Node;
 * whoever embeds it brings the `Host`.
 */

import type { Host } from './host';
import { Inbox } from './inbox';
import { Session } from './session';

/** The part of a `MessagePort` that is used. */
export interface Port {
  postMessage(message: unknown): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
}

/** Runs one session over a port. `onEnd` is called when the client has disconnected. */
export function serveMessagePort(port: Port, host: Host, onEnd: () => void): Session {
  const session = new Session(host, (message) => { port.postMessage(message); });
  const inbox = new Inbox(session);
  session.onEnd = onEnd;
  port.onmessage = ({ data }) => { inbox.receive(data); };
  return session;
}

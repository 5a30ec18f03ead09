/** Serves debug sessions over stdio or a loopback port: the entry of `gunyah dap`. */

import { createServer, type Server } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { frame, FrameReader } from './connection';
import { Inbox } from './inbox';
import { nodeHost } from './node-host';
import { Session } from './session';

/** Runs one session over a pair of byte streams. `onEnd` is called when the client has disconnected. */
export function serveStreams(input: Readable, output: Writable, onEnd: () => void): Session {
  const session = new Session(nodeHost, (message) => { if (!output.writableEnded) output.write(frame(message)); });
  const inbox = new Inbox(session);
  const reader = new FrameReader((body) => { inbox.receiveText(body); }, (problem) => { inbox.problem(problem); });
  // The last answer must have left before the process may end.
  session.onEnd = () => { if (output.writableEnded) onEnd(); else output.write('', onEnd); };
  input.on('data', (chunk: Uint8Array) => { reader.push(chunk); });
  input.on('end', () => { session.release(); onEnd(); });
  output.on('error', () => { session.release(); });
  return session;
}

/** Listens on a loopback port; each connection is a session of its own. Port 0 chooses a free one. */
export function servePort(port: number, onListening: (port: number) => void): Server {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => { socket.destroy(); });
    serveStreams(socket, socket, () => { socket.end(); });
  });
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    onListening(typeof address === 'object' && address !== null ? address.port : port);
  });
  return server;
}

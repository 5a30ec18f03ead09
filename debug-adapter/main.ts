/** Serves debug sessions over stdio or a loopback port: the entry of `gunyah dap`. */

import { createServer, type Server } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { frame, FrameReader, isRequest } from './connection';
import { nodeHost } from './node-host';
import { Session } from './session';

/** Runs one session over a pair of byte streams. `onEnd` is called when the client has disconnected. */
export function serveStreams(input: Readable, output: Writable, onEnd: () => void): Session {
  const session = new Session(nodeHost, (message) => { output.write(frame(message)); });
  let queue = Promise.resolve();
  const reader = new FrameReader((body) => {
    const message = parseBody(body);
    if (message === undefined) session.output('The adapter got a message that is not JSON or no request; it was ignored.\n', 'important');
    else queue = queue.then(() => session.handle(message));
  }, (problem) => { session.output(`The adapter ${problem}.\n`, 'important'); });
  session.onEnd = onEnd;
  input.on('data', (chunk: Uint8Array) => { reader.push(chunk); });
  input.on('end', () => { void queue.then(() => { session.release(); onEnd(); }); });
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

function parseBody(body: string): Parameters<Session['handle']>[0] | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isRequest(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

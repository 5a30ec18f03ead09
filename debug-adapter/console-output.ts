/**
 * Brings what guests print to the client: as `gunyah/console` events for terminals, or as `output` events for clients that
 * have none. Text is coalesced per slice; a character cut by a slice is kept for the next.
 */

import type { Session } from './session';

/** Output of all consoles of a session. */
export class ConsoleOutput {
  private readonly session: Session;
  private readonly decoders = new Map<string, InstanceType<typeof TextDecoder>>();

  constructor(session: Session) {
    this.session = session;
  }

  /** Sends what was printed since the last call. */
  flush(): void {
    const debuggee = this.session.debuggeeIfAny;
    if (debuggee === undefined) return;
    const { consoles } = debuggee.target.system;
    for (const { vm, transcript } of consoles) {
      const bytes = transcript.drain();
      if (bytes.length === 0) continue;
      const text = this.decoder(vm).decode(bytes, { stream: true });
      if (text === '') continue;
      if (this.usesTerminals) this.session.customEvent('gunyah/console', { vm, text });
      else this.session.output(consoles.length > 1 ? prefixLines(vm, text) : text, 'stdout');
    }
  }

  private get usesTerminals(): boolean {
    const wanted = this.session.debuggeeIfAny?.launch.consoles;
    return wanted === undefined ? this.session.client.clientID === 'vscode' : wanted === 'terminal';
  }

  private decoder(vm: string): InstanceType<typeof TextDecoder> {
    let decoder = this.decoders.get(vm);
    if (decoder === undefined) {
      decoder = new TextDecoder();
      this.decoders.set(vm, decoder);
    }
    return decoder;
  }
}

function prefixLines(vm: string, text: string): string {
  return text.replace(/^(?=.)/gm, `[${vm}] `);
}

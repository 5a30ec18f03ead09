/**
 * One debug session in the order in which VS Code sends its requests, against a transcript kept beside this file. After a wanted change:
 * `UPDATE_EXPECT=1`, then read the difference.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { guestElf } from '../support/guest-build';
import { type Debugging, debugging, guestLaunch } from './debugging';

const TRANSCRIPT = join(__dirname, 'f5.transcript.txt');
const REPOSITORY = resolve(__dirname, '..', '..');
const TEXT_MAX = 400;

/** Addresses, numbers of bytes and paths depend on the compiler and the machine. */
function settled(value: unknown): string {
  const text = JSON.stringify(value).replaceAll(REPOSITORY, '$REPOSITORY')
    .replace(/0x[0-9a-f]{5,16}/g, '0x…').replace(/"tick":\d+/g, '"tick":…').replace(/"(line|column)":\d{2,}/g, '"$1":…').replace(/"value":"\d{4,}"/g, '"value":"…"');
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

class Transcript {
  readonly lines: string[] = [];
  private shownEvents = 0;
  private readonly session: Debugging;

  constructor(session: Debugging) {
    this.session = session;
  }

  /** Sends a request and writes down the request, the events before its answer, and the answer. */
  async request(command: string, args: Record<string, unknown>): Promise<Readonly<Record<string, unknown>>> {
    this.lines.push(`→ ${command} ${settled(args)}`);
    const body = await this.session.send(command, args);
    this.events();
    this.lines.push(`← ${command} ${settled(body)}`);
    return body;
  }

  /** Waits for an event and writes down all events so far. */
  async event(name: string): Promise<Readonly<Record<string, unknown>>> {
    const { body } = await this.session.client.waitForEvent(name);
    this.events();
    return body;
  }

  private events(): void {
    const { log } = this.session.client;
    // Whether a journey is long enough to show its progress depends on the machine.
    const shown = log.slice(this.shownEvents).filter(({ event }) => !event.startsWith('progress'));
    for (const { event, body } of shown) this.lines.push(`  ⚑ ${event} ${settled(body)}`);
    this.shownEvents = log.length;
  }
}

/** What VS Code asks after every stop: threads, the innermost frame, twenty frames, scopes, and the variables of the cheap ones. */
async function look(transcript: Transcript, threadId: unknown): Promise<void> {
  await transcript.request('threads', {});
  const top = await transcript.request('stackTrace', { threadId, startFrame: 0, levels: 1 });
  await transcript.request('stackTrace', { threadId, startFrame: 1, levels: 19 });
  const [frame] = records(top['stackFrames']);
  const { scopes } = await transcript.request('scopes', { frameId: frame?.['id'] });
  for (const scope of records(scopes)) {
    if (scope['expensive'] !== true && scope['name'] !== 'Registers') await transcript.request('variables', { variablesReference: scope['variablesReference'] });
  }
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map((one: unknown) => ({ ...(typeof one === 'object' ? one : {}) })) : [];
}

test('an F5 session in the order of VS Code is as in the transcript', async (context) => {
  const session = debugging(context);
  const transcript = new Transcript(session);
  await transcript.request('initialize', {
    clientID: 'vscode', clientName: 'Visual Studio Code', adapterID: 'gunyah', pathFormat: 'path', linesStartAt1: true, columnsStartAt1: true, supportsVariableType: true,
    supportsVariablePaging: true, supportsRunInTerminalRequest: true, locale: 'en', supportsProgressReporting: true, supportsInvalidatedEvent: true,
    supportsMemoryReferences: true, supportsArgsCanBeInterpretedByShell: true, supportsMemoryEvent: true, supportsStartDebuggingRequest: true, supportsANSIStyling: true,
  });
  await transcript.request('launch', { type: 'gunyah', request: 'launch', name: 'Debug', ...guestLaunch('nested-structs-o0'), __sessionId: 'session' });
  await transcript.event('initialized');
  const source = { name: 'nested-structs.c', path: join(REPOSITORY, 'test/fixtures/guests/nested-structs.c') };
  const line = readFileSync(source.path, 'utf8').split('\n').findIndex((text) => text.includes('copy.x += 100;')) + 1;
  await transcript.request('setBreakpoints', { source, breakpoints: [{ line }], sourceModified: false });
  await transcript.request('setFunctionBreakpoints', { breakpoints: [{ name: 'nothing_of_that_name' }, { name: 'hvc:msgqueue_sent' }] });
  await transcript.request('setInstructionBreakpoints', { breakpoints: [] });
  await transcript.request('setExceptionBreakpoints', { filters: ['stage2-fault'], filterOptions: [] });
  await transcript.request('configurationDone', {});
  const stopped = await transcript.event('stopped');
  await look(transcript, stopped['threadId']);
  await transcript.request('next', { threadId: stopped['threadId'] });
  await look(transcript, (await transcript.event('stopped'))['threadId']);
  await transcript.request('stepBack', { threadId: stopped['threadId'] });
  await transcript.event('stopped');
  await transcript.request('setBreakpoints', { source, breakpoints: [], sourceModified: false });
  await transcript.request('continue', { threadId: stopped['threadId'] });
  await transcript.event('terminated');
  await transcript.request('disconnect', { restart: false, terminateDebuggee: true });
  checkTranscript(transcript.lines);
});

function checkTranscript(lines: readonly string[]): void {
  assert.ok(guestElf('nested-structs-o0') !== '');
  const text = `${lines.join('\n')}\n`;
  if (process.env['UPDATE_EXPECT'] === '1') writeFileSync(TRANSCRIPT, text);
  assert.equal(text, readFileSync(TRANSCRIPT, 'utf8'));
}

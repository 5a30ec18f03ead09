/** Every message that a request can fail with: a stable id, the text, and whether the user should see it as a notification. */

import type { DebugProtocol } from '@vscode/debugprotocol';

const CATALOGUE = {
  launchFailed: { id: 1001, text: '{problems}', showUser: true },
  notLaunched: { id: 1002, text: 'Nothing is being debugged yet. Send "launch" or "attach" first.', showUser: false },
  launchArguments: { id: 1003, text: 'The launch configuration needs exactly one of "program" and "system".', showUser: true },
  launchArgument: { id: 1006, text: 'The launch configuration\'s "{name}" must be {expected}, not {found}.', showUser: true },
  launchedTwice: { id: 1004, text: 'This session already runs a system. Use "restart", or start another session.', showUser: true },
  attachUnsupported: { id: 1005, text: 'Say what to debug: give "program" or "system" together with the port of the running adapter.', showUser: true },
  running: { id: 1101, text: 'The system is running. Pause it first.', showUser: false },
  unknownThread: { id: 1102, text: 'There is no thread {thread}.', showUser: false },
  unknownFrame: { id: 1103, text: 'That stack frame is gone: the system has moved on since it was shown.', showUser: false },
  unknownReference: { id: 1104, text: 'That variable is gone: the system has moved on since it was shown.', showUser: false },
  noHistory: { id: 1105, text: 'History is off. Set "reverse" to true in the launch configuration to step back.', showUser: true },
  noFrameEntry: { id: 1106, text: 'The beginning of this frame lies before the beginning of history, or its code has no symbols.', showUser: true },
  unknownTarget: { id: 1107, text: 'That place is not offered any more: the system has moved on since.', showUser: false },
  gotoElsewhere: { id: 1108, text: 'A jump must stay inside the current function, and {place} is not in {function}.', showUser: true },
  noThreadEnd: { id: 1109, text: 'A vCPU cannot be ended alone. Stop the session, or let the guest switch the vCPU off.', showUser: true },
  unknownCommand: { id: 1201, text: 'The adapter has no request "{command}".', showUser: false },
  badArguments: { id: 1202, text: '"{command}": {problem}', showUser: false },
  expression: { id: 1301, text: '{problem}', showUser: false },
  notWritable: { id: 1302, text: 'Cannot change this: {problem}', showUser: true },
  badAddress: { id: 1303, text: '"{address}" is no address. Write vm:va:0x…, vm:ipa:0x… or pa:0x….', showUser: false },
  unknownVm: { id: 1304, text: 'There is no virtual machine {vm}.', showUser: false },
  unknownSource: { id: 1305, text: 'The source file is not where the program was built from. Get the sources of this build, and say in "sourceMap" where they are.', showUser: false },
  noLocation: { id: 1306, text: 'No source line is known for {address}.', showUser: false },
  cannotWrite: { id: 1308, text: 'Cannot write {path}: {problem}.', showUser: true },
  cannotRestore: { id: 1309, text: 'Cannot restore {path}: {problem}.', showUser: true },
  serviceRefused: { id: 1307, text: '{errno} ({number}): {problem}.', showUser: false },
  cancelled: { id: 1401, text: 'cancelled', showUser: false },
  internal: { id: 1900, text: 'The adapter made a mistake: {problem}. Please report it with the steps that led here.', showUser: true },
} as const satisfies Record<string, { readonly id: number; readonly text: string; readonly showUser: boolean }>;

/** Key of a message. */
export type AdapterErrorKey = keyof typeof CATALOGUE;

/** A request failed in a way the catalogue knows. Thrown by request handlers only; the session turns it into an error response. */
export class AdapterError extends Error {
  readonly key: AdapterErrorKey;
  readonly variables: Readonly<Record<string, string>>;

  constructor(key: AdapterErrorKey, variables: Readonly<Record<string, string>> = {}) {
    super(fill(CATALOGUE[key].text, variables));
    this.key = key;
    this.variables = variables;
  }

  /** The error as DAP sends it. */
  get body(): { error: DebugProtocol.Message } {
    const { id, text, showUser } = CATALOGUE[this.key];
    return { error: { id, format: text, variables: { ...this.variables }, showUser } };
  }
}

function fill(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => variables[name] ?? whole);
}

/** Whatever was thrown, as an error that a request can fail with. */
export function asAdapterError(problem: unknown): AdapterError {
  if (problem instanceof AdapterError) return problem;
  return new AdapterError('internal', { problem: problem instanceof Error ? problem.stack ?? problem.message : String(problem) });
}

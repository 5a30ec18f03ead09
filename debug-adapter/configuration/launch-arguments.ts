/** Checks the arguments of `launch` and `attach`, which a user wrote by hand. What is inside a system is checked with the system. */

import { AdapterError } from '../errors';
import type { LaunchArguments } from '../protocol/index';

type Kind = 'text' | 'boolean' | 'record' | 'list' | 'text or record' | 'history' | 'consoles';

const KINDS = {
  program: 'text', system: 'text or record', cwd: 'text', stopOnEntry: 'boolean', symbols: 'list', sourceMap: 'record', trace: 'text',
  semihosting: 'boolean', reverse: 'history', consoles: 'consoles', noDebug: 'boolean',
} as const satisfies Record<keyof LaunchArguments, Kind>;

const EXPECTED: Readonly<Record<Kind, string>> = {
  text: 'a text', boolean: 'true or false', record: 'an object whose values are texts', list: 'a list of files, or of objects with "file" and "vm"',
  'text or record': 'the path of a system file or a system', history: 'true, false, or a size such as "512M"', consoles: '"terminal" or "debugConsole"',
};

/** The arguments, checked; throws the error that tells what is wrong. Properties of others, such as the editor's, are let through. */
export function launchArguments(args: Readonly<Record<string, unknown>>): LaunchArguments {
  for (const [name, kind] of Object.entries(KINDS)) {
    if (args[name] === undefined || args[name] === null || isOfKind(args[name], kind)) continue;
    throw new AdapterError('launchArgument', { name, expected: EXPECTED[kind], found: JSON.stringify(args[name]).slice(0, 100) });
  }
  const present = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null && value !== ''));
  if ((present['program'] === undefined) === (present['system'] === undefined)) throw new AdapterError('launchArguments');
  return present;
}

function isOfKind(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'text': return typeof value === 'string';
    case 'boolean': return typeof value === 'boolean';
    case 'record': return isRecord(value) && Object.values(value).every((one) => typeof one === 'string');
    case 'list': return Array.isArray(value) && value.every(isSymbolFile);
    case 'text or record': return typeof value === 'string' || isRecord(value);
    case 'history': return typeof value === 'boolean' || typeof value === 'string' || typeof value === 'number';
    case 'consoles': return value === 'terminal' || value === 'debugConsole';
  }
}

function isSymbolFile(value: unknown): boolean {
  if (typeof value === 'string') return true;
  return isRecord(value) && typeof value['file'] === 'string' && (value['vm'] === undefined || typeof value['vm'] === 'string') && (value['slide'] === undefined || typeof value['slide'] === 'string');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

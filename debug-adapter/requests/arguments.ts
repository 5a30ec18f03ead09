/** Reads the arguments of requests, which come from outside and may be anything. */

import { AdapterError } from '../errors';

/** Arguments as they come. */
export type Arguments = Readonly<Record<string, unknown>>;

/** A number that must be there. */
export function numberOf(args: Arguments, name: string, command: string): number {
  const value = args[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new AdapterError('badArguments', { command, problem: `"${name}" must be a number.` });
  return value;
}

/** A number with a default. */
export function numberOr(args: Arguments, name: string, otherwise: number): number {
  const value = args[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}

/** A text that must be there. */
export function textOf(args: Arguments, name: string, command: string): string {
  const value = args[name];
  if (typeof value !== 'string') throw new AdapterError('badArguments', { command, problem: `"${name}" must be text.` });
  return value;
}

/** A text, or undefined. */
export function textOr(args: Arguments, name: string): string | undefined {
  const value = args[name];
  return typeof value === 'string' ? value : undefined;
}

/** A list of objects; absent means empty, other elements are dropped. */
export function listOf(args: Arguments, name: string): Arguments[] {
  const value = args[name];
  return Array.isArray(value) ? value.filter(isArguments) : [];
}

/** An object, or undefined. */
export function objectOr(args: Arguments, name: string): Arguments | undefined {
  const value = args[name];
  return isArguments(value) ? value : undefined;
}

function isArguments(value: unknown): value is Arguments {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

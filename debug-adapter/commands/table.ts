/** Commands of the debug console. What begins with a command's name and one of its verbs is a command; everything else is an expression. */

import type { Session } from '../session';
import type { Command } from './command';
import { SNAPSHOT_COMMAND, TRACE_COMMAND } from './files';
import { SMCCC_COMMAND } from './smccc';

/** All commands. */
export const COMMANDS: readonly Command[] = [SMCCC_COMMAND, SNAPSHOT_COMMAND, TRACE_COMMAND];

/** Carries a command out; undefined if the text is none. */
export function runCommand(session: Session, text: string): string | Promise<string> | undefined {
  const [name, ...words] = text.trim().split(/\s+/);
  const command = COMMANDS.find((one) => one.name === name);
  return command?.verbs.includes(words[0] ?? '') === true ? command.run(session, words) : undefined;
}

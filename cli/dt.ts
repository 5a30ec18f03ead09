/** `gunyah dt`: device trees checked, compiled, decompiled, merged and formatted without an editor. Each subcommand has a module of its own kind. */

import { checkCommand } from './dt-check';
import { applyCommand, compileCommand, decompileCommand, mergeCommand } from './dt-convert';
import { formatCommand } from './dt-format';
import { complain } from './dt-files';
import { DT_COMMAND_USAGE, DT_USAGE, DT_USAGE_NOTES, type DtCommandName } from './dt-usage';

const COMMANDS: Readonly<Record<DtCommandName, (words: readonly string[]) => number>> = {
  check: checkCommand, compile: compileCommand, decompile: decompileCommand, apply: applyCommand, merge: mergeCommand, format: formatCommand,
};

/** Does one subcommand; the exit status. */
export function dtCommand(words: readonly string[]): number {
  const [name = '', ...rest] = words;
  if (name === '--help' || name === '-h' || name === 'help') return help(DT_USAGE);
  if (!isCommand(name)) return complain(`${name === '' ? 'Say what to do with device trees.' : `There is no command "dt ${name}".`}\nUsage:\n${DT_USAGE}`);
  const end = rest.indexOf('--');
  if (rest.slice(0, end < 0 ? rest.length : end).some((word) => word === '--help' || word === '-h')) return help(DT_COMMAND_USAGE[name]);
  try {
    return COMMANDS[name](rest);
  } catch (problem) {
    // What no limit has caught: the host's own, on texts, lists and calls within each other.
    if (problem instanceof RangeError) return complain(`dt ${name}: The input is too large or nested too deep: ${problem.message}.`);
    throw problem;
  }
}

function isCommand(name: string): name is DtCommandName {
  return Object.hasOwn(COMMANDS, name);
}

function help(usage: string): number {
  process.stdout.write(`Usage:\n${usage}\n\n${DT_USAGE_NOTES}\n`);
  return 0;
}

/** `gunyah dt`: device trees checked, compiled, decompiled, merged and formatted without an editor. Each subcommand has a module of its own kind. */

import { checkCommand } from './dt-check';
import { applyCommand, compileCommand, decompileCommand } from './dt-convert';
import { formatCommand } from './dt-format';
import { complain } from './dt-files';

/** What the help says of `gunyah dt`. */
export const DT_USAGE = `  gunyah dt check FILE... [options]       check device trees, source or blobs
      --bindings DIR              check against the bindings below a folder, too; several may be given
      --include DIR, -i DIR       search a folder for included files; several may be given
      -W NAME, -E NAME, --no NAME tell a check of dtc as warning, as error, or not (also -W no-NAME, -E no-NAME)
      --undocumented              report compatible strings that no binding knows
      --rm GENERATION             which RM reads VM configurations: open-2023 (else), newer, or none to leave its rules out
      --trust KIND                whether the platform trusts the VM: trusted, untrusted, or unknown
      --json | --sarif            print a list of objects, or SARIF 2.1.0
      --verbose                   say which bindings cannot be used
  gunyah dt compile FILE [-o OUT] [-@] [-b CPU] [--include DIR]
                                  source to blob; -@ keeps labels as symbols
  gunyah dt decompile FILE [-o OUT]       blob to source
  gunyah dt apply BASE OVERLAY... [-o OUT] [--include DIR]
                                  overlays into a tree, each source or blob
  gunyah dt format FILE... [--check]      Linux style, in place; - is standard input to standard output`;

const COMMANDS: Readonly<Record<string, (words: readonly string[]) => number>> = {
  check: checkCommand, compile: compileCommand, decompile: decompileCommand, apply: applyCommand, format: formatCommand,
};

/** Does one subcommand; the exit status. */
export function dtCommand(words: readonly string[]): number {
  const [name = '', ...rest] = words;
  if (name === '--help' || name === 'help') {
    process.stdout.write(`Usage:\n${DT_USAGE}\n`);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) return complain(`${name === '' ? 'Say what to do with device trees.' : `There is no command "dt ${name}".`}\nUsage:\n${DT_USAGE}`);
  return command(rest);
}

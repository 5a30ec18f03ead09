/** The `gunyah` command: runs and debugs Gunyah systems without an editor. */

import { runCommand } from './run';
import { numberOption, parseArguments } from './arguments';
import { dtCommand } from './dt';
import { DT_USAGE } from './dt-usage';
import { gdbCommand, GDB_USAGE } from './gdb';
import { servePort, serveStreams } from '../debug-adapter/main';
import { dtLspCommand, DT_LSP_USAGE } from './dt-lsp';

const USAGE = `Usage:
  gunyah run TARGET [options]     run an ELF file, an arm64 Image or a system file (*.gunyah.json)
      --max-instructions N        stop after N instructions
      --timeout SECONDS           stop after that much real time
      --trace FILE                write what happens
      --trace-format FORMAT       jsonl (one JSON object a line), perfetto or pcapng
      --dump-trace FILE           write the hypervisor's own trace buffers at the end, for its decoder
      --console VM=FILE           write a VM's console to a file instead of standard output
      --input VM=FILE             type a file into a VM's console
      --tier interpreter|jit|auto how to execute (results are the same)
      --json                      print a summary as one JSON object at the end
  gunyah dap [--port N]           debug adapter on standard input and output, or on a loopback port
${GDB_USAGE}
${DT_USAGE}
${DT_LSP_USAGE}
  gunyah --help | --version

Exit status of run: the guest's own (PSCI SYSTEM_OFF 0, semihosting exit its code), 2 bad usage or input,
3 the platform was reset or a guest does nothing but fault, 4 a limit was reached, 141 nobody reads the output.
Exit status of dt: 0, 1 a tree has errors or a file would change, 2 bad usage or a file that cannot be read or written. More: gunyah dt COMMAND --help`;

const EXIT_USAGE = 2;

async function main(words: readonly string[]): Promise<number | undefined> {
  if (words[0] === 'dt' && words[1] === 'lsp') return dtLspCommand(words.slice(2));
  const [command, ...rest] = words;
  switch (command) {
    case 'run': return runCommand(rest);
    case 'dap': return dapCommand(rest);
    case 'gdb': return gdbCommand(rest);
    case 'dt': return dtCommand(rest);
    case '--version':
      process.stdout.write(`${process.env['GUNYAH_VERSION'] ?? 'development'}\n`);
      return 0;
    case '--help':
    case 'help':
      process.stdout.write(`${USAGE}\n`);
      return 0;
    default:
      process.stderr.write(`${command === undefined ? 'Say what to do.' : `There is no command "${command}".`}\n${USAGE}\n`);
      return EXIT_USAGE;
  }
}

/** Keeps the process alive until the client has gone. */
function dapCommand(words: readonly string[]): number | undefined {
  const parsed = parseArguments(words, { port: { takesValue: true } });
  const port = typeof parsed === 'string' ? parsed : numberOption(parsed, 'port', { min: 0, max: 65535 });
  if (typeof port === 'string') {
    process.stderr.write(`${port}\n`);
    return EXIT_USAGE;
  }
  if (port === undefined) serveStreams(process.stdin, process.stdout, () => { process.exit(0); });
  else servePort(port, (actual) => { process.stderr.write(`Listening on 127.0.0.1:${actual}\n`); }).on('error', (problem) => {
    process.stderr.write(`Cannot listen on port ${port}: ${problem.message}\n`);
    process.exit(EXIT_USAGE);
  });
  return undefined;
}

void main(process.argv.slice(2)).then((code) => { if (code !== undefined) process.exitCode = code; });

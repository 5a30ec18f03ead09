/**
 * `npm run ledger`: what the tables know and the product does not do yet, counted and named. `-- --json` prints the counts alone.
 * Computed from the tables themselves; nobody keeps a list by hand, but for the requests that the Debug Adapter Protocol has.
 */
import { REQUESTS } from '../../debug-adapter/requests/table';
import { notYetHypercalls } from '../../runtime/hypervisor/hypervisor';
import { notYet } from '../../runtime/isa/ledger';
import { notYetRmMessages } from '../../runtime/resource-manager';

/** DAP 1.71: every request that a client may send. */
export const CLIENT_REQUESTS = [
  'cancel', 'initialize', 'configurationDone', 'launch', 'attach', 'restart', 'disconnect', 'terminate', 'breakpointLocations', 'setBreakpoints',
  'setFunctionBreakpoints', 'setExceptionBreakpoints', 'dataBreakpointInfo', 'setDataBreakpoints', 'setInstructionBreakpoints', 'continue', 'next', 'stepIn',
  'stepOut', 'stepBack', 'reverseContinue', 'restartFrame', 'goto', 'pause', 'stackTrace', 'scopes', 'variables', 'setVariable', 'source', 'threads',
  'terminateThreads', 'modules', 'loadedSources', 'evaluate', 'setExpression', 'stepInTargets', 'gotoTargets', 'completions', 'exceptionInfo', 'readMemory',
  'writeMemory', 'disassemble', 'locations',
] as const;

/** What is missing, by table. */
export interface Ledger {
  readonly instructions: readonly string[];
  readonly systemRegisters: readonly string[];
  readonly hypercalls: readonly string[];
  readonly rmMessages: readonly string[];
  readonly dapRequests: readonly string[];
}

/** Reads the tables. An instruction of several encodings counts once per encoding. */
export function readLedger(): Ledger {
  const { instructions, systemRegisters } = notYet();
  return {
    instructions: instructions.map(({ name }) => name),
    systemRegisters: systemRegisters.map(({ name }) => name),
    hypercalls: notYetHypercalls(),
    rmMessages: notYetRmMessages(),
    dapRequests: CLIENT_REQUESTS.filter((name) => REQUESTS[name] === undefined),
  };
}

/** The counts, in the shape that `--json` prints. */
export function ledgerCounts(ledger: Ledger): Readonly<Record<keyof Ledger, number>> {
  return {
    instructions: ledger.instructions.length,
    systemRegisters: ledger.systemRegisters.length,
    hypercalls: ledger.hypercalls.length,
    rmMessages: ledger.rmMessages.length,
    dapRequests: ledger.dapRequests.length,
  };
}

/** The ledger as text: a line per table, its names behind it. */
export function ledgerText(ledger: Ledger): string {
  const part = (title: string, names: readonly string[]): string => `${title}: ${String(names.length)} missing${names.length === 0 ? '' : `\n  ${grouped(names)}`}`;
  return [
    part('Instruction encodings', ledger.instructions),
    part('System registers and instructions', ledger.systemRegisters),
    part('Hypercalls', ledger.hypercalls),
    part('Resource Manager messages', ledger.rmMessages),
    part('DAP requests', ledger.dapRequests),
  ].join('\n');
}

/** What is Undefined to guests as it should be, which nobody misses: one line. */
export function undefinedText(): string {
  const { aboveGuests, inNoOfferedCpu } = notYet();
  return `Rightly Undefined to guests: ${String(aboveGuests.length)} registers and operations of EL2 and EL3, ${String(inNoOfferedCpu.length)} rows of extensions that no offered CPU has`;
}

/** Names once each, with a count where there are several of one name. */
function grouped(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} (${String(count)})`)).join(', ');
}

if (require.main === module) {
  const ledger = readLedger();
  process.stdout.write(`${process.argv.includes('--json') ? JSON.stringify(ledgerCounts(ledger)) : `${ledgerText(ledger)}\n${undefinedText()}`}\n`);
}

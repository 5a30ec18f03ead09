/** The samples run to their end, say what they should, and end in the same state each time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceEvent } from '../../runtime/index';
import { powerOn, sampleSubject } from '../support/system';
import { outcomeOf, runToEnd, type Outcome } from './run-guest';

/** Runs a sample twice: the same both times, switched off in the end, and with these lines on its consoles in this order. */
async function checkSample(name: Parameters<typeof sampleSubject>[0], lines: Readonly<Record<string, readonly (string | RegExp)[]>>): Promise<Outcome> {
  const subject = await sampleSubject(name);
  const outcome = outcomeOf(subject);
  for (const [vm, expected] of Object.entries(lines)) checkConsole(outcome.consoles[vm] ?? '', expected);
  assert.equal(outcome.end, 'power');
  assert.deepEqual(outcomeOf(subject), outcome, 'the second run');
  return outcome;
}

function checkConsole(text: string, expected: readonly (string | RegExp)[]): void {
  let rest = text.split('\n');
  for (const line of expected) {
    const at = rest.findIndex((candidate) => (typeof line === 'string' ? candidate === line : line.test(candidate)));
    assert.notEqual(at, -1, `after what came before it, the console shows ${String(line)}:\n${text}`);
    rest = rest.slice(at + 1);
  }
}

test('the sample with two VMs runs to its end', async () => {
  await checkSample('two-vms', { primary: ['primary: hello', 'My VMID is 3', 'VM "sensor" is running', 'primary: done'], sensor: [/^doorbell: / ] });
});

const LENT = ['manager: lent 2048 KiB in one piece and 600 single pages, shared 64 KiB', 'manager: 0 of its pages can be read from here now'];
const BORN = ['  | guest: hello from VM 128, 4448 KiB of memory at 0x80000000', '  | > memory', '  | 631 pages written and read, 0 wrong'];
const GONE = ['manager: 1112 of 1112 pages are back, with what the guest left in them', 'manager: VM 128: NORESOURCE'];

test('a primary VM loads a guest into lent memory, runs it by vcpu_run, emulates its devices and takes all back, three times', async () => {
  const { vmids, parcels } = await checkSample('vm-manager', {
    manager: [
      '== a guest that switches itself off ==', ...LENT, ...BORN, '  | > sleep', '  | slept long enough', '  | > kick', '  | kicked 5 times',
      '  | > poke', '  | there is 0xffffffff', '  | > virtio', '  | said 184 characters, heard 184, with interrupts', '  | > button', '  | the button was pressed 6 times', '  | > off',
      /^manager: ended \(platform off, reason 0x0\) after \d+ runs: \d+ loads and \d+ stores emulated, \d+ waits, \d+ wake-ups$/,
      'manager: 184 characters through virtio, 184 back', /^manager: \d+ characters, 5 signals, 1 accesses to nothing, button pressed 7 times$/, ...GONE,
      '== a guest that resets itself ==', ...LENT, ...BORN, '  | > sleep', '  | slept long enough', '  | > reset', /^manager: ended \(platform reset, /, ...GONE,
      '== a guest that is stopped ==', ...LENT, ...BORN, '  | > ', /^manager: ended \(stop forced, /, ...GONE,
      'manager: done',
    ],
  });
  assert.deepEqual({ vmids, parcels }, { vmids: [3], parcels: 0 }, 'nothing is left of the guests');
});

test('two VMs talk through their consoles at the Resource Manager, and what RM refuses is shown', async () => {
  await checkSample('console-loopback', {
    primary: [
      ...[
        ['OPEN of one\'s own, which the primary VM has not', 'ARGUMENT_INVALID'], ['OPEN of a VM that does not exist', 'ARGUMENT_INVALID'],
        ['WRITE before OPEN', 'DENIED'], ['FLUSH before OPEN', 'DENIED'], ['CLOSE before OPEN', 'OK'], ['OPEN of left', 'OK'], ['OPEN of left once more', 'OK'],
        ['WRITE to left, whose end is closed: dropped', 'OK'], ['WRITE of fewer characters than it says', 'MSG_INVALID'], ['FLUSH', 'OK'],
      ].map(([what = '', error = '']) => `  ${what.padEnd(50)} ${error}`),
      '  left -> right: stressed (8)', '  right -> left: desserts (8)', '  left -> right:  (0)', '  right -> left:  (0)',
      /^ {2}left -> right: abcdef.*\.\.\. \(500\)$/, /^ {2}right -> left: fedcba.*\.\.\. \(500\)$/, 'left has ended (platform off)',
      /^ {2}WRITE after CLOSE +DENIED$/, /^ {2}OPEN of left, which has no console any more +ARGUMENT_INVALID$/, 'primary: done',
    ],
    left: ['VMID 128; CONSOLE_OPEN of it: DENIED', 'stressed -> desserts: right', 'terminal: sent 546, received 542, lost 0 characters'],
    right: ['VMID 129; CONSOLE_OPEN of it: DENIED', 'answered 4 lines', 'terminal: sent 543, received 546, lost 0 characters'],
  });
});

test('a preemptive kernel on four vCPUs gets every computation right, with nested interrupts and floating point in all tasks', async () => {
  const cpus = [0, 1, 2, 3].flatMap((cpu) => [
    new RegExp(`^CPU ${cpu}: \\d{2,} ticks, \\d{3,} switches, \\d{3,} interrupts, \\d{2,} of them nested$`), '  rounds: 300 up, 300 down, 300 vectors, 20 sleeps, 300 sent, 300 received',
  ]);
  await checkSample('rtos', { rtos: ['4 CPUs, pi rounded up is not pi rounded down', ...cpus, '0 wrong results'] });
});

/** Requests of the primary VM and what it is notified of, in order, from one VM_ALLOCATE to the next. */
async function conversationsOf(name: Parameters<typeof sampleSubject>[0]): Promise<{ readonly lives: readonly (readonly string[])[]; readonly reports: readonly string[] }> {
  const system = powerOn(await sampleSubject(name));
  const lives: string[][] = [];
  const reports: string[] = [];
  const note = (event: TraceEvent): boolean => {
    if (event.event === 'report') reports.push(event.message);
    if (event.event === 'rm-request' && event.name === 'VM_ALLOCATE') lives.push([]);
    if (event.event === 'rm-request' || event.event === 'rm-notification') lives.at(-1)?.push(event.event === 'rm-request' ? event.name : `(${event.name})`);
    return false;
  };
  system.lookOutFor({ addresses: [], watchpoints: [], exceptionClasses: 0n, call: undefined, event: note });
  runToEnd(system);
  return { lives, reports };
}

test('the VM manager asks RM for what Linux asks, in its order, and RM has nothing to complain about', async () => {
  const { lives, reports } = await conversationsOf('vm-manager');
  const begin = ['VM_ALLOCATE', 'MEM_LEND', 'MEM_APPEND', 'VM_GET_VMID', 'MEM_SHARE', 'VM_CONFIG_IMAGE', '(VM_STATUS)', 'VM_INIT', '(VM_STATUS)', 'VM_GET_HYP_RESOURCES', 'VM_START', '(VM_STATUS)'];
  const end = [
    '(VM_STATUS)', '(VM_EXITED)', 'VM_RESET', '(VM_STATUS)', '(MEM_RELEASED)', '(MEM_RELEASED)', '(VM_STATUS)', 'MEM_RECLAIM', 'MEM_RECLAIM', 'VM_DEALLOCATE', 'VM_GET_STATE',
  ];
  assert.deepEqual(lives, [[...begin, ...end], [...begin, ...end], [...begin, 'VM_STOP', ...end]]);
  assert.deepEqual(reports, []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { TracePage, TraceRow } from '../../../debug-adapter/protocol';
import { parseTraceMessage, ROWS_MAX } from '../../../extension/panels/trace/messages';
import { copyText, lineContains, traceLine } from '../../../extension/panels/trace/model';
import { TraceSource, type AskTrace } from '../../../extension/panels/trace/source';

/** The columns of a line, joined. */
function checkColumns(row: Readonly<Record<string, unknown>> & { readonly event: string }, expected: string): void {
  const { event, name, args, result, bad } = traceLine({ tick: 1500, vm: 'primary', number: 1, ...row });
  assert.equal([event, name, args, result].join(' | ') + (bad ? ' !' : ''), expected);
}

const send = { event: 'hypercall', name: 'msgqueue_send', args: { msgqueue: '0x10', size: 16 } };

test('a hypercall shows its arguments, its return its results, both by the words of breakpoints', () => {
  checkColumns({ ...send, phase: 'enter' }, 'hvc | msgqueue_send | msgqueue=0x10, size=16 | ');
  checkColumns({ ...send, phase: 'leave', error: 'OK', result: { error: 'OK', not_full: true } }, 'hvc-return | msgqueue_send | msgqueue=0x10, size=16 | OK, not_full=true');
});

test('what went wrong is marked', () => {
  checkColumns({ ...send, phase: 'leave', error: 'MSGQUEUE_FULL', result: { error: 'MSGQUEUE_FULL' } }, 'hvc-return | msgqueue_send | msgqueue=0x10, size=16 | MSGQUEUE_FULL !');
  checkColumns({ event: 'stage2-fault', access: 'write', ipa: '0x9000', pc: '0x40' }, 'stage-2 fault | write | ipa=0x9000, pc=0x40 |  !');
  checkColumns({ event: 'rm-reply', name: 'VM_START', id: 5, sequence: 3, error: 'BAD_STATE', result: {}, payload: '' }, 'rm-reply | VM_START | sequence=3 | BAD_STATE !');
});

test('interrupts, messages, life cycle and console output say what happened first', () => {
  checkColumns({ event: 'virq', virq: 27, action: 'asserted', source: 'timer' }, 'virq | 27 asserted | source=timer | ');
  checkColumns({ event: 'message', action: 'sent', objectId: 24, bytes: '0102' }, 'message | sent | objectId=24, bytes=01 02 | ');
  checkColumns({ event: 'vm-state', name: 'sensor', from: 'READY', to: 'RUNNING' }, 'vm | RUNNING | sensor was READY | ');
  checkColumns({ event: 'console', text: 'hello\n' }, 'console |  | hello | ');
});

test('numbers are told with what stands behind them, and reserved arguments only if they are not zero', () => {
  checkColumns({ ...send, phase: 'enter', args: { msgqueue: '0x10', res0: '0x0', res1: '0x5' }, names: { msgqueue: 'message queue 24 "x"' } }, 'hvc | msgqueue_send | msgqueue=0x10 (message queue 24 "x"), res1=0x5 | ');
  checkColumns({ event: 'hypercall-unknown', call: 0xc6008099, path: 'smccc' }, 'hvc unknown | 0xc6008099 | path=smccc |  !');
});

test('an event of a kind that is not known is shown with all its fields', () => {
  checkColumns({ event: 'something-new', colour: 'red', size: 4 }, 'something-new |  | colour=red, size=4 | ');
});

test('copied lines are tab-separated, without line breaks inside', () => {
  const line = traceLine({ tick: 7, vm: 'primary', vcpu: 0, number: 3, event: 'console', text: 'a\tb\nc' });
  assert.equal(copyText([line, line]), Array(2).fill('7\tprimary\t0\tconsole\t\ta b c\t').join('\n'));
});

test('search looks into every column and into the details', () => {
  const line = traceLine({ tick: 7, vm: 'primary', number: 3, event: 'rm-request', name: 'VM_START', args: {}, payload: 'c0ffee' });
  assert.deepEqual(['vm_start', 'PRIMARY', 'c0ff', 'nowhere'].map((text) => lineContains(line, text)), [true, true, true, false]);
});

test('what a page sends is believed only if it is well formed', () => {
  assert.deepEqual(parseTraceMessage({ kind: 'rows', version: 1, from: 0, count: 10 }), { kind: 'rows', version: 1, from: 0, count: 10 });
  const refused: readonly unknown[] = [
    null, 'ready', {}, { kind: 'eval' }, { kind: 'rows', version: 1, from: -1, count: 1 }, { kind: 'rows', version: 1, from: 0, count: ROWS_MAX + 1 },
    { kind: 'rows', version: 1, from: 0.5, count: 1 }, { kind: 'filter', text: 'x'.repeat(5000) }, { kind: 'seek', number: '1' }, { kind: 'copy', from: 3, to: 2 },
    { kind: 'find', text: 'x', from: 0, direction: 2 },
  ];
  for (const message of refused) assert.equal(parseTraceMessage(message), undefined, JSON.stringify(message));
});

/** An adapter with events of which every tenth is a doorbell. */
class FakeTrace {
  start = 0;
  end: number;
  position: number;
  branch = 0;
  asked = 0;

  constructor(end: number) {
    this.end = end;
    this.position = end;
  }

  readonly ask: AskTrace = ({ from = 0, limit = 1000, filter = '' }) => {
    this.asked++;
    if (filter === 'bad:') return Promise.reject(new Error('"bad:" is no event.'));
    const events: TraceRow[] = [];
    let number = Math.max(this.start, from);
    for (; number < this.end && events.length < limit; number++) {
      const name = number % 10 === 0 ? 'doorbell_send' : 'msgqueue_send';
      if (name.includes(filter)) events.push({ number, tick: number * 100, vm: 'primary', event: 'hypercall', phase: 'enter', name, args: { n: number } });
    }
    const page: TracePage = { events, next: number, previous: from, complete: number >= this.end, dropped: 0, start: this.start, position: this.position, end: this.end, branch: this.branch };
    return Promise.resolve(page);
  };
}

/** A source that has looked at the trace and is through with its filter. */
async function settled(trace: FakeTrace, filter = ''): Promise<TraceSource> {
  const source = new TraceSource(trace.ask);
  source.setFilter(filter);
  await source.refresh();
  while (await source.scan());
  return source;
}

test('without a filter a row is found by its index, in one request', async () => {
  const trace = new FakeTrace(50_000);
  trace.start = 1000;
  const source = await settled(trace);
  assert.equal(source.rowCount, 49_000);
  trace.asked = 0;
  assert.deepEqual((await source.lines(40_000, 2)).map(({ number }) => number), [41_000, 41_001]);
  assert.equal(trace.asked, 1);
});

test('a filter is applied step by step and keeps what it found while the trace grows', async () => {
  const trace = new FakeTrace(50_000);
  const source = await settled(trace, 'doorbell');
  const { version } = source;
  assert.deepEqual([source.rowCount, source.progress], [5000, 1]);
  assert.deepEqual((await source.lines(4998, 10)).map(({ number }) => number), [49_980, 49_990]);
  trace.end = trace.position = 50_100;
  await source.refresh();
  trace.asked = 0;
  while (await source.scan());
  assert.deepEqual([source.rowCount, source.version, trace.asked], [5010, version, 1]);
});

test('while old events are dropped a filter goes on where it was, and rows move up', async () => {
  const trace = new FakeTrace(50_000);
  const source = await settled(trace, 'doorbell');
  const { version } = source;
  trace.start = 205;
  trace.end = trace.position = 50_205;
  await source.refresh();
  assert.notEqual(source.version, version);
  trace.asked = 0;
  while (await source.scan());
  assert.deepEqual([source.rowCount, source.progress, trace.asked], [5000, 1, 1]);
  assert.equal((await source.lines(0, 1))[0]?.number, 210);
  const moved = source.version;
  trace.start = 208;
  await source.refresh();
  assert.equal(source.version, moved, 'where no match goes, rows stay');
});

test('a filter that is refused says why and shows nothing', async () => {
  const source = await settled(new FakeTrace(100), 'bad:');
  assert.deepEqual([source.problem, source.rowCount], ['"bad:" is no event.', 0]);
  source.setFilter('');
  assert.deepEqual([source.problem, source.rowCount], ['', 100]);
});

test('after travelling back the rows stay, and those ahead are known as such', async () => {
  const trace = new FakeTrace(1000);
  const source = await settled(trace, 'doorbell');
  const { version } = source;
  trace.position = 501;
  await source.refresh();
  assert.deepEqual([source.rowCount, source.nowIndex, source.version], [100, 51, version]);
});

test('when history branches the rows are read anew', async () => {
  const trace = new FakeTrace(1000);
  const source = await settled(trace);
  const { version } = source;
  trace.position = trace.end = 500;
  trace.branch++;
  await source.refresh();
  assert.equal(source.rowCount, 500);
  assert.ok(source.version > version);
});

test('search goes both ways, beyond one page, and stops when it is no longer wanted', async () => {
  const source = await settled(new FakeTrace(5000));
  const find = (text: string, from: number, direction: 1 | -1, isWanted = () => true) => source.find({ text, from, direction, isWanted });
  assert.equal(await find('n=4321', 0, 1), 4321);
  assert.equal(await find('doorbell', 4999, -1), 4990);
  assert.equal(await find('n=12', 4999, -1), 1299);
  assert.equal(await find('nowhere', 0, 1), null);
  assert.equal(await find('n=4321', 0, 1, () => false), null);
});

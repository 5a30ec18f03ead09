/**
 * What the hypervisor's trace says of each thing that the tracer guest does: the same entries as the real hypervisor's trace, in the same order
 * (`tracer-answers.txt`, see README.md).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pa } from '../../../runtime/base/brands';
import { decodeTrace, type TraceLine } from '../../hypervisor/trace-decoder';
import { buildOwner, runOwnerMachine } from './run-owner';

const ANSWERS = join(__dirname, 'tracer-answers.txt');
/** The hypervisor's heap in the owner's machine, where its trace is. */
const HEAP_BASE = 0xbe00_0000n;
const HEAP_SIZE = 0x200_0000;
const TICKS_MAX = 3_000_000_000;
/** The call before each step, and what it answers. */
const MARK = /^doorbell_send: 0xf00d0000 0x([0-9a-f]+)$/;
const MARK_END = 'doorbell_send ret: 0x1 0x0';
/** Where objects of the hypervisor lie. */
const OBJECT = /\b0xffffff[89a-f][0-9a-f]{9}\b/g;
/** The hardware timer's interrupt comes when it comes. */
const BY_TIME = /^acknowledged HW IRQ 26$/;

/** The global buffer's entries after each mark, with objects by the order in which the step names them. */
function stepsOf(lines: readonly TraceLine[]): ReadonlyMap<number, readonly string[]> {
  const steps = new Map<number, string[]>();
  let step: string[] | undefined;
  let objects = new Map<string, string>();
  let isMarkOpen = false;
  for (const { cpu, vmid, vcpu, id, text } of lines.filter(({ buffer }) => buffer === 0)) {
    const mark = MARK.exec(text);
    if (mark !== null) {
      step = [];
      objects = new Map();
      steps.set(parseInt(mark[1] ?? '', 16), step);
      isMarkOpen = true;
    } else if (isMarkOpen && text === MARK_END) isMarkOpen = false;
    else if (!BY_TIME.test(text)) step?.push(`${cpu} ${vmid}.${vcpu} ${id.toString(16)} ${text.replaceAll(OBJECT, (object) => nameOf(object, objects))}`);
  }
  return steps;
}

function nameOf(object: string, names: Map<string, string>): string {
  const name = names.get(object) ?? `o${names.size}`;
  names.set(object, name);
  return name;
}

test('the trace of everything that the tracer does has the entries of the real hypervisor', () => {
  const { engine } = runOwnerMachine(buildOwner('tracer-programs.json'), 'tracer ends', TICKS_MAX);
  const steps = stepsOf(decodeTrace(engine.memory.read(pa(HEAP_BASE), HEAP_SIZE), HEAP_BASE).lines);
  const expected = readFileSync(ANSWERS, 'utf8').split(/^= /m).slice(1).map((part) => part.trimEnd().split('\n'));
  const wrong = expected.flatMap(([number = '', ...entries]) => {
    const has = steps.get(Number(number)) ?? ['nothing at all'];
    return has.join('\n') === entries.join('\n') ? [] : [`step ${number}\n  expected\n    ${entries.join('\n    ')}\n  has\n    ${has.join('\n    ')}`];
  });
  assert.equal(wrong.slice(0, 10).join('\n'), '', `${wrong.length} of ${expected.length} steps are wrong`);
  assert.ok(expected.length > 900, 'the answers are there');
});

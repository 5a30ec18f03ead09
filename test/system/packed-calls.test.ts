/** Hypercalls kept as numbers: what comes out is what went in, for every row of the table, and the trace does not show that they were packed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { ticks, vmid } from '../../runtime/base/brands';
import type { TraceEvent } from '../../runtime/base/trace-event';
import { type Hypercall, HYPERCALLS } from '../../runtime/hypervisor/hypercall-table';
import { type CallEvent, PackedCalls } from '../../runtime/system/packed-calls';
import { TraceLog } from '../../runtime/system/trace-log';

const value = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.integer({ min: 0, max: 0xffff_ffff }));
const object = fc.record({ type: fc.constantFrom('msgqueue', 'doorbell', 'thread'), id: fc.integer({ min: 1, max: 1e6 }), revoked: fc.constantFrom<(true | undefined)[]>(true, undefined) });

/** A call or return of any row. */
const call = fc.record({
  row: fc.constantFrom(...Object.entries<Hypercall>(HYPERCALLS)), isReturn: fc.boolean(), tick: fc.integer({ min: 0, max: 2 ** 50 }), vmid: fc.integer({ min: 0, max: 0xffff }),
  vcpu: fc.option(fc.integer({ min: 0, max: 127 }), { nil: undefined }), values: fc.array(value, { minLength: 32, maxLength: 32 }), error: fc.constantFrom('OK', 'ARGUMENT_INVALID', 'CSPACE_CAP_NULL'),
  objects: fc.array(fc.option(object, { nil: undefined }), { minLength: 16, maxLength: 16 }),
}).map(({ row: [name, { number, inputs, outputs }], isReturn, tick, vmid: id, vcpu, values, error, objects }): CallEvent => {
  let next = 0;
  const take = (): bigint | number => values[next++] ?? 0;
  const origin = { vmid: vmid(id), ...(vcpu === undefined ? {} : { vcpu }), name, number: number ?? 0 };
  const args = Object.fromEntries(inputs.map((input) => [input.name, take()]));
  const named = Object.fromEntries([...inputs, ...outputs].filter(({ type }) => type === 'cap_id_t').flatMap(({ name: of }, n) => {
    const one = objects[n];
    return one === undefined ? [] : [[of, one.revoked === true ? { type: one.type, id: one.id, revoked: one.revoked } : { type: one.type, id: one.id }]];
  }));
  if (!isReturn) return { event: 'hypercall', phase: 'enter', ...origin, args, objects: named, tick: ticks(tick) };
  const result = Object.fromEntries(outputs.map((output) => [output.name, output.name === 'error' ? error : take()]));
  return { event: 'hypercall', phase: 'leave', ...origin, args, result, error, objects: named, tick: ticks(tick) };
});

test('every call and return comes back as it was, its fields in their order', () => {
  const packed = new PackedCalls();
  fc.assert(fc.property(call, (event) => {
    const place = packed.add(event);
    assert.ok(place !== undefined);
    assert.deepEqual(packed.at(place), event);
    assert.deepEqual(Object.keys(packed.at(place)), Object.keys(event));
  }), { numRuns: 3000, seed: 11 });
});

test('what does not look like a row of the table is left to others', () => {
  const good: CallEvent = { event: 'hypercall', phase: 'enter', vmid: vmid(3), name: 'doorbell_send', number: HYPERCALLS.doorbell_send.number, args: Object.fromEntries(HYPERCALLS.doorbell_send.inputs.map(({ name }) => [name, 0n])), objects: {}, tick: ticks(1) };
  const packed = new PackedCalls();
  assert.equal(packed.add(good), 0);
  const { objects: _objects, ...without } = good;
  const odd: CallEvent[] = [{ ...good, name: 'no_call' }, { ...good, number: 1 }, { ...good, args: {} }, { ...good, args: { ...good.args, more: 1n } }, { ...good, args: { ...good.args, doorbell: -1n } }, { ...good, args: { ...good.args, doorbell: 'text' } }, without];
  for (const event of odd) assert.equal(packed.add(event), undefined);
});

test('a trace with packed calls is the list of its events, however much is dropped, forgotten and written anew', () => {
  const text = fc.integer({ min: 0, max: 1000 }).map((tick): TraceEvent => ({ event: 'console', tick: ticks(tick), vmid: vmid(3), text: String(tick) }));
  const step = fc.oneof({ weight: 10, arbitrary: call.map((event): TraceEvent | number => event) }, { weight: 3, arbitrary: text.map((event): TraceEvent | number => event) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 200 }).map((back): TraceEvent | number => back) });
  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
    const log = new TraceLog(50);
    let all: TraceEvent[] = [];
    for (const one of steps) {
      if (typeof one === 'number') {
        log.position = Math.max(0, log.position - one);
        log.truncate();
        all = all.slice(0, log.position);
      } else {
        log.put(one);
        all.push(one);
      }
    }
    assert.equal(log.end, all.length);
    for (let number = log.start; number < log.end; number++) assert.deepEqual(log.at(number), all[number]);
  }), { numRuns: 100, seed: 12 });
});

test('a long trace of calls takes memory in proportion to what it keeps', () => {
  const packed = new PackedCalls();
  const [event] = fc.sample(call, { numRuns: 1, seed: 13 });
  assert.ok(event !== undefined);
  let place = 0;
  for (let n = 0; n < 50_000; n++) {
    place = packed.add(event) ?? 0;
    if (n % 1000 === 0) packed.dropBefore(place);
  }
  packed.dropBefore(place);
  assert.equal(packed.chunkCount, 1);
  assert.deepEqual(packed.at(place), event);
});

/** Names through time: what a VM or an object was called at an event of the trace, whatever became of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ticks, vmid } from '../../runtime/base/brands';
import type { TraceEvent } from '../../runtime/base/trace-event';
import { TraceLog } from '../../runtime/system/trace-log';

/** A trace whose VMs are called as `vms` says when something happens. */
class Bench {
  readonly log = new TraceLog();
  vms = new Map<number, string>();
  objects = new Map<number, string>();

  constructor() {
    this.log.names.source = { vms: () => this.vms, objects: () => this.objects };
  }

  /** A state of a VM changes; the number of the event. */
  change(names: Readonly<Record<number, string>>, objects: Readonly<Record<number, string>> = {}): number {
    this.vms = new Map(Object.entries(names).map(([key, name]) => [Number(key), name]));
    this.objects = new Map(Object.entries(objects).map(([key, name]) => [Number(key), name]));
    return this.put({ event: 'vm-state', tick: ticks(this.log.position), vmid: vmid(40), name: '', from: 'A', to: 'B' });
  }

  put(event: TraceEvent): number {
    this.log.put(event);
    return this.log.position - 1;
  }

  checkVm(id: number, expected: readonly (readonly [number, string | undefined])[]): void {
    for (const [number, name] of expected) assert.equal(this.log.names.vm(id, number), name, `VM ${id} at event ${number}`);
  }
}

test('a VM keeps in old events the name that it had, when its number goes to another one', () => {
  const bench = new Bench();
  const first = bench.change({ 40: 'camera' });
  const gone = bench.change({});
  const second = bench.change({ 40: 'radio' });
  const renamed = bench.change({ 40: 'modem' });
  bench.checkVm(40, [[first, 'camera'], [gone, 'vm40'], [second, 'radio'], [renamed, 'modem'], [renamed + 1000, 'modem'], [first - 1, 'camera']]);
  bench.checkVm(41, [[first, undefined]]);
});

test('an object keeps the last name that it had, since its number goes to no other', () => {
  const bench = new Bench();
  const first = bench.change({}, { 24: 'message queue of camera' });
  const gone = bench.change({}, { 30: 'doorbell' });
  const { names } = bench.log;
  assert.deepEqual([names.object(24, first), names.object(24, gone), names.object(30, gone), names.object(31, gone)], ['message queue of camera', 'message queue of camera', 'doorbell', undefined]);
});

test('names are forgotten with the events of a future that never happened, and kept over a journey to the past', () => {
  const bench = new Bench();
  const first = bench.change({ 40: 'camera' });
  const second = bench.change({ 40: 'radio' });
  bench.log.position = second;
  bench.checkVm(40, [[second, 'radio']]);
  bench.log.truncate();
  bench.checkVm(40, [[first, 'camera'], [second, 'camera']]);
  assert.equal(bench.change({ 40: 'modem' }), second);
  bench.checkVm(40, [[second, 'modem']]);
});

test('only what RM does is a reason to look at names', () => {
  const bench = new Bench();
  let looks = 0;
  bench.log.names.source = { vms: () => { looks++; return bench.vms; }, objects: () => bench.objects };
  bench.put({ event: 'console', tick: ticks(1), vmid: vmid(3), text: 'hello' });
  assert.equal(looks, 0);
  bench.put({ event: 'rm-reply', tick: ticks(2), vmid: vmid(3), name: 'VM_ALLOC_VMID', id: 1, sequence: 1, error: 'OK', result: {}, payload: new Uint8Array() });
  assert.equal(looks, 1);
});

test('however often a name changes and however many there are, memory has a limit', () => {
  const bench = new Bench();
  for (let n = 0; n < 3000; n++) bench.change({ 40: `name ${n}` }, { [n]: 'thing' });
  for (let n = 0; n < 21_000; n++) {
    bench.objects = new Map([[n, 'thing']]);
    bench.log.names.noteObjects(n);
  }
  assert.equal(bench.log.names.vm(40, 2999), 'name 2999');
  assert.deepEqual([bench.log.names.object(0, 30_000), bench.log.names.object(20_999, 30_000)], [undefined, 'thing']);
});

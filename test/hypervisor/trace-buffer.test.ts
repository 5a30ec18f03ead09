/** The trace in memory, read back from a dump as the open hypervisor's own tool reads it. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { pa } from '../../runtime/base/brands';
import { TRACE_BUFFER_MAGIC, TRACE_ENTRY_SIZE, TRACE_MAGIC } from '../../runtime/hypervisor/trace-buffer';
import { Fixture, RAM_BASE, RAM_SIZE } from './fixture';

interface Line { readonly cpu: number; readonly vmid: number; readonly vcpu: number; readonly id: number; readonly text: string }

/** Finds the control block by its magic and formats every entry of the global buffer, oldest first. */
function decode(fixture: Fixture): { readonly classes: bigint; readonly buffers: number; readonly lines: Line[] } {
  const dump = fixture.engine.memory.read(pa(RAM_BASE), RAM_SIZE);
  const view = new DataView(dump.buffer, dump.byteOffset, dump.length);
  let control = 0;
  while (view.getUint32(control, true) !== TRACE_MAGIC || view.getUint16(control + 4, true) !== 0x100) control += 4096;
  const at = Number(view.getBigUint64(control + 24, true) - RAM_BASE);
  assert.equal(view.getUint32(at, true), TRACE_BUFFER_MAGIC);
  const [entries, head, wrapped] = [view.getUint32(at + 4, true), view.getUint32(at + 40, true), dump[at + 44] === 0];
  const order = Array.from({ length: wrapped ? entries : head }, (_, n) => (wrapped ? (head + n) % entries : n));
  const lines = order.map((slot): Line => {
    const words = Array.from({ length: 8 }, (_, n) => view.getBigUint64(at + (slot + 1) * TRACE_ENTRY_SIZE + n * 8, true));
    const [info = 0n, tag = 0n, format = 0n, ...args] = words;
    const from = control + Number(format & 0x1f_ffffn);
    const template = String.fromCharCode(...dump.subarray(from, dump.indexOf(0, from)));
    let next = 0;
    const text = template.replaceAll('{:#x}', () => `0x${(args[next++] ?? 0n).toString(16)}`);
    return { cpu: Number(info >> 56n), vmid: Number((tag >> 16n) & 0xffffn), vcpu: Number((tag >> 32n) & 0xffffn), id: Number(tag & 0xffffn), text };
  });
  return { classes: view.getBigUint64(control + 8, true), buffers: view.getUint32(control + 16, true), lines };
}

it('hypercalls are in the trace with their caller, arguments and results', () => {
  const fixture = new Fixture();
  const vm = fixture.makeVm();
  fixture.native(vm.thread, 'doorbell_send', 60n, 5n);
  fixture.smccc(vm.thread, 0xc600_8012, 60n, 6n);
  const { classes, buffers, lines } = decode(fixture);
  assert.deepEqual([classes, buffers], [0x700e7n, 3]);
  const origin = { cpu: 0, vmid: 10, vcpu: 0, id: 2 };
  assert.deepEqual(lines.slice(-4), [
    { ...origin, text: 'doorbell_send: 0x3c 0x5' }, { ...origin, text: 'doorbell_send ret: 0x32 0x0' },
    { ...origin, text: 'smccc hyp: 0x12: 0x3c 0x6 0x0, 0x0' }, { ...origin, text: 'smccc ret: 0x32 0x0 0x0 0x0 0x0' },
  ]);
});

it('the trace keeps the newest entries when it is full, and nothing of a class that is off', () => {
  const fixture = new Fixture();
  const vm = fixture.makeVm();
  for (let n = 0; n < 5000; n++) fixture.native(vm.thread, 'doorbell_send', 60n, BigInt(n));
  const full = decode(fixture).lines;
  assert.equal(full[full.length - 2]?.text, 'doorbell_send: 0x3c 0x1387');
  assert.ok(full.length < 10_000 && full.every(({ text }) => text.startsWith('doorbell_send')));
  fixture.native(vm.thread, 'trace_update_class_flags', 0n, 4n);
  fixture.native(vm.thread, 'doorbell_send', 60n, 1n);
  const { classes, lines } = decode(fixture);
  assert.equal(classes, 0x700e3n);
  assert.match(lines[lines.length - 1]?.text ?? '', /^trace_update_class_flags/);
});

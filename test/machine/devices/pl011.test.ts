import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { utf8Encode } from '../../../runtime/base/byte-reader';
import { PL011_INPUT_MAX, PL011_REGISTERS, Pl011 } from '../../../runtime/machine/devices/pl011';

interface Bench { readonly uart: Pl011; readonly out: number[]; readonly line: { level: boolean; edges: number } }

function bench(isOnAtReset = false): Bench {
  const out: number[] = [];
  const line = { level: false, edges: 0 };
  const uart = new Pl011({
    line: { setLevel: (level) => { line.level = level; line.edges++; } },
    transmit: (byte) => { out.push(byte); },
    isOnAtReset,
  });
  return { uart, out, line };
}

const isRegister = (name: string): name is keyof typeof PL011_REGISTERS => Object.hasOwn(PL011_REGISTERS, name);

/** Steps: `REG = V` writes, `REG ? V` reads and compares, `type TEXT` is the host, `line 0|1` the interrupt, `out TEXT` all output so far. */
function check(script: string, all = bench()): Bench {
  for (const line of script.split('\n').map((text) => text.trim()).filter((text) => text !== '')) {
    const [name = '', verb = '', value = ''] = line.split(/\s+/);
    if (name === 'type') all.uart.receive(utf8Encode(verb));
    else if (name === 'line') assert.equal(all.line.level, verb === '1', line);
    else if (name === 'out') assert.equal(String.fromCharCode(...all.out), verb, line);
    else if (!isRegister(name)) assert.fail(line);
    else if (verb === '=') assert.equal(all.uart.write(PL011_REGISTERS[name].offset, 4, BigInt(value)), true, line);
    else assert.equal(all.uart.read(PL011_REGISTERS[name].offset, 4), BigInt(value), line);
  }
  return all;
}

describe('the PL011', () => {
  it('identifies itself as Arm\'s PrimeCell of the revision on QEMU\'s board', () => {
    check(`
      PeriphID0 ? 0x11
      PeriphID1 ? 0x10
      PeriphID2 ? 0x14
      PeriphID3 ? 0
      PCellID0 ? 0x0d
      PCellID1 ? 0xf0
      PCellID2 ? 0x05
      PCellID3 ? 0xb1
      FR ? 0x90
      CR ? 0x300
      IFLS ? 0x12`);
  });

  it('transmits at once while enabled', () => {
    check(`
      CR = 0x301
      DR = 0x48
      DR = 0x169
      FR ? 0x90
      out Hi`);
  });

  it('holds bytes back while disabled, up to its FIFO, and sends them when enabled', () => {
    check(`
      LCR_H = 0x70
      DR = 0x61
      DR = 0x62
      FR ? 0x10
      out
      CR = 0x301
      FR ? 0x90
      out ab`);
    check(`
      DR = 0x61
      FR ? 0x30
      DR = 0x62
      CR = 0x301
      out a`);
  });

  it('sends before CR is written where it is on at reset, which CR does not tell', () => {
    check(`
      CR ? 0x300
      DR = 0x61
      out a
      CR = 0x300
      DR = 0x62
      out a`, bench(true));
  });

  it('interrupts after transmission until cleared', () => {
    check(`
      CR = 0x301
      IMSC = 0x20
      line 0
      DR = 0x61
      RIS ? 0x20
      MIS ? 0x20
      line 1
      ICR = 0x20
      line 0`);
  });

  it('interrupts for one byte without FIFOs and takes input as it is read', () => {
    const { uart } = check(`
      CR = 0x301
      IMSC = 0x50
      type xyz
      RIS ? 0x10
      line 1
      FR ? 0xc0
      DR ? 0x78
      line 1
      DR ? 0x79`);
    assert.equal(uart.waitingInput, '');
    check(`
      DR ? 0x7a
      line 0
      FR ? 0x90`, { uart, out: [], line: { level: false, edges: 0 } });
  });

  it('interrupts at the FIFO trigger, and by time-out below it', () => {
    check(`
      CR = 0x301
      LCR_H = 0x70
      IMSC = 0x50
      type abc
      RIS ? 0x40
      line 1
      DR ? 0x61
      DR ? 0x62
      RIS ? 0x40
      DR ? 0x63
      RIS ? 0
      line 0
      type 01234567
      RIS ? 0x10
      DR ? 0x30
      RIS ? 0`);
  });

  it('keeps input while disabled and loses none while the FIFO is full', () => {
    const all = check('type hello');
    assert.equal(all.uart.waitingInput, 'hello');
    check(`
      FR ? 0x90
      CR = 0x301
      DR ? 0x68
      DR ? 0x65
      DR ? 0x6c
      DR ? 0x6c
      DR ? 0x6f`, all);
  });

  it('takes a bounded amount of input', () => {
    const { uart } = bench();
    assert.equal(uart.receive(new Uint8Array(PL011_INPUT_MAX - 1)), PL011_INPUT_MAX - 1);
    assert.equal(uart.receive(new Uint8Array(5)), 1);
  });

  it('loops back, and reports an overrun there', () => {
    check(`
      CR = 0x381
      DR = 0x61
      DR = 0x62
      out
      RSR ? 8
      RIS ? 0x430
      DR ? 0x861
      RSR = 0
      RSR ? 0`);
  });

  it('takes 8, 16 and 32 bits, and refuses 64 bits and unaligned places', () => {
    const { uart, out } = bench(true);
    for (const sizeBytes of [1, 2, 4]) assert.equal(uart.write(0, sizeBytes, 0x41n), true);
    assert.deepEqual(out, [0x41, 0x41, 0x41]);
    assert.equal(uart.read(0x18, 1), 0x90n);
    assert.deepEqual([uart.read(0x30, 1), uart.read(0x31, 1), uart.read(0x32, 2)], [0n, 0n, 0x300n]);
    assert.equal(uart.write(0x25, 1, 0x33n), true);
    assert.equal(uart.read(0x24, 4), 0x33n);
    assert.equal(uart.read(0x18, 8), undefined);
    assert.equal(uart.write(0x2, 4, 0n), false);
    assert.equal(uart.read(0x100, 4), 0n);
    assert.equal(uart.write(0x100, 4, 1n), true);
  });

  it('shows registers without taking a received byte', () => {
    const { uart } = check(`
      CR = 0x301
      type q`);
    assert.equal(uart.registers().find(({ name }) => name === 'DR')?.value, 0x71n);
    assert.equal(uart.read(0, 4), 0x71n);
  });

  it('never throws, and goes on alike after save and restore', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom('read', 'write'), offset: fc.oneof(fc.integer({ min: 0, max: 0x4c }), fc.integer({ min: 0, max: 0xfff })), sizeBytes: fc.constantFrom(1, 2, 4, 8), value: fc.bigInt({ min: 0n, max: 0xffffn }) }),
      fc.record({ kind: fc.constant('type'), offset: fc.integer({ min: 1, max: 60 }), sizeBytes: fc.constant(1), value: fc.constant(0n) }));
    type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
    const run = ({ uart }: Bench, { kind, offset, sizeBytes, value }: Step): unknown => {
      if (kind === 'type') return uart.receive(new Uint8Array(offset).map((_, index) => index));
      return kind === 'read' ? uart.read(offset, sizeBytes) : uart.write(offset, sizeBytes, value);
    };
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), fc.array(step, { maxLength: 20 }), (before, after) => {
      const original = bench(true);
      for (const one of before) run(original, one);
      const saved = original.uart.save();
      const copy = bench();
      copy.uart.restore(saved);
      assert.deepEqual(copy.uart.save(), saved);
      for (const one of after) assert.deepEqual(run(copy, one), run(original, one));
      assert.deepEqual(copy.uart.save(), original.uart.save());
    }), { numRuns: 300 });
  });
});

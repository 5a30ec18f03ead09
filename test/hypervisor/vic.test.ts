import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ErrorName } from '../../runtime/hypervisor/errors';
import { VIC_DEFAULT_GICD_BASE, VIC_DEFAULT_GICR_BASE, Vic } from '../../runtime/hypervisor/vic';
import type { VicVcpuPort } from '../../runtime/hypervisor/vic';
import { VirqSource } from '../../runtime/hypervisor/virq-source';

class Port implements VicVcpuPort {
  irq = false;
  fiq = false;
  wakes = 0;
  setIrq(level: boolean): void { this.irq = level; }
  setFiq(level: boolean): void { this.fiq = level; }
  wake(): void { this.wakes++; }
  isRunning(): boolean { return true; }
}

interface Bench { readonly vic: Vic; readonly ports: readonly Port[] }

function bench(options: { maxVirqs?: number; vicOptions?: bigint } = {}): Bench {
  const vic = new Vic();
  assert.equal(vic.configure(2, options.maxVirqs ?? 64, options.vicOptions ?? 0n, 0), 'OK');
  assert.equal(vic.activate(), 'OK');
  const ports = [new Port(), new Port()];
  ports.forEach((port, index) => { assert.equal(vic.attachVcpu(index, port), 'OK'); });
  return { vic, ports };
}

function write(vic: Vic, ipa: bigint, value: bigint, sizeBytes = 4): void {
  assert.deepEqual(vic.access({ ipa, sizeBytes, isWrite: true, value, vcpuIndex: 0 }), { handled: true });
}

/** What a guest does at start: group 1 for everything, enables, priorities unmasked. `edge` lists SPIs to make edge-triggered. */
function startGuest({ vic }: Bench, edge: readonly number[] = []): void {
  write(vic, VIC_DEFAULT_GICD_BASE, 3n);
  for (let word = 1; word < 4; word++) {
    write(vic, VIC_DEFAULT_GICD_BASE + 0x80n + BigInt(word * 4), 0xffff_ffffn);
    write(vic, VIC_DEFAULT_GICD_BASE + 0x100n + BigInt(word * 4), 0xffff_ffffn);
  }
  write(vic, VIC_DEFAULT_GICR_BASE + 0x10080n, 0xffff_ffffn);
  write(vic, VIC_DEFAULT_GICR_BASE + 0x10100n, 0xffff_ffffn);
  for (const virq of edge) write(vic, VIC_DEFAULT_GICD_BASE + 0xc00n + BigInt((virq >> 4) * 4), 2n << BigInt((virq & 15) * 2));
  assert.equal(vic.writeSystemRegister(0, 'ICC_PMR_EL1', 0xffn), 'ok');
  assert.equal(vic.writeSystemRegister(0, 'ICC_IGRPEN1_EL1', 1n), 'ok');
}

function source(held: { level: boolean } = { level: false }): VirqSource {
  return new VirqSource('test', () => held.level);
}

/** Acknowledges and ends; returns the interrupt number. */
function service(vic: Vic): bigint | 'undefined' {
  const intid = vic.readSystemRegister(0, 'ICC_IAR1_EL1');
  if (intid !== 'undefined' && intid < 1020n) vic.writeSystemRegister(0, 'ICC_EOIR1_EL1', intid);
  return intid;
}

describe('vic_configure', () => {
  const rows: readonly [vcpus: number, virqs: number, options: bigint, msis: number, error: ErrorName][] = [
    [1, 0, 0n, 0, 'OK'], [8, 988, 2n, 0, 'OK'], [8, 988, 0n, 5, 'OK'], [1, 1, 1n, 0, 'OK'],
    [0, 1, 0n, 0, 'ARGUMENT_INVALID'], [9, 1, 0n, 0, 'ARGUMENT_INVALID'], [1, 989, 0n, 0, 'ARGUMENT_INVALID'],
    [1, 1, 4n, 0, 'ARGUMENT_INVALID'], [1, 1, 1n, 1, 'ARGUMENT_INVALID'],
  ];
  for (const [vcpus, virqs, options, msis, error] of rows) {
    it(`answers ${error} to ${vcpus} vCPUs, ${virqs} VIRQs, options ${options}, ${msis} MSIs`, () => {
      assert.equal(new Vic().configure(vcpus, virqs, options, msis), error);
    });
  }

  it('applies disable_default_addr even when the call fails', () => {
    const vic = new Vic();
    assert.equal(vic.configure(2, 64, 0n, 0), 'OK');
    assert.equal(vic.configure(0, 64, 2n, 0), 'ARGUMENT_INVALID');
    assert.equal(vic.activate(), 'OK');
    assert.deepEqual(vic.access({ ipa: VIC_DEFAULT_GICD_BASE, sizeBytes: 4, isWrite: false, value: 0n, vcpuIndex: 0 }), { handled: false });
  });

  it('may be left out, for one vCPU without shared interrupts', () => {
    assert.equal(new Vic().activate(), 'OK');
  });
});

describe('binding a source', () => {
  const rows: readonly [virq: number, error: ErrorName][] = [[0, 'ARGUMENT_INVALID'], [31, 'ARGUMENT_INVALID'], [32, 'OK'], [95, 'OK'], [96, 'ARGUMENT_INVALID'], [1020, 'ARGUMENT_INVALID'], [0x0100_0020, 'ARGUMENT_INVALID']];
  for (const [virq, error] of rows) {
    it(`answers ${error} for VIRQ ${virq} of a VIC with 64 VIRQs`, () => {
      assert.equal(source().bind(bench().vic, virq), error);
    });
  }

  it('checks VIRQ_BOUND before the number and BUSY last', () => {
    const { vic } = bench();
    const first = source();
    assert.equal(first.bind(vic, 40), 'OK');
    assert.equal(first.bind(vic, 5000), 'VIRQ_BOUND');
    assert.equal(source().bind(vic, 40), 'BUSY');
    assert.deepEqual({ ...first.bound, vic: undefined }, { vic: undefined, virq: 40, vcpuIndex: undefined });
  });

  it('frees the number again and takes the level away', () => {
    const all = bench();
    startGuest(all);
    const first = source({ level: true });
    first.bind(all.vic, 40);
    first.assertLevel();
    assert.equal(all.ports[0]?.irq, true);
    first.unbind();
    first.unbind();
    assert.equal(all.ports[0]?.irq, false);
    assert.equal(source().bind(all.vic, 40), 'OK');
  });

  it('does not replay what happened while unbound', () => {
    const all = bench();
    startGuest(all);
    const late = source({ level: true });
    late.assertLevel();
    late.bind(all.vic, 40);
    assert.equal(all.ports[0]?.irq, false);
  });

  it('binds private interrupts per vCPU', () => {
    const { vic } = bench();
    assert.equal(source().bindPrivate(vic, 0, 27), 'OK');
    assert.equal(source().bindPrivate(vic, 1, 27), 'OK');
    assert.equal(source().bindPrivate(vic, 1, 27), 'BUSY');
    assert.equal(source().bindPrivate(vic, 2, 27), 'ARGUMENT_INVALID');
    assert.equal(source().bindPrivate(vic, 0, 15), 'ARGUMENT_INVALID');
    assert.equal(source().bindPrivate(vic, 0, 32), 'ARGUMENT_INVALID');
  });
});

describe('asserting a source', () => {
  it('raises and wakes the vCPU, and drops lazily when the check says so at the end of the interrupt', () => {
    const all = bench();
    startGuest(all);
    const held = { level: true };
    const rx = source(held);
    rx.bind(all.vic, 40);
    rx.assertLevel();
    assert.deepEqual([all.ports[0]?.irq, all.ports[0]?.wakes], [true, 1]);
    assert.equal(service(all.vic), 40n);
    assert.equal(service(all.vic), 40n);
    held.level = false;
    assert.equal(all.ports[0]?.irq, true);
    assert.equal(service(all.vic), 40n);
    assert.equal(all.ports[0]?.irq, false);
    assert.equal(service(all.vic), 1023n);
  });

  it('has no effect as an edge on a level interrupt, one delivery on an edge-triggered one', () => {
    const all = bench();
    startGuest(all, [41]);
    const level = source();
    const edge = source();
    level.bind(all.vic, 40);
    edge.bind(all.vic, 41);
    assert.deepEqual([level.isEdgeConfigured, edge.isEdgeConfigured], [false, true]);
    level.assertEdge();
    assert.equal(all.ports[0]?.irq, false);
    edge.assertEdge();
    edge.assertEdge();
    assert.equal(service(all.vic), 41n);
    assert.equal(service(all.vic), 1023n);
  });

  it('is an edge, however the guest configures the interrupt, if its source says so', () => {
    const all = bench();
    startGuest(all);
    const end = new VirqSource('test', () => false, { isAlwaysEdge: true });
    end.bind(all.vic, 40);
    assert.equal(end.isEdgeConfigured, false, 'until the guest configures it');
    write(all.vic, VIC_DEFAULT_GICD_BASE + 0xc08n, 0n);
    assert.equal(end.isEdgeConfigured, true);
    end.unbind();
    write(all.vic, VIC_DEFAULT_GICD_BASE + 0xc08n, 0n);
    assert.equal(all.vic.inspect(40)?.trigger, 'level');
  });

  it('that a change of the trigger makes pending comes when it is enabled or asserted anew', () => {
    const all = bench();
    startGuest(all);
    const pulse = source();
    pulse.bind(all.vic, 40);
    pulse.assertEdge();
    write(all.vic, VIC_DEFAULT_GICD_BASE + 0xc08n, 2n << 16n);
    assert.deepEqual([all.vic.inspect(40)?.pending, all.ports[0]?.irq], [true, false]);
    write(all.vic, VIC_DEFAULT_GICD_BASE + 0x104n, 1n << 8n);
    assert.deepEqual([service(all.vic), service(all.vic)], [40n, 1023n]);
  });

  it('is taken back at once by clear', () => {
    const all = bench();
    startGuest(all);
    const bell = source({ level: true });
    bell.bind(all.vic, 40);
    bell.assertLevel();
    bell.clear();
    assert.equal(all.ports[0]?.irq, false);
    assert.equal(all.vic.inspect(40)?.pending, false);
  });

  it('is reported to the trace: asserted, taken, ended, cleared', () => {
    const all = bench();
    startGuest(all);
    const seen: string[] = [];
    all.vic.onVirq = ({ action, virq, source: kind, vcpuIndex }) => { seen.push(`${action} ${virq} ${kind} ${vcpuIndex}`); };
    const held = { level: true };
    const timer = source(held);
    timer.bindPrivate(all.vic, 0, 27);
    timer.assertLevel();
    held.level = false;
    service(all.vic);
    assert.deepEqual(seen, ['asserted 27 test 0', 'taken 27 test 0', 'ended 27 test 0', 'cleared 27 test 0']);
  });
});

describe('frames', () => {
  it('answer at the default addresses, one redistributor per attached vCPU', () => {
    const { vic } = bench();
    const read = (ipa: bigint, sizeBytes = 4): unknown => vic.access({ ipa, sizeBytes, isWrite: false, value: 0n, vcpuIndex: 1 });
    assert.deepEqual(read(VIC_DEFAULT_GICD_BASE + 4n), { handled: true, value: 0x0349001fn });
    assert.deepEqual(read(VIC_DEFAULT_GICR_BASE + 0x20008n, 8), { handled: true, value: 0x1_0000_0110n });
    assert.deepEqual(read(VIC_DEFAULT_GICR_BASE + 0x40000n), { handled: false });
    assert.deepEqual(read(0x0801_0000n), { handled: false });
    assert.deepEqual(read(VIC_DEFAULT_GICD_BASE + 0x100n, 1), { handled: true, abort: true });
  });

  it('are placed by attach with the errors of the real one', () => {
    const vic = new Vic();
    vic.configure(4, 64, 2n, 0);
    vic.activate();
    vic.attachVcpu(0, new Port());
    const rows: readonly [index: number, base: bigint, size: bigint, flags: bigint, error: ErrorName][] = [
      [5, 0x2000_0000n, 0x20000n, 0n, 'ARGUMENT_INVALID'],
      [0, 0x2000_0000n, 0x10000n, 1n, 'ARGUMENT_INVALID'],
      [1, 0x2002_0000n, 0n, 0n, 'ARGUMENT_INVALID'],
      [1, 0xffff_ffff_ffff_0000n, 0x20000n, 0n, 'ARGUMENT_INVALID'],
      [1, 0x2002_0000n, 0x20000n, 4n, 'ARGUMENT_INVALID'],
      [2, 0x2004_0000n, 0x20000n, 0n, 'IDLE'],
      [0, 0x2000_0000n, 0x10000n, 0n, 'OK'],
      [0, 0x3000_0000n, 0x10000n, 0n, 'BUSY'],
      [1, 0x2002_0000n, 0x20000n, 3n, 'OK'],
    ];
    for (const [index, base, size, flags, error] of rows) assert.equal(vic.attachFrame(index, base, size, flags), error, `${index} ${base.toString(16)}`);
    assert.deepEqual(vic.access({ ipa: 0x2002_0008n, sizeBytes: 4, isWrite: false, value: 0n, vcpuIndex: 0 }), { handled: true, value: 0x10n });
  });
});

describe('MPIDR mapping', () => {
  it('is the index in Aff0 for eight CPUs by default', () => {
    const { vic } = bench();
    assert.equal(vic.mpidrOf(1), 0x8000_0001n);
    assert.equal(vic.indexOfMpidr(7n), 7);
    assert.equal(vic.indexOfMpidr(8n), undefined);
    assert.equal(vic.indexOfMpidr(0x1_0000_0000n), undefined);
  });

  it('can put index bits into other fields, and refuses gaps, overlaps and large shifts', () => {
    const vic = new Vic();
    assert.equal(vic.setMpidrMapping({ mask: 0x0103n, shifts: [0, 2, 0, 0], mt: true }), 'OK');
    vic.configure(8, 0, 0n, 0);
    assert.equal(vic.mpidrOf(5), 0x8100_0101n);
    assert.equal(vic.indexOfMpidr(0x101n), 5);
    assert.equal(vic.setMpidrMapping({ mask: 0x0103n, shifts: [0, 1, 0, 0], mt: false }), 'ARGUMENT_INVALID');
    assert.equal(vic.setMpidrMapping({ mask: 0x0103n, shifts: [0, 3, 0, 0], mt: false }), 'ARGUMENT_INVALID');
    assert.equal(vic.setMpidrMapping({ mask: 0x3n, shifts: [32, 0, 0, 0], mt: false }), 'ARGUMENT_INVALID');
  });
});

describe('a saved VIC', () => {
  it('comes back with its interrupts, frames and bindings', () => {
    const all = bench();
    startGuest(all);
    const held = { level: true };
    const rx = source(held);
    rx.bind(all.vic, 40);
    rx.assertLevel();
    const saved = all.vic.save();
    const binding = rx.saveBinding();
    const copy = new Vic();
    copy.restore(saved);
    const port = new Port();
    copy.restoreVcpu(0, port);
    const rx2 = source(held);
    rx2.restoreBinding(copy, binding);
    assert.deepEqual(copy.save(), saved);
    assert.equal(port.wakes, 0);
    assert.equal(service(copy), 40n);
    held.level = false;
    assert.equal(service(copy), 40n);
    assert.equal(port.irq, false);
    assert.deepEqual(copy.inspectAll().filter((view) => view.source !== undefined).map((view) => view.intid), [40]);
  });

  it('forgets the bindings of sources when restored in place', () => {
    const { vic } = bench();
    const rx = source();
    const saved = vic.save();
    rx.bind(vic, 40);
    vic.restore(saved);
    assert.equal(rx.bound, undefined);
    assert.equal(rx.bind(vic, 40), 'OK');
  });
});

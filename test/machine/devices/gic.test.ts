import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Gic } from '../../../runtime/machine/devices/gic';

/** A GIC with levels as plain variables, as an owner would connect them. */
class Bench {
  readonly held = new Set<number>();
  readonly log: string[] = [];
  readonly gic: Gic;

  constructor(cpuCount = 2, spiCount = 64) {
    this.gic = new Gic({ cpuCount, spiCount }, {
      setSignals: (cpu, irq, fiq) => { this.log.push(`cpu${cpu} irq=${irq ? 1 : 0} fiq=${fiq ? 1 : 0}`); },
      checkPending: (intid) => this.held.has(intid),
    });
  }

  /** Runs a script. Lines: `d OFF VALUE` and `r OFF VALUE` write frames (r: CPU 0), `w REG VALUE`, `REG = VALUE`, `raise N`, `fall N`, `irq 0|1`, `fiq 0|1`. */
  run(script: string): this {
    for (const line of script.split('\n').map((text) => text.trim()).filter((text) => text !== '')) this.step(line);
    return this;
  }

  private step(line: string): void {
    const [verb = '', a = '', b = ''] = line.split(/\s+/);
    switch (verb) {
      case 'd': return void assert.equal(this.gic.writeDistributor(0, { offset: Number(a), sizeBytes: 4, value: BigInt(b) }), true, line);
      case 'r': return void assert.equal(this.gic.writeRedistributor(0, { offset: Number(a), sizeBytes: 4, value: BigInt(b) }), true, line);
      case 'w': return void assert.equal(this.gic.writeSystemRegister(0, a, BigInt(b)), 'ok', line);
      case 'd?': return void assert.equal(this.gic.readDistributor(0, Number(a), 4), BigInt(b), line);
      case 'r?': return void assert.equal(this.gic.readRedistributor(0, Number(a), 4), BigInt(b), line);
      case 's?': return void assert.equal(String(this.gic.readSystemRegister(0, a)), b === 'undefined' ? b : String(BigInt(b)), line);
      case 'raise': this.held.add(Number(a)); this.gic.assert(Number(a), 0, 'level'); return;
      case 'pulse': this.gic.assert(Number(a), 0, 'edge'); return;
      case 'fall': this.held.delete(Number(a)); return;
      case 'irq': return void assert.equal(this.gic.signalsOf(0).irq, a === '1', line);
      case 'fiq': return void assert.equal(this.gic.signalsOf(0).fiq, a === '1', line);
      default: assert.fail(`unknown step ${line}`);
    }
  }
}

/** Group 1 enabled, everything unmasked, SPIs 32..63 in group 1, PPIs and SGIs in group 1. */
const READY = `
  d 0x0 3
  d 0x84 0xffffffff
  r 0x10080 0xffffffff
  w ICC_PMR_EL1 0xff
  w ICC_IGRPEN1_EL1 1`;

function check(script: string, bench = new Bench()): Bench {
  return bench.run(script);
}

describe('the virtual GICv3', () => {
  it('has the reset values of the real one', () => {
    check(`
      d? 0x0 0x50
      d? 0x4 0x0349001F
      d? 0x8 0x47000070
      d? 0xc 0
      d? 0xffe8 0x30
      d? 0xc00 0xaaaaaaaa
      r? 0x0 0
      r? 0x4 0x47000070
      r? 0x14 0
      r? 0xffe8 0x30
      r? 0x10c00 0xaaaaaaaa
      r? 0x10c04 0
      s? ICC_CTLR_EL1 0x8c00
      s? ICC_SRE_EL1 7
      s? ICC_PMR_EL1 0
      s? ICC_RPR_EL1 0xff`);
  });

  it('shows index, affinity and the last frame in GICR_TYPER, whole or in words', () => {
    const { gic } = new Bench(8);
    assert.equal(gic.readRedistributor(3, 8, 8), 0x3_0000_0300n);
    assert.equal(gic.readRedistributor(7, 8, 4), 0x710n);
    assert.equal(gic.readRedistributor(7, 12, 4), 7n);
  });

  it('keeps the fixed bits of GICD_CTLR and five bits of priority', () => {
    check(`
      d 0x0 0xffffffff
      d? 0x0 0x53
      d 0x420 0xffffffff
      d? 0x420 0xf8f8f8f8
      w ICC_PMR_EL1 0xff
      s? ICC_PMR_EL1 0xf8
      w ICC_PMR_EL1 0x55
      s? ICC_PMR_EL1 0x50`);
  });

  it('makes acknowledge, highest pending, binary point and active priorities UNDEFINED while the group is disabled', () => {
    check(`
      s? ICC_IAR1_EL1 undefined
      s? ICC_HPPIR1_EL1 undefined
      s? ICC_BPR1_EL1 undefined
      s? ICC_AP1R0_EL1 undefined
      w ICC_IGRPEN1_EL1 1
      s? ICC_IGRPEN1_EL1 0
      s? ICC_IAR1_EL1 undefined
      d 0x0 2
      s? ICC_IGRPEN1_EL1 1
      s? ICC_IAR1_EL1 1023
      s? ICC_BPR1_EL1 3
      s? ICC_IAR0_EL1 undefined
      d 0x0 0
      s? ICC_IGRPEN1_EL1 0`);
  });

  it('refuses reads of write-only, writes of read-only and unknown CPU registers', () => {
    const { gic } = new Bench();
    for (const name of ['ICC_SGI1R_EL1', 'ICC_EOIR1_EL1', 'ICC_DIR_EL1', 'ICC_NMIAR1_EL1', 'ICC_AP1R1_EL1']) assert.equal(gic.readSystemRegister(0, name), 'undefined', name);
    for (const name of ['ICC_IAR1_EL1', 'ICC_RPR_EL1', 'ICC_HPPIR0_EL1', 'ICC_AP0R1_EL1']) assert.equal(gic.writeSystemRegister(0, name, 0n), 'undefined', name);
  });

  it('accepts the writes that a kernel makes before it enables its group', () => {
    check(`
      w ICC_SRE_EL1 7
      w ICC_PMR_EL1 0xf0
      w ICC_BPR1_EL1 0
      w ICC_CTLR_EL1 0
      w ICC_AP0R0_EL1 0
      w ICC_AP1R0_EL1 0
      w ICC_IGRPEN1_EL1 1`);
  });

  it('delivers a level interrupt until its source is quiet at the end of the interrupt', () => {
    check(`${READY}
      d 0x104 1
      irq 0
      raise 32
      irq 1
      s? ICC_IAR1_EL1 32
      irq 0
      d? 0x304 1
      w ICC_EOIR1_EL1 32
      irq 1
      s? ICC_IAR1_EL1 32
      fall 32
      w ICC_EOIR1_EL1 32
      irq 0
      d? 0x304 0
      s? ICC_IAR1_EL1 1023`);
  });

  it('delivers an offered level once even if its condition goes away before the acknowledge', () => {
    check(`${READY}
      r 0x10100 0x08000000
      raise 27
      fall 27
      irq 1
      s? ICC_IAR1_EL1 27
      w ICC_EOIR1_EL1 27
      irq 0`);
  });

  it('delivers a level that has fallen once more when the interrupt is enabled late, and examines it at its end', () => {
    check(`${READY}
      raise 32
      fall 32
      d? 0x204 1
      d 0x104 1
      irq 1
      d? 0x204 1
      s? ICC_IAR1_EL1 32
      w ICC_EOIR1_EL1 32
      irq 0
      d? 0x204 0`);
  });

  it('examines no level when a group opens but those that were offered', () => {
    check(`${READY}
      w ICC_IGRPEN1_EL1 0
      d 0x104 1
      raise 32
      fall 32
      w ICC_IGRPEN1_EL1 1
      irq 1
      s? ICC_IAR1_EL1 32`);
  });

  it('latches one edge per acknowledge and ignores edges on a level interrupt', () => {
    check(`${READY}
      d 0x104 3
      d 0xc08 2
      pulse 32
      pulse 32
      pulse 33
      s? ICC_IAR1_EL1 32
      pulse 32
      w ICC_EOIR1_EL1 32
      s? ICC_IAR1_EL1 32
      w ICC_EOIR1_EL1 32
      s? ICC_IAR1_EL1 1023`);
  });

  it('treats each level assertion as an edge on an edge-triggered interrupt', () => {
    check(`${READY}
      d 0xc08 2
      d 0x104 1
      raise 32
      raise 32
      s? ICC_IAR1_EL1 32
      w ICC_EOIR1_EL1 32
      s? ICC_IAR1_EL1 1023`);
  });

  it('sets and clears message-based interrupts; a listed one is delivered once more after CLRSPI', () => {
    const bench = check(`${READY}
      d 0x104 1
      d 0x40 32
      s? ICC_IAR1_EL1 32
      w ICC_EOIR1_EL1 32
      irq 1
      d 0x48 32
      irq 1
      s? ICC_IAR1_EL1 32
      w ICC_EOIR1_EL1 32
      irq 0`);
    assert.equal(bench.gic.writeDistributor(0, { offset: 0x40, sizeBytes: 2, value: 33n }), true);
    assert.equal(bench.gic.inspect(33, 0)?.pending, true);
  });

  it('delivers an edge that software made pending once, and a level until ICPENDR; what is listed comes once more', () => {
    check(`${READY}
      d 0x104 3
      d 0xc08 2
      d 0x204 1
      s? ICC_IAR1_EL1 32
      w ICC_EOIR1_EL1 32
      irq 0
      d 0x204 2
      s? ICC_IAR1_EL1 33
      w ICC_EOIR1_EL1 33
      irq 1
      d 0x284 2
      irq 1
      s? ICC_IAR1_EL1 33
      w ICC_EOIR1_EL1 33
      irq 0`);
  });

  it('takes the highest priority first, preempts by group priority, and drops back', () => {
    check(`${READY}
      d 0x104 7
      d 0xc08 0x2a
      d 0x420 0x00405080
      d 0x204 1
      s? ICC_IAR1_EL1 32
      s? ICC_RPR_EL1 0x80
      d 0x204 6
      irq 1
      s? ICC_HPPIR1_EL1 34
      s? ICC_IAR1_EL1 34
      s? ICC_RPR_EL1 0x40
      irq 0
      s? ICC_IAR1_EL1 1023
      s? ICC_AP1R0_EL1 0x10100
      w ICC_EOIR1_EL1 34
      irq 1
      s? ICC_IAR1_EL1 33
      w ICC_EOIR1_EL1 33
      w ICC_EOIR1_EL1 32
      s? ICC_RPR_EL1 0xff`);
  });

  it('does not preempt inside one group priority when the binary point says so', () => {
    check(`${READY}
      w ICC_BPR1_EL1 7
      d 0x104 3
      d 0x420 0x1070
      d 0x204 1
      s? ICC_IAR1_EL1 32
      d 0x204 2
      irq 0
      w ICC_EOIR1_EL1 32
      irq 1`);
  });

  it('masks by ICC_PMR', () => {
    check(`${READY}
      d 0x104 1
      d 0x420 0x80
      d 0x204 1
      irq 1
      w ICC_PMR_EL1 0x80
      irq 0
      s? ICC_IAR1_EL1 1023
      s? ICC_HPPIR1_EL1 32
      w ICC_PMR_EL1 0x88
      irq 1`);
  });

  it('separates priority drop and deactivation with EOImode 1', () => {
    check(`${READY}
      w ICC_CTLR_EL1 2
      s? ICC_CTLR_EL1 0x8c02
      d 0x104 1
      raise 32
      s? ICC_IAR1_EL1 32
      w ICC_EOIR1_EL1 32
      s? ICC_RPR_EL1 0xff
      irq 0
      d? 0x304 1
      w ICC_DIR_EL1 32
      irq 1`);
  });

  it('signals group 0 as FIQ and shows it in IAR0 only', () => {
    check(`${READY}
      w ICC_IGRPEN0_EL1 1
      d 0x84 0
      d 0x104 1
      d 0x204 1
      fiq 1
      irq 0
      s? ICC_IAR1_EL1 1023
      s? ICC_IAR0_EL1 32
      fiq 0
      w ICC_EOIR0_EL1 32`);
  });

  it('sends software-generated interrupts by target list and to all others', () => {
    const { gic } = check(`${READY}
      r 0x10100 0xffff
      w ICC_SGI1R_EL1 0x5000001
      irq 1
      s? ICC_IAR1_EL1 5
      w ICC_EOIR1_EL1 5
      w ICC_SGI0R_EL1 0x5000001
      irq 0`);
    gic.writeRedistributor(1, { offset: 0x10080, sizeBytes: 4, value: 0xffffn });
    gic.writeRedistributor(1, { offset: 0x10100, sizeBytes: 4, value: 0xffffn });
    gic.writeSystemRegister(1, 'ICC_PMR_EL1', 0xffn);
    gic.writeSystemRegister(1, 'ICC_IGRPEN1_EL1', 1n);
    gic.writeSystemRegister(0, 'ICC_SGI1R_EL1', (1n << 40n) | (3n << 24n));
    assert.deepEqual(gic.signalsOf(1), { irq: true, fiq: false });
    assert.deepEqual(gic.signalsOf(0), { irq: false, fiq: false });
    assert.equal(gic.readSystemRegister(1, 'ICC_IAR1_EL1'), 3n);
  });

  it('routes an SPI by affinity, reads 0 from IROUTER and records it', () => {
    const { gic } = check(`${READY}
      d 0x104 1
      d 0x204 1
      irq 1`);
    assert.equal(gic.writeDistributor(0, { offset: 0x6100, sizeBytes: 8, value: 1n }), true);
    assert.equal(gic.signalsOf(0).irq, false);
    assert.equal(gic.readDistributor(0, 0x6100, 8), 0n);
    assert.equal(gic.readDistributor(0, 0x10, 4), 1n);
    assert.equal(gic.inspect(32, 0)?.cpu, 1);
    gic.writeDistributor(0, { offset: 0x6104, sizeBytes: 4, value: 0n });
    assert.equal(gic.signalsOf(0).irq, true);
    gic.writeDistributor(0, { offset: 0x6100, sizeBytes: 8, value: 0x500n });
    assert.equal(gic.inspect(32, 0)?.cpu, undefined);
    assert.equal(gic.inspect(32, 0)?.pending, true);
  });

  it('collects access errors in STATUSR and clears them by writing ones', () => {
    check(`
      d? 0x40 0
      d? 0x20 0
      d 0x4 1
      d? 0x10 0xd
      d 0x10 0x5
      d? 0x10 0x8`);
  });

  it('aborts writes to reserved places and wrong widths', () => {
    const { gic } = new Bench();
    const refused: [number, number][] = [[0x20, 4], [0x6000, 8], [0x100, 1], [0x100, 8], [0x102, 4], [0x401, 2], [0x40, 1], [0xffd0, 4]];
    for (const [offset, sizeBytes] of refused) assert.equal(gic.writeDistributor(0, { offset, sizeBytes, value: 0n }), false, offset.toString(16));
    for (const offset of [0x70, 0x78, 0xa0, 0xb0, 0x10000, 0x10c08]) assert.equal(gic.writeRedistributor(0, { offset, sizeBytes: 4, value: 0n }), false, offset.toString(16));
    for (const offset of [0x0, 0x40, 0x48, 0x10c00, 0x10d00, 0x10e00]) assert.equal(gic.writeRedistributor(0, { offset, sizeBytes: 4, value: ~0n }), true, offset.toString(16));
    assert.equal(gic.readDistributor(0, 0x100, 1), undefined);
    assert.equal(gic.readDistributor(0, 0x402, 1), 0n);
    assert.equal(gic.readRedistributor(0, 0x70, 8), 0n);
  });

  it('ignores distributor writes to private interrupts but shows the caller its own', () => {
    check(`
      d 0x100 0xffffffff
      d? 0x100 0
      r 0x10100 0x10
      d? 0x100 0x10
      d 0x400 0xffffffff
      d? 0x400 0
      r 0x10404 0x10203040
      d? 0x404 0x10203040`);
  });

  it('has no interrupts beyond its limit', () => {
    check(`
      d 0x10c 0xffffffff
      d? 0x10c 0
      d 0x108 0xffffffff
      d? 0x108 0xffffffff`, new Bench(1, 64));
  });

  it('delivers to a CPU that says it sleeps, whose children sleep only while both groups are disabled', () => {
    check(`${READY}
      d 0x104 1
      r 0x14 2
      r? 0x14 2
      d 0x204 1
      irq 1
      w ICC_IGRPEN1_EL1 0
      r? 0x14 6
      r 0x14 0
      r? 0x14 0`);
  });

  it('drives its outputs only when they change', () => {
    const bench = check(`${READY}
      d 0x104 1
      raise 32
      raise 32
      s? ICC_IAR1_EL1 32`);
    assert.deepEqual(bench.log, ['cpu0 irq=1 fiq=0', 'cpu0 irq=0 fiq=0']);
  });

  it('shows its registers to a debugger without changing anything', () => {
    const { gic } = check(`${READY}
      d 0x104 1
      raise 32`, new Bench(2, 988));
    const before = gic.save();
    const rows = [...gic.distributorRegisters(), ...gic.redistributorRegisters(1)];
    assert.equal(rows.find((row) => row.name === 'GICD_ISENABLER1')?.value, 1n);
    assert.equal(rows.find((row) => row.name === 'GICD_IROUTER987')?.offset, 0x6100 + 987 * 8);
    assert.equal(gic.cpuRegisters(0).find((row) => row.name === 'ICC_PMR_EL1')?.value, 0xf8n);
    assert.deepEqual(gic.save(), before);
  });
});

const operation = fc.record({
  kind: fc.constantFrom('rd', 'wd', 'rr', 'wr', 'rs', 'ws', 'level', 'edge', 'fall', 'clear', 'reset'),
  cpu: fc.integer({ min: 0, max: 2 }),
  offset: fc.oneof(fc.integer({ min: 0, max: 0x1ffff }), fc.integer({ min: 0, max: 0x3ff }).map((n) => n * 4), fc.integer({ min: 0, max: 0x3ff }).map((n) => 0x10000 + n * 4)),
  sizeBytes: fc.constantFrom(1, 2, 4, 4, 4, 8),
  value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  register: fc.constantFrom('ICC_IAR0_EL1', 'ICC_IAR1_EL1', 'ICC_EOIR0_EL1', 'ICC_EOIR1_EL1', 'ICC_DIR_EL1', 'ICC_PMR_EL1', 'ICC_BPR0_EL1', 'ICC_BPR1_EL1', 'ICC_CTLR_EL1',
    'ICC_IGRPEN0_EL1', 'ICC_IGRPEN1_EL1', 'ICC_SGI1R_EL1', 'ICC_SGI0R_EL1', 'ICC_ASGI1R_EL1', 'ICC_AP1R0_EL1', 'ICC_AP0R0_EL1', 'ICC_SRE_EL1', 'nothing'),
});

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Applies one operation and returns what a guest would see of it. */
function apply(bench: Bench, { kind, cpu, offset, sizeBytes, value, register }: Operation): unknown {
  const intid = Number(value % 1024n);
  switch (kind) {
    case 'rd': return bench.gic.readDistributor(cpu, offset & 0xffff, sizeBytes);
    case 'wd': return bench.gic.writeDistributor(cpu, { offset: offset & 0xffff, sizeBytes, value });
    case 'rr': return bench.gic.readRedistributor(cpu, offset, sizeBytes);
    case 'wr': return bench.gic.writeRedistributor(cpu, { offset, sizeBytes, value });
    case 'rs': return bench.gic.readSystemRegister(cpu, register);
    case 'ws': return bench.gic.writeSystemRegister(cpu, register, value);
    case 'level': bench.held.add(intid); return bench.gic.assert(intid, cpu, 'level');
    case 'edge': return bench.gic.assert(intid, cpu, 'edge');
    case 'fall': return bench.held.delete(intid);
    case 'clear': bench.held.delete(intid); bench.gic.clear(intid, cpu); return undefined;
    case 'reset': bench.gic.resetCpu(cpu); return undefined;
  }
}

describe('any sequence of accesses to the virtual GICv3', () => {
  it('never throws, and a restored copy behaves the same from there on', () => {
    fc.assert(fc.property(fc.array(operation, { maxLength: 60 }), fc.array(operation, { maxLength: 40 }), (before, after) => {
      const original = new Bench(3, 70);
      original.run(READY);
      for (const step of before) apply(original, step);
      const saved = original.gic.save();
      const copy = new Bench(3, 70);
      copy.gic.restore(saved);
      for (const intid of original.held) copy.held.add(intid);
      assert.deepEqual(copy.gic.save(), saved);
      for (const step of after) assert.deepEqual(apply(copy, step), apply(original, step));
      assert.deepEqual(copy.gic.save(), original.gic.save());
    }), { numRuns: 200 });
  });
});

/** Registers that decide what is offered, of the interrupts that a small GIC has, and lines of such interrupts. */
const busyOperation = fc.tuple(operation, fc.constantFrom(0x80, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x400, 0xc00, 0x6100), fc.integer({ min: 0, max: 24 }), fc.integer({ min: 0, max: 101 }))
  .map(([step, bank, index, intid]): Operation => {
    const offset = bank === 0x6100 ? bank + index * 8 : bank + (bank === 0x400 ? index : index % 4) * 4;
    if (step.kind === 'wd') return { ...step, offset, sizeBytes: 4, value: bank === 0x6100 ? step.value & 3n : step.value };
    if (step.kind === 'wr') return { ...step, offset: 0x10000 + offset, sizeBytes: 4 };
    return step.kind === 'level' || step.kind === 'edge' || step.kind === 'clear' ? { ...step, value: BigInt(intid) } : step;
  });

describe('the virtual GICv3 that looks only at CPUs for which something changed', () => {
  it('does what one does that looks at all of them every time', () => {
    const open = [0, 1, 2].flatMap((cpu): Operation[] => [
      { kind: 'ws', cpu, offset: 0, sizeBytes: 4, value: 0xffn, register: 'ICC_PMR_EL1' }, { kind: 'ws', cpu, offset: 0, sizeBytes: 4, value: 1n, register: 'ICC_IGRPEN1_EL1' },
    ]);
    fc.assert(fc.property(fc.array(busyOperation, { maxLength: 150 }), (steps) => {
      const [usual, thorough] = [new Bench(3, 70).run(READY), new Bench(3, 70).run(READY)];
      for (const step of [...open, ...steps]) {
        thorough.gic.interrupts.touched.addAll();
        assert.deepEqual(apply(usual, step), apply(thorough, step));
        assert.deepEqual(usual.log, thorough.log);
      }
      assert.deepEqual(usual.gic.save(), thorough.gic.save());
    }), { numRuns: 300 });
  });
});

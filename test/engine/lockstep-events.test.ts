import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../runtime/base/prng';
import { pa, va } from '../../runtime/base/brands';
import { PAGE_SIZE, type Engine } from '../../runtime/engine';
import { inputsOf } from '../conformance/compare';
import { CODE, DATA, EXIT, RECORD_BYTES } from '../conformance/layout';
import { Machine } from '../conformance/machine';
import { defaultOptions, ProgramMaker, type Program } from '../conformance/programs';
import { POOL_BYTES } from '../conformance/reference';
import { makePool } from '../conformance/values';
import { words } from './support';

const SEED = 11;
const PROGRAMS = 24;
const PHASES = 16;
const VECTORS = EXIT + 0x800;
const IRQ_FROM_EL0 = VECTORS + 0x480;
const SVC_CLASS = 0x15n;
const pool = makePool(SEED, POOL_BYTES / RECORD_BYTES);

/** Adds the time and a constant to TPIDRRO_EL0, which programs read. Keeps X0 in TPIDR_EL1 and X1 in FAR_EL1. */
const HANDLER = words(
  0xd518d080, // msr tpidr_el1, x0
  0xd5186001, // msr far_el1, x1
  0xd53bd060, // mrs x0, tpidrro_el0
  0xd53be041, // mrs x1, cntvct_el0
  0x8b010000, // add x0, x0, x1
  0x91001400, // add x0, x0, #5
  0xd51bd060, // msr tpidrro_el0, x0
  0xd5386001, // mrs x1, far_el1
  0xd538d080, // mrs x0, tpidr_el1
  0xd69f03e0, // eret
);

/** A machine in the middle of a program, and the time there. */
class Runner {
  readonly machine = new Machine();
  private readonly program: Program;
  private tick = 0;

  constructor(program: Program) {
    this.program = program;
    const { engine } = this.machine;
    engine.memory.write(pa(BigInt(IRQ_FROM_EL0)), HANDLER);
    engine.vcpu(0).setSystemRegister('VBAR_EL1', BigInt(VECTORS));
    engine.vcpu(0).setSystemRegister('CNTKCTL_EL1', 3n);
    engine.reportExceptions({ exceptionClasses: 0xffff_ffff_ffff_ffffn, irq: false, fiq: true, serror: true });
    this.restart();
  }

  get engine(): Engine {
    return this.machine.engine;
  }

  private restart(): void {
    this.machine.load(this.program.code);
    this.machine.prepare(...inputsOf(pool, this.program));
  }

  /** Runs for exactly as many ticks, whatever stops it; the end of the program begins it anew. `slice` bounds each run. */
  advance(ticks: number, slice: () => number, between: () => void = () => undefined): void {
    let resume = false;
    for (let left = ticks; left > 0;) {
      between();
      const { retired, exit } = this.engine.run(0, { budget: Math.min(left, slice()), tickNow: this.tick, resume });
      left -= retired;
      this.tick += retired;
      resume = exit.reason === 'breakpoint';
      if (exit.reason === 'exception' && exit.esr >> 26n === SVC_CLASS) this.restart();
      else assert.ok(['budget', 'breakpoint', 'watchpoint'].includes(exit.reason), `seed ${String(SEED)} program ${String(this.program.number)}: ${exit.reason} ${exit.reason === 'exception' ? exit.esr.toString(16) : ''}`);
    }
  }

  /** What a program and its handler can have changed. */
  state(): readonly unknown[] {
    const vcpu = this.engine.vcpu(0);
    const named = ['FPCR', 'FPSR', 'TPIDR_EL0', 'TPIDRRO_EL0', 'TPIDR_EL1', 'ELR_EL1', 'SPSR_EL1', 'FAR_EL1'].map((name) => vcpu.systemRegister(name));
    const registers = [...Array.from({ length: 31 }, (_, n) => vcpu.x(n)), vcpu.spEl0, vcpu.pc, vcpu.pstate];
    return [this.tick, ...registers, ...Array.from({ length: 32 }, (_, n) => vcpu.v(n)).flat(), ...named, Buffer.from(this.machine.result()).toString('latin1')];
  }
}

/** Runs ahead and comes back: registers and the pages that changed are restored. */
function thereAndBack(engine: Engine, prng: Prng): void {
  const vcpu = engine.vcpu(0);
  const saved = vcpu.save();
  engine.memory.collectDirtyPages();
  const pages = Array.from({ length: engine.memory.pageCount }, (_, index) => engine.memory.readPage(index));
  engine.run(0, { budget: 1 + prng.below(4000), tickNow: 0, resume: true });
  for (const index of engine.memory.collectDirtyPages()) engine.memory.restorePage(index, pages[index] ?? new Uint8Array(PAGE_SIZE));
  vcpu.restore(saved);
  if (prng.below(2) === 0) engine.flushCaches();
}

/** Breakpoints and watchpoints at random, or none. */
function setStops(engine: Engine, prng: Prng): void {
  engine.setBreakpoints(prng.below(3) === 0 ? [] : Array.from({ length: prng.below(12) }, () => va(BigInt(CODE + prng.below(700) * 4))));
  engine.setWatchpoints(prng.below(3) !== 0 ? [] : [{ id: 1, address: pa(BigInt(DATA + prng.below(0x3ff0))), sizeBytes: 1 + prng.below(16), access: 'readWrite' }]);
}

test('interrupts and time at random ticks, stops, slices and returns to earlier states leave both tiers in the same state', () => {
  const maker = new ProgramMaker({ ...defaultOptions(SEED), units: 100, iterations: 8 });
  for (let number = 0; number < PROGRAMS; number++) {
    const program = maker.make(number);
    const prng = new Prng(SEED * 1000 + number);
    const [fast, exact, disturbed] = [new Runner(program), new Runner(program), new Runner(program)];
    exact.engine.setTier('exact');
    for (let phase = 0; phase < PHASES; phase++) {
      // While the line is high the handler runs again and again.
      const line = phase % 2 === 1;
      const ticks = 1 + prng.below(line ? 40 : 6000);
      for (const runner of [fast, exact, disturbed]) runner.engine.vcpu(0).irq = line;
      fast.advance(ticks, () => 1e9);
      exact.advance(ticks, () => 1e9);
      disturbed.advance(ticks, () => 1 + prng.below(prng.below(8) === 0 ? 5000 : 400), () => {
        if (prng.below(10) === 0) setStops(disturbed.engine, prng);
        if (prng.below(20) === 0) thereAndBack(disturbed.engine, prng);
        if (prng.below(10) === 0) disturbed.engine.setTier(prng.below(2) === 0 ? 'fast' : 'exact');
      });
      const where = `seed ${String(SEED)}, program ${String(number)}, phase ${String(phase)}`;
      assert.deepEqual(fast.state(), exact.state(), where);
      assert.deepEqual(disturbed.state(), exact.state(), where);
    }
    assert.notEqual(exact.engine.vcpu(0).systemRegister('TPIDRRO_EL0'), 0n, 'interrupts were taken');
  }
});

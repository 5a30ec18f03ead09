import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { pa, ticks } from '../../runtime/base/brands';
import { encodeDtb } from '../../runtime/devicetree';
import { createEngine } from '../../runtime/engine';
import type { Engine, Exit, GuestAccess } from '../../runtime/engine';
import { Vic, VIRQ_PHYSICAL_TIMER, VIRQ_VIRTUAL_TIMER } from '../../runtime/hypervisor/vic';
import { VirqSource } from '../../runtime/hypervisor/virq-source';
import { parseElf } from '../../runtime/images/elf';
import { BOARD_RAM_BASE, BOARD_UART, SPI_BASE } from '../../runtime/machine/board';
import { primaryDeviceTree } from '../../runtime/machine/board-device-tree';
import { Bus } from '../../runtime/machine/bus';
import { Pl011 } from '../../runtime/machine/devices/pl011';
import { TickEventQueue } from '../../runtime/machine/event-queue';
import { GenericTimer, isTimerRegister } from '../../runtime/machine/generic-timer';
import { guestElf } from '../support/guest-build';

const RAM_SIZE = 0x400_0000;
const COUNTER_SHIFT = 4;
const TREE_ADDRESS = BigInt(BOARD_RAM_BASE + RAM_SIZE - 0x1_0000);
const SYSTEM_OFF = 0x8400_0008n;

/** One CPU, the board's devices, no hypervisor but PSCI's SYSTEM_OFF: the least that a bare-metal guest needs. */
class BareBoard {
  readonly engine: Engine;
  readonly queue = new TickEventQueue();
  output = '';
  private readonly vic = new Vic();
  private readonly bus = new Bus();
  private readonly timer: GenericTimer;

  constructor(elfFile: string) {
    this.engine = createEngine({ ram: [{ base: pa(BigInt(BOARD_RAM_BASE)), sizeBytes: RAM_SIZE }], vcpuCountMax: 1, counterShift: COUNTER_SHIFT });
    this.vic.configure(1, 64, 0n, 0);
    this.vic.activate();
    const vcpu = this.engine.vcpu(0);
    this.vic.attachVcpu(0, { setIrq: (level) => { vcpu.irq = level; }, setFiq: (level) => { vcpu.fiq = level; }, wake: () => undefined, isRunning: () => true });
    this.timer = this.connectTimer();
    this.connectUart();
    this.load(elfFile);
  }

  /** Runs until SYSTEM_OFF; fails after `limitTicks`. */
  run(limitTicks: number): void {
    while (this.queue.now < limitTicks) {
      const deadline = this.queue.nextDeadline() ?? limitTicks;
      const budget = Math.max(1, Math.min(deadline - this.queue.now, 1_000_000));
      const { retired, exit } = this.engine.run(0, { budget, tickNow: this.queue.now });
      this.queue.advance(ticks(this.queue.now + retired));
      if (exit.reason === 'hvc' && this.engine.vcpu(0).x(0) === SYSTEM_OFF) return;
      this.handle(exit);
    }
    assert.fail(`still running after ${limitTicks} ticks at ${this.engine.vcpu(0).pc.toString(16)}; said ${this.output}`);
  }

  private handle(exit: Exit): void {
    switch (exit.reason) {
      case 'budget': return;
      case 'wfi': this.queue.advance(this.queue.nextDeadline() ?? assert.fail('waits for ever')); return;
      case 'mmio': this.engine.completeAccess(0, this.access(exit.access)); break;
      case 'system-register': this.engine.completeSystemRegister(0, this.systemRegister(exit.name, exit.isWrite, exit.value)); break;
      default: assert.fail(`${exit.reason} at ${this.engine.vcpu(0).pc.toString(16)}; said ${this.output}`);
    }
    this.queue.advance(ticks(this.queue.now + 1));
  }

  private access({ ipa, sizeBytes, isWrite, value }: GuestAccess): bigint {
    const answer = this.vic.access({ ipa, sizeBytes, isWrite, value, vcpuIndex: 0 });
    if (answer.handled && answer.abort !== true) return answer.value ?? 0n;
    const result = isWrite ? this.bus.write(pa(ipa), sizeBytes, value) : this.bus.read(pa(ipa), sizeBytes);
    return result.outcome === 'done' ? result.value : assert.fail(`${result.outcome} access at ${ipa.toString(16)}`);
  }

  private systemRegister(name: string, isWrite: boolean, value: bigint): bigint {
    if (isTimerRegister(name)) return isWrite ? (this.timer.write(name, value), 0n) : this.timer.read(name);
    if (isWrite) return this.vic.writeSystemRegister(0, name, value) === 'ok' ? 0n : assert.fail(`${name} is UNDEFINED`);
    const read = this.vic.readSystemRegister(0, name);
    return read === 'undefined' ? assert.fail(`${name} is UNDEFINED`) : read;
  }

  private connectTimer(): GenericTimer {
    const virtual: VirqSource = new VirqSource('virtual-timer', () => timer.output('virtual'));
    const physical: VirqSource = new VirqSource('physical-timer', () => timer.output('physical'));
    const wire = (source: VirqSource): { setLevel(level: boolean): void } => ({ setLevel: (level) => { if (level) source.assertLevel(); } });
    const timer = new GenericTimer({ queue: this.queue, key: 'timer', counterShift: COUNTER_SHIFT, lines: { virtual: wire(virtual), physical: wire(physical) } });
    assert.equal(virtual.bindPrivate(this.vic, 0, VIRQ_VIRTUAL_TIMER), 'OK');
    assert.equal(physical.bindPrivate(this.vic, 0, VIRQ_PHYSICAL_TIMER), 'OK');
    return timer;
  }

  private connectUart(): void {
    let held = false;
    const source = new VirqSource('pl011', () => held);
    assert.equal(source.bind(this.vic, SPI_BASE + BOARD_UART.spi), 'OK');
    this.bus.add({ ...BOARD_UART, device: new Pl011({
      line: { setLevel: (level) => { held = level; if (level) source.assertLevel(); } },
      transmit: (byte) => { this.output += String.fromCharCode(byte); },
      isOnAtReset: true,
    }) });
  }

  private load(elfFile: string): void {
    const elf = parseElf(readFileSync(elfFile), elfFile);
    assert.ok(elf.ok);
    for (const segment of elf.value.segments) this.engine.memory.write(pa(segment.physicalAddress), segment.bytes);
    this.engine.memory.write(pa(TREE_ADDRESS), encodeDtb(primaryDeviceTree({
      cpuCount: 1, memory: [{ base: BigInt(BOARD_RAM_BASE), sizeBytes: BigInt(RAM_SIZE) }], uart: true, rtc: false,
    })));
    const vcpu = this.engine.vcpu(0);
    vcpu.reset();
    vcpu.pc = elf.value.entry;
    vcpu.setX(0, TREE_ADDRESS);
  }
}

/** Builds and runs a guest, and returns the board with what it printed. */
function checkGuest(name: string, said: RegExp): BareBoard {
  const board = new BareBoard(guestElf(name));
  board.run(200_000_000);
  assert.match(board.output, said);
  return board;
}

describe('a bare-metal guest on the board', () => {
  it('prints on the PL011', () => {
    checkGuest('hello', /EL1/);
  });

  it('takes timer interrupts, sleeps in WFI and sends itself an SGI', () => {
    checkGuest('timer-irq', /10 ticks, time plausible\s+slept long enough\s+1 SGI/);
  });

  it('does the same in the same number of ticks every time', () => {
    const ends = [1, 2].map(() => { const board = checkGuest('timer-irq', /SGI/); return [board.queue.now, board.output]; });
    assert.deepEqual(ends[0], ends[1]);
  });
});

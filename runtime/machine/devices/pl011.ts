/**
 * Arm PrimeCell PL011 UART, revision 1, as on QEMU's board. Transmission takes no time: a byte written while the transmitter is enabled goes to the
 * sink at once. Received bytes wait in a bounded host queue and enter the receive FIFO as it has room, so no byte is
 * ever overrun by the host. No DMA, no modem lines, no IrDA. Source: PL011 TRM (DDI 0183) chapter 3.
 */

import { latin1 } from '../../base/byte-reader';
import type { IrqLine, RegisterDevice } from '../interface';
import { PRIMECELL_ID_ROWS, primeCellIdHandlers, registerMap } from '../register-map';
import type { RegisterHandlers, RegisterMap, RegisterRow, RegisterView } from '../register-map';

/** Depth of both FIFOs in this revision. */
export const PL011_FIFO_DEPTH = 16;
/** Most bytes from the host that wait to be received. */
export const PL011_INPUT_MAX = 65536;

const FR_RXFE = 0x10;
const FR_TXFF = 0x20;
const FR_RXFF = 0x40;
const FR_TXFE = 0x80;
const LCR_FEN = 0x10;
const CR_UARTEN = 0x1;
const CR_LBE = 0x80;
const CR_TXE = 0x100;
const CR_RXE = 0x200;
const INT_RX = 0x10;
const INT_TX = 0x20;
const INT_RT = 0x40;
const INT_OE = 0x400;
const INT_ALL = 0x7ff;
const DR_OE = 0x800;
const RSR_OE = 0x8;

/** The register file. */
export const PL011_REGISTERS = {
  DR: { offset: 0x00, access: 'RW', description: 'Data; reads take from the receive FIFO' },
  RSR: { offset: 0x04, access: 'RW', description: 'Receive status; any write clears errors' },
  FR: { offset: 0x18, access: 'RO', description: 'Flags' },
  ILPR: { offset: 0x20, access: 'RW', description: 'IrDA low-power counter' },
  IBRD: { offset: 0x24, access: 'RW', description: 'Baud rate divisor, integer part' },
  FBRD: { offset: 0x28, access: 'RW', description: 'Baud rate divisor, fraction' },
  LCR_H: { offset: 0x2c, access: 'RW', description: 'Line control; bit 4 enables the FIFOs' },
  CR: { offset: 0x30, access: 'RW', description: 'Control; UARTEN 0, LBE 7, TXE 8, RXE 9' },
  IFLS: { offset: 0x34, access: 'RW', description: 'FIFO levels that interrupt' },
  IMSC: { offset: 0x38, access: 'RW', description: 'Interrupt mask; set bits are enabled' },
  RIS: { offset: 0x3c, access: 'RO', description: 'Interrupt status before the mask' },
  MIS: { offset: 0x40, access: 'RO', description: 'Interrupt status after the mask' },
  ICR: { offset: 0x44, access: 'WO', description: 'Interrupt clear' },
  DMACR: { offset: 0x48, access: 'RW', description: 'DMA control; nothing is connected' },
  ...PRIMECELL_ID_ROWS,
} as const satisfies Record<string, RegisterRow>;

/** What a UART is connected to. */
export interface Pl011Options {
  readonly line: IrqLine;
  /** Takes each transmitted byte. */
  readonly transmit: (byte: number) => void;
  /** Whether the chip works although nobody has set UARTEN yet, as QEMU's does; CR does not show it. */
  readonly isOnAtReset?: boolean;
}

/** Plain-data form. */
export interface SavedPl011 {
  readonly kind: 'pl011'; readonly version: 1;
  readonly registers: readonly number[];
  readonly receiveFifo: readonly number[]; readonly transmitFifo: readonly number[]; readonly input: Uint8Array; readonly level: boolean;
}

/** The chip. Accesses of 8, 16 and 32 bits. */
export class Pl011 implements RegisterDevice {
  readonly kind = 'pl011';
  private readonly options: Pl011Options;
  private readonly map: RegisterMap;
  private receiveStatus = 0;
  private ilpr = 0;
  private ibrd = 0;
  private fbrd = 0;
  private lineControl = 0;
  private control = 0x300;
  /** CR is as it was at reset, and the chip is on. */
  private isOn: boolean;
  private ifls = 0x12;
  private mask = 0;
  private raw = 0;
  private dmacr = 0;
  private receiveFifo: number[] = [];
  private transmitFifo: number[] = [];
  private input: number[] = [];
  private inputFirst = 0;
  private level = false;

  constructor(options: Pl011Options) {
    this.options = options;
    this.map = registerMap(PL011_REGISTERS, this.handlers(), 'any-byte');
    this.isOn = options.isOnAtReset ?? false;
  }

  read(offset: number, sizeBytes: number): bigint | undefined {
    return this.map.read(offset, sizeBytes);
  }

  write(offset: number, sizeBytes: number, value: bigint): boolean {
    return this.map.write(offset, sizeBytes, value);
  }

  /** Register values for the debugger; nothing is consumed. */
  registers(): RegisterView[] {
    return this.map.registers();
  }

  /** Bytes typed by the host. Returns how many were taken; the rest did not fit the queue. */
  receive(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, PL011_INPUT_MAX - this.inputCount);
    for (let i = 0; i < taken; i++) this.input.push(bytes[i] ?? 0);
    this.fillReceiveFifo();
    return taken;
  }

  /** Bytes from the host that the guest has not seen, as text, for the debugger. */
  get waitingInput(): string {
    return latin1(Uint8Array.from(this.input.slice(this.inputFirst)));
  }

  /** Takes bytes that the host typed past the registers, for a guest that reads its console in another way. */
  takeInput(countMax: number): Uint8Array {
    const taken: number[] = [];
    while (taken.length < countMax && this.receiveFifo.length > 0) taken.push(this.takeReceived() & 0xff);
    const rest = this.input.slice(this.inputFirst, this.inputFirst + countMax - taken.length);
    this.inputFirst += rest.length;
    return Uint8Array.from([...taken, ...rest]);
  }

  /** How many bytes from the host the guest has not seen. */
  get waitingInputCount(): number {
    return this.inputCount;
  }

  reset(): void {
    this.assign([0, 0, 0, 0, 0, 0x300, 0x12, 0, 0, 0, this.options.isOnAtReset === true ? 1 : 0]);
    this.receiveFifo = [];
    this.transmitFifo = [];
    this.input = [];
    this.inputFirst = 0;
    this.drive();
  }

  save(): SavedPl011 {
    return {
      kind: 'pl011', version: 1,
      registers: [this.receiveStatus, this.ilpr, this.ibrd, this.fbrd, this.lineControl, this.control, this.ifls, this.mask, this.raw, this.dmacr, this.isOn ? 1 : 0],
      receiveFifo: [...this.receiveFifo], transmitFifo: [...this.transmitFifo], input: Uint8Array.from(this.input.slice(this.inputFirst)), level: this.level,
    };
  }

  restore(saved: SavedPl011): void {
    this.assign(saved.registers);
    this.receiveFifo = [...saved.receiveFifo];
    this.transmitFifo = [...saved.transmitFifo];
    this.input = [...saved.input];
    this.inputFirst = 0;
    this.level = saved.level;
  }

  private handlers(): RegisterHandlers<typeof PL011_REGISTERS> {
    return {
      DR: { read: () => this.takeReceived(), peek: () => this.receiveFifo[0] ?? 0, write: (value) => { this.send(value & 0xff); } },
      RSR: { read: () => this.receiveStatus, write: () => { this.receiveStatus = 0; } },
      FR: { read: () => this.flags },
      // What is written stays whole, reserved bits included, as on QEMU.
      ILPR: { read: () => this.ilpr, write: (value) => { this.ilpr = value; } },
      IBRD: { read: () => this.ibrd, write: (value) => { this.ibrd = value; } },
      FBRD: { read: () => this.fbrd, write: (value) => { this.fbrd = value; } },
      LCR_H: { read: () => this.lineControl, write: (value) => { this.writeLineControl(value); } },
      CR: { read: () => this.control, write: (value) => { this.writeControl(value); } },
      IFLS: { read: () => this.ifls, write: (value) => { this.ifls = value; } },
      IMSC: { read: () => this.mask, write: (value) => { this.mask = value; this.drive(); } },
      RIS: { read: () => this.raw },
      MIS: { read: () => this.raw & this.mask },
      ICR: { write: (value) => { this.raw &= ~value; this.drive(); } },
      DMACR: { read: () => this.dmacr, write: (value) => { this.dmacr = value; } },
      ...primeCellIdHandlers(0x011, 1),
    };
  }

  private get flags(): number {
    return (this.receiveFifo.length === 0 ? FR_RXFE : 0) | (this.receiveFifo.length >= this.depth ? FR_RXFF : 0)
      | (this.transmitFifo.length === 0 ? FR_TXFE : 0) | (this.transmitFifo.length >= this.depth ? FR_TXFF : 0);
  }

  private get depth(): number {
    return (this.lineControl & LCR_FEN) !== 0 ? PL011_FIFO_DEPTH : 1;
  }

  private get inputCount(): number {
    return this.input.length - this.inputFirst;
  }

  /** Fill of the receive FIFO that interrupts: 1/8, 1/4, 1/2, 3/4 or 7/8 of it, or one byte without FIFOs. */
  private get receiveTrigger(): number {
    if (this.depth === 1) return 1;
    return [2, 4, 8, 12, 14][(this.ifls >>> 3) & 7] ?? 8;
  }

  private isEnabled(side: number): boolean {
    return (this.isOn || (this.control & CR_UARTEN) !== 0) && (this.control & side) !== 0;
  }

  private send(byte: number): void {
    if (this.transmitFifo.length < this.depth) this.transmitFifo.push(byte);
    this.drain();
  }

  private drain(): void {
    if (!this.isEnabled(CR_TXE) || this.transmitFifo.length === 0) return;
    const bytes = this.transmitFifo;
    this.transmitFifo = [];
    for (const byte of bytes) {
      if ((this.control & CR_LBE) === 0) this.options.transmit(byte);
      else this.loopBack(byte);
    }
    this.raw |= INT_TX;
    this.drive();
  }

  private loopBack(byte: number): void {
    if (!this.isEnabled(CR_RXE)) return;
    if (this.receiveFifo.length < this.depth) {
      this.receiveFifo.push(byte);
      this.noteReceived();
      return;
    }
    this.receiveStatus |= RSR_OE;
    this.raw |= INT_OE;
    const last = this.receiveFifo.length - 1;
    this.receiveFifo[last] = (this.receiveFifo[last] ?? 0) | DR_OE;
  }

  private takeReceived(): number {
    const value = this.receiveFifo.shift() ?? 0;
    if (this.receiveFifo.length < this.receiveTrigger) this.raw &= ~INT_RX;
    if (this.receiveFifo.length === 0) this.raw &= ~INT_RT;
    this.fillReceiveFifo();
    this.drive();
    return value;
  }

  private fillReceiveFifo(): void {
    if (!this.isEnabled(CR_RXE) || (this.control & CR_LBE) !== 0) return;
    let moved = 0;
    for (; this.inputCount > 0 && this.receiveFifo.length < this.depth; moved++) this.receiveFifo.push(this.input[this.inputFirst++] ?? 0);
    if (this.inputCount === 0 || this.inputFirst > 4096) {
      this.input = this.input.slice(this.inputFirst);
      this.inputFirst = 0;
    }
    if (moved > 0) this.noteReceived();
    this.drive();
  }

  /** The line falls silent at once after the last byte, so a fill below the trigger is a receive time-out. */
  private noteReceived(): void {
    this.raw |= this.receiveFifo.length >= this.receiveTrigger ? INT_RX : INT_RT;
  }

  private writeLineControl(value: number): void {
    if (((value ^ this.lineControl) & LCR_FEN) !== 0) {
      this.receiveFifo = [];
      this.transmitFifo = [];
      this.raw &= ~(INT_RX | INT_RT);
    }
    this.lineControl = value;
    this.fillReceiveFifo();
  }

  private writeControl(value: number): void {
    this.control = value;
    this.isOn = false;
    this.drain();
    this.fillReceiveFifo();
  }

  private drive(): void {
    const level = (this.raw & this.mask & INT_ALL) !== 0;
    if (level === this.level) return;
    this.level = level;
    this.options.line.setLevel(level);
  }

  private assign(registers: readonly number[]): void {
    const isOn = registers[10] ?? 0;
    [this.receiveStatus = 0, this.ilpr = 0, this.ibrd = 0, this.fbrd = 0, this.lineControl = 0,
      this.control = 0, this.ifls = 0, this.mask = 0, this.raw = 0, this.dmacr = 0] = registers;
    this.isOn = isOn !== 0;
  }
}

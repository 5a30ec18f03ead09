/**
 * Arm PrimeCell PL061: eight general-purpose lines with interrupts. Nothing is connected to its lines, which are low as inputs, nor to its interrupt.
 * Source: PL061 TRM (DDI 0190) chapter 3.
 */

import type { RegisterDevice } from '../interface';
import { PRIMECELL_ID_ROWS, primeCellIdHandlers, registerMap, type RegisterHandlers, type RegisterMap, type RegisterRow, type RegisterView } from '../register-map';

/** Data accesses lie below: bits 9:2 of the address select lines. */
const DATA_SIZE = 0x400;
const LINES = 0xff;

/** The register file behind the data. */
export const PL061_REGISTERS = {
  GPIODIR: { offset: 0x400, access: 'RW', description: 'Direction; set bits are outputs' },
  GPIOIS: { offset: 0x404, access: 'RW', description: 'Interrupt sense; set bits are levels' },
  GPIOIBE: { offset: 0x408, access: 'RW', description: 'Interrupt on both edges' },
  GPIOIEV: { offset: 0x40c, access: 'RW', description: 'Interrupt event; set bits are rising edges and high levels' },
  GPIOIE: { offset: 0x410, access: 'RW', description: 'Interrupt mask; set bits are enabled' },
  GPIORIS: { offset: 0x414, access: 'RO', description: 'Interrupt status before the mask' },
  GPIOMIS: { offset: 0x418, access: 'RO', description: 'Interrupt status after the mask' },
  GPIOIC: { offset: 0x41c, access: 'WO', description: 'Interrupt clear' },
  GPIOAFSEL: { offset: 0x420, access: 'RW', description: 'Hardware control of lines' },
  ...PRIMECELL_ID_ROWS,
} as const satisfies Record<string, RegisterRow>;

/** Plain-data form: data, direction, sense, both edges, event, mask, status, hardware control. */
export interface SavedPl061 { readonly kind: 'pl061'; readonly version: 1; readonly registers: readonly number[] }

/** The chip. Accesses of 8, 16 and 32 bits. */
export class Pl061 implements RegisterDevice {
  readonly kind = 'pl061';
  private readonly map: RegisterMap;
  private data = 0;
  private direction = 0;
  private sense = 0;
  private bothEdges = 0;
  private event = 0;
  private mask = 0;
  private raw = 0;
  private hardware = 0;

  constructor() {
    this.map = registerMap(PL061_REGISTERS, this.handlers(), 'first-byte');
  }

  read(offset: number, sizeBytes: number): bigint | undefined {
    return offset < DATA_SIZE ? BigInt(this.data & (offset >> 2) & LINES) : this.map.read(offset, sizeBytes);
  }

  write(offset: number, sizeBytes: number, value: bigint): boolean {
    if (offset >= DATA_SIZE) return this.map.write(offset, sizeBytes, value);
    const lines = (offset >> 2) & this.direction;
    this.data = (this.data & ~lines) | (Number(value & 0xffn) & lines);
    this.update();
    return true;
  }

  /** Register values for the debugger. */
  registers(): RegisterView[] {
    return this.map.registers();
  }

  reset(): void {
    this.assign([]);
  }

  save(): SavedPl061 {
    return { kind: 'pl061', version: 1, registers: [this.data, this.direction, this.sense, this.bothEdges, this.event, this.mask, this.raw, this.hardware] };
  }

  restore(saved: SavedPl061): void {
    this.assign(saved.registers);
  }

  private handlers(): RegisterHandlers<typeof PL061_REGISTERS> {
    const stored = (name: 'direction' | 'sense' | 'bothEdges' | 'event' | 'mask' | 'hardware') => ({
      read: () => this[name], write: (value: number) => { this[name] = value & LINES; this.update(); },
    });
    return {
      GPIODIR: stored('direction'), GPIOIS: stored('sense'), GPIOIBE: stored('bothEdges'), GPIOIEV: stored('event'), GPIOIE: stored('mask'), GPIOAFSEL: stored('hardware'),
      GPIORIS: { read: () => this.raw },
      GPIOMIS: { read: () => this.raw & this.mask },
      GPIOIC: { write: (value) => { this.raw &= ~value; this.update(); } },
      ...primeCellIdHandlers(0x061, 0),
    };
  }

  /** Levels are latched, as on QEMU; edges never come. */
  private update(): void {
    this.raw |= ~(this.data ^ this.event) & this.sense & LINES;
  }

  private assign(registers: readonly number[]): void {
    [this.data = 0, this.direction = 0, this.sense = 0, this.bothEdges = 0, this.event = 0, this.mask = 0, this.raw = 0, this.hardware = 0] = registers;
  }
}

/**
 * Register access to the distributor and redistributor frames of the virtual GICv3. Decoding, widths and error bits come from
 * `gic-register-table.ts`; this file says what each register does. Values are numbers of 32 bits here, but for the two
 * registers of 64 bits.
 */

import type { GicObserver, InterruptField } from './gic-interrupt-types';
import type { GicInterrupts } from './gic-interrupts';
import type { GicProfile } from './gic-profile';
import { GICD_REGISTERS, GICR_REGISTERS, findGicRegister } from './gic-register-table';
import type { GicRegisterHit, GicRegisterRow } from './gic-register-table';

/** STATUSR bits: read of reserved, write to reserved, read of write-only, write to read-only. */
const RRD = 1;
const WRD = 2;
const RWOD = 4;
const WROD = 8;

/** ARE and DS. */
const CTLR_FIXED = 0x50;
/** GICD_IROUTER's "any CPU". */
const ROUTE_ANY = 2 ** 31;
const SLEEP = 2;
const CHILDREN_ASLEEP = 4;

/** State of the frames beside the interrupts themselves. */
export interface GicFrameState {
  /** Group enables of GICD_CTLR, bits 1:0. */
  control: number;
  distributorStatus: number;
  readonly redistributorStatus: number[];
  /** GICR_WAKER.ProcessorSleep per CPU. */
  readonly asleep: boolean[];
}

/** What frame registers need from the GIC around them. */
export interface GicFrameContext {
  readonly profile: GicProfile;
  readonly interrupts: GicInterrupts;
  readonly state: GicFrameState;
  /** Aff3.Aff2.Aff1.Aff0 of a CPU as 32 bits. */
  readonly affinityOf: (cpu: number) => number;
  /** Told about writes and routes. */
  readonly observer?: Pick<GicObserver, 'write' | 'route'>;
  /** The CPU with this affinity. */
  readonly cpuOfAffinity: (affinity: number) => number | undefined;
  /** GICR_TYPER.Last of a CPU's frame. */
  readonly isLast: (cpu: number) => boolean;
  /** Whether a group is enabled at a CPU, in the distributor and in the CPU's interface. */
  readonly isOpen: (cpu: number) => boolean;
}

/** Whose private interrupts a frame shows, and which CPU looks at it. */
export interface Viewer { readonly cpu: number; readonly accessor: number }
interface Bank extends Viewer { readonly gic: GicFrameContext }
/** One access to a bank: the CPU whose private interrupts show, the register's index, the value. */
interface Place extends Bank { readonly index: number }
/** A write also says where in the register, how wide and what: `value` is the low 32 bits, `high` the rest. */
interface WritePlace extends Place { readonly byte: number; readonly sizeBytes: number; readonly value: number; readonly high: number }

interface Handler {
  readonly read?: (place: Place) => number | bigint;
  readonly write?: (place: WritePlace) => void;
}

type Handlers<Table> = { readonly [Name in keyof Table]: Handler };

/** Reads a distributor register as CPU `cpu`; `undefined` is an abort. */
export function readDistributor(gic: GicFrameContext, cpu: number, offset: number, sizeBytes: number): bigint | undefined {
  const hit = findGicRegister(GICD_REGISTERS, offset);
  const note = (bit: number): void => { gic.state.distributorStatus |= bit; };
  if (hit?.name.startsWith('GICD_IROUTER') === true && !gic.profile.readsRoutes) note(RRD);
  return read({ hit, id: gic.profile.distributorId[offset], handler: hit && DISTRIBUTOR[hit.name], note, offset, sizeBytes }, { gic, cpu, accessor: cpu });
}

/** Writes a distributor register as CPU `cpu`; false is an abort. */
export function writeDistributor(gic: GicFrameContext, cpu: number, access: { readonly offset: number; readonly sizeBytes: number; readonly value: bigint }): boolean {
  const hit = findGicRegister(GICD_REGISTERS, access.offset);
  const note = (bit: number): void => { gic.state.distributorStatus |= bit; };
  return write({ hit, handler: hit && DISTRIBUTOR[hit.name], note, ...access }, { gic, cpu, accessor: cpu });
}

/** Reads a register of a CPU's redistributor; `undefined` is an abort. */
export function readRedistributor(gic: GicFrameContext, { cpu, accessor }: Viewer, offset: number, sizeBytes: number): bigint | undefined {
  const hit = findGicRegister(GICR_REGISTERS, offset);
  const note = (bit: number): void => { gic.state.redistributorStatus[cpu] = (gic.state.redistributorStatus[cpu] ?? 0) | bit; };
  return read({ hit, id: gic.profile.redistributorId[offset], handler: hit && REDISTRIBUTOR[hit.name], note, doublesEnd: gic.profile.redistributorDoublesEnd, offset, sizeBytes }, { gic, cpu, accessor });
}

/** Writes a register of a CPU's redistributor; false is an abort. */
export function writeRedistributor(gic: GicFrameContext, { cpu, accessor }: Viewer, access: { readonly offset: number; readonly sizeBytes: number; readonly value: bigint }): boolean {
  const hit = findGicRegister(GICR_REGISTERS, access.offset);
  const note = (bit: number): void => { gic.state.redistributorStatus[cpu] = (gic.state.redistributorStatus[cpu] ?? 0) | bit; };
  return write({ hit, handler: hit && REDISTRIBUTOR[hit.name], note, doublesEnd: gic.profile.redistributorDoublesEnd, frame: cpu, ...access }, { gic, cpu, accessor });
}

/** One register for the debugger's view. */
export interface RegisterValue { readonly name: string; readonly offset: number; readonly value: bigint }

/** All readable distributor registers; reading has no side effect. Banks end with the last existing interrupt. */
export function distributorRegisters(gic: GicFrameContext, cpu: number): RegisterValue[] {
  return view(GICD_REGISTERS, DISTRIBUTOR, { gic, cpu, accessor: cpu }, gic.interrupts.spiCount + 32);
}

/** All readable registers of one redistributor; reading has no side effect. */
export function redistributorRegisters(gic: GicFrameContext, cpu: number): RegisterValue[] {
  return view(GICR_REGISTERS, REDISTRIBUTOR, { gic, cpu, accessor: cpu }, 32);
}

interface Access {
  readonly hit: GicRegisterHit<string> | undefined;
  /** Value of an identification register. */
  readonly id?: number | undefined;
  readonly handler: Handler | undefined;
  readonly note: (statusBit: number) => void;
  /** Where the places end that take doublewords whatever is there. */
  readonly doublesEnd?: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

function read(access: Access, at: Bank): bigint | undefined {
  const { hit, sizeBytes } = access;
  if (!accepts(access)) return at.gic.profile.badAccess === 'abort' ? undefined : 0n;
  if (access.id !== undefined) return BigInt(access.id);
  if (hit === undefined) access.note(RRD);
  const isWriteOnly = hit?.row.access === 'WO' || hit?.row.access === 'WA';
  if (isWriteOnly) access.note(RWOD);
  if (hit === undefined || isWriteOnly) return 0n;
  const value = BigInt(access.handler?.read?.({ ...at, index: hit.index }) ?? 0);
  return BigInt.asUintN(sizeBytes * 8, value >> BigInt(hit.byte * 8));
}

function write(access: Access & { readonly value: bigint; readonly frame?: number }, at: Bank): boolean {
  const { hit } = access;
  const ignores = at.gic.profile.badAccess === 'ignore';
  if (!accepts(access)) return ignores;
  at.gic.observer?.write(access.frame, access.offset, access.value);
  if (hit === undefined || hit.row.access === 'RZWA' || hit.row.access === 'WA') {
    access.note(WRD);
    return ignores;
  }
  if (hit.row.access === 'RO') access.note(WROD);
  if (hit.row.access !== 'RW' && hit.row.access !== 'WO') return true;
  const value = Number(BigInt.asUintN(Math.min(access.sizeBytes, 4) * 8, access.value));
  const high = Number(BigInt.asUintN(32, access.value >> 32n));
  access.handler?.write?.({ ...at, index: hit.index, byte: hit.byte, sizeBytes: access.sizeBytes, value, high });
  return true;
}

/** Natural alignment and a width the register takes; reserved places take words, those at the start of Gunyah's redistributor also doublewords. */
function accepts(access: Access): boolean {
  if (access.sizeBytes === 8 && access.offset % 8 === 0 && access.offset < (access.doublesEnd ?? 0)) return true;
  return access.offset % access.sizeBytes === 0 && (access.hit?.row.widths ?? [4]).includes(access.sizeBytes);
}

function view<Name extends string>(table: Readonly<Record<Name, GicRegisterRow>>, handlers: Readonly<Record<Name, Handler>>,
  at: Bank, intidLimit: number): RegisterValue[] {
  const values: RegisterValue[] = [];
  for (const name in table) {
    const row = table[name];
    const { read: get } = handlers[name];
    if (get === undefined) continue;
    const count = row.count ?? 1;
    for (let index = 0; index < Math.min(count, Math.ceil(intidLimit * count / 1020)); index++) {
      const value = name === 'GICD_IROUTER' ? BigInt(routeAffinity(at.gic, index)) : BigInt(get({ ...at, index }));
      values.push({ name: row.count === undefined ? name : `${name}${index}`, offset: row.offset + index * (row.stride ?? 4), value });
    }
  }
  return values;
}

/** Calls `visit` with the slot of each of the 32 interrupts of word `index` that exists. */
function eachOfWord({ gic, cpu, index }: Place, visit: (slot: number, bit: number) => void): void {
  for (let bit = 0; bit < 32; bit++) {
    const slot = gic.interrupts.slotOf(cpu, index * 32 + bit);
    if (slot !== undefined) visit(slot, bit);
  }
}

function readField(place: Place, field: InterruptField): number {
  let value = 0;
  eachOfWord(place, (slot, bit) => { if (place.gic.interrupts.shows(slot, field, place.accessor)) value |= 1 << bit; });
  return value >>> 0;
}

/** A bank of one bit per interrupt. `apply` sees every existing interrupt and whether its bit was written as one. */
function bitBank(field: InterruptField, apply: (gic: GicFrameContext, slot: number, one: boolean, accessor: number) => void): Required<Handler> {
  return {
    read: (place) => readField(place, field),
    write: (place) => { eachOfWord(place, (slot, bit) => { apply(place.gic, slot, ((place.value >>> bit) & 1) !== 0, place.accessor); }); },
  };
}

const BANKS = {
  group: bitBank('group1', (gic, slot, one) => { gic.interrupts.setGroup1(slot, one); }),
  setEnable: bitBank('enabled', (gic, slot, one, accessor) => { if (one) gic.interrupts.setEnabled(slot, true, accessor); }),
  clearEnable: bitBank('enabled', (gic, slot, one, accessor) => { if (one) gic.interrupts.setEnabled(slot, false, accessor); }),
  setPending: bitBank('pending', (gic, slot, one) => { if (one) gic.interrupts.setPending(slot); }),
  clearPending: bitBank('pending', (gic, slot, one, accessor) => { if (one) gic.interrupts.clearPending(slot, accessor); }),
  setActive: bitBank('active', (gic, slot, one) => { if (one) gic.interrupts.setActive(slot); }),
  clearActive: bitBank('active', (gic, slot, one) => { if (one) gic.interrupts.clearActive(slot); }),
};

const PRIORITY: Required<Handler> = {
  read: ({ gic, cpu, index }) => {
    let value = 0;
    for (let byte = 0; byte < 4; byte++) {
      const slot = gic.interrupts.slotOf(cpu, index * 4 + byte);
      if (slot !== undefined) value |= gic.interrupts.priorityOf(slot) << (byte * 8);
    }
    return value >>> 0;
  },
  write: ({ gic, cpu, index, byte, sizeBytes, value }) => {
    for (let i = 0; i < sizeBytes; i++) {
      const slot = gic.interrupts.slotOf(cpu, index * 4 + byte + i);
      if (slot !== undefined) gic.interrupts.setPriority(slot, (value >>> (i * 8)) & 0xff);
    }
  },
};

const CONFIGURATION: Required<Handler> = {
  read: ({ gic, cpu, index }) => {
    let value = 0;
    for (let i = 0; i < 16; i++) {
      const slot = gic.interrupts.slotOf(cpu, index * 16 + i);
      if (slot !== undefined && gic.interrupts.test(slot, 'edgeTriggered')) value |= 2 << (i * 2);
    }
    return value >>> 0;
  },
  write: ({ gic, cpu, index, value }) => {
    for (let i = 0; i < 16; i++) {
      const slot = gic.interrupts.slotOf(cpu, index * 16 + i);
      if (slot !== undefined) gic.interrupts.setEdgeTriggered(slot, ((value >>> (i * 2 + 1)) & 1) !== 0);
    }
  },
};

/** In the distributor the private words show the caller's interrupts, or nothing, and ignore writes. */
function sharedOnly(handler: Required<Handler>, privateCount: number): Handler {
  return { read: (place) => (place.index < privateCount && !place.gic.profile.showsPrivate ? 0 : handler.read(place)), write: (place) => { if (place.index >= privateCount) handler.write(place); } };
}

/** Redistributor registers are words 0 (or 1) of the same banks. */
function word(handler: Required<Handler>, index: number): Handler {
  return { read: (place) => handler.read({ ...place, index }), write: (place) => { handler.write({ ...place, index }); } };
}

function messageSlot({ gic, cpu, value }: WritePlace): number | undefined {
  const intid = value & 0x3ff;
  return intid < 32 || !gic.profile.hasMessages ? undefined : gic.interrupts.slotOf(cpu, intid);
}

function routeAffinity(gic: GicFrameContext, index: number): number {
  const slot = gic.interrupts.slotOf(0, index + 32);
  const cpu = slot === undefined ? undefined : gic.interrupts.cpuOf(slot);
  return cpu === undefined ? 0 : gic.affinityOf(cpu);
}

function writtenRoute({ interrupts }: GicFrameContext, index: number): bigint {
  const slot = interrupts.slotOf(0, index + 32);
  return slot === undefined ? 0n : (BigInt(interrupts.routeWord(slot, 1)) << 32n) | BigInt(interrupts.routeWord(slot, 0));
}

/** Gunyah takes a 32-bit write to either half as the low word, Aff3 being 0; a physical controller has two halves. */
function writeRoute({ gic, cpu, index, byte, sizeBytes, value, high }: WritePlace): void {
  const { interrupts } = gic;
  const slot = interrupts.slotOf(cpu, index + 32);
  if (slot === undefined) return;
  if (!gic.profile.readsRoutes) {
    const target = gic.cpuOfAffinity((((sizeBytes === 8 ? high : 0) << 24) | (value & 0xff_ffff)) >>> 0);
    interrupts.setRoute(slot, target);
    interrupts.log.after(() => gic.observer?.route(index + 32, target));
    return;
  }
  if (byte === 4) interrupts.setRouteWord(slot, 1, value);
  else interrupts.setRouteWord(slot, 0, value);
  if (sizeBytes === 8) interrupts.setRouteWord(slot, 1, high);
  const isAny = (interrupts.routeWord(slot, 0) & ROUTE_ANY) !== 0;
  const affinity = ((interrupts.routeWord(slot, 1) << 24) | (interrupts.routeWord(slot, 0) & 0xff_ffff)) >>> 0;
  interrupts.setRoute(slot, isAny ? undefined : gic.cpuOfAffinity(affinity));
}

/** A new value of the group enables; what was offered under a closed group is taken back. */
function writeControl(gic: GicFrameContext, value: number): void {
  if (gic.state.control === (value & 3)) return;
  const before = Array.from({ length: gic.interrupts.cpuCount }, (_, cpu) => gic.interrupts.takes(cpu));
  gic.state.control = value & 3;
  before.forEach((groups, cpu) => { if ((groups & ~gic.interrupts.takes(cpu)) !== 0) gic.interrupts.closeCpu(cpu); });
}

const DISTRIBUTOR: Handlers<typeof GICD_REGISTERS> = {
  GICD_CTLR: { read: ({ gic }) => CTLR_FIXED | gic.state.control, write: ({ gic, value }) => { writeControl(gic, value); } },
  GICD_TYPER: { read: ({ gic: { profile, interrupts } }) => profile.typer | (profile.linesNumber ?? interrupts.spiCount >>> 5) },
  GICD_IIDR: { read: ({ gic }) => gic.profile.iidr },
  GICD_TYPER2: { read: () => 0 },
  GICD_STATUSR: { read: ({ gic }) => gic.state.distributorStatus, write: ({ gic, value }) => { gic.state.distributorStatus &= ~value; } },
  GICD_SETSPI_NSR: { write: (place) => { const slot = messageSlot(place); if (slot !== undefined) place.gic.interrupts.setMessage(slot); } },
  GICD_CLRSPI_NSR: { write: (place) => { const slot = messageSlot(place); if (slot !== undefined) place.gic.interrupts.clearMessage(slot, place.accessor); } },
  GICD_SETSPI_SR: {},
  GICD_CLRSPI_SR: {},
  GICD_IGROUPR: sharedOnly(BANKS.group, 1),
  GICD_ISENABLER: sharedOnly(BANKS.setEnable, 1),
  GICD_ICENABLER: sharedOnly(BANKS.clearEnable, 1),
  GICD_ISPENDR: sharedOnly(BANKS.setPending, 1),
  GICD_ICPENDR: sharedOnly(BANKS.clearPending, 1),
  GICD_ISACTIVER: sharedOnly(BANKS.setActive, 1),
  GICD_ICACTIVER: sharedOnly(BANKS.clearActive, 1),
  GICD_IPRIORITYR: sharedOnly(PRIORITY, 8),
  GICD_ITARGETSR: {},
  GICD_ICFGR: sharedOnly(CONFIGURATION, 2),
  GICD_IGRPMODR: {},
  GICD_NSACR: {},
  GICD_SGIR: {},
  GICD_CPENDSGIR: {},
  GICD_SPENDSGIR: {},
  GICD_IROUTER: {
    read: ({ gic, index }) => (gic.profile.readsRoutes ? writtenRoute(gic, index) : 0),
    write: writeRoute,
  },
  GICD_IROUTER_SPECIAL: {},
  GICD_PIDR2: { read: ({ gic }) => gic.profile.distributorId[GICD_REGISTERS.GICD_PIDR2.offset] ?? 0 },
};

const REDISTRIBUTOR: Handlers<typeof GICR_REGISTERS> = {
  GICR_CTLR: { read: () => 0 },
  GICR_IIDR: { read: ({ gic }) => gic.profile.iidr },
  GICR_TYPER: {
    read: ({ gic, cpu }) => (BigInt(gic.affinityOf(cpu)) << 32n) | BigInt(gic.profile.redistributorTyper | (cpu << 8)) | (gic.isLast(cpu) ? 0x10n : 0n),
  },
  GICR_STATUSR: {
    read: ({ gic, cpu }) => gic.state.redistributorStatus[cpu] ?? 0,
    write: ({ gic, cpu, value }) => { gic.state.redistributorStatus[cpu] = (gic.state.redistributorStatus[cpu] ?? 0) & ~value; },
  },
  GICR_WAKER: {
    read: ({ gic, cpu }) => (gic.state.asleep[cpu] !== true ? 0 : gic.profile.sleepsOnlyClosed && gic.isOpen(cpu) ? SLEEP : SLEEP | CHILDREN_ASLEEP),
    write: ({ gic, cpu, value }) => { gic.state.asleep[cpu] = (value & SLEEP) !== 0; },
  },
  GICR_SETLPIR: {},
  GICR_CLRLPIR: {},
  GICR_PROPBASER: {},
  GICR_PENDBASER: {},
  GICR_INVLPIR: {},
  GICR_INVALLR: {},
  GICR_SYNCR: {},
  GICR_PIDR2: { read: ({ gic }) => gic.profile.redistributorId[GICR_REGISTERS.GICR_PIDR2.offset] ?? 0 },
  GICR_IGROUPR0: word(BANKS.group, 0),
  GICR_ISENABLER0: word(BANKS.setEnable, 0),
  GICR_ICENABLER0: word(BANKS.clearEnable, 0),
  GICR_ISPENDR0: word(BANKS.setPending, 0),
  GICR_ICPENDR0: word(BANKS.clearPending, 0),
  GICR_ISACTIVER0: word(BANKS.setActive, 0),
  GICR_ICACTIVER0: word(BANKS.clearActive, 0),
  GICR_IPRIORITYR: PRIORITY,
  GICR_ICFGR0: word(CONFIGURATION, 0),
  GICR_ICFGR1: word(CONFIGURATION, 1),
  GICR_IGRPMODR0: {},
  GICR_NSACR: {},
};

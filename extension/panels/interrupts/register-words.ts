/**
 * Words for the registers of a VM's interrupt controller: which interrupts the bits of an array name, and what the fields of the others say.
 *
 * Pure text. Source: Arm GIC architecture (IHI 0069), CPU interface, distributor and redistributor registers of GICv3.
 */

/** How an interrupt is called; empty if it has no name. */
export type VirqNames = (virq: number) => string;

/** One bit an interrupt. */
const BIT_ARRAY = /^GIC[DR]_(?:IGROUPR|IGRPMODR|ISENABLER|ICENABLER|ISPENDR|ICPENDR|ISACTIVER|ICACTIVER)(\d+)$/;
/** Two bits an interrupt; the upper one says edge-triggered. */
const CONFIGURATION = /^GIC[DR]_ICFGR(\d+)$/;
/** A byte an interrupt. */
const PRIORITY = /^GIC[DR]_IPRIORITYR(\d+)$/;
const ROUTE = /^GICD_IROUTER(\d+)$/;
const ALL_BITS = 0xffff_ffffn;
/** Interrupts that one register names. */
const SHOWN_MAX = 4;

const FLAGS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  GICD_CTLR: { 0: 'EnableGrp0', 1: 'EnableGrp1', 4: 'ARE', 6: 'DS', 31: 'RWP' },
  GICR_CTLR: { 0: 'EnableLPIs', 3: 'RWP', 31: 'UWP' },
  GICR_WAKER: { 1: 'ProcessorSleep', 2: 'ChildrenAsleep' },
  ICC_SRE_EL1: { 0: 'SRE', 1: 'DFB', 2: 'DIB' },
  ICC_IGRPEN0_EL1: { 0: 'enabled' },
  ICC_IGRPEN1_EL1: { 0: 'enabled' },
};
const ZERO_WORDS: Readonly<Record<string, string>> = { ICC_IGRPEN0_EL1: 'disabled', ICC_IGRPEN1_EL1: 'disabled', GICR_WAKER: 'awake', GICD_CTLR: 'disabled' };

const field = (value: bigint, high: number, low: number): bigint => (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
const hexOf = (value: bigint): string => `0x${value.toString(16)}`;

/** Fields of registers that are more than flags. */
const FIELDS: Readonly<Record<string, (value: bigint) => string>> = {
  GICD_TYPER: (value) => `${32n * (field(value, 4, 0) + 1n)} interrupts at most, identifiers of ${field(value, 23, 19) + 1n} bits`,
  GICR_TYPER: (value) => [`vCPU ${field(value, 23, 8)}`, ...(field(value, 4, 4) === 1n ? ['the last'] : [])].join(', '),
  GICD_IIDR: identification,
  GICR_IIDR: identification,
  GICR_PIDR2: (value) => `GICv${field(value, 7, 4)}`,
  ICC_PMR_EL1: (value) => (value === 0n ? 'lets nothing through' : `lets priorities below ${hexOf(value)} through`),
  ICC_RPR_EL1: (value) => (value === 0xffn ? 'nothing is being handled' : `handles priority ${hexOf(value)}`),
  ICC_BPR0_EL1: (value) => `preempts by bits 7 to ${value + 1n}`,
  ICC_BPR1_EL1: (value) => `preempts by bits 7 to ${value}`,
  ICC_CTLR_EL1: (value) => [`${field(value, 10, 8) + 1n} priority bits`, ...(field(value, 1, 1) === 1n ? ['EOImode: drop only'] : ['EOImode: drop and deactivate']), ...(field(value, 0, 0) === 1n ? ['CBPR'] : [])].join(', '),
};

/** JEP106 codes. */
const IMPLEMENTERS: Readonly<Record<number, string>> = { 0x43b: 'Arm', 0x070: 'Qualcomm' };

function identification(value: bigint): string {
  return `product ${hexOf(field(value, 31, 24))}, variant ${field(value, 19, 16)}, revision ${field(value, 15, 12)}, implementer ${IMPLEMENTERS[Number(field(value, 11, 0))] ?? hexOf(field(value, 11, 0))}`;
}

/** What a register's value says; empty if it says nothing but its number. */
export function registerWords(name: string, text: string, names: VirqNames): string {
  const value = BigInt(text);
  const array = arrayWords(name, value, names);
  if (array !== undefined) return array;
  const flags = FLAGS[name];
  if (flags !== undefined) return value === 0n ? ZERO_WORDS[name] ?? '' : Object.entries(flags).filter(([bit]) => field(value, Number(bit), Number(bit)) === 1n).map(([, word]) => word).join(', ');
  return FIELDS[name]?.(value) ?? '';
}

/** Registers that there are many of, by the name that they share: `GICD_ISENABLER` of `GICD_ISENABLER3`. Undefined for others. */
export function arrayOf(name: string): string | undefined {
  return [BIT_ARRAY, CONFIGURATION, PRIORITY, ROUTE].some((pattern) => pattern.test(name)) ? name.replace(/\d+$/, '') : undefined;
}

function arrayWords(name: string, value: bigint, names: VirqNames): string | undefined {
  const bits = BIT_ARRAY.exec(name)?.[1];
  if (bits !== undefined) return value === ALL_BITS ? 'all' : listed(picked(32, (index) => field(value, index, index) === 1n).map((index) => nameOf(Number(bits) * 32 + index, names)));
  const configuration = CONFIGURATION.exec(name)?.[1];
  if (configuration !== undefined) return edges(Number(configuration), value, names);
  const priority = PRIORITY.exec(name)?.[1];
  if (priority !== undefined) return listed(picked(4, (index) => field(value, index * 8 + 7, index * 8) !== 0n).map((index) => `${nameOf(Number(priority) * 4 + index, names)} has ${hexOf(field(value, index * 8 + 7, index * 8))}`));
  const route = ROUTE.exec(name)?.[1];
  if (route === undefined) return undefined;
  return `${nameOf(Number(route), names)} goes to ${field(value, 31, 31) === 1n ? 'any vCPU' : `affinity ${field(value, 39, 32)}.${field(value, 23, 16)}.${field(value, 15, 8)}.${field(value, 7, 0)}`}`;
}

/** Which of 16 interrupts are edge-triggered. */
function edges(register: number, value: bigint, names: VirqNames): string {
  const indexes = picked(16, (index) => field(value, index * 2 + 1, index * 2 + 1) === 1n);
  if (indexes.length === 16) return 'all edge-triggered';
  return indexes.length === 0 ? 'all level-sensitive' : `edge-triggered: ${listed(indexes.map((index) => nameOf(register * 16 + index, names)))}`;
}

function picked(count: number, isPicked: (index: number) => boolean): number[] {
  return Array.from({ length: count }, (_, index) => index).filter(isPicked);
}

function nameOf(virq: number, names: VirqNames): string {
  const name = names(virq);
  return name === '' ? `VIRQ ${virq}` : `VIRQ ${virq} ${name}`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_MAX);
  return names.length <= SHOWN_MAX ? shown.join(', ') : `${shown.join(', ')} and ${names.length - SHOWN_MAX} more`;
}

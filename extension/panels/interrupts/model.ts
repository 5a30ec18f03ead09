/**
 * Rows of the Interrupts view: per VM and vCPU what is pending and active, what is presented next, and the registers behind it.
 *
 * A pure function of what `gunyah/interrupts` answered for each VM now and at the previous stop.
 */

import type { CustomRequestBody, InterruptInterfaceRow, InterruptRow, RegisterRow } from '../../../debug-adapter/protocol';
import { escapeMarkdown, formatHex, plural } from '../../model/format';
import { groupRow, lazyRow, propertyRow, row, toneAgainst, type Row, type Tone } from '../../model/row';
import { arrayOf, registerWords, type VirqNames } from './register-words';

/** The interrupts of one VM. */
export interface VmInterrupts extends CustomRequestBody<'gunyah/interrupts'> {
  readonly vmid: number;
  readonly vm: string;
}

/** Rows of all VMs. `before` is the previous stop's answer, undefined at the first stop. */
export function interruptRows(vms: readonly VmInterrupts[], before: readonly VmInterrupts[] | undefined): readonly Row[] {
  return vms.filter(({ interrupts, vcpus }) => interrupts.length > 0 || vcpus.length > 0).map((vm) => vmRow(vm, before?.find((old) => old.vmid === vm.vmid)));
}

function vmRow(vm: VmInterrupts, old: VmInterrupts | undefined): Row {
  const id = `vm${vm.vmid}`;
  const shared = vm.interrupts.filter(({ vcpu }) => vcpu === null).map((one) => interruptRow(id, vm, one, old));
  const children = [
    ...vm.vcpus.map((vcpu) => vcpuRow(id, vm, vcpu, old)),
    ...(shared.length === 0 ? [] : [{ ...groupRow(`${id}/shared`, 'Shared', 'type-hierarchy', shared), expanded: true, description: countText(vm.interrupts.filter(({ vcpu }) => vcpu === null)) }]),
    ...(vm.distributor.length === 0 ? [] : [registersRow({ id: `${id}/distributor`, label: 'Distributor', registers: vm.distributor, before: old?.distributor, names: virqNames(vm, 0) })]),
  ];
  return row({
    id,
    label: vm.vm,
    description: countText(vm.interrupts),
    tooltip: `Interrupts of **${escapeMarkdown(vm.vm)}**, VMID ${vm.vmid}: those that are enabled, pending, active or bound to a source`,
    icon: 'vm',
    tone: children.some(({ tone }) => tone !== 'plain' && tone !== 'dim') ? 'changed' : 'plain',
    children,
    expanded: true,
  });
}

function countText(interrupts: readonly InterruptRow[]): string {
  const pending = interrupts.filter((one) => one.pending).length;
  const active = interrupts.filter((one) => one.active).length;
  const parts = [...(pending > 0 ? [`${pending} pending`] : []), ...(active > 0 ? [`${active} active`] : [])];
  return parts.length === 0 ? 'nothing pending' : parts.join(' · ');
}

function vcpuRow(parent: string, vm: VmInterrupts, vcpu: InterruptInterfaceRow, before: VmInterrupts | undefined): Row {
  const id = `${parent}/cpu${vcpu.vcpu}`;
  const old = before?.vcpus.find((other) => other.vcpu === vcpu.vcpu);
  const own = vm.interrupts.filter((one) => one.vcpu === vcpu.vcpu);
  const presented = vcpu.listRegisters.map(({ virq, state, priority, group }, index) => row({
    id: `${id}/presented/${virq}`, label: `${index + 1}: ${nameOfVirq(vm, virq, vcpu.vcpu)}`, description: [state, `priority ${formatHex(priority)}`, `group ${group}`].join(' · '), icon: 'arrow-right',
    tone: toneAgainst(state, old?.listRegisters.find((other) => other.virq === virq)?.state, old !== undefined),
  }));
  const children = [
    ...(presented.length === 0 ? [] : [{ ...groupRow(`${id}/presented`, 'Presented', 'list-ordered', presented), expanded: true }]),
    ...own.map((one) => interruptRow(id, vm, one, before)),
    registersRow({ id: `${id}/interface`, label: 'CPU interface', registers: vcpu.registers, before: old?.registers, names: virqNames(vm, vcpu.vcpu) }),
    registersRow({ id: `${id}/redistributor`, label: 'Redistributor', registers: vcpu.redistributor, before: old?.redistributor, names: virqNames(vm, vcpu.vcpu) }),
  ];
  const lines = lineText(vcpu);
  const changed = old !== undefined && lineText(old) !== lines;
  return row({
    id,
    label: `cpu${vcpu.vcpu}`,
    description: changed ? `${lines} (was ${lineText(old)})` : lines,
    tooltip: `The interrupt inputs of **${escapeMarkdown(vm.vm)}/cpu${vcpu.vcpu}** are ${vcpu.irq || vcpu.fiq ? 'asserted' : 'quiet'}; the vCPU ${vcpu.masked ? 'has them masked (PSTATE.I)' : 'would take them'}.`,
    icon: vcpu.irq || vcpu.fiq ? 'bell-dot' : 'server-process',
    tone: changed || children.some(({ tone }) => tone === 'new' || tone === 'changed') ? 'changed' : 'plain',
    children,
    expanded: own.some(({ pending, active }) => pending || active),
  });
}

function lineText({ irq, fiq, masked }: InterruptInterfaceRow): string {
  const lines = [...(irq ? ['IRQ asserted'] : []), ...(fiq ? ['FIQ asserted'] : [])];
  return [...(lines.length === 0 ? ['quiet'] : lines), masked ? 'masked' : 'unmasked'].join(' · ');
}

/** The words for an interrupt in a list that names it by number only. */
function nameOfVirq(vm: VmInterrupts, virq: number, vcpu: number): string {
  const known = vm.interrupts.find((one) => one.virq === virq && (one.vcpu === vcpu || one.vcpu === null));
  const what = known === undefined ? '' : sourceText(known);
  return what === '' ? String(virq) : `${virq} ${what}`;
}

function sourceText({ source, object }: InterruptRow): string {
  const isSame = object.replaceAll(' ', '-') === source;
  return object === '' ? source : source === '' || isSame ? object : `${object} (${source})`;
}

const FIRST_OF_KIND: Readonly<Record<string, number>> = { SPI: 32, PPI: 16 };

/** The interrupt as device trees count it: `SPI 1` is VIRQ 33. */
function kindText({ kind, virq }: InterruptRow): string {
  const first = FIRST_OF_KIND[kind] ?? 0;
  return `${kind} ${virq - first}`;
}

function stateWords(one: InterruptRow): string[] {
  return [...(one.pending ? ['pending'] : []), ...(one.active ? ['active'] : []), ...(one.enabled ? [] : ['disabled'])];
}

function stateText(one: InterruptRow): string {
  const words = stateWords(one);
  return words.length === 0 ? 'enabled' : words.join(' and ');
}

function toneOf(one: InterruptRow, old: InterruptRow | undefined, comparing: boolean): Tone {
  const tone = toneAgainst(one, old, comparing);
  return tone === 'plain' && !one.enabled && !one.pending && !one.active ? 'dim' : tone;
}

function interruptRow(parent: string, vm: VmInterrupts, one: InterruptRow, before: VmInterrupts | undefined): Row {
  const id = `${parent}/virq${one.virq}`;
  const old = before?.interrupts.find((other) => other.virq === one.virq && other.vcpu === one.vcpu);
  const was = old !== undefined && stateText(old) !== stateText(one) ? ` (was ${stateText(old)})` : '';
  const source = sourceText(one);
  return lazyRow({
    id,
    label: `VIRQ ${one.virq}`,
    description: [kindText(one), `${stateText(one)}${was}`, ...(source === '' ? [] : [source]), `priority ${formatHex(one.priority)}`].join(' · '),
    tooltip: [
      `**VIRQ ${one.virq}** of ${escapeMarkdown(vm.vm)}, ${kindText(one)} in device trees: ${stateText(one)}`, '', source === '' ? 'No source is bound to it.' : `Source: ${escapeMarkdown(source)}`, '',
      `${one.trigger === 'edge' ? 'Edge-triggered' : 'Level-sensitive'}, group ${one.group}, priority ${formatHex(one.priority)}${one.route === '' ? '' : `, goes to ${escapeMarkdown(one.route)}`}`,
    ].join('\n'),
    icon: one.pending ? 'bell-dot' : one.active ? 'zap' : one.enabled ? 'bell' : 'bell-slash',
    tone: toneOf(one, old, before !== undefined),
    subject: { kind: 'interrupt', vm: vm.vm, virq: one.virq },
  }, () => [
    propertyRow(id, { name: 'Pending', icon: 'bell-dot', value: yesNo(one.pending), before: old && yesNo(old.pending) }),
    propertyRow(id, { name: 'Active', icon: 'zap', value: yesNo(one.active), before: old && yesNo(old.active) }),
    propertyRow(id, { name: 'Enabled', icon: 'check', value: yesNo(one.enabled), before: old && yesNo(old.enabled) }),
    propertyRow(id, { name: 'Trigger', icon: 'pulse', value: one.trigger === 'level' ? `level, ${one.level ? 'high' : 'low'}` : 'edge' }),
    propertyRow(id, { name: 'Priority', icon: 'arrow-up', value: formatHex(one.priority), before: old && formatHex(old.priority) }),
    propertyRow(id, { name: 'Group', icon: 'symbol-namespace', value: String(one.group), before: old && String(old.group) }),
    ...(one.route === '' ? [] : [propertyRow(id, { name: 'Route', icon: 'arrow-right', value: one.route, before: old?.route })]),
    propertyRow(id, { name: 'Source', icon: 'plug', value: source === '' ? 'none' : source, before: old && (sourceText(old) === '' ? 'none' : sourceText(old)) }),
  ]);
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

/** A register bank: its name, what it has now and had before, and how interrupts are called. */
interface RegisterBank { readonly id: string; readonly label: string; readonly registers: readonly RegisterRow[]; readonly before: readonly RegisterRow[] | undefined; readonly names: VirqNames }

/** A bank of registers. There may be more than a thousand, so its rows are made when it is opened. */
function registersRow(bank: RegisterBank): Row {
  const { id, label, registers, before } = bank;
  const old = before === undefined ? undefined : new Map(before.map(({ name, value }) => [name, value]));
  const isChanged = (register: RegisterRow): boolean => old !== undefined && old.get(register.name) !== register.value;
  const parts = { id, label, icon: 'symbol-structure', description: plural(registers.length, 'register'), tone: registers.some(isChanged) ? 'changed' : 'plain' } as const;
  return lazyRow(parts, () => registerRows(bank, old));
}

function registerRows({ id, registers, names }: RegisterBank, old: ReadonlyMap<string, string> | undefined): readonly Row[] {
  const arrays = new Map<string, RegisterRow[]>();
  for (const register of registers) {
    const array = arrayOf(register.name) ?? register.name;
    const members = arrays.get(array);
    if (members === undefined) arrays.set(array, [register]); else members.push(register);
  }
  const make = (parent: string, { name, value }: RegisterRow): Row => {
    const was = old?.get(name);
    return propertyRow(parent, { name, icon: 'symbol-field', value: withWords(name, value, names), before: was === undefined ? undefined : withWords(name, was, names) });
  };
  const isTold = ({ name, value }: RegisterRow): boolean => BigInt(value) !== 0n || (old !== undefined && old.get(name) !== value);
  return [...arrays].flatMap(([array, members]) => (members.length < ARRAY_LENGTH_MIN ? members.map((member) => make(id, member)) : [arrayRow(`${id}/${array}`, array, { members, isTold, make })]));
}

/** Registers of which there are that many are told only where they are not zero. */
const ARRAY_LENGTH_MIN = 4;

/** Registers of one array: which of them are worth a row, and how it is made. */
interface RegisterArray { readonly members: readonly RegisterRow[]; isTold(member: RegisterRow): boolean; make(parent: string, member: RegisterRow): Row }

function arrayRow(id: string, array: string, { members, isTold, make }: RegisterArray): Row {
  const told = members.filter(isTold);
  const rest = members.length - told.length;
  return {
    ...groupRow(id, array, 'symbol-array', [...told.map((member) => make(id, member)), ...(rest === 0 ? [] : [row({ id: `${id}/rest`, label: told.length === 0 ? 'All' : 'The others', description: '0x0', icon: 'symbol-field', tone: 'dim' })])]),
    description: told.length === 0 ? `all ${members.length} are 0x0` : rest === 0 ? plural(members.length, 'register') : `${told.length} of ${members.length} are not 0x0`,
  };
}

function withWords(name: string, value: string, names: VirqNames): string {
  const words = registerWords(name, value, names);
  return words === '' ? value : `${value} · ${words}`;
}

/** The words for an interrupt that a register names by its number. */
function virqNames(vm: VmInterrupts, vcpu: number | null): VirqNames {
  return (virq) => {
    const known = vm.interrupts.find((one) => one.virq === virq && (one.vcpu === vcpu || one.vcpu === null));
    return known === undefined ? '' : sourceText(known);
  };
}

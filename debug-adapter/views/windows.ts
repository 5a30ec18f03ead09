/** What answers a VM's accesses where nothing is mapped: emulated frames, ranges of whoever runs its vCPUs, and the board's devices in device space. */

import { hex, type System } from '../../runtime/index';
import type { WindowRow } from '../protocol/index';

type Window = ReturnType<System['inspection']['windows']>[number];

/** A stretch of addresses. */
interface Span { readonly from: bigint; readonly to: bigint }
type Named = Span & Pick<WindowRow, 'kind' | 'name'>;

/** Board devices in words; the rest keep the board's names. */
const BOARD_WORDS: Readonly<Record<string, string>> = {
  'flash0': 'blank flash bank 0', 'flash1': 'blank flash bank 1', 'fw_cfg': 'firmware configuration device', 'its': 'interrupt translation service (ITS)', 'pl061': 'GPIO (PL061)',
  'pci': 'PCI memory and ports', 'pci-ecam': 'PCI configuration space',
};

/** All windows of a VM, by address; none overlaps another or a mapped page of device space. */
export function windowRows(system: System, vmid: number): WindowRow[] {
  const all = system.inspection.windows(vmid);
  const own = all.filter(({ kind }) => kind !== 'device-space' && kind !== 'vmmio').map((window): Named => ({ ...spanOf(window), kind: 'emulated', name: nameOf(window) }));
  const vmm = all.filter(({ kind }) => kind === 'vmmio').flatMap((window) => within(spanOf(window), own)).map((span): Named => ({ ...span, kind: 'vmm', name: 'VMMIO range' }));
  const emulated = [...own, ...vmm];
  const devices = joinedSlots(system.parts.spaceDevices().map(({ name, base, sizeBytes }): Named => ({ from: BigInt(base), to: BigInt(base + sizeBytes), kind: 'board', name: BOARD_WORDS[name] ?? name })));
  const space = all.filter(({ kind }) => kind === 'device-space').flatMap((piece) => within(spanOf(piece), emulated).flatMap((free) => filled(free, devices)));
  const hidden = system.inspection.infoAreas().filter((area) => area.vmid === vmid && !area.isMapped).map((area): Span => ({ from: area.ipa, to: area.ipa + area.sizeBytes }));
  return [...emulated, ...withHidden(space, hidden)].sort((a, b) => (a.from < b.from ? -1 : 1)).map(({ from, to, kind, name }) => ({ ipa: hex(from), sizeBytes: Number(to - from), kind, name }));
}

/** The window at an address of a VM. */
export function windowAt(system: System, vmid: number, address: bigint): WindowRow | undefined {
  return windowRows(system, vmid).find(({ ipa, sizeBytes }) => address >= BigInt(ipa) && address < BigInt(ipa) + BigInt(sizeBytes));
}

/** What becomes of an access there, in a sentence. */
export function windowText({ kind, name }: WindowRow): string {
  switch (kind) {
    case 'emulated': return `The hypervisor emulates ${name} there.`;
    case 'vmm': return 'Accesses there go to whoever runs the vCPU (vcpu_run), which emulates a device.';
    case 'board': return `The access reaches a device of the board: ${name}.`;
    case 'reserved': return `The hypervisor has mapped nothing there, although the address is taken: ${name}.`;
    case 'empty': return 'It is device space of the primary VM, where the board has no device: the bus refuses the access.';
  }
}

function spanOf({ ipa, sizeBytes }: Window): Span {
  return { from: ipa, to: ipa + sizeBytes };
}

function nameOf({ kind, index }: Window): string {
  switch (kind) {
    case 'distributor': return 'the distributor (GICD)';
    case 'redistributor': return `redistributor ${index} (GICR)`;
    case 'clock': return 'the real-time clock (PL031)';
    case 'vmmio':
    case 'device-space': return '';
  }
}

/** Information areas that the VM does not see, each with what accesses reach instead. */
function withHidden(space: readonly Named[], hidden: readonly Span[]): Named[] {
  const rest = space.flatMap((piece) => within(piece, hidden).map((span): Named => ({ ...piece, ...span })));
  return [...rest, ...hidden.map((span): Named => {
    const over = space.find(({ from, to }) => from <= span.from && to > span.from);
    return { ...span, kind: 'reserved', name: `information area of the address space, hidden${over === undefined ? '' : ` by ${over.kind === 'empty' ? 'empty device space' : over.name}`}` };
  })];
}

/** The empty virtio slots, one after the other, as one. */
function joinedSlots(devices: readonly Named[]): readonly Named[] {
  const result: Named[] = [];
  let slots = 0;
  for (const device of devices) {
    const last = result.at(-1);
    const isSlot = device.name.startsWith('virtio_mmio');
    slots = isSlot ? slots + 1 : 0;
    if (isSlot && slots > 1 && last !== undefined && last.to === device.from) result[result.length - 1] = { ...last, to: device.to, name: `${slots} empty virtio slots` };
    else result.push(device);
  }
  return result;
}

/** What is left of a span between others. */
function within(span: Span, others: readonly Span[]): Span[] {
  let at = span.from;
  const free: Span[] = [];
  for (const { from, to } of [...others].sort((a, b) => (a.from < b.from ? -1 : 1))) {
    if (to <= at || from >= span.to) continue;
    if (from > at) free.push({ from: at, to: from });
    at = to;
  }
  if (at < span.to) free.push({ from: at, to: span.to });
  return free;
}

/** A piece of device space cut into devices and nothing. */
function filled(piece: Span, devices: readonly Named[]): Named[] {
  const inside = devices.filter(({ from, to }) => from < piece.to && to > piece.from)
    .map((device) => ({ ...device, from: device.from > piece.from ? device.from : piece.from, to: device.to < piece.to ? device.to : piece.to }));
  return [...inside, ...within(piece, inside).map((free): Named => ({ ...free, kind: 'empty', name: 'nothing' }))];
}

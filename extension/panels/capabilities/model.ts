/**
 * Rows of the Capabilities view: per VM every capability with object, rights, state, label and who else holds one.
 *
 * A pure function of what `gunyah/capabilities` answered for each VM now and at the previous stop.
 */

import type { CapabilityRow } from '../../../debug-adapter/protocol';
import { escapeMarkdown, formatHex, plural } from '../../model/format';
import { propertyRow, row, type Row, type Tone } from '../../model/row';

/** The capability space of one VM. */
export interface VmCapabilities {
  readonly vmid: number;
  readonly vm: string;
  readonly capabilities: readonly CapabilityRow[];
}

/** Rows of all VMs. `before` is the previous stop's answer, undefined at the first stop. */
export function capabilityRows(spaces: readonly VmCapabilities[], before: readonly VmCapabilities[] | undefined): readonly Row[] {
  return spaces.map((space) => spaceRow(space, before === undefined ? undefined : before.find((old) => old.vmid === space.vmid)?.capabilities ?? []));
}

const byTypeAndId = (a: CapabilityRow, b: CapabilityRow): number => {
  if (a.objectType !== b.objectType) return a.objectType < b.objectType ? -1 : 1;
  const [x, y] = [BigInt(a.capId), BigInt(b.capId)];
  return x < y ? -1 : x > y ? 1 : 0;
};

function spaceRow(space: VmCapabilities, before: readonly CapabilityRow[] | undefined): Row {
  const rows = [...space.capabilities].sort(byTypeAndId).map((capability) => capabilityRow(space, capability, before));
  const gone = (before ?? []).filter((old) => !space.capabilities.some(({ capId }) => capId === old.capId)).sort(byTypeAndId).map((old) => goneRow(space, old));
  const changes = countChanges([...rows, ...gone]);
  return row({
    id: `space${space.vmid}`,
    label: space.vm,
    description: [plural(space.capabilities.length, 'capability'), ...changes].join(' · '),
    tooltip: `Capability space of **${escapeMarkdown(space.vm)}**, VMID ${space.vmid}`,
    icon: 'key',
    tone: changes.length > 0 ? 'changed' : 'plain',
    children: [...rows, ...gone],
    expanded: space.capabilities.length > 0,
  });
}

function countChanges(rows: readonly Row[]): string[] {
  const tones: readonly Tone[] = ['new', 'changed', 'gone'];
  return tones.flatMap((tone) => {
    const count = rows.filter((one) => one.tone === tone).length;
    return count === 0 ? [] : [`${count} ${tone}`];
  });
}

const OBJECT_ICONS: Readonly<Record<string, string>> = {
  partition: 'database', cspace: 'key', addrspace: 'map', memextent: 'chip', thread: 'server-process', doorbell: 'bell', msgqueue: 'mail', vic: 'zap',
  hwirq: 'zap', vpm_group: 'plug', virtio_mmio: 'circuit-board', watchdog: 'watch', vrtc: 'clock',
};

function objectName(capability: CapabilityRow): string {
  return capability.label === '' ? `${capability.objectType} #${capability.objectId}` : `${capability.objectType} · ${capability.label}`;
}

function sameCapability(a: CapabilityRow, b: CapabilityRow): boolean {
  return a.state === b.state && a.rightsMask === b.rightsMask && a.objectId === b.objectId && a.objectType === b.objectType && holdersText(a) === holdersText(b);
}

function holdersText(capability: CapabilityRow): string {
  return capability.holders.map((holder) => `${holder.vmid} ${holder.capId} ${holder.rights.join(' ')}`).join('; ');
}

function rightsText(capability: CapabilityRow): string {
  return capability.rights.length === 0 ? 'no rights' : capability.rights.join(', ');
}

function rightsAndMask(capability: CapabilityRow): string {
  return `${rightsText(capability)} (${formatHex(capability.rightsMask)})`;
}

function toneOf(capability: CapabilityRow, before: readonly CapabilityRow[] | undefined): Tone {
  if (before !== undefined) {
    const old = before.find(({ capId }) => capId === capability.capId);
    if (old === undefined) return 'new';
    if (!sameCapability(capability, old)) return 'changed';
  }
  return capability.state === 'revoked' ? 'dim' : 'plain';
}

function capabilityRow(space: VmCapabilities, capability: CapabilityRow, before: readonly CapabilityRow[] | undefined): Row {
  const id = `space${space.vmid}/${capability.capId}`;
  const old = before?.find(({ capId }) => capId === capability.capId);
  return row({
    id,
    label: objectName(capability),
    description: [capability.capId, ...(capability.state === 'valid' ? [] : [capability.state]), rightsText(capability)].join(' · '),
    tooltip: tooltipOf(space, capability),
    icon: OBJECT_ICONS[capability.objectType] ?? 'symbol-object',
    tone: toneOf(capability, before),
    subject: { kind: 'capability', vmid: space.vmid, vm: space.vm, capId: capability.capId, objectType: capability.objectType, objectId: capability.objectId },
    children: [
      propertyRow(id, { name: 'Object', icon: 'symbol-object', value: `${capability.objectType} #${capability.objectId}`, before: old && `${old.objectType} #${old.objectId}` }),
      propertyRow(id, { name: 'Rights', icon: 'shield', value: rightsAndMask(capability), before: old && rightsAndMask(old) }),
      propertyRow(id, { name: 'State', icon: 'pass', value: capability.state, before: old?.state }),
      ...holderRows(id, capability, old),
    ],
  });
}

function holderRows(parent: string, capability: CapabilityRow, old: CapabilityRow | undefined): Row[] {
  if (capability.holders.length === 0) return [propertyRow(parent, { name: 'Other holders', icon: 'person', value: 'none' })];
  return capability.holders.map((holder) => {
    const known = old === undefined || old.holders.some((other) => other.vmid === holder.vmid && other.capId === holder.capId);
    return row({
      id: `${parent}/holder/${holder.vmid}/${holder.capId}`,
      label: `Also held by ${holder.name}`,
      description: `${holder.capId} · ${holder.rights.length === 0 ? 'no rights' : holder.rights.join(', ')}`,
      icon: 'person',
      tone: known ? 'plain' : 'new',
      subject: { kind: 'capability', vmid: holder.vmid, vm: holder.name, capId: holder.capId, objectType: capability.objectType, objectId: capability.objectId },
    });
  });
}

function tooltipOf(space: VmCapabilities, capability: CapabilityRow): string {
  return [
    `**${escapeMarkdown(objectName(capability))}**`, '',
    `Capability \`${capability.capId}\` of ${escapeMarkdown(space.vm)}, ${capability.state}`, '',
    `Rights: ${escapeMarkdown(rightsText(capability))}`,
    ...capability.holders.flatMap((holder) => ['', `Also held by ${escapeMarkdown(holder.name)}: ${escapeMarkdown(holder.rights.join(', '))}`]),
  ].join('\n');
}

function goneRow(space: VmCapabilities, old: CapabilityRow): Row {
  return row({ id: `space${space.vmid}/${old.capId}/gone`, label: objectName(old), description: `${old.capId} · gone since the last stop`, icon: 'circle-slash', tone: 'gone' });
}

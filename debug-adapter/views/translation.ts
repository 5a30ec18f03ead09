/** One translation for showing: its steps, every descriptor on the way, and who else can see the page it leads to. */

import { hex, ipa, va, walkTables, type System, type WalkLevel } from '../../runtime/index';
import type { TranslationBody, TranslationLevel, TranslationStep } from '../protocol/index';
import { PhysicalMap } from './physical-map';

/** What is to be translated. */
export interface TranslationQuestion { readonly vcpu: number; readonly address: bigint; readonly space: 'va' | 'ipa' | 'pa' }

/** What `gunyah/translate` answers. */
export function translationBody(system: System, question: TranslationQuestion): TranslationBody {
  const { vcpu, address, space } = question;
  const steps: TranslationStep[] = [{ space, address: hex(address), note: '' }];
  if (space === 'pa') return physicalBody(system, address, steps);
  const isIntermediate = space === 'ipa';
  const levels = walkTables(system, vcpu, address, isIntermediate ? 2 : 'both').map(levelRow);
  const result = system.engine.translate(vcpu, isIntermediate ? ipa(address) : va(address), isIntermediate ? 2 : 'both');
  if (!result.ok) {
    return { ok: false, steps, levels, error: `Stage ${result.stage} ${result.fault} fault at level ${result.level}.`, others: [], owner: null, state: null, memparcel: null };
  }
  if (!isIntermediate) steps.push({ space: 'ipa', address: hex(result.ipa), note: 'after stage 1' });
  const access = [result.readable ? 'R' : '-', result.writable ? 'W' : '-', result.executable ? 'X' : '-'].join('');
  steps.push({ space: 'pa', address: hex(result.pa), note: `${access} ${result.isRam ? 'RAM' : 'device'}` });
  return { ok: true, steps, levels, ...seenBy(system, result.pa, { vcpu, ipaPage: Number(result.ipa >> 12n) }) };
}

/** A physical address needs no translation; the question is who sees it. */
function physicalBody(system: System, address: bigint, steps: readonly TranslationStep[]): TranslationBody {
  return { ok: true, steps, levels: [], ...seenBy(system, address, undefined) };
}

function seenBy(system: System, address: bigint, from: { readonly vcpu: number; readonly ipaPage: number } | undefined): Pick<TranslationBody, 'others' | 'owner' | 'state' | 'memparcel'> {
  const page = Number(address >> 12n);
  const map = new PhysicalMap(system);
  const [stretch] = map.over(page, page + 1);
  const viewer = from === undefined ? undefined : system.vcpus().find(({ index }) => index === from.vcpu)?.vmid;
  if (stretch === undefined || (viewer === undefined && stretch.claim === undefined)) return { others: [], owner: null, state: null, memparcel: null };
  const others = map.others(stretch, viewer === undefined || from === undefined ? undefined : { vmid: viewer, ipaPage: from.ipaPage }).rows;
  return { others, ...map.describe(stretch, viewer ?? stretch.claim?.owner ?? 0) };
}

function levelRow(level: WalkLevel): TranslationLevel {
  const place = (address: bigint | undefined): string | null => (address === undefined ? null : hex(address));
  return {
    stage: level.stage, level: level.level, descriptorIpa: place(level.descriptorIpa), descriptorPa: place(level.descriptorPa), index: level.index,
    descriptor: hex(level.descriptor), kind: level.kind, text: levelText(level), fields: level.fields, spanBytes: level.spanBytes,
  };
}

function levelText({ kind, output, fields }: WalkLevel): string {
  switch (kind) {
    case 'table': return `table at ${hex(output)}`;
    case 'block':
    case 'page': return `${kind} at ${hex(output)}, ${fields.map(({ name, value }) => `${name} ${value}`).join(', ')}`;
    case 'invalid': return 'invalid: translation fault';
    case 'unreadable': return 'the table cannot be read there';
  }
}

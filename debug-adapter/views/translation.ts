/** One translation for showing: its steps, every descriptor on the way, and who else can see the page it leads to. */

import { hex, ipa, va, walkTables, type System, type WalkLevel } from '../../runtime/index';
import type { TranslationBody, TranslationLevel, TranslationStep } from '../protocol/index';
import { PhysicalMap } from './physical-map';
import { windowAt, windowText } from './windows';

type Fault = Extract<ReturnType<System['engine']['translate']>, { readonly ok: false }>;

/** What is to be translated. */
export interface TranslationQuestion { readonly vcpu: number; readonly address: bigint; readonly space: 'va' | 'ipa' | 'pa' }

/** What `gunyah/translate` answers. */
export function translationBody(system: System, question: TranslationQuestion): TranslationBody {
  const { vcpu, address, space } = question;
  const steps: TranslationStep[] = [{ space, address: hex(address), note: '' }];
  if (space === 'pa') return physicalBody(system, address, steps);
  const isIntermediate = space === 'ipa';
  const levels = walkTables(system, vcpu, address, isIntermediate ? 2 : 'both');
  const rows = levels.map(levelRow);
  const result = system.engine.translate(vcpu, isIntermediate ? ipa(address) : va(address), isIntermediate ? 2 : 'both');
  if (!result.ok) {
    const { intermediate, note } = result.stage === 1 ? NOWHERE : isIntermediate ? { intermediate: address, note: '' } : beforeStage2(levels, address);
    if (!isIntermediate && intermediate !== undefined) steps.push({ space: 'ipa', address: hex(intermediate), note });
    const vmid = system.vcpus().find(({ index }) => index === vcpu)?.vmid;
    const found = intermediate === undefined || vmid === undefined ? undefined : windowAt(system, vmid, intermediate);
    const window = found === undefined ? null : windowText(found);
    return { ok: false, steps, levels: rows, error: [faultText(result, levels), ...(window === null ? [] : [window])].join(' '), window, others: [], owner: null, state: null, memparcel: null };
  }
  if (!isIntermediate) steps.push({ space: 'ipa', address: hex(result.ipa), note: 'after stage 1' });
  const access = [result.readable ? 'R' : '-', result.writable ? 'W' : '-', result.executable ? 'X' : '-'].join('');
  steps.push({ space: 'pa', address: hex(result.pa), note: `${access} ${result.isRam ? 'RAM' : 'device'}` });
  return { ok: true, steps, levels: rows, window: null, ...seenBy(system, result.pa, { vcpu, ipaPage: Number(result.ipa >> 12n) }) };
}

/** What stage 2 was asked for, and on behalf of what. */
interface Asked { readonly intermediate: bigint | undefined; readonly note: string }
const NOWHERE: Asked = { intermediate: undefined, note: '' };

/** The intermediate address that stage 2 refused: where the last descriptor of stage 1 leads to, or the place of one that cannot be read. */
function beforeStage2(levels: readonly WalkLevel[], address: bigint): Asked {
  const last = levels.filter((level) => level.stage === 1).at(-1);
  if (last === undefined) return { intermediate: address, note: 'stage 1 is off' };
  if (last.kind === 'unreadable') return { intermediate: last.descriptorIpa, note: 'a table of stage 1' };
  return { intermediate: last.output + (address & (BigInt(last.spanBytes) - 1n)), note: 'after stage 1' };
}

/** What stopped a translation, in a sentence: which stage, and what is wrong there. */
function faultText({ stage, fault, level }: Fault, levels: readonly WalkLevel[]): string {
  const head = `Stage ${stage} ${fault} fault at level ${level}`;
  const isRead = levels.some((one) => one.stage === stage);
  switch (fault) {
    case 'translation':
      if (stage === 2) return `${head}: the hypervisor has mapped nothing at that intermediate address.`;
      return isRead ? `${head}: the guest has mapped nothing there.` : `${head}: no table covers the address. It is not canonical for TCR_EL1 (T0SZ, T1SZ), or TCR_EL1 switches that half off (EPD0, EPD1).`;
    case 'access-flag': return `${head}: the descriptor's access flag is clear.`;
    case 'address-size': return `${head}: a table or a page lies beyond the physical addresses that the CPU has.`;
    case 'permission': return `${head}: the descriptor does not allow the access.`;
    default: return `${head}: a table cannot be read where it should lie.`;
  }
}

/** A physical address needs no translation; the question is who sees it. */
function physicalBody(system: System, address: bigint, steps: readonly TranslationStep[]): TranslationBody {
  return { ok: true, steps, levels: [], window: null, ...seenBy(system, address, undefined) };
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

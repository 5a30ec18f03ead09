/** Reference pages of the hypervisor's and the Resource Manager's tables. */
import { HYPERCALLS } from '../../runtime/hypervisor/hypercall-table';
import type { Hypercall, HypercallInput } from '../../runtime/hypervisor/hypercall-table';
import { notYetHypercalls } from '../../runtime/hypervisor/hypervisor';
import { RIGHTS, rightNames } from '../../runtime/hypervisor/rights';
import { notYetRmMessages, RM_NOTIFICATIONS, RM_REQUESTS } from '../../runtime/resource-manager';
import type { Field } from '../../runtime/resource-manager/message-fields';
import type { RmNotification, RmRequest } from '../../runtime/resource-manager/message-table';
import { code, hex, page, table } from './markdown';

const NATIVE_BASE = 0x6000;
const SMCCC_BASE = 0xc600_8000;
const OBJECT_TYPES: readonly string[] = Object.keys(RIGHTS);

/** `docs/reference/hypercalls.md`. */
export function hypercallsPage(): string {
  const missing = new Set<string>(notYetHypercalls());
  const rows: readonly (readonly [string, Hypercall])[] = Object.entries(HYPERCALLS);
  const parts = rows.map(([name, row]) => hypercallPart(name, row, missing.has(name)));
  const rights = table(['object', 'rights'], Object.entries(RIGHTS).map(([type, masks]) => [code(type), Object.entries(masks).map(([right, mask]) => `${right} ${hex(mask)}`).join(', ')]));
  return page(
    'Hypercalls',
    'Every call of the Gunyah API. Arguments go into x0, x1 … (native call, `HVC` with the number as immediate) or x1, x2 … (SMCCC, the number in x0); results come back from x0 on. Breakpoints name a call `hvc:NAME`.',
    `## Rights\n\n${rights}`,
    ...parts,
  );
}

function hypercallPart(name: string, row: Hypercall, isMissing: boolean): string {
  const number = row.number === null ? 'No number in the open source.' : `${code(`HVC #${hex(NATIVE_BASE + row.number)}`)} · SMCCC ${code(hex(SMCCC_BASE + row.number))}`;
  const status = isMissing ? 'Answers UNIMPLEMENTED here so far.' : { implemented: '', stub: 'A stub in the reference build.', no_handler: 'Without handler in the reference build.', not_in_qemu_build: 'Not in the reference build.', documented_only: 'Documented only.', unnumbered: '' }[row.status];
  const inputs = row.inputs.map((input) => [code(input.name), input.type, inputWords(input)]);
  return [
    `## ${name}`,
    [number, status].filter((text) => text !== '').join(' · '),
    row.summary,
    ...(inputs.length > 0 ? [table(['argument', 'type', ''], inputs)] : []),
    `Results: ${row.outputs.map(({ name: output, type }) => (output === type ? code(output) : `${code(output)} (${type})`)).join(', ') || 'none'}.`,
    ...(row.errors.length > 0 ? [`Errors: ${row.errors.join(', ')}.`] : []),
  ].join('\n\n');
}

function inputWords({ object, rights, state, mustBe, note }: HypercallInput): string {
  const named = object === undefined || rights === undefined ? [] : rightNames(object, rights);
  const words = [
    ...(object === undefined ? [] : [`${OBJECT_TYPES.includes(object) ? object : 'object'}${state === undefined ? '' : `, ${state.replaceAll('_', ' ')}`}`]),
    ...(named.length > 0 ? [`right ${named.join(', ')}`] : []),
    ...(mustBe === undefined ? [] : [`must be ${hex(mustBe)}`]),
    ...(note === undefined ? [] : [note]),
  ];
  return words.join('; ');
}

/** `docs/reference/rm-messages.md`. */
export function rmMessagesPage(): string {
  const missing = new Set<string>(notYetRmMessages());
  const requests: readonly (readonly [string, RmRequest])[] = Object.entries(RM_REQUESTS);
  const notifications: readonly (readonly [string, RmNotification])[] = Object.entries(RM_NOTIFICATIONS);
  const served = (name: string, row: RmRequest): string => (missing.has(name) ? 'not yet' : { open: 'yes', unimplemented: 'refused, as by the real one', newer: 'refused: newer than the open one' }[row.status]);
  return page(
    'Resource Manager messages',
    'Every request and notification of the Resource Manager. Fields lie one after the other, little endian; `…[]` is a list. In a reply the error word comes first. Breakpoints name a request `rm:NAME`, a notification `rm-notify:NAME`.',
    `## Requests\n\n${table(['request', 'id', 'who may ask', 'served', 'payload', 'reply', 'meaning'], requests.map(([name, row]) => [name, code(hex(row.id)), row.caller, served(name, row), fieldsText(row.request), fieldsText(row.reply), row.summary]))}`,
    `## Notifications\n\n${table(['notification', 'id', 'payload', 'meaning'], notifications.map(([name, row]) => [name, code(hex(row.id)), fieldsText(row.payload), row.summary]))}`,
  );
}

function fieldsText(fields: readonly Field[]): string {
  return fields.map(fieldText).join(', ');
}

function fieldText(field: Field): string {
  if (field.type === 'reserved') return `${field.mustBeZero ? 'zero' : 'reserved'} ${String(field.sizeBytes)}`;
  if (field.type === 'list') return `${field.name}[] of {${fieldsText(field.of)}}`;
  return `${field.name} ${field.type}`;
}

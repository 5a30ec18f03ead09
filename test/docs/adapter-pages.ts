/** Reference pages of what users and tools say to the debug adapter: custom requests, the system file, exception filters. */
import * as ts from 'typescript';
import { offeredFilters } from '../../debug-adapter/exception-filters';
import { parse, readProjectFile } from '../tidy/project';
import { code, page, table } from './markdown';

const REQUESTS_FILE = 'debug-adapter/protocol/requests.ts';
const SCHEMA_FILE = 'debug-adapter/configuration/system-file.schema.json';

/** `docs/reference/custom-requests.md`. */
export function customRequestsPage(): string {
  const file = parse({ path: REQUESTS_FILE, text: readProjectFile(REQUESTS_FILE) });
  const interfaces = file.statements.filter(ts.isInterfaceDeclaration);
  const members = (name: string): readonly ts.PropertySignature[] => interfaces.find((one) => one.name.text === name)?.members.filter(ts.isPropertySignature) ?? [];
  const requests = members('CustomRequests').map((member) => [code(nameOf(member, file)), code(fieldText(member, 'arguments', file)), code(fieldText(member, 'body', file))]);
  const events = members('CustomEvents').map((member) => [code(nameOf(member, file)), code(flat(member.type?.getText(file) ?? '')), docOf(member)]);
  const types = interfaces.filter(({ name }) => !['CustomRequests', 'CustomEvents'].includes(name.text)).map((one) => typePart(one, file));
  return page(
    'Custom requests',
    'What the adapter understands beside the Debug Adapter Protocol. Every request is answered while stopped or running, from one consistent point. `Hex` is text: `0x` and lower-case digits. An address is `vm:va:0x…`, `vm:ipa:0x…` or `pa:0x…`; ticks are numbers.',
    `## Requests\n\n${table(['request', 'arguments', 'answer'], requests)}`,
    `## Events\n\n${table(['event', 'body', 'when'], events)}`,
    '## Types',
    ...types,
  );
}

function typePart(declaration: ts.InterfaceDeclaration, file: ts.SourceFile): string {
  const rows = declaration.members.filter(ts.isPropertySignature).map((member) => [code(`${nameOf(member, file)}${member.questionToken === undefined ? '' : '?'}`), code(flat(member.type?.getText(file) ?? '')), docOf(member)]);
  return [`### ${declaration.name.text}`, docOf(declaration), table(['field', 'type', ''], rows)].filter((text) => text !== '').join('\n\n');
}

function nameOf(member: ts.PropertySignature, file: ts.SourceFile): string {
  return ts.isStringLiteral(member.name) ? member.name.text : member.name.getText(file);
}

function fieldText(member: ts.PropertySignature, field: string, file: ts.SourceFile): string {
  const { type } = member;
  if (type === undefined || !ts.isTypeLiteralNode(type)) return '';
  const found = type.members.filter(ts.isPropertySignature).find((one) => nameOf(one, file) === field);
  const text = flat(found?.type?.getText(file) ?? '');
  return text === 'Record<string, never>' ? '{}' : text;
}

function flat(text: string): string {
  return text.replace(/readonly /g, '').replace(/\s+/g, ' ');
}

function docOf(node: ts.Node): string {
  return ts.getJSDocCommentsAndTags(node).map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '').join(' ').replace(/\s+/g, ' ');
}

/** The part of JSON schema that the system file's schema uses. */
interface Schema {
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly (string | number)[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** `docs/reference/system-file.md`. */
export function systemFilePage(): string {
  const schema: Schema = JSON.parse(readProjectFile(SCHEMA_FILE));
  return page(
    'The system file',
    'Every key of a `*.gunyah.json` file, which is JSON with comments. Paths are relative to the file. The editor checks the file by the same schema.',
    table(['key', 'value', 'meaning'], schemaRows(schema, '')),
    ...Object.entries(schema.definitions ?? {}).filter(([, one]) => one.properties !== undefined).map(([name, one]) =>
      `## ${name}\n\n${one.description ?? ''}\n\n${table(['key', 'value', 'meaning'], schemaRows(one, ''))}`),
  );
}

function schemaRows(schema: Schema, prefix: string): readonly (readonly string[])[] {
  return Object.entries(schema.properties ?? {}).filter(([key]) => !key.startsWith('$')).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    const required = schema.required?.includes(key) === true ? 'Required. ' : '';
    const row = [code(path), schemaType(value), `${required}${value.description ?? ''}${value.default === undefined ? '' : ` Default: ${code(String(value.default))}.`}`];
    const nested = value.items?.properties === undefined ? schemaRows(value, `${path}.`) : schemaRows(value.items, `${path}[].`);
    return [row, ...nested];
  });
}

function schemaType(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(schemaType).join(' or ');
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
  if (schema.type === 'array') return schema.items?.properties === undefined ? `list of ${schemaType(schema.items ?? {})}` : 'list';
  const range = schema.minimum === undefined || schema.maximum === undefined ? '' : ` ${String(schema.minimum)} to ${String(schema.maximum)}`;
  return `${schema.type ?? 'any'}${range}`;
}

/** `docs/reference/exception-filters.md`. */
export function exceptionFiltersPage(): string {
  return page(
    'Exception filters',
    'Kinds of event that stop the whole system wherever they happen. Each can have a condition, a C expression as for breakpoints.',
    table(['filter', 'label', 'on at first', 'stops when'], offeredFilters().map((row) => [code(row.filter), row.label, row.default === true ? 'yes' : '', row.description ?? ''])),
  );
}

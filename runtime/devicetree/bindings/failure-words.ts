/** What a failure against a binding means, in words: what is expected, and what is there. */

import type { Failure } from './check';
import { isInteger, isValueList, NodeInstance, type Value } from './instance';
import { elementsOf, isObject, type Json } from './json';
import { ITEM_TEXTS } from './schema-fixups';

/** Longest value or list of choices that a message shows, in characters. */
const SHOWN_MAX = 160;
/** Most bytes of a value that a message shows. */
const BYTES_SHOWN = 8;

const TYPE_WORDS: ReadonlyMap<Json, string> = new Map([
  ['object', 'a node'], ['array', 'a list of values'], ['string', 'a string'], ['integer', 'a number'], ['number', 'a number'], ['boolean', 'a property without value'],
]);

/** `name` is the guilty member's, with the nodes from the checked one to it. */
type Sentence = (failure: Failure, argument: Json, name: string) => string;

const SENTENCES: Readonly<Record<string, Sentence>> = {
  'false': ({ path }) => `${subject(path)} is not allowed here.`,
  'required': (failure, _argument, name) => required(failure, name),
  'dependentRequired': (failure, argument, name) => `The property ${name} is required beside ${dependents(failure, argument).join(' and ') || 'another that is there'}.`,
  'additionalProperties': unknownName,
  'unevaluatedProperties': unknownName,
  'propertyNames': (_failure, _argument, name) => `The name ${name} is not one that the binding allows.`,
  'type': wrongType,
  'typeSize': ({ path, value }, argument) => `${subject(path)} should hold numbers of ${text(argument)} bits, but is ${shown(value)}.`,
  'const': ({ path, value }, argument) => `${subject(path)} should be ${text(argument)}, not ${shown(value)}.`,
  'enum': ({ path, value }, argument) => `${subject(path)} is ${shown(value)}, which is none of ${listed(elementsOf(argument))}.`,
  'pattern': ({ path, value }, argument) => `${subject(path)} is ${shown(value)}, but should ${patternWords(text(argument))}.`,
  'minItems': (failure, argument) => tooFew(failure, argument),
  'maxItems': ({ path, value }, argument) => `${subject(path)} has ${count(value)}, but at most ${text(argument)} may be there.`,
  'additionalItems': ({ path, value }) => `${subject(path)} has ${count(value)}, which is more than the binding lists.`,
  'minimum': bound('at least'),
  'maximum': bound('at most'),
  'exclusiveMinimum': bound('greater than'),
  'exclusiveMaximum': bound('less than'),
  'multipleOf': bound('a multiple of'),
  'minLength': bound('as long as, in characters, at least'),
  'maxLength': bound('as long as, in characters, at most'),
  'minProperties': ({ path }, argument) => `${subject(path)} should hold at least ${text(argument)} properties and nodes.`,
  'maxProperties': ({ path }, argument) => `${subject(path)} should hold at most ${text(argument)} properties and nodes.`,
  'uniqueItems': ({ path, value }) => `${subject(path)} holds a value twice: ${shown(value)}.`,
  'contains': ({ path, value }, argument) => `${subject(path)} is ${shown(value)} and lacks ${wanted(argument)}.`,
  'not': (failure) => excluded(failure),
  'oneOf': choices,
  'anyOf': choices,
};

/** What is wrong, as a sentence or two; `name` is the guilty member if the failure is about several. */
export function failureWords(failure: Failure, name = failure.names?.[0] ?? ''): string {
  const sentence = SENTENCES[failure.keyword];
  const argument = isObject(objectOr(failure.schema)) ? objectOr(failure.schema)[failure.keyword] ?? null : null;
  return sentence === undefined ? `${subject(failure.path)} does not follow "${failure.keyword}" of the binding.` : sentence(failure, argument, [...failure.path.filter((step) => typeof step === 'string'), name].join('/'));
}

function objectOr(schema: Failure['schema']): Exclude<Failure['schema'], boolean> {
  return typeof schema === 'boolean' ? {} : schema;
}

function unknownName({ value }: Failure, _argument: Json, name: string): string {
  const isNode = value instanceof NodeInstance && value.members.get(name.slice(name.lastIndexOf('/') + 1)) instanceof NodeInstance;
  return `The binding knows no ${isNode ? 'node' : 'property'} ${name} here.`;
}

function bound(words: string): Sentence {
  return ({ path, value }, argument) => `${subject(path)} is ${shown(value)}, but should be ${words} ${text(argument)}.`;
}

function required({ names = [], path, schema }: Failure, name: string): string {
  const above = path.filter((step) => typeof step === 'string').map((step) => `${step}/`).join('');
  const all = names.length > 1 ? names.map((one) => above + one) : [name];
  const isNode = names.every((one) => describesNode(objectOr(schema)['properties'], one));
  if (all.length === 1) return `The ${isNode ? 'node' : 'property'} ${all.join('')} is required.`;
  return `The ${isNode ? 'nodes' : 'properties'} ${all.slice(0, -1).join(', ')} and ${all.at(-1) ?? ''} are required.`;
}

/** True if a schema's properties give a node this name. */
function describesNode(properties: Json | undefined, name: string): boolean {
  const described = isObject(properties) ? properties[name] : undefined;
  return isObject(described) && (described['type'] === 'object' || isObject(described['properties']));
}

/** The properties that make a missing one necessary. */
function dependents({ names = [], value }: Failure, argument: Json): readonly string[] {
  if (!isObject(argument) || !(value instanceof NodeInstance)) return [];
  return Object.keys(argument).filter((key) => value.members.has(key) && elementsOf(argument[key] ?? null).some((needed) => names.includes(text(needed))));
}

/** A value that could not be decoded as its type asks is told as what it is: bytes. */
function wrongType({ path, value }: Failure, argument: Json): string {
  const types = typeof argument === 'string' ? [argument] : elementsOf(argument);
  const isStrings = types.includes('array') && value instanceof Uint8Array;
  const words = isStrings ? ['a string or a list of strings'] : types.map((type) => TYPE_WORDS.get(type) ?? text(type));
  const numbers = types.every((type) => type === 'integer' || type === 'number') && isValueList(value);
  return `${subject(path)} should be ${numbers ? 'one number' : words.join(' or ')}, not ${numbers ? `the ${value.length} numbers ` : ''}${shown(value)}.`;
}

/** What a pattern asks for; common ones in words. */
function patternWords(pattern: string): string {
  const literal = /^\^((?:[\w/:, -]|\\[./-])+)(\$?)$/.exec(pattern);
  if (literal?.[1] !== undefined) return `${literal[2] === '$' ? 'be' : 'begin with'} ${literal[1].replace(/\\/g, '')}`;
  const [, before, among, after] = /^\^([\w-]*)\(([\w|-]+)\)(:?)\.?[*+]?$/.exec(pattern) ?? [];
  if (among !== undefined) return `begin with ${among.split('|').map((one) => `${before ?? ''}${one}${after ?? ''}`).join(' or ')}`;
  return `match the pattern ${pattern}`;
}

/** What a `not` excludes: a property, or several together. */
function excluded(failure: Failure): string {
  const names = rivalNames(failure);
  const [only] = names;
  if (names.length > 1) return `${names.join(' and ')} exclude each other; only one may be there.`;
  return only === undefined ? `${subject(failure.path)} is what the binding excludes.` : `${only} is not allowed here.`;
}

/** Where a failure is that properties stand together of which one may be there: their names. */
export function rivalNames({ keyword, schema, branches = [], value }: Pick<Failure, 'keyword' | 'schema' | 'branches' | 'value'>): readonly string[] {
  const argument = objectOr(schema)[keyword] ?? null;
  if (keyword === 'not') return isObject(argument) ? elementsOf(argument['required'] ?? null).map(text) : [];
  if (keyword !== 'oneOf' || !(value instanceof NodeInstance)) return [];
  const forms = elementsOf(argument).filter((_, index) => branches[index]?.length === 0);
  const names = forms.flatMap((form) => (isObject(form) ? elementsOf(form['required'] ?? null).map(text) : []));
  return forms.length > 1 && names.length >= forms.length ? [...new Set(names)] : [];
}

/** A list of choices, cut between two of them if it is long. */
function listed(values: readonly Json[]): string {
  const words = values.map(text);
  let count = words.length;
  while (count > 1 && words.slice(0, count).join(', ').length > SHOWN_MAX) count--;
  return words.slice(0, count).join(', ') + (count < words.length ? ` and ${words.length - count} more` : '');
}

/** Says also what the missing entries are, where the binding does. */
function tooFew({ path, value, schema }: Failure, argument: Json): string {
  const texts = elementsOf(objectOr(schema)[ITEM_TEXTS] ?? null).map((item) => text(item).trim().replace(/\s+/g, ' '));
  const missing = texts.slice(isValueList(value) ? value.length : 0, typeof argument === 'number' ? argument : texts.length).filter((item) => item !== '');
  return `${subject(path)} has ${count(value)}, but needs at least ${text(argument)}${missing.length === 0 ? '' : cut(`: ${missing.join('; ')}`)}.`;
}

/** The form that comes nearest is the one with the fewest failures; what it lacks says most. */
function choices(failure: Failure): string {
  const { path, branches = [], keyword } = failure;
  if (keyword === 'oneOf' && branches.some((branch) => branch.length === 0)) {
    const rivals = rivalNames(failure);
    return rivals.length > 1 ? `${rivals.join(' and ')} exclude each other; only one may be there.` : `${subject(path)} fits several of the forms of which the binding allows one.`;
  }
  const required = requiredChoices({ path, branches, keyword });
  if (required.length > 0) return `One of these is required: ${required.map((names) => names.join(' with ')).join(', ')}.`;
  const [nearest] = [...branches].sort((a, b) => a.length - b.length);
  const [first] = nearest ?? [];
  return `${subject(path)} fits none of the forms that the binding allows${first === undefined ? '.' : `; for the nearest one: ${failureWords(first)}`}`;
}

/** Where a failure is that none of several forms fits, and each only lacks properties: those of each form. */
export function requiredChoices({ path, branches = [], keyword }: Pick<Failure, 'path' | 'branches' | 'keyword'>): readonly (readonly string[])[] {
  if (keyword !== 'oneOf' && keyword !== 'anyOf') return [];
  const isRequirement = branches.length > 0 && branches.every((branch) => branch.length > 0 && branch.every((inner) => inner.keyword === 'required' && inner.path.length === path.length));
  return isRequirement ? branches.map((branch) => branch.flatMap((inner) => inner.names ?? [])) : [];
}

function wanted(schema: Json): string {
  if (!isObject(schema)) return 'what the binding asks for';
  if (schema['const'] !== undefined) return text(schema['const']);
  return schema['enum'] === undefined ? 'what the binding asks for' : `one of ${listed(elementsOf(schema['enum']))}`;
}

/** `reg`, `clock-names (entry 2)`, `port/reg`. */
function subject(path: Failure['path']): string {
  const names = path.filter((step) => typeof step === 'string');
  const [index] = path.filter((step) => typeof step === 'number');
  if (names[0] === '$nodename') return 'The name';
  return names.length === 0 ? 'The node' : `${names.join('/')}${index === undefined ? '' : ` (entry ${index + 1})`}`;
}

function count(value: Value): string {
  const length = isValueList(value) ? value.length : 1;
  return length === 1 ? '1 entry' : `${length} entries`;
}

function text(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function shown(value: Value): string {
  return cut(valueWords(value));
}

function valueWords(value: Value): string {
  if (value === true) return 'present without value';
  if (typeof value === 'string') return `"${value}"`;
  if (isInteger(value)) return String(typeof value === 'number' ? value : value.value);
  if (value instanceof NodeInstance) return `the node ${value.node.name}`;
  if (isValueList(value)) return value.map((item) => (isValueList(item) ? `<${item.map(valueWords).join(' ')}>` : valueWords(item))).join(', ');
  return `${value.length} ${value.length === 1 ? 'byte' : 'bytes'} (${[...value.subarray(0, BYTES_SHOWN)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}${value.length > BYTES_SHOWN ? ' …' : ''})`;
}

function cut(words: string): string {
  return words.length > SHOWN_MAX ? `${words.slice(0, SHOWN_MAX)}…` : words;
}

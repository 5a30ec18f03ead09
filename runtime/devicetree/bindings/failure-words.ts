/** What a failure against a binding means, in words: what is expected, and what is there. */

import type { Failure } from './check';
import { isInteger, isValueList, NodeInstance, type Value } from './instance';
import { elementsOf, isObject, type Json } from './json';
import { ITEM_TEXTS } from './schema-fixups';

/** Longest value or list of choices that a message shows, in characters. */
const SHOWN_MAX = 160;

const TYPE_WORDS: ReadonlyMap<Json, string> = new Map([
  ['object', 'a node'], ['array', 'a list of values'], ['string', 'a string'], ['integer', 'a number'], ['number', 'a number'], ['boolean', 'a property without value'],
]);

/** `name` is the guilty member's, with the nodes from the checked one to it. */
type Sentence = (failure: Failure, argument: Json, name: string) => string;

const SENTENCES: Readonly<Record<string, Sentence>> = {
  'false': ({ path }) => `${subject(path)} is not allowed here.`,
  'required': (_failure, _argument, name) => `The property ${name} is required.`,
  'dependentRequired': (_failure, _argument, name) => `The property ${name} is required beside another that is there.`,
  'additionalProperties': unknownName,
  'unevaluatedProperties': unknownName,
  'propertyNames': (_failure, _argument, name) => `The name ${name} is not one that the binding allows.`,
  'type': ({ path, value }, argument) => `${subject(path)} should be ${(typeof argument === 'string' ? [argument] : elementsOf(argument)).map((type) => TYPE_WORDS.get(type) ?? text(type)).join(' or ')}, not ${shown(value)}.`,
  'typeSize': ({ path }, argument) => `${subject(path)} should have elements of ${text(argument)} bits.`,
  'const': ({ path, value }, argument) => `${subject(path)} should be ${text(argument)}, not ${shown(value)}.`,
  'enum': ({ path, value }, argument) => `${subject(path)} is ${shown(value)}, which is none of ${cut(elementsOf(argument).map(text).join(', '))}.`,
  'pattern': ({ path, value }, argument) => `${subject(path)} is ${shown(value)}, which does not match ${text(argument)}.`,
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
  'not': ({ path }, argument) => (isObject(argument) && elementsOf(argument['required'] ?? null).length > 0
    ? `${elementsOf(argument['required'] ?? null).map(text).join(' together with ')} is not allowed here.`
    : `${subject(path)} is what the binding excludes.`),
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

/** Says also what the missing entries are, where the binding does. */
function tooFew({ path, value, schema }: Failure, argument: Json): string {
  const texts = elementsOf(objectOr(schema)[ITEM_TEXTS] ?? null).map((item) => text(item).trim().replace(/\s+/g, ' '));
  const missing = texts.slice(isValueList(value) ? value.length : 0, typeof argument === 'number' ? argument : texts.length).filter((item) => item !== '');
  return `${subject(path)} has ${count(value)}, but needs at least ${text(argument)}${missing.length === 0 ? '' : cut(`: ${missing.join('; ')}`)}.`;
}

/** The form that comes nearest is the one with the fewest failures; what it lacks says most. */
function choices({ path, branches = [], keyword }: Failure): string {
  if (keyword === 'oneOf' && branches.some((branch) => branch.length === 0)) return `${subject(path)} fits several of the forms of which the binding allows one.`;
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
  return schema['enum'] === undefined ? 'what the binding asks for' : `one of ${cut(elementsOf(schema['enum']).map(text).join(', '))}`;
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
  return `${value.length} bytes of another form`;
}

function cut(words: string): string {
  return words.length > SHOWN_MAX ? `${words.slice(0, SHOWN_MAX)}…` : words;
}

/**
 * What one binding says of the types of properties, as a list of plain data in the order in which it says it. What all bindings together come to
 * is in `property-types.ts`.
 */

import { elementsOf, entriesOf, has, hasAny, isList, isObject, type Json, type JsonObject } from './json';
import { isStringSchema } from './schema-fixups';

/** The least and the greatest length of a dimension; 0 as greatest if not known. */
export type Range = readonly [number, number];

/** Rows and columns of a matrix. */
export type Dimensions = readonly [outer: Range, inner: Range];

/** How a property is named: by its name, or by a pattern of names. */
export type NameKind = 'name' | 'pattern';

/** A binding gives a property a type, or names it without one (`null`). */
export type TypeMention = readonly [kind: NameKind, name: string, type: string | null, dimensions?: Dimensions];

/** What a binding says elsewhere of a property, which counts unless the property has been noted as one of this binding's already. */
export type Detour = readonly [kind: 'unless-noted', name: string, mentions: readonly PropertyMention[]];

/** One thing that a binding says of a property. */
export type PropertyMention = TypeMention | Detour;

const TYPE = /(address|flag|u?int(8|16|32|64)(-(array|matrix))?|string(-array)?|phandle(-array)?)/;
const NODE_KEYWORDS = ['properties', 'patternProperties', 'additionalProperties'];
const REFERENCE_DEPTH_MAX = 32;
/** Most schemas of properties that are looked at in one binding, those that are referred to counted each time. Linux's largest binding has 3,000. */
const VISITS_MAX = 100_000;

/** True for the name of a type, not of a property that has it. */
export function isTypeName(type: string): boolean {
  return TYPE.test(type);
}

/** All that a binding, which must be fixed up already, says of types. */
export function mentionsIn(schema: JsonObject): readonly PropertyMention[] {
  const reader = new MentionReader(schema);
  reader.members(schema);
  return reader.found;
}

/** What a binding has said up to a detour, and within it: of each name that it has a type, or only that it is there; and what need not be said again. */
interface Level {
  readonly mentions: PropertyMention[];
  readonly said: Map<string, 'typed' | 'named'>;
  readonly keys: Set<string>;
  readonly outer: Level | undefined;
}

class MentionReader {
  private level: Level = { mentions: [], said: new Map(), keys: new Set(), outer: undefined };
  private readonly root: JsonObject;
  private depth = 0;
  private visitCount = 0;

  constructor(root: JsonObject) {
    this.root = root;
  }

  get found(): readonly PropertyMention[] {
    return this.level.mentions;
  }

  members(schema: Json | undefined): void {
    if (!isObject(schema)) return;
    this.members(schema['additionalProperties']);
    for (const key of ['allOf', 'oneOf', 'anyOf']) for (const branch of elementsOf(schema[key])) this.members(branch);
    for (const [name, property] of entriesOf(schema['properties'])) this.property('name', name, property);
    for (const [name, property] of entriesOf(schema['patternProperties'])) this.property('pattern', name, property);
  }

  private property(kind: NameKind, name: string, schema: Json): void {
    if (name.startsWith('$') || this.depth > REFERENCE_DEPTH_MAX || ++this.visitCount > VISITS_MAX) return;
    if (!isObject(schema)) {
      if (schema === true) this.note([kind, name, null]);
      return;
    }
    const { $ref: reference } = schema;
    const isLocal = typeof reference === 'string' && reference.startsWith('#/');
    const said = isLocal ? this.saidOf(name) : undefined;
    if (said === 'typed') return;
    if (said === 'named') this.detour(name, () => { this.described(kind, name, schema); });
    else this.described(kind, name, schema);
  }

  private described(kind: NameKind, name: string, schema: JsonObject): void {
    const { $ref: reference } = schema;
    const target = typeof reference === 'string' && reference.startsWith('#/') ? this.local(reference) : undefined;
    this.depth++;
    if (target !== undefined) this.property(kind, name, target);
    this.depth--;
    for (const key of ['allOf', 'oneOf', 'anyOf']) for (const branch of elementsOf(schema[key])) this.property(kind, name, branch);
    const type = typeOf(name, schema);
    if (type === undefined) {
      this.note([kind, name, null]);
      return;
    }
    this.note(isMatrix(type) ? [kind, name, type, dimensionsIn(schema)] : [kind, name, type]);
    if (hasAny(schema, NODE_KEYWORDS)) this.members(schema);
  }

  private local(reference: string): Json | undefined {
    return reference.split('/').slice(1).reduce<Json | undefined>((found, key) => (isObject(found) && has(found, key) ? found[key] : undefined), this.root);
  }

  private saidOf(name: string): 'typed' | 'named' | undefined {
    let named: 'named' | undefined;
    for (let level: Level | undefined = this.level; level !== undefined; level = level.outer) {
      const said = level.said.get(name);
      if (said === 'typed') return said;
      named ??= said;
    }
    return named;
  }

  private note(mention: TypeMention): void {
    const [kind, name, type, dimensions] = mention;
    const { mentions, said, keys } = this.level;
    if (type !== null || !said.has(name)) said.set(name, type === null ? 'named' : 'typed');
    // To say the same again changes nothing but ranges of lengths.
    const key = dimensions === undefined ? `${kind} ${type ?? ''} ${name}` : undefined;
    if (key !== undefined && keys.has(key)) return;
    if (key !== undefined) keys.add(key);
    mentions.push(mention);
  }

  private detour(name: string, say: () => void): void {
    const outer = this.level;
    const inner: Level = { mentions: [], said: new Map(), keys: new Set(), outer };
    this.level = inner;
    say();
    this.level = outer;
    if (inner.mentions.length > 0) outer.mentions.push(['unless-noted', name, inner.mentions]);
  }
}

function isMatrix(type: string): boolean {
  return type === 'phandle-array' || type.endsWith('-matrix');
}

function typeOf(name: string, schema: JsonObject): string | undefined {
  if (schema['type'] === 'object' || hasAny(schema, NODE_KEYWORDS)) return 'node';
  const { $ref: reference, items } = schema;
  const named = typeof reference === 'string' ? TYPE.exec(reference)?.[0] : undefined;
  if (named !== undefined) return named;
  if (schema['type'] === 'boolean') return 'flag';
  if (items !== undefined) return typeOfItems(name, items);
  if (typeof reference !== 'string') return undefined;
  if (/\.yaml#?$/.test(reference)) return 'node';
  const property = reference.includes('/properties/') && !reference.startsWith('#/') ? reference.slice(reference.lastIndexOf('/') + 1) : undefined;
  return property === name ? undefined : property;
}

function typeOfItems(name: string, items: Json): string | undefined {
  if (isStringSchema(isList(items) ? items[0] : items)) return 'string-array';
  if (name.endsWith('-microvolt')) return 'int32-matrix';
  return /(^(?!opp)).*-hz$/.test(name) ? 'uint32-matrix' : undefined;
}

function dimensionsIn(schema: JsonObject): Dimensions {
  const { items } = schema;
  const inner = isList(items) ? items[0] : items;
  return [lengthOf(schema), items === undefined ? [0, 0] : lengthOf(inner)];
}

function lengthOf(schema: Json | undefined): Range {
  const one = isList(schema) && schema.length === 1 ? schema[0] : schema;
  if (isList(one)) return [0, 0];
  const { items, minItems, maxItems } = isObject(one) ? one : {};
  const least = typeof minItems === 'number' ? minItems : undefined;
  if (isList(items)) return [least ?? items.length, items.length];
  return [least ?? 1, typeof maxItems === 'number' ? maxItems : (least ?? 0)];
}

/**
 * The type of each property, collected over all bindings: a device tree blob holds bytes only, and a property has the same type
 * in every node. Types say how `decode.ts` reads the bytes. The rules are those of dt-schema 2025.08.
 */

import { elementsOf, entriesOf, has, hasAny, isList, isObject, type Json, type JsonObject } from './json';
import { compilePattern, type Pattern } from './pattern';
import { isStringSchema } from './schema-fixups';

/** The least and the greatest length of a dimension; 0 as greatest if not known. */
export type Range = readonly [number, number];

/** Rows and columns of a matrix. */
export type Dimensions = readonly [outer: Range, inner: Range];

/** One of the types that a property is used with. */
export interface PropertyType {
  /** Such as `uint32-array`; `undefined` if bindings name the property without a type. */
  type: string | undefined;
  dimensions?: Dimensions;
}

/** Types of all properties, by name and by pattern. */
export interface PropertyTypes {
  readonly named: ReadonlyMap<string, readonly PropertyType[]>;
  readonly patterns: readonly { readonly pattern: Pattern; readonly type: PropertyType }[];
}

interface Entry extends PropertyType {
  readonly ids: Set<string>;
  readonly isPattern: boolean;
}

const TYPE = /(address|flag|u?int(8|16|32|64)(-(array|matrix))?|string(-array)?|phandle(-array)?)/;
const NODE_KEYWORDS = ['properties', 'patternProperties', 'additionalProperties'];
/** The pattern of aliases would give a type to everything. */
const ALIAS_PATTERN = '^[a-z][a-z0-9\\-]*$';
const REFERENCE_DEPTH_MAX = 32;

/** Collects the types from all bindings, which must be fixed up already. */
export function collectTypes(schemas: Iterable<JsonObject>): PropertyTypes {
  const collector = new TypeCollector();
  for (const schema of schemas) collector.schema(schema);
  return collector.finish();
}

/** The types of a property; a name that no binding lists is looked up among the patterns. */
export function typesOf(types: PropertyTypes, name: string): Set<string> {
  const found = new Set<string>();
  for (const { type } of types.named.get(name) ?? []) if (type !== undefined) found.add(type);
  if (found.size === 0) for (const { pattern, type } of types.patterns) if (type.type !== undefined && pattern.test(name)) found.add(type.type);
  if (found.size > 1) found.delete('node');
  return found;
}

/** The dimensions of a property, if a binding gives some. */
export function dimensionsOf(types: PropertyTypes, name: string): Dimensions | undefined {
  const named = types.named.get(name)?.find(({ dimensions }) => dimensions !== undefined);
  if (named !== undefined) return named.dimensions;
  return types.patterns.find(({ pattern, type }) => type.type !== undefined && type.dimensions !== undefined && pattern.test(name))?.type.dimensions;
}

/** Collects types, one binding after the other. */
export class TypeCollector {
  private readonly entries = new Map<string, Entry[]>();
  private root: JsonObject = {};
  private id = '';
  private depth = 0;

  /** Adds a binding, which must be fixed up already. */
  schema(schema: JsonObject): void {
    this.root = schema;
    this.id = typeof schema['$id'] === 'string' ? schema['$id'] : '';
    this.depth = 0;
    this.members(schema);
  }

  /** All types, once every binding was added. */
  finish(): PropertyTypes {
    for (const list of this.entries.values()) this.resolveNamed(list);
    this.entries.delete(ALIAS_PATTERN);
    const named = new Map<string, readonly PropertyType[]>();
    const patterns: { pattern: Pattern; type: PropertyType }[] = [];
    for (const [name, all] of this.entries) {
      const list = all.filter(({ type }) => type !== 'node');
      const [head] = list;
      if (head === undefined) continue;
      const types = list.map(({ type, dimensions }): PropertyType => ({ type, ...(dimensions === undefined ? {} : { dimensions }) }));
      const [type] = types;
      if (!head.isPattern) named.set(name, types);
      else if (head.type !== undefined && type !== undefined) {
        const pattern = compilePattern(name);
        if (pattern !== undefined) patterns.push({ pattern, type });
      }
    }
    for (const [name, [head]] of named) if (head?.type === undefined && patterns.some(({ pattern }) => pattern.test(name))) named.delete(name);
    return { named, patterns };
  }

  /** A type that is the name of another property stands for that property's first type. */
  private resolveNamed(list: readonly Entry[]): void {
    const entry = list.find(({ type }) => type !== undefined && type !== 'node' && !TYPE.test(type));
    if (entry !== undefined) entry.type = this.entries.get(entry.type ?? '')?.[0]?.type;
  }

  private members(schema: Json | undefined): void {
    if (!isObject(schema)) return;
    this.members(schema['additionalProperties']);
    for (const key of ['allOf', 'oneOf', 'anyOf']) for (const branch of elementsOf(schema[key])) this.members(branch);
    for (const [name, property] of entriesOf(schema['properties'])) this.property(name, property, false);
    for (const [name, property] of entriesOf(schema['patternProperties'])) this.property(name, property, true);
  }

  private property(name: string, schema: Json, isPattern: boolean): void {
    if (name.startsWith('$') || this.depth > REFERENCE_DEPTH_MAX) return;
    if (!isObject(schema)) {
      if (schema === true && !this.entries.has(name)) this.entries.set(name, [{ type: undefined, ids: new Set([this.id]), isPattern }]);
      return;
    }
    const { $ref: reference } = schema;
    if (typeof reference === 'string' && reference.startsWith('#/')) {
      if (this.entries.get(name)?.some(({ ids }) => ids.has(this.id)) === true) return;
      const target = this.local(reference);
      this.depth++;
      if (target !== undefined) this.property(name, target, isPattern);
      this.depth--;
    }
    for (const key of ['allOf', 'oneOf', 'anyOf']) for (const branch of elementsOf(schema[key])) this.property(name, branch, isPattern);
    this.add(name, schema, isPattern);
  }

  private local(reference: string): Json | undefined {
    return reference.split('/').slice(1).reduce<Json | undefined>((found, key) => (isObject(found) && has(found, key) ? found[key] : undefined), this.root);
  }

  private add(name: string, schema: JsonObject, isPattern: boolean): void {
    const list = this.entries.get(name) ?? [];
    this.entries.set(name, list);
    const type = typeOf(name, schema);
    const entry: Entry = { type, ids: new Set([this.id]), isPattern };
    if (type === undefined) {
      if (list.length === 0) list.push(entry);
      return;
    }
    if (isMatrix(type)) entry.dimensions = dimensionsIn(schema);
    this.merge(list, entry);
    if (hasAny(schema, NODE_KEYWORDS)) this.members(schema);
  }

  private merge(list: Entry[], entry: Entry): void {
    const { type = '', dimensions } = entry;
    for (const [index, known] of list.entries()) {
      if (known.type === undefined) {
        list.splice(index, 1);
        break;
      }
      if (dimensions !== undefined && known.dimensions !== undefined) known.dimensions = union(known.dimensions, dimensions);
      else if (type.includes('string') && known.type.includes('string')) {
        if (type === 'string-array') known.type = type;
      } else if (known.type !== type) continue;
      known.ids.add(this.id);
      return;
    }
    list.push(entry);
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

function union(one: Dimensions, other: Dimensions): Dimensions {
  const merge = (a: Range, b: Range): Range => {
    const greatest = Math.max(a[1], b[1]);
    return [greatest === 1 ? 1 : Math.min(a[0], b[0]), greatest];
  };
  return [merge(one[0], other[0]), merge(one[1], other[1])];
}

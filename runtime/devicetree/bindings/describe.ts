/** What bindings say about the properties and children that a node may have, for readers rather than for checks: names, values, descriptions. */

import { DtNode } from '../tree';
import type { BindingSet } from './binding-set';
import { decodeTree } from './decode';
import { at, splitReference } from './evaluate';
import { elementsOf, entriesOf, isObject, type Json, type JsonObject } from './json';
import { typesOf } from './property-types';
import { NamePatterns } from './name-patterns';

/** A property or child that bindings describe for a node. */
export interface DescribedMember {
  readonly name: string;
  /** `node` for a child; else the form of the value. */
  readonly form: 'node' | 'flag' | 'string' | 'cells';
  readonly description: string | undefined;
  /** Values that a binding lists, as text or numbers. */
  readonly values: readonly (string | number)[];
  readonly isRequired: boolean;
  /** `$id` of the binding. */
  readonly schemaId: string;
}

/** Most schemas looked at for one node. */
const STEPS_MAX = 2000;
const ANCESTORS_MAX = 4;
/** Entries of a value that are described one by one. */
const SHAPE_COUNT_MAX = 16;
const COMBINING = ['allOf', 'anyOf', 'oneOf'];

/** All members that bindings describe for a node as it is in its tree, by name. */
export function describeMembers(set: BindingSet, node: DtNode): ReadonlyMap<string, DescribedMember> {
  const description = new Description(set);
  for (const [schema, uri] of schemasOf(set, node)) description.collect(schema, uri);
  return description.members;
}

/** What a value must at least look like. */
export interface ValueShape {
  /** True for a child node. */
  readonly isNode: boolean;
  /** Entries, at least. */
  readonly countMin: number;
  /** Values that one of them may have. */
  readonly values: readonly (string | number)[];
  readonly minimum: number | undefined;
  /** Its entries: one for each, or one for all. */
  readonly items: readonly ValueShape[];
}

/** The least that bindings ask of a property's value; of alternatives, the first. */
export function describeShape(set: BindingSet, node: DtNode, name: string): ValueShape {
  const found: (readonly [JsonObject, string])[] = [];
  const description = new Description(set);
  for (const [schema, uri] of schemasOf(set, node)) found.push(...description.inner(schema, uri, name));
  return description.shape(found, 0);
}

/** What the bindings of a node say it is. */
export function describeNode(set: BindingSet, node: DtNode): readonly { readonly schemaId: string; readonly title: string; readonly description: string | undefined }[] {
  return schemasOf(set, node).flatMap(([schema, uri]) => {
    const { title } = schema;
    return typeof title === 'string' && schema['select'] !== true ? [{ schemaId: uri, title: title.trim(), description: textOf(schema['description']) }] : [];
  });
}

/** Schemas of the node itself, and what those of its ancestors say about it. */
function schemasOf(set: BindingSet, node: DtNode): readonly (readonly [JsonObject, string])[] {
  const found = schemasFor(set, node);
  const names: string[] = [];
  let below: DtNode = node;
  for (let ancestor = node.parent; ancestor !== undefined && names.length < ANCESTORS_MAX; ancestor = ancestor.parent) {
    names.unshift(below.name);
    below = ancestor;
    for (const [schema, uri] of schemasFor(set, ancestor)) {
      const description = new Description(set);
      let inner: readonly (readonly [JsonObject, string])[] = [[schema, uri]];
      for (const name of names) inner = inner.flatMap(([one, base]) => description.inner(one, base, name));
      found.push(...inner);
    }
  }
  return found;
}

function schemasFor(set: BindingSet, node: DtNode): (readonly [JsonObject, string])[] {
  const alone = new DtNode(node.name);
  for (const property of node.properties) alone.insertProperty(property);
  const instance = decodeTree(alone, set.types);
  instance.members.set('$nodename', [node.parent === undefined ? '/' : node.name]);
  return set.schemasFor(instance).flatMap((uri) => { const schema = set.schemas.get(uri); return schema === undefined ? [] : [[schema, uri] as const]; });
}

class Description {
  readonly members = new Map<string, DescribedMember>();
  private readonly set: BindingSet;
  private steps = 0;

  constructor(set: BindingSet) {
    this.set = set;
  }

  /** Adds what a schema says about members. */
  collect(schema: Json | undefined, uri: string): void {
    for (const [part, base] of this.parts(schema, uri)) {
      const required = new Set(elementsOf(part['required'] ?? null));
      for (const [name, inner] of entriesOf(part['properties'])) if (inner !== false && !name.startsWith('$')) this.add(name, inner, { base, isRequired: required.has(name) });
    }
  }

  /** What a schema says about the child with a name. */
  inner(schema: Json | undefined, uri: string, name: string): readonly (readonly [JsonObject, string])[] {
    return this.parts(schema, uri).flatMap(([part, base]) => {
      const named = isObject(part['properties']) ? part['properties'][name] : undefined;
      return [named, ...patternsOf(part).matching(name)].flatMap((inner) => (isObject(inner) ? [[inner, base] as const] : []));
    });
  }

  /** The schema with all that it combines and refers to. */
  private parts(schema: Json | undefined, uri: string): (readonly [JsonObject, string])[] {
    if (!isObject(schema) || this.steps++ > STEPS_MAX) return [];
    const found: (readonly [JsonObject, string])[] = [[schema, uri]];
    for (const key of COMBINING) for (const branch of elementsOf(schema[key])) found.push(...this.parts(branch, uri));
    for (const key of ['then', 'else']) found.push(...this.parts(schema[key], uri));
    const target = this.referred(schema, uri);
    if (target !== undefined) found.push(...this.parts(...target));
    return found;
  }

  /** What schemas of one value ask together. */
  shape(schemas: readonly (readonly [JsonObject, string])[], depth: number): ValueShape {
    const all = schemas.flatMap(([schema, uri]) => this.demands(schema, uri));
    const numbersOf = (key: string): readonly number[] => all.map(([part]) => part[key]).filter((value) => typeof value === 'number');
    const listed = all.map(([part]) => [part['const'], ...elementsOf(part['enum'] ?? null)].filter((value) => typeof value === 'string' || typeof value === 'number')).find((values) => values.length > 0);
    const lists = depth > 3 ? [] : all.map(([part, uri]) => (isObject(part['items']) ? [part['items']] : elementsOf(part['items'] ?? null)).filter(isObject).map((item) => [item, uri] as const)).filter((items) => items.length > 0);
    const length = Math.max(0, ...lists.map((items) => items.length));
    const itemsAt = (index: number): readonly (readonly [JsonObject, string])[] => lists.flatMap((items) => { const item = items[index] ?? (items.length === 1 ? items[0] : undefined); return item === undefined ? [] : [item]; });
    const minimums = numbersOf('minimum');
    return {
      isNode: all.some(([part]) => part['type'] === 'object' || part['properties'] !== undefined || part['patternProperties'] !== undefined),
      countMin: Math.min(SHAPE_COUNT_MAX, Math.max(1, ...numbersOf('minItems'))), values: listed ?? [], minimum: minimums.length === 0 ? undefined : Math.max(...minimums),
      items: Array.from({ length: Math.min(length, SHAPE_COUNT_MAX) }, (_, index) => this.shape(itemsAt(index), depth + 1)),
    };
  }

  /** The schema with all that it asks besides, and the first of each set of alternatives. */
  private demands(schema: JsonObject, uri: string): readonly (readonly [JsonObject, string])[] {
    if (this.steps++ > STEPS_MAX) return [];
    const found: (readonly [JsonObject, string])[] = [[schema, uri]];
    const further = [...elementsOf(schema['allOf']), elementsOf(schema['oneOf'])[0], elementsOf(schema['anyOf'])[0]];
    for (const one of further) if (isObject(one)) found.push(...this.demands(one, uri));
    const target = this.referred(schema, uri);
    if (target !== undefined) found.push(...this.demands(...target));
    return found;
  }

  /** What a schema refers to. */
  private referred(schema: JsonObject, uri: string): readonly [JsonObject, string] | undefined {
    if (typeof schema['$ref'] !== 'string') return undefined;
    const [target, pointer] = splitReference(schema['$ref'], uri);
    const root = this.set.schemas.get(target);
    const found = root === undefined ? undefined : at(root, pointer);
    return isObject(found) ? [found, target] : undefined;
  }

  private add(name: string, schema: Json, { base, isRequired }: { readonly base: string; readonly isRequired: boolean }): void {
    const parts = this.parts(schema, base).map(([part]) => part);
    const before = this.members.get(name);
    const values = [...new Set([...(before?.values ?? []), ...parts.flatMap((part) => valuesIn(part))])];
    const description = before?.description ?? parts.map((part) => textOf(part['description'])).find((text) => text !== undefined);
    this.members.set(name, { name, form: formOf(this.set, name, parts), description, values, isRequired: isRequired || before?.isRequired === true, schemaId: before?.schemaId ?? base });
  }
}

function formOf(set: BindingSet, name: string, parts: readonly JsonObject[]): DescribedMember['form'] {
  if (parts.some((part) => part['type'] === 'object' || part['patternProperties'] !== undefined || (part['properties'] !== undefined))) return 'node';
  if (parts.some((part) => part['type'] === 'boolean')) return 'flag';
  const types = [...typesOf(set.types, name)];
  if (types.some((type) => type.startsWith('string'))) return 'string';
  if (types.length === 0 && parts.some((part) => valuesIn(part).some((value) => typeof value === 'string'))) return 'string';
  return types.includes('flag') && types.length === 1 ? 'flag' : 'cells';
}

/** Values that a schema lists, also for the elements of a list. */
function valuesIn(schema: JsonObject, depth = 0): readonly (string | number)[] {
  if (depth > 4) return [];
  const own = [schema['const'], ...elementsOf(schema['enum'] ?? null)].filter((value) => typeof value === 'string' || typeof value === 'number');
  const { items } = schema;
  const inner = [...(isObject(items) ? [items] : elementsOf(items ?? null)), schema['contains'] ?? null, ...COMBINING.flatMap((key) => elementsOf(schema[key] ?? null))];
  return [...own, ...inner.flatMap((item) => (isObject(item) ? valuesIn(item, depth + 1) : []))];
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value.trim() : undefined;
}

const patternsBySchema = new WeakMap<JsonObject, NamePatterns<Json>>();

/** The patterns of a schema, which does not change. */
function patternsOf(schema: JsonObject): NamePatterns<Json> {
  let known = patternsBySchema.get(schema);
  if (known === undefined) patternsBySchema.set(schema, known = new NamePatterns(entriesOf(schema['patternProperties'])));
  return known;
}

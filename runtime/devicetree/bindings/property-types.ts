/**
 * The type of each property, collected over all bindings: a device tree blob holds bytes only, and a property has the same type
 * in every node. Types say how `decode.ts` reads the bytes. The rules are those of dt-schema 2025.08.
 */

import type { JsonObject } from './json';
import { compilePattern, type Pattern } from './pattern';
import { isTypeName, mentionsIn, type Dimensions, type NameKind, type PropertyMention, type Range, type TypeMention } from './property-mentions';

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
  /** The number of the last binding that says so. */
  binding: number;
  readonly kind: NameKind;
}

/** The pattern of aliases would give a type to everything. */
const ALIAS_PATTERN = '^[a-z][a-z0-9\\-]*$';

/** Collects the types from all bindings, which must be fixed up already. */
export function collectTypes(schemas: Iterable<JsonObject>): PropertyTypes {
  const collector = new TypeCollector();
  for (const schema of schemas) collector.add(mentionsIn(schema));
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
  /** The binding that is being added. */
  private current = 0;

  /** Adds what a binding says. */
  add(mentions: readonly PropertyMention[]): void {
    this.current++;
    this.addAll(mentions);
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
      if (head.kind === 'name') named.set(name, types);
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
    const entry = list.find(({ type }) => type !== undefined && type !== 'node' && !isTypeName(type));
    if (entry !== undefined) entry.type = this.entries.get(entry.type ?? '')?.[0]?.type;
  }

  private addAll(mentions: readonly PropertyMention[]): void {
    for (const mention of mentions) {
      if (mention[0] !== 'unless-noted') this.addType(mention);
      else if (this.entries.get(mention[1])?.some(({ binding }) => binding === this.current) !== true) this.addAll(mention[2]);
    }
  }

  private addType([kind, name, type, dimensions]: TypeMention): void {
    const list = this.entries.get(name) ?? [];
    this.entries.set(name, list);
    const entry: Entry = { type: type ?? undefined, binding: this.current, kind };
    if (type === null) {
      if (list.length === 0) list.push(entry);
      return;
    }
    if (dimensions !== undefined) entry.dimensions = dimensions;
    this.merge(list, entry);
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
      known.binding = this.current;
      return;
    }
    list.push(entry);
  }
}

function union(one: Dimensions, other: Dimensions): Dimensions {
  const merge = (a: Range, b: Range): Range => {
    const greatest = Math.max(a[1], b[1]);
    return [greatest === 1 ? 1 : Math.min(a[0], b[0]), greatest];
  };
  return [merge(one[0], other[0]), merge(one[1], other[1])];
}

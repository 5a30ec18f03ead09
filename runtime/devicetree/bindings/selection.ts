/**
 * Which schemas may select a node, by what their `select` plainly asks for: compatible strings, the beginning of the node's name, properties. Most of hundreds
 * are out at once. Whether one of the others does select the node is the evaluator's to say.
 */

import type { SelectedSchema } from './binding-set';
import { isValueList, type NodeInstance, type Value } from './instance';
import { elementsOf, isList, isObject, type Json } from './json';
import { prefixOf } from './name-patterns';

interface Candidate {
  readonly schema: SelectedSchema;
  readonly order: number;
  /** What the name must begin with, without unit address; `undefined` if it does not matter. */
  readonly prefixes: readonly string[] | undefined;
  readonly required: readonly string[];
}

/** Schemas with a `select`, sorted by what they ask for. */
export class Selection {
  private readonly byCompatible = new Map<string, Candidate[]>();
  private readonly others: Candidate[] = [];
  private readonly byName = new Map<string, readonly Candidate[]>();

  constructor(selected: readonly SelectedSchema[]) {
    for (const [order, schema] of selected.entries()) {
      const candidate: Candidate = { schema, order, prefixes: prefixesAsked(schema.select), required: requiredIn(schema.select) };
      if (schema.compatibles === undefined) this.others.push(candidate);
      else {
        for (const name of schema.compatibles) {
          const list = this.byCompatible.get(name) ?? [];
          this.byCompatible.set(name, list);
          list.push(candidate);
        }
      }
    }
  }

  /** Those that may select a node, which must know its `$nodename`; in the order in which they were given. */
  candidates(instance: NodeInstance, compatibles: readonly Value[]): readonly SelectedSchema[] {
    const found: Candidate[] = [];
    // Hundreds of candidates for each node: a `for…of` makes an object for each until V8 has optimised it.
    this.named(nameOf(instance)).forEach((candidate) => { if (hasAll(instance, candidate.required)) found.push(candidate); });
    let isSorted = true;
    for (const name of compatibles) {
      for (const candidate of (typeof name === 'string' ? this.byCompatible.get(name) : undefined) ?? []) {
        if (found.includes(candidate)) continue;
        found.push(candidate);
        isSorted = false;
      }
    }
    if (!isSorted) found.sort((a, b) => a.order - b.order);
    return found.map(({ schema }) => schema);
  }

  private named(name: string): readonly Candidate[] {
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    const made = this.others.filter(({ prefixes }) => prefixes === undefined || prefixes.some((prefix) => name.startsWith(prefix)));
    if (this.byName.size < NAMES_MAX) this.byName.set(name, made);
    return made;
  }
}

/** Most names of nodes that are remembered. */
const NAMES_MAX = 20_000;

function hasAll({ members }: NodeInstance, names: readonly string[]): boolean {
  for (let index = 0, name = names[0]; name !== undefined; name = names[++index]) if (!members.has(name)) return false;
  return true;
}

function nameOf(instance: NodeInstance): string {
  const list = instance.members.get('$nodename');
  const name = isValueList(list) ? list[0] : '';
  return typeof name === 'string' ? beforeAt(name) : '';
}

function beforeAt(name: string): string {
  const at = name.indexOf('@');
  return at < 0 ? name : name.slice(0, at);
}

function requiredIn(select: Json): readonly string[] {
  return isObject(select) ? elementsOf(select['required'] ?? null).filter((name): name is string => typeof name === 'string') : [];
}

/** Every node that is checked knows its name, so what is asked of it need not be required. */
function prefixesAsked(select: Json): readonly string[] | undefined {
  const properties = isObject(select) ? select['properties'] : undefined;
  const name = isObject(properties) ? properties['$nodename'] : undefined;
  const items = isObject(name) ? name['items'] : undefined;
  const item = isList(items) ? items[0] : items;
  if (!isObject(item)) return undefined;
  const { const: only, enum: several, pattern } = item;
  if (typeof pattern === 'string') return [beforeAt(prefixOf(pattern))];
  const names = (only === undefined ? elementsOf(several ?? null) : [only]).filter((one): one is string => typeof one === 'string');
  return names.length === 0 ? undefined : names.map(beforeAt);
}

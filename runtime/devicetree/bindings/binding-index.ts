/**
 * A set of bindings as plain data, so that a host can keep it: what is known of all bindings together as JSON, and each binding as text that is
 * read only when a node asks for it. Reads and writes no file.
 */

import { BindingSet, gistOf, KnowledgeCollector, readBinding, type BindingFile, type BindingGist, type BindingKnowledge } from './binding-set';
import { isObject, type Json, type JsonObject } from './json';
import { compilePattern, type Pattern } from './pattern';
import type { PropertyType } from './property-types';

/** Changes whenever the form of what is kept, or what is done to bindings before, changes. */
export const INDEX_VERSION = 3;

/** What is kept of a set. Bindings are numbered in their order. */
export interface BindingIndex {
  readonly version: number;
  /** `$id` without fragment, and path. */
  readonly schemas: readonly (readonly [uri: string, path: string])[];
  readonly compatibles: readonly (readonly [name: string, schema: number])[];
  readonly selected: readonly { readonly schema: number; readonly select: Json; readonly compatibles: readonly string[] | null }[];
  readonly named: readonly (readonly [name: string, types: readonly PropertyType[]])[];
  readonly patterns: readonly (readonly [pattern: string, type: PropertyType])[];
  readonly documented: readonly string[];
  readonly documentedPatterns: readonly string[];
}

/** What an index needs of one binding. Plain data, so that bindings can be read in one place and put together in another. */
export interface IndexEntry {
  readonly uri: string;
  readonly path: string;
  readonly gist: BindingGist;
}

/** A binding as an entry and as the text to keep; `undefined` for one that cannot be used. */
export function indexEntry(file: BindingFile): { readonly entry: IndexEntry; readonly text: string } | undefined {
  const read = readBinding(file, new Set());
  if ('problem' in read) return undefined;
  const { uri, schema } = read;
  return { entry: { uri, path: file.path, gist: gistOf(schema) }, text: JSON.stringify(schema) };
}

/** Makes an index of bindings one after the other; the text of each is the host's to keep. */
export class IndexBuilder {
  private readonly schemas: (readonly [uri: string, path: string])[] = [];
  private readonly uris = new Set<string>();
  private readonly collector = new KnowledgeCollector();

  /** False for a binding whose `$id` is taken: the first one counts. */
  add({ uri, path, gist }: IndexEntry): boolean {
    if (this.uris.has(uri)) return false;
    this.uris.add(uri);
    this.schemas.push([uri, path]);
    this.collector.add(uri, gist);
    return true;
  }

  /** The index of all bindings that were taken, numbered in the order in which they were added. */
  finish(): BindingIndex {
    return indexOf(this.schemas, this.collector.finish());
  }
}

function indexOf(schemas: BindingIndex['schemas'], { byCompatible, selected, types, documented }: BindingKnowledge): BindingIndex {
  const numbers = new Map(schemas.map(([uri], index) => [uri, index]));
  return {
    version: INDEX_VERSION,
    schemas,
    compatibles: [...byCompatible].map(([name, uri]) => [name, numbers.get(uri) ?? 0]),
    selected: selected.map(({ uri, select, compatibles }) => ({ schema: numbers.get(uri) ?? 0, select, compatibles: compatibles === undefined ? null : [...compatibles] })),
    named: [...types.named],
    patterns: types.patterns.map(({ pattern, type }) => [pattern.source, type]),
    documented: [...documented.names],
    documentedPatterns: documented.patterns.map(({ source }) => source),
  };
}

/** The set again; `schemaAt` gives the text of a binding by its number. */
export function setOfIndex(index: BindingIndex, schemaAt: (schema: number) => string): BindingSet {
  const uris = index.schemas.map(([uri]) => uri);
  const pattern = (source: string): Pattern[] => { const made = compilePattern(source); return made === undefined ? [] : [made]; };
  return new BindingSet(new LateSchemas(uris, schemaAt), new Map(index.schemas), {
    byCompatible: new Map(index.compatibles.map(([name, schema]) => [name, uris[schema] ?? ''])),
    selected: index.selected.map(({ schema, select, compatibles }) => ({ uri: uris[schema] ?? '', select, compatibles: compatibles === null ? undefined : new Set(compatibles) })),
    types: { named: new Map(index.named), patterns: index.patterns.flatMap(([source, type]) => pattern(source).map((made) => ({ pattern: made, type }))) },
    documented: { names: new Set(index.documented), patterns: index.documentedPatterns.flatMap(pattern) },
  });
}

/** Schemas that are read when asked for. */
class LateSchemas implements ReadonlyMap<string, JsonObject> {
  private readonly numbers: ReadonlyMap<string, number>;
  private readonly schemaAt: (schema: number) => string;
  private readonly known = new Map<string, JsonObject>();

  constructor(uris: readonly string[], schemaAt: (schema: number) => string) {
    this.numbers = new Map(uris.map((uri, index) => [uri, index]));
    this.schemaAt = schemaAt;
  }

  get size(): number {
    return this.numbers.size;
  }

  has(uri: string): boolean {
    return this.numbers.has(uri);
  }

  get(uri: string): JsonObject | undefined {
    const known = this.known.get(uri);
    const number = this.numbers.get(uri);
    if (known !== undefined || number === undefined) return known;
    const read: Json = JSON.parse(this.schemaAt(number));
    const schema = isObject(read) ? read : {};
    this.known.set(uri, schema);
    return schema;
  }

  keys(): MapIterator<string> {
    return this.numbers.keys();
  }

  *values(): MapIterator<JsonObject> {
    for (const [, schema] of this.entries()) yield schema;
  }

  *entries(): MapIterator<[string, JsonObject]> {
    for (const uri of this.numbers.keys()) yield [uri, this.get(uri) ?? {}];
  }

  [Symbol.iterator](): MapIterator<[string, JsonObject]> {
    return this.entries();
  }

  forEach(each: (schema: JsonObject, uri: string, map: ReadonlyMap<string, JsonObject>) => void): void {
    for (const [uri, schema] of this.entries()) each(schema, uri, this);
  }
}

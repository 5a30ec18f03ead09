/**
 * Checks decoded nodes against processed bindings: an interpreter for the part of JSON Schema 2019-09 that bindings use.
 * Schemas are compiled to closures when first needed. Not a general validator: no formats, no dynamic references.
 */

import { ALWAYS, NEVER, testAll, type Check, type Keyword } from './check';
import type { NodeInstance, Value } from './instance';
import { elementsOf, entriesOf, has, isList, isObject, type Json, type JsonObject } from './json';
import { KEYWORDS, memo, namedIn, patternsIn, testMembers } from './keywords';
import { NamePatterns } from './name-patterns';

/** Finds the schema that a `$ref` names, by absolute URI without fragment. */
export type FindSchema = (uri: string) => JsonObject | undefined;

/** Most references followed for one node. A large node with all of Linux's bindings needs a few thousand. */
const REFERENCES_MAX = 300_000;
/** Most failures reported for a node and schema. */
export const FAILURES_MAX = 200;

/** The check of a binding that is not there: nothing is wrong, and every member may be one that it describes. */
const UNKNOWN: Check = { ...ALWAYS, evaluated: (node, names) => { for (const name of node.members.keys()) names.add(name); } };

/** Schemas that apply to every node, asked at once. */
export interface CommonSchemas {
  /** Those that are asked. */
  readonly uris: ReadonlySet<string>;
  /** True if a node keeps all of them. */
  test(node: NodeInstance): boolean;
}

/** True for a keyword that says something of single members only, or nothing of nodes. */
function speaksOfMembers(key: string, argument: Json | undefined): boolean {
  switch (key) {
    case 'properties': case 'patternProperties': return true;
    case 'additionalProperties': return typeof argument === 'boolean';
    case 'type': return argument === 'object';
    default: return !Object.hasOwn(KEYWORDS, key);
  }
}

/** Compiles schemas, each once. */
export class Evaluator {
  private readonly find: FindSchema;
  private readonly compiled = new Map<JsonObject, Check>();
  private budget = REFERENCES_MAX;

  constructor(find: FindSchema) {
    this.find = find;
  }

  /** The check for a schema; `base` is the `$id` of the binding that it stands in. */
  check(schema: Json | undefined, base: string): Check {
    if (schema === false) return NEVER;
    if (!isObject(schema)) return ALWAYS;
    const known = this.compiled.get(schema);
    if (known !== undefined) return known;
    const check = this.lazy(schema, base);
    this.compiled.set(schema, check);
    return check;
  }

  /** Of schemas that apply to every node, those that speak of single members only, with what they say of a name put together. */
  common(schemas: readonly { readonly uri: string; readonly schema: JsonObject | undefined }[]): CommonSchemas {
    const uris = new Set<string>();
    const named = new Map<string, Check[]>();
    const patterns: (readonly [string, Check])[] = [];
    const closed: ((name: string) => boolean)[] = [];
    for (const { uri, schema } of schemas) {
      if (schema === undefined || !Object.keys(schema).every((key) => speaksOfMembers(key, schema[key]))) continue;
      uris.add(uri);
      if (schema['additionalProperties'] === false) closed.push(namedIn(schema));
      for (const [name, inner] of entriesOf(schema['properties'])) if (inner !== true) named.set(name, [...(named.get(name) ?? []), this.check(inner, uri)]);
      for (const [pattern, inner] of entriesOf(schema['patternProperties'])) if (inner !== true) patterns.push([pattern, this.check(inner, uri)]);
    }
    const matching = new NamePatterns(patterns);
    const checksFor = memo((name) => [...(named.get(name) ?? []), ...matching.matching(name), ...(closed.every((isNamed) => isNamed(name)) ? [] : [NEVER])]);
    return {
      uris,
      test: (node) => testMembers(node, checksFor),
    };
  }

  /** Compiling waits for the first question, since most of a binding is never asked for. */
  private lazy(schema: JsonObject, base: string): Check {
    let made: Check | undefined;
    const get = (): Check => made ??= this.compile(schema, base);
    return {
      test: (value) => (made ?? get()).test(value),
      explain: (value, path, failures) => { get().explain(value, path, failures); },
      evaluated: (node, names) => { get().evaluated(node, names); },
    };
  }

  private compile(schema: JsonObject, base: string): Check {
    const keywords: Keyword[] = [];
    for (const [key, argument] of Object.entries(schema)) {
      const make = Object.hasOwn(KEYWORDS, key) ? KEYWORDS[key] : undefined;
      const keyword = make?.({ evaluator: this, schema, base, argument });
      if (keyword !== undefined && keyword !== ALWAYS) keywords.push(keyword);
    }
    return {
      test: testAll(keywords),
      explain: (value, path, failures) => {
        for (const keyword of keywords) if (failures.length < FAILURES_MAX && !keyword.test(value)) keyword.explain(value, path, failures);
      },
      evaluated: this.evaluation(schema, base),
    };
  }

  private evaluation(schema: JsonObject, base: string): Check['evaluated'] {
    const reference = typeof schema['$ref'] === 'string' ? this.reference(schema['$ref'], base) : undefined;
    const named = new Map(entriesOf(schema['properties']).map(([name, inner]) => [name, this.check(inner, base)]));
    const matches = patternsIn(schema);
    const rest = ['additionalProperties', 'unevaluatedProperties'].flatMap((key) => (schema[key] === undefined || schema[key] === false ? [] : [this.check(schema[key], base)]));
    const dependent = entriesOf(schema['dependentSchemas']).map(([name, inner]) => ({ name, check: this.check(inner, base) }));
    const branches = ['allOf', 'oneOf', 'anyOf'].flatMap((key) => elementsOf(schema[key])).map((branch) => this.check(branch, base));
    const [condition, then, otherwise] = ['if', 'then', 'else'].map((key) => (has(schema, key) ? this.check(schema[key], base) : undefined));
    return (node, names) => {
      reference?.evaluated(node, names);
      for (const name of node.members.keys()) {
        if (names.has(name)) continue;
        const value = (): Value => node.members.get(name) ?? true;
        if (named.get(name)?.test(value()) === true || matches(name) || rest.some((check) => check.test(value()))) names.add(name);
      }
      for (const { name, check } of dependent) if (node.members.has(name)) check.evaluated(node, names);
      for (const branch of branches) if (branch.test(node)) branch.evaluated(node, names);
      if (condition === undefined) return;
      if (condition.test(node)) {
        condition.evaluated(node, names);
        then?.evaluated(node, names);
      } else otherwise?.evaluated(node, names);
    };
  }

  /** The check that a `$ref` means. One that leads nowhere holds: the missing binding is reported when bindings are read. */
  reference(reference: string, base: string): Check {
    const [uri, pointer] = splitReference(reference, base);
    const root = this.find(uri);
    if (root === undefined) return UNKNOWN;
    return this.guarded(this.check(at(root, pointer), uri));
  }

  /** Forgets how much was asked before; called for each node. */
  refill(): void {
    this.budget = REFERENCES_MAX;
  }

  /** Only references can lead round in circles or fan out without end. One that comes back to the value it is at holds, and so do all when the budget is spent. */
  private guarded(check: Check): Check {
    const active: Value[] = [];
    const enter = (value: Value): boolean => {
      if (active.includes(value) || this.budget <= 0) return false;
      this.budget--;
      active.push(value);
      return true;
    };
    const within = (value: Value, run: () => void): void => {
      if (!enter(value)) return;
      try {
        run();
      } finally {
        active.pop();
      }
    };
    return {
      test: (value) => {
        if (!enter(value)) return true;
        try {
          return check.test(value);
        } finally {
          active.pop();
        }
      },
      explain: (value, path, failures) => { within(value, () => { check.explain(value, path, failures); }); },
      evaluated: (node, names) => { within(node, () => { check.evaluated(node, names); }); },
    };
  }
}

/** The absolute URI and the JSON pointer of a reference. A pointer may itself hold `#`, so only the first one counts. */
export function splitReference(reference: string, base: string): readonly [uri: string, pointer: string] {
  const hash = reference.indexOf('#');
  const file = hash < 0 ? reference : reference.slice(0, hash);
  const pointer = hash < 0 ? '' : reference.slice(hash + 1);
  const start = base.replace(/#.*$/s, '');
  if (file === '') return [start, pointer];
  if (/^\w+:/.test(file)) return [file, pointer];
  const origin = /^\w+:\/\/[^/]*/.exec(start)?.[0] ?? '';
  const segments = file.startsWith('/') ? [] : start.slice(origin.length).split('/').slice(1, -1);
  for (const segment of file.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '.' && segment !== '') segments.push(segment);
  }
  return [`${origin}/${segments.join('/')}`, pointer];
}

/** The value that a JSON pointer leads to. */
export function at(root: JsonObject, pointer: string): Json | undefined {
  return pointer.split('/').slice(1).reduce<Json | undefined>((found, raw) => {
    const key = decodePointer(raw);
    if (isList(found)) return found[Number(key)];
    return isObject(found) && has(found, key) ? found[key] : undefined;
  }, root);
}

function decodePointer(raw: string): string {
  const percent = raw.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return percent.replaceAll('~1', '/').replaceAll('~0', '~');
}


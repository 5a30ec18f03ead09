/**
 * The keywords of JSON Schema 2019-09 that bindings use, each compiled to a quick test and a slow explanation. `evaluate.ts` puts them
 * together. What depends only on a member's name is worked out once per name: names recur in thousands of nodes.
 */

import { ALWAYS, applyAll, type Check, type Explain, type Failure, type Keyword, type Test } from './check';
import type { Evaluator } from './evaluate';
import { isInteger, isValueList, NodeInstance, SizedInteger, toNumber, type Value } from './instance';
import { elementsOf, entriesOf, has, isList, type Json, type JsonObject } from './json';
import { NamePatterns } from './name-patterns';
import { compilePattern } from './pattern';

/** Most names remembered by one keyword. */
const MEMO_MAX = 20_000;
const NONE: readonly Check[] = [];

/** A keyword's argument and where it stands. */
export interface Source {
  readonly evaluator: Evaluator;
  readonly schema: JsonObject;
  readonly base: string;
  readonly argument: Json;
}

/** A keyword with one failure, that of the whole value. */
function simple(keyword: string, schema: JsonObject, test: Test): Keyword {
  return { test, explain: (value, path, failures) => { failures.push({ keyword, path, schema, value }); } };
}

/** True if all members pass the checks for their names. Those without checks are not read. */
export function testMembers({ members }: NodeInstance, checksFor: (name: string) => readonly Check[]): boolean {
  return members.every((name) => {
    const checks = checksFor(name);
    const member = checks.length === 0 ? undefined : members.get(name);
    return member === undefined || checks.every((check) => check.test(member));
  });
}

/** A keyword that passes on the failures of checks on members of a node. */
function onMembers(checksFor: (name: string) => readonly Check[]): Keyword {
  const test: Test = (value) => {
    if (!(value instanceof NodeInstance)) return true;
    return testMembers(value, checksFor);
  };
  const explain: Explain = (value, path, failures) => {
    if (!(value instanceof NodeInstance)) return;
    for (const name of value.members.keys()) {
      const checks = checksFor(name);
      const member = checks.length === 0 ? undefined : value.members.get(name);
      if (member !== undefined) for (const check of checks) if (!check.test(member)) check.explain(member, [...path, name], failures);
    }
  };
  return { test, explain };
}

/** A keyword that passes on the failures of checks on elements of a list. */
function onElements(checkFor: (index: number) => Check | undefined): Keyword {
  const wrong = (value: Value): readonly (readonly [number, Value, Check])[] => (isValueList(value) ? value.flatMap((item, index) => {
    const check = checkFor(index);
    return check === undefined || check.test(item) ? [] : [[index, item, check] as const];
  }) : []);
  return {
    test: (value) => !isValueList(value) || value.every((item, index) => checkFor(index)?.test(item) !== false),
    explain: (value, path, failures) => { for (const [index, item, check] of wrong(value)) check.explain(item, [...path, index], failures); },
  };
}

/** Remembers an answer per name. */
export function memo<T>(answer: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const made = answer(name);
    if (known.size < MEMO_MAX) known.set(name, made);
    return made;
  };
}

/** True for the names that `properties` and `patternProperties` of a schema speak of. */
export function namedIn(schema: JsonObject): (name: string) => boolean {
  const named = new Set(entriesOf(schema['properties']).map(([name]) => name));
  const patterns = new NamePatterns(entriesOf(schema['patternProperties']));
  return memo((name) => named.has(name) || patterns.some(name));
}

/** The patterns of `patternProperties` of a schema. */
export function patternsIn(schema: JsonObject): (name: string) => boolean {
  const patterns = new NamePatterns(entriesOf(schema['patternProperties']));
  return patterns.isEmpty ? () => false : memo((name) => patterns.some(name));
}

/** A keyword that fails once per name. */
function perName(keyword: string, schema: JsonObject, missing: (node: NodeInstance) => readonly string[]): Keyword {
  const of = (value: Value): readonly string[] => (value instanceof NodeInstance ? missing(value) : []);
  return {
    test: (value) => of(value).length === 0,
    explain: (value, path, failures) => { for (const name of of(value)) failures.push({ keyword, path, schema, value, names: [name] }); },
  };
}

/** A keyword that fails once for all names. */
function allNames(keyword: string, schema: JsonObject, wrong: (node: NodeInstance) => readonly string[]): Keyword {
  const of = (value: Value): readonly string[] => (value instanceof NodeInstance ? wrong(value) : []);
  return {
    test: (value) => of(value).length === 0,
    explain: (value, path, failures) => { failures.push({ keyword, path, schema, value, names: of(value) }); },
  };
}

function limit(keyword: string, { schema, argument }: Source, holds: (value: Value, bound: number) => boolean): Keyword {
  return simple(keyword, schema, (value) => typeof argument !== 'number' || holds(value, argument));
}

/** How each keyword is compiled; others are annotations. */
export const KEYWORDS: Readonly<Record<string, ((source: Source) => Keyword) | undefined>> = {
  $ref: ({ evaluator, argument, base }) => (typeof argument === 'string' ? evaluator.reference(argument, base) : ALWAYS),
  type: ({ schema, argument }) => {
    const types = isList(argument) ? argument : [argument];
    return simple('type', schema, (value) => types.some((type) => isOfType(value, type)));
  },
  typeSize: (source) => limit('typeSize', source, (value, bits) => bits === (value instanceof SizedInteger ? value.bits : 32)),
  const: ({ schema, argument }) => simple('const', schema, (value) => equal(value, argument)),
  enum: ({ schema, argument }) => simple('enum', schema, (value) => elementsOf(argument).some((one) => equal(value, one))),
  minimum: (source) => limit('minimum', source, (value, bound) => !isInteger(value) || toNumber(value) >= bound),
  maximum: (source) => limit('maximum', source, (value, bound) => !isInteger(value) || toNumber(value) <= bound),
  exclusiveMinimum: (source) => limit('exclusiveMinimum', source, (value, bound) => !isInteger(value) || toNumber(value) > bound),
  exclusiveMaximum: (source) => limit('exclusiveMaximum', source, (value, bound) => !isInteger(value) || toNumber(value) < bound),
  multipleOf: (source) => limit('multipleOf', source, (value, step) => !isInteger(value) || step === 0 || toNumber(value) % step === 0),
  minItems: (source) => limit('minItems', source, (value, bound) => !isValueList(value) || value.length >= bound),
  maxItems: (source) => limit('maxItems', source, (value, bound) => !isValueList(value) || value.length <= bound),
  minProperties: (source) => limit('minProperties', source, (value, bound) => !(value instanceof NodeInstance) || value.members.size >= bound),
  maxProperties: (source) => limit('maxProperties', source, (value, bound) => !(value instanceof NodeInstance) || value.members.size <= bound),
  minLength: (source) => limit('minLength', source, (value, bound) => typeof value !== 'string' || value.length >= bound),
  maxLength: (source) => limit('maxLength', source, (value, bound) => typeof value !== 'string' || value.length <= bound),
  uniqueItems: ({ schema, argument }) => simple('uniqueItems', schema, (value) => argument !== true || !isValueList(value) || allDifferent(value)),
  pattern: ({ schema, argument }) => {
    const pattern = typeof argument === 'string' ? compilePattern(argument) : undefined;
    return simple('pattern', schema, (value) => typeof value !== 'string' || pattern === undefined || pattern.test(value));
  },
  items: ({ evaluator, argument, base }) => {
    const checks = isList(argument) ? argument.map((item) => evaluator.check(item, base)) : undefined;
    const all = checks === undefined ? evaluator.check(argument, base) : undefined;
    return onElements((index) => (checks === undefined ? all : checks[index]));
  },
  additionalItems: ({ evaluator, schema, argument, base }) => {
    const { items } = schema;
    if (!isList(items)) return ALWAYS;
    if (argument === false) return simple('additionalItems', schema, (value) => !isValueList(value) || value.length <= items.length);
    const check = evaluator.check(argument, base);
    return onElements((index) => (index < items.length ? undefined : check));
  },
  contains: ({ evaluator, schema, argument, base }) => {
    const check = evaluator.check(argument, base);
    const least = typeof schema['minContains'] === 'number' ? schema['minContains'] : 1;
    const greatest = typeof schema['maxContains'] === 'number' ? schema['maxContains'] : Number.MAX_SAFE_INTEGER;
    return simple('contains', schema, (value) => {
      const count = isValueList(value) ? value.filter((item) => check.test(item)).length : least;
      return count >= least && count <= greatest;
    });
  },
  properties: ({ evaluator, argument, base }) => {
    const checks = new Map(entriesOf(argument).flatMap(([key, schema]) => (schema === true ? [] : [[key, [evaluator.check(schema, base)]]])));
    return checks.size === 0 ? ALWAYS : onMembers((name) => checks.get(name) ?? NONE);
  },
  patternProperties: ({ evaluator, argument, base }) => {
    const checks = new NamePatterns(entriesOf(argument).flatMap(([pattern, schema]) => (schema === true ? [] : [[pattern, evaluator.check(schema, base)]])));
    return checks.isEmpty ? ALWAYS : onMembers(memo((name) => checks.matching(name)));
  },
  additionalProperties: ({ evaluator, schema, argument, base }) => {
    const isNamed = namedIn(schema);
    if (argument === false) return allNames('additionalProperties', schema, (node) => [...node.members.keys()].filter((name) => !isNamed(name)));
    const others = [evaluator.check(argument, base)];
    return onMembers((name) => (isNamed(name) ? NONE : others));
  },
  unevaluatedProperties: ({ evaluator, schema, argument, base }) => {
    const self = evaluator.check(schema, base);
    const check = evaluator.check(argument, base);
    return allNames('unevaluatedProperties', schema, (node) => {
      const known = new Set<string>();
      self.evaluated(node, known);
      return [...node.members.keys()].filter((name) => !known.has(name) && !check.test(node.members.get(name) ?? true));
    });
  },
  propertyNames: ({ evaluator, schema, argument, base }) => {
    const check = evaluator.check(argument, base);
    return allNames('propertyNames', schema, (node) => [...node.members.keys()].filter((name) => !check.test(name)));
  },
  required: ({ schema, argument }) => {
    const names = stringsOf(argument);
    return perName('required', schema, (node) => names.filter((name) => !node.members.has(name)));
  },
  dependentRequired: ({ schema, argument }) => perName('dependentRequired', schema, (node) => (
    entriesOf(argument).flatMap(([name, needed]) => (node.members.has(name) ? stringsOf(needed).filter((one) => !node.members.has(one)) : []))
  )),
  dependentSchemas: ({ evaluator, argument, base }) => {
    const checks = entriesOf(argument).map(([name, schema]) => ({ name, check: evaluator.check(schema, base) }));
    return applyAll((value) => (value instanceof NodeInstance ? checks.filter(({ name }) => value.members.has(name)).map(({ check }) => check) : NONE));
  },
  allOf: ({ evaluator, argument, base }) => {
    const checks = elementsOf(argument).map((branch) => evaluator.check(branch, base));
    return applyAll(() => checks);
  },
  anyOf: (source) => choice('anyOf', source, (count) => count > 0),
  oneOf: (source) => choice('oneOf', source, (count) => count === 1),
  not: ({ evaluator, schema, argument, base }) => {
    const check = evaluator.check(argument, base);
    return simple('not', schema, (value) => !check.test(value));
  },
  if: ({ evaluator, schema, argument, base }) => {
    const condition = evaluator.check(argument, base);
    const [then, otherwise] = ['then', 'else'].map((key) => (has(schema, key) ? evaluator.check(schema[key], base) : undefined));
    const thenChecks = then === undefined ? NONE : [then];
    const elseChecks = otherwise === undefined ? NONE : [otherwise];
    return applyAll((value) => (condition.test(value) ? thenChecks : elseChecks));
  },
};

function choice(keyword: string, { evaluator, schema, argument, base }: Source, holds: (count: number) => boolean): Keyword {
  const checks = elementsOf(argument).map((branch) => evaluator.check(branch, base));
  return {
    test: (value) => holds(checks.filter((check) => check.test(value)).length),
    explain: (value, path, failures) => {
      const branches = checks.map((check) => {
        const inner: Failure[] = [];
        check.explain(value, path, inner);
        return inner;
      });
      failures.push({ keyword, path, schema, value, branches });
    },
  };
}

function stringsOf(value: Json): readonly string[] {
  return elementsOf(value).filter((name): name is string => typeof name === 'string');
}

function isOfType(value: Value, type: Json): boolean {
  switch (type) {
    case 'object': return value instanceof NodeInstance;
    case 'array': return isValueList(value);
    case 'string': return typeof value === 'string';
    case 'integer': case 'number': return isInteger(value);
    case 'boolean': return value === true;
    default: return false;
  }
}

function equal(value: Value, json: Json): boolean {
  if (isInteger(value)) return toNumber(value) === json;
  if (isValueList(value)) return isList(json) && json.length === value.length && value.every((item, index) => equal(item, json[index] ?? null));
  return (typeof value === 'string' || value === true) && value === json;
}

function allDifferent(values: readonly Value[]): boolean {
  return new Set(values.map(keyOf)).size === values.length;
}

function keyOf(value: Value): string {
  if (isInteger(value)) return String(toNumber(value));
  return isValueList(value) ? `[${value.map(keyOf).join(',')}]` : JSON.stringify(typeof value === 'string' ? value : 'other');
}

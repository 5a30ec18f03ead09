/** What a compiled schema can be asked, and what it answers. */

import type { NodeInstance, Value } from './instance';
import type { JsonObject } from './json';

/** What a schema objects to. */
export interface Failure {
  /** The keyword that does not hold; `false` for a schema that allows nothing. */
  readonly keyword: string;
  /** Members and indexes from the checked node to the guilty value. */
  readonly path: readonly (string | number)[];
  /** The schema that holds the keyword. */
  readonly schema: JsonObject | boolean;
  /** The guilty value. */
  readonly value: Value;
  /** The missing or superfluous names, for `required`, `additionalProperties` and the like. */
  readonly names?: readonly string[];
  /** For `oneOf` and `anyOf`: the failures of each branch. */
  readonly branches?: readonly (readonly Failure[])[];
}

type Path = readonly (string | number)[];
/** Asks whether a value is right. */
export type Test = (value: Value) => boolean;
/** Says what is wrong with a value that failed the test. */
export type Explain = (value: Value, path: Path, failures: Failure[]) => void;

/** A compiled keyword. `test` is quick; `explain` runs only when it fails. */
export interface Keyword {
  readonly test: Test;
  readonly explain: Explain;
}

/** A schema ready to be asked. */
export interface Check {
  readonly test: Test;
  readonly explain: Explain;
  /** Adds the names of the members that the schema has looked at and found right; for `unevaluatedProperties`. */
  readonly evaluated: (node: NodeInstance, names: Set<string>) => void;
}

/** The check of a schema that allows everything. */
export const ALWAYS: Check = { test: () => true, explain: () => undefined, evaluated: () => undefined };

/** The check of a schema that allows nothing. */
export const NEVER: Check = {
  test: () => false,
  explain: (value, path, failures) => { failures.push({ keyword: 'false', path, schema: false, value }); },
  evaluated: () => undefined,
};

/** A test that holds if those of all keywords do. */
export function testAll(keywords: readonly Keyword[]): Test {
  const [only] = keywords;
  if (keywords.length === 1 && only !== undefined) return only.test;
  return (value) => {
    // Asked of nearly every value: a `for…of` makes an object for each element until V8 has optimised it.
    for (let index = 0, keyword = keywords[0]; keyword !== undefined; keyword = keywords[++index]) if (!keyword.test(value)) return false;
    return true;
  };
}

/** A keyword that passes on the failures of the checks that apply to the value itself. */
export function applyAll(checksFor: (value: Value) => readonly Check[]): Keyword {
  return {
    test: (value) => {
      const checks = checksFor(value);
      for (let index = 0, check = checks[0]; check !== undefined; check = checks[++index]) if (!check.test(value)) return false;
      return true;
    },
    explain: (value, path, failures) => { for (const check of checksFor(value)) if (!check.test(value)) check.explain(value, path, failures); },
  };
}

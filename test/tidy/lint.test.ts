import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ESLint } from 'eslint';
import { PRODUCT, projectPaths, REPOSITORY, TYPESCRIPT } from './project';

/** ESLint's word for a rule that fails the run. */
const ERROR = 2;
const PRODUCT_RULES = { 'max-lines-per-function': 70, 'max-params': 4 } as const;
const RULES = ['@typescript-eslint/no-explicit-any', '@typescript-eslint/no-non-null-assertion', '@typescript-eslint/no-unused-vars'];

const eslint = new ESLint({ cwd: REPOSITORY });

/** The configured severity and limit of a rule for a file. */
async function ruleFor(path: string, rule: string): Promise<{ readonly severity: unknown; readonly limit: unknown }> {
  const config: unknown = await eslint.calculateConfigForFile(join(REPOSITORY, path));
  const rules = property(config, 'rules');
  const entry = property(rules, rule);
  const [severity, options]: readonly unknown[] = Array.isArray(entry) ? entry : [entry];
  return { severity, limit: typeof options === 'object' ? property(options, 'max') : options };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
}

/** One file of each folder is enough: the configuration goes by folders. */
function onePerFolder(pattern: RegExp): readonly string[] {
  return [...new Map(projectPaths().filter((path) => pattern.test(path)).map((path) => [path.slice(0, path.lastIndexOf('/')), path])).values()];
}

test('the linter looks at every TypeScript file', async () => {
  for (const path of projectPaths().filter((one) => TYPESCRIPT.test(one))) assert.equal(await eslint.isPathIgnored(join(REPOSITORY, path)), false, path);
});

test('the linter refuses long functions and long parameter lists everywhere in the product', async () => {
  for (const path of onePerFolder(PRODUCT)) {
    for (const [rule, limit] of Object.entries(PRODUCT_RULES)) {
      const found = await ruleFor(path, rule);
      assert.deepEqual(found, { severity: ERROR, limit }, `${path}: ${rule}`);
    }
  }
});

test('the linter refuses holes in the type system everywhere', async () => {
  for (const path of onePerFolder(TYPESCRIPT)) for (const rule of RULES) assert.equal((await ruleFor(path, rule)).severity, ERROR, `${path}: ${rule}`);
});

test('the linter does refuse a function of 80 lines and one of five parameters', async () => {
  const long = `/** A. */\nexport function a(): number {\n${'  f();\n'.repeat(80)}  return 1;\n}\n`;
  const wide = '/** B. */\nexport function b(c: number, d: number, e: number, f: number, g: number): number {\n  return c + d + e + f + g;\n}\n';
  for (const [text, rule] of [[long, 'max-lines-per-function'], [wide, 'max-params']] as const) {
    const [result] = await eslint.lintText(text, { filePath: join(REPOSITORY, 'runtime/base/snippet.ts') });
    assert.ok(result?.messages.some(({ ruleId }) => ruleId === rule), rule);
  }
});

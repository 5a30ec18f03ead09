/** Patterns of bindings: they mean what the built-in engine says, and take no longer than their text deserves. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Script } from 'node:vm';
import fc from 'fast-check';
import { compilePattern } from '../../../runtime/devicetree/bindings/pattern';
import { compileProgram } from '../../../runtime/devicetree/bindings/pattern-program';
import { filesBelow, linuxSources } from '../linux/sources';

/** The verdict of following all states: a prefix that repeats within a repetition keeps the built-in engine away. `undefined` if the states cannot be followed. */
function followedOnly(source: string, text: string): boolean | undefined {
  const guarded = `^(?:~*)*!(?:${source})`;
  return compileProgram(guarded) === undefined ? undefined : compilePattern(guarded)?.test(`~!${text}`);
}

/** What the built-in engine says; `undefined` where its going back and forth would take more than a tenth of a second. */
function builtInVerdict(source: string, text: string): boolean | undefined {
  try {
    const verdict: unknown = BUILT_IN.runInNewContext({ source, text }, { timeout: 100 });
    return verdict === true;
  } catch (error) {
    // Not `instanceof Error`: the error can come out of the other realm, whose Error is another one.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  }
}

const BUILT_IN = new Script('new RegExp(source).test(text)');

const ATOMS = ['a', 'b', '-', ',', '[a-b]', '[^a]', '[0-9a-f]', '.', '\\d', '\\w', '\\.', '\\W', '[\\w,]', 'x41', '\\x61', '@'] as const;
const TIMES = ['', '', '', '*', '+', '?', '{2}', '{1,3}', '{0,2}', '{2,}', '*?'] as const;
const { pattern: anyPattern } = fc.letrec<{ pattern: string; sequence: string; part: string }>((tie) => ({
  pattern: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('|')),
  sequence: fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
  part: fc.oneof({ weight: 5, arbitrary: fc.tuple(fc.constantFrom(...ATOMS), fc.constantFrom(...TIMES)).map((parts) => parts.join('')) },
    { weight: 2, arbitrary: fc.tuple(tie('pattern'), fc.constantFrom('(', '(?:'), fc.constantFrom(...TIMES)).map(([inner, open, times]) => `${open}${inner})${times}`) },
    { weight: 1, arbitrary: fc.constantFrom('$', '\\b', '\\B') }, { weight: 1, arbitrary: fc.tuple(fc.constantFrom('(?=', '(?!'), tie('pattern')).map(([open, inner]) => `${open}${inner})`) }),
}));

describe('a pattern of a binding', () => {
  it('means what the built-in engine says, when all its states are followed', () => {
    let count = 0;
    fc.assert(fc.property(anyPattern, fc.array(fc.constantFrom(...'ab-,09@xf~! \n'), { maxLength: 8 }).map((parts) => parts.join('')), (source, text) => {
      const verdict = followedOnly(source, text);
      if (verdict === undefined) return;
      const builtIn = builtInVerdict(`^~!(?:${source})`, `~!${text}`);
      if (builtIn === undefined) return;
      count++;
      assert.equal(verdict, builtIn, `${source} on ${JSON.stringify(text)}`);
    }), { numRuns: 3000 });
    assert.ok(count > 2500, `${count} patterns are a try`);
  });

  it('of Linux\'s bindings can always be followed, and means the same', () => {
    const patterns = new Set<string>();
    for (const file of filesBelow('Documentation/devicetree/bindings', ['.yaml'])) for (const [, found = ''] of readFileSync(join(linuxSources(), file), 'utf8').matchAll(/^\s*(?:- )?(?:pattern: ['"]?|["'](?=\^))([^'"\n]+)["']?:?$/gm)) patterns.add(found.replaceAll('\\\\', '\\'));
    assert.ok(patterns.size > 1000, `${patterns.size} patterns`);
    const names = ['reg', 'clock-names', 'uart@1f', 'i2c-0', 'vdd-supply', 'pinctrl-0', 'port@0', '#foo', 'qcom,x', 'a'.repeat(40), 'gpio1-2', 'led-7'];
    for (const source of patterns) {
      const native = nativeOf(source);
      if (native === undefined) continue;
      assert.ok(compileProgram(source) !== undefined || /\(\?<[=!]/.test(source), source);
      for (const name of names) assert.equal(compilePattern(source)?.test(name), native.test(name), `${source} on ${name}`);
    }
  });

  it('takes time that grows with the text, whatever it repeats', () => {
    const long = 'a'.repeat(20_000);
    for (const source of ['^(a+)+$', '^(a|a)*$', '(a*)*b', '^(a|aa)+$', '(.*)*x', '^(([a-z])+.)+[A-Z]([a-z])+$', 'a*a*a*a*a*b', '^(a?){25}a{25}$', `${'a?'.repeat(30)}${'a'.repeat(30)}$`, `^${'(a|a)'.repeat(30)}b`, '^((a+)?)+$', '(?:a{1,20}){1,20}b', '.*.*.*=.*', '(?=(a+)+$)b', '^(?!(a+)+b)a', '(\\w+-?)+$', '(a+){10}y']) {
      const start = process.cpuUsage();
      for (const text of [`${'a'.repeat(28)}!`, `${long}!`]) compilePattern(source)?.test(text);
      const { user, system } = process.cpuUsage(start);
      assert.ok((user + system) / 1e6 < 10, `${source} took ${((user + system) / 1e6).toFixed(1)} s`);
    }
  });

  it('that is too large or asks for what only going back can tell holds, where going back could take long', () => {
    for (const source of ['(a+)+\\1b', '(?<=a+)+b', '(((a{500}){500}){500})', `${'('.repeat(2000)}a${')'.repeat(2000)}+`]) compilePattern(source)?.test(`${'a'.repeat(5000)}!`);
    for (const source of ['(', '[', '*', 'a{2}{3}', '\\', '(?P<', '[b-a]']) assert.equal(compilePattern(source), undefined, source);
    assert.equal(compilePattern('^a{,2}\\Z')?.test('aa'), true);
    assert.equal(compilePattern('^(?P<name>a)$')?.test('a'), true);
  });
});

function nativeOf(source: string): RegExp | undefined {
  try {
    return new RegExp(source);
  } catch {
    return undefined;
  }
}

/** Names over several units, with and without a symbol table. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseElf } from '../../runtime/images/elf';
import { elfSections, SymbolFile, sizeOfType, typeName, VOID } from '../../runtime/symbols/index';
import { buildProgram, openSymbols } from './compile';

const SOURCES = {
  'shared.h': `
struct hidden;
struct shown { int a; long b; };
static inline __attribute__((always_inline)) int clamp(int value) {
  return value > 100 ? 100 : value;
}
int first(struct hidden *h);
int second(struct shown *s, int value);
`,
  'first.c': `
#include "shared.h"
enum only_here { ALPHA = 7, BETA = -1 };
static int state = 3;
int main(void) { return first(0) + state; }
int first(struct hidden *h) { return clamp(h != 0) + (int)BETA + ALPHA; }
`,
  'second.c': `
#include "shared.h"
struct hidden { int inside; };
static int state = 4;
struct hidden instance = { 9 };
int second(struct shown *s, int value) { return clamp(value) + s->a + state++; }
`,
};

for (const compiler of ['gcc', 'clang'] as const) {
  describe(`names in two units of ${compiler}`, () => {
    const program = buildProgram(SOURCES, { compiler, dwarf: 5, optimise: '-O0' });
    const elf = parseElf(program.bytes);
    assert.ok(elf.ok);
    const source = elfSections(elf.value);
    const stripped = new SymbolFile({ baseAddress: source.baseAddress, section: (name) => (name === '.symtab' ? undefined : source.section(name)) }, { name: 'stripped' });
    const { symbols } = program;

    for (const [kind, file] of [['with', symbols], ['without', stripped]] as const) {
      test(`functions, types and constants of any unit are found ${kind} a symbol table`, () => {
        const near = symbols.addressOfSymbol('first') ?? 0n;
        assert.equal(file.findFunctions('second')[0]?.name, 'second');
        assert.deepEqual(file.functionBreakpoints('second'), [symbols.prologueEnd(symbols.addressOfSymbol('second') ?? 0n)]);
        assert.equal(file.findEnumerator('ALPHA')?.value, 7n);
        assert.equal(file.findEnumerator('BETA', near)?.value, -1n);
        assert.equal(sizeOfType(file.findType('struct hidden', near) ?? VOID), 4);
        assert.equal(file.findGlobal('instance', near)?.name, 'instance');
        assert.ok(file.completions('sec').includes('second'));
        assert.equal(file.symbolize(near + 4n)?.name, 'first');
        assert.equal(file.findType('struct nowhere'), undefined);
      });
    }

    test('a function breakpoint stops in every inlined copy', () => {
      const places = symbols.functionBreakpoints('clamp').map((address) => symbols.inlineFramesAt(address).map((frame) => frame.name));
      assert.deepEqual(places.map((names) => names.join(' in ')).sort(), ['clamp in first', 'clamp in second']);
      const line = symbols.addressesFor('shared.h', 5);
      assert.deepEqual(line.map((one) => one.actualLine), [5, 5]);
    });

    test('a static variable is the one of the unit it is seen from', () => {
      const [a, b] = ['first', 'second'].map((name) => symbols.findGlobal('state', symbols.addressOfSymbol(name))?.id);
      assert.ok(a !== undefined && b !== undefined && a !== b);
    });

    test('a declared structure is completed from the unit that defines it', () => {
      const [parameter] = symbols.variablesAt(symbols.functionBreakpoints('first')[0] ?? 0n);
      assert.ok(parameter?.type.kind === 'pointer');
      const complete = symbols.completeType(parameter.type.target);
      assert.equal(typeName(complete), 'struct hidden');
      assert.equal(sizeOfType(complete), 4);
    });

    test('global variables are listed for the unit at hand', () => {
      assert.deepEqual(symbols.globalsAt(symbols.addressOfSymbol('second') ?? 0n).map((one) => one.name).sort(), ['instance', 'state']);
    });
  });
}

test('an image with a large debug section opens at once and finds things in time', () => {
  const many = Array.from({ length: 1500 }, (_, i) => `struct s${String(i)} { int a; int b; struct s${String(Math.max(0, i - 1))} *next; };
int f${String(i)}(struct s${String(i)} *p, int x) { int t = p->a + x; for (int k = 0; k < 3; k++) { int z = k * t; t += z; } return t; }`).join('\n');
  const program = buildProgram({ 'many.c': `${many}\nint main(void) { return 0; }\n` }, { compiler: 'gcc', dwarf: 5, optimise: '-O0' });
  const start = performance.now();
  const symbols = openSymbols(program.bytes);
  const opened = performance.now();
  const address = symbols.addressOfSymbol('f1200') ?? 0n;
  assert.equal(symbols.lineAt(address)?.line, 2402);
  assert.equal(symbols.variablesAt(address + 40n).map((one) => one.name).join(' '), 'z k p x t');
  assert.ok(opened - start < 2000, `opening took ${String(opened - start)} ms`);
  assert.ok(performance.now() - opened < 20_000, 'the first look took too long');
});

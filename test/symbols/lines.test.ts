/** Source lines and functions of compiled programs, compared with what GDB says about the same files. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Program } from './compile';
import { buildName, buildProgram, BUILDS, gdb, lineOf, openSymbols, UNUSUAL_BUILDS } from './compile';
import { SAMPLE_C } from './sample';

const FUNCTIONS = ['main', 'middle', 'leaf', 'vla'] as const;

function checkLinesAgainstGdb(program: Program): void {
  const { symbols } = program;
  for (const name of FUNCTIONS) {
    const [func] = symbols.findFunctions(name);
    const [range] = func?.ranges ?? [];
    assert.ok(range !== undefined, `${name} has no code`);
    const addresses: bigint[] = [];
    for (let address = range.start; address < range.end; address += 4n) addresses.push(address);
    const answers = gdb(program, addresses.map((address) => `info line *${String(address)}`)).trim().split('\n');
    assert.equal(answers.length, addresses.length);
    addresses.forEach((address, i) => {
      const expected = /Line (\d+) of/.exec(answers[i] ?? '')?.[1];
      assert.equal(String(symbols.lineAt(address)?.line), String(expected), `${name} at ${address.toString(16)}: ${answers[i] ?? ''}`);
    });
  }
}

function checkBreakpointsAgainstGdb(program: Program): void {
  for (const name of FUNCTIONS) {
    const expected = /at (0x[0-9a-f]+)/.exec(gdb(program, [`break ${name}`]))?.[1];
    assert.deepEqual(program.symbols.functionBreakpoints(name), [BigInt(expected ?? 0)], name);
  }
}

for (const build of [...BUILDS, ...UNUSUAL_BUILDS]) {
  describe(`lines of ${buildName(build)}`, () => {
    const program = buildProgram({ 'sample.c': SAMPLE_C }, build);
    const { symbols } = program;

    test('every instruction has the line that GDB gives it', () => { checkLinesAgainstGdb(program); });
    test('a breakpoint on a function goes where GDB puts it', () => { checkBreakpointsAgainstGdb(program); });
    test('nothing is wrong with what a compiler wrote', () => { assert.deepEqual(symbols.problems, []); });

    test('a line of an inlined function is found in the copy, with the call around it', () => {
      const line = lineOf(SAMPLE_C, '/* doubled */');
      const [at] = symbols.addressesFor(join(program.directory, 'sample.c'), build.optimise === '-O0' ? line : line + 1);
      assert.ok(at !== undefined);
      const frames = symbols.inlineFramesAt(at.address);
      assert.deepEqual(frames.map((frame) => frame.name), ['twice', 'middle']);
      assert.equal(frames[0]?.callLine, lineOf(SAMPLE_C, '/* inlined */'));
      assert.ok(frames[0]?.isInlined === true && frames[1]?.isInlined === false);
    });

    test('a line without code moves to the next one with code', () => {
      const comment = lineOf(SAMPLE_C, 'typedef unsigned char');
      const [moved] = symbols.addressesFor('sample.c', comment);
      assert.ok(moved !== undefined && moved.actualLine > comment);
    });

    test('a path matches in full, as a suffix and through a source map, and not by base name alone', () => {
      const line = lineOf(SAMPLE_C, '/* return b */');
      const full = symbols.addressesFor(join(program.directory, 'sample.c'), line);
      assert.ok(full.length > 0);
      assert.deepEqual(symbols.addressesFor('sample.c', line), full);
      assert.deepEqual(symbols.addressesFor('/elsewhere/sample.c', line), []);
      const mapped = openSymbols(program.bytes, { sourceMap: (path) => path.replace('/elsewhere', program.directory) });
      assert.deepEqual(mapped.addressesFor('/elsewhere/sample.c', line), full);
    });

    test('a relocated image answers at its new place', () => {
      const slide = 0xffff_8000_0000_0000n;
      const moved = openSymbols(program.bytes, { slide });
      const address = symbols.findFunctions('leaf')[0]?.address ?? 0n;
      assert.equal(moved.findFunctions('leaf')[0]?.address, address + slide);
      assert.equal(moved.lineAt(address + slide)?.line, symbols.lineAt(address)?.line);
      assert.equal(moved.lineAt(address), undefined);
    });

    test('the range of a line contains the address and ends where another line begins', () => {
      const [func] = symbols.findFunctions('middle');
      const range = symbols.lineRange(func?.address ?? 0n)?.range;
      assert.ok(range !== undefined && func !== undefined && range.start <= func.address && range.end > func.address);
      assert.notEqual(symbols.lineRange(range.end)?.line, symbols.lineRange(func.address)?.line);
    });

    test('statements begin where the line table says so, and nowhere else', () => {
      const [func] = symbols.findFunctions('middle');
      const [range] = func?.ranges ?? [];
      assert.ok(func !== undefined && range !== undefined);
      const starts = new Set(symbols.statementStarts(func.address).map((one) => one.address));
      for (let address = range.start; address < range.end; address += 4n) assert.equal(symbols.isStatementStart(address), starts.has(address), address.toString(16));
    });

    test('an address names its symbol and a symbol its address', () => {
      const address = symbols.addressOfSymbol('middle') ?? 0n;
      assert.deepEqual(symbols.symbolize(address + 8n), { name: 'middle', address, offset: 8n, kind: 'function' });
      const counter = symbols.addressOfSymbol('counter') ?? 0n;
      assert.equal(symbols.symbolize(counter + 2n)?.name, 'counter');
      assert.deepEqual(symbols.completions('mid'), ['middle']);
    });

    test('breakpoint locations list lines in order, each place once', () => {
      const places = symbols.breakpointLocations('sample.c', 1, 1000);
      assert.ok(places.length > 20);
      const keys = places.map((place) => place.line * 1000 + place.column);
      assert.deepEqual(keys, [...new Set(keys)].sort((a, b) => a - b));
    });
  });
}

test('assembly is known by its symbols and lines', () => {
  const assembly = '.text\n.global start\nstart:\n  mov x0, #1\n  bl helper\n1: b 1b\nhelper:\n  add x0, x0, #1\n  ret\n';
  for (const compiler of ['gcc', 'clang'] as const) {
    const { symbols } = buildProgram({ 'start.S': assembly, 'main.c': 'int main(void) { return 0; }\n' }, { compiler, dwarf: 5, optimise: '-O0' });
    const start = symbols.addressOfSymbol('start') ?? 0n;
    assert.equal(symbols.functionAt(start + 4n)?.name, 'start');
    assert.deepEqual(symbols.inlineFramesAt(start + 12n), [{ name: 'helper', isInlined: false }]);
    assert.equal(symbols.lineAt(start + 4n)?.line, 5);
    assert.deepEqual(symbols.addressesFor('start.S', 8).map((one) => one.address), [start + 12n]);
  }
});

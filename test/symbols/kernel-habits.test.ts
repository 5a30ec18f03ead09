/** What kernels do that small programs do not: patchable function entries, variables defined apart from their declaration. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseElf } from '../../runtime/images/elf';
import { buildProgram, openSymbols } from './compile';

const SOURCES = {
  'clock.h': `
extern unsigned long ticks;
extern int shift(int by);
`,
  'clock.c': `
#include "clock.h"
unsigned long ticks = 9;
__attribute__((noinline)) int shift(int by) {
  ticks += by;
  return by * 2;
}
`,
  'main.c': `
#include "clock.h"
int main(void) { return shift(3) + (int)ticks; }
`,
};

for (const flags of [['-fpatchable-function-entry=2'], ['-fpatchable-function-entry=4,2', '-mbranch-protection=standard'], ['-fpatchable-function-entry=2', '-mbranch-protection=pac-ret+leaf']]) {
  test(`a function with a patchable entry is itself from its symbol on (${flags.join(' ')})`, () => {
    const { symbols } = buildProgram(SOURCES, { compiler: 'gcc', dwarf: 5, optimise: '-O2', flags });
    const entry = symbols.addressOfSymbol('shift') ?? 0n;
    const [breakpoint = 0n] = symbols.functionBreakpoints('shift');
    assert.ok(breakpoint >= entry && breakpoint < entry + 24n, `${breakpoint.toString(16)} after ${entry.toString(16)}`);
    assert.deepEqual(symbols.variablesAt(breakpoint).map(({ name }) => name), ['by']);
    for (let address = entry; address <= breakpoint; address += 4n) {
      assert.equal(symbols.functionAt(address)?.hasDebugInfo, true, address.toString(16));
      assert.equal(symbols.lineAt(address)?.line, symbols.lineAt(breakpoint)?.line, address.toString(16));
      assert.equal(symbols.prologueEnd(address), breakpoint);
      assert.equal(symbols.inlineFramesAt(address)[0]?.name, 'shift');
    }
    assert.ok(symbols.statementStarts(entry).length > 0);
  });
}

for (const compiler of ['gcc', 'clang'] as const) {
  test(`a variable of ${compiler} is found from every unit where it is only declared`, () => {
    const { symbols } = buildProgram(SOURCES, { compiler, dwarf: 5, optimise: '-O2' });
    const near = symbols.addressOfSymbol('main') ?? 0n;
    const nowhere = { pc: 0n, registers: { register: () => undefined }, memory: { read: () => undefined }, cfa: () => undefined };
    for (const address of [undefined, near]) {
      const found = symbols.findGlobal('ticks', address);
      assert.deepEqual(found?.locate(nowhere), { kind: 'memory', address: symbols.addressOfSymbol('ticks') });
    }
  });
}

test('debug sections that are compressed in a way that is not read are told of, and the symbol table still serves', () => {
  const { bytes } = buildProgram(SOURCES, { compiler: 'gcc', dwarf: 5, optimise: '-O2', flags: ['-Wl,--compress-debug-sections=zlib-gabi'] });
  const elf = parseElf(bytes);
  assert.ok(elf.ok);
  const header = elf.value.sections.find(({ name }) => name === '.debug_info');
  assert.ok(header?.compressed === true, 'the linker compresses');
  const changed = Uint8Array.from(bytes);
  changed[Number(header.fileOffset)] = 2;
  const symbols = openSymbols(changed);
  assert.deepEqual(symbols.problems.map(({ code }) => code), ['symbols-compressed']);
  assert.match(symbols.problems[0]?.message ?? '', /zstd/);
  assert.ok(symbols.addressOfSymbol('shift') !== undefined && !symbols.hasDebugInfo);
  assert.ok(openSymbols(bytes).hasDebugInfo, 'zlib is read');
});

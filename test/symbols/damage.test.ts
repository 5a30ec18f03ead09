/** Damaged debug information: whatever the bytes are, opening and asking ends soon and throws nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseElf } from '../../runtime/images/elf';
import { Prng } from '../../runtime/base/prng';
import { elfSections, loadSymbols, registersFrom, type SectionSource, SymbolFile, sizeOfType, stripType, typeInFrame, typeName, walkStack } from '../../runtime/symbols/index';
import { buildProgram } from './compile';
import { SAMPLE_C } from './sample';

const SECTIONS = [
  '.debug_info', '.debug_abbrev', '.debug_line', '.debug_str', '.debug_line_str', '.debug_str_offsets', '.debug_addr', '.debug_ranges', '.debug_rnglists',
  '.debug_loc', '.debug_loclists', '.debug_frame', '.eh_frame', '.symtab', '.strtab',
];

function sourceOf(bytes: Uint8Array): SectionSource {
  const elf = parseElf(bytes);
  assert.ok(elf.ok);
  return elfSections(elf.value);
}

/** The same source with one section changed. */
function damaged(source: SectionSource, name: string, change: (bytes: Uint8Array) => Uint8Array): SectionSource {
  return {
    baseAddress: source.baseAddress,
    section(wanted) {
      const section = source.section(wanted);
      return section === undefined || wanted !== name ? section : { address: section.address, bytes: change(Uint8Array.from(section.bytes)) };
    },
  };
}

/** Asks everything there is to ask. */
function askEverything(source: SectionSource, addresses: readonly bigint[]): void {
  const symbols = new SymbolFile(source, { name: 'damaged' });
  const memory = { read: (address: bigint, size: number): Uint8Array => new Uint8Array(size).fill(Number(address & 0xffn)) };
  const registers = registersFrom(Array.from({ length: 33 }, (_, i) => (i === 32 ? addresses[0] ?? 0n : 0x4000_0000n + BigInt(i) * 16n)));
  for (const address of addresses) {
    const frame = { pc: address, registers, memory, cfa: () => symbols.cfaOf({ ...frame }) ?? 0x5000_0000n };
    symbols.lineAt(address);
    symbols.statementStarts(address);
    symbols.functionAt(address);
    symbols.inlineFramesAt(address);
    symbols.symbolize(address);
    symbols.prologueEnd(address);
    for (const variable of [...symbols.variablesAt(address), ...symbols.globalsAt(address)]) {
      const location = variable.locate(frame);
      if (location.kind === 'implicit-pointer') location.target();
      const type = typeInFrame(variable.type, frame);
      typeName(type);
      sizeOfType(type);
      const stripped = stripType(type);
      if (stripped.kind === 'record') for (const member of stripped.members) typeName(member.type);
    }
    symbols.unwind(frame);
    assert.ok([...walkStack({ registers: registersFrom(Array.from({ length: 33 }, (_, i) => (i === 32 ? address : registers.register(i)))), memory, symbolsAt: () => symbols })].length <= 256);
  }
  symbols.addressesFor('sample.c', 50);
  symbols.breakpointLocations('sample.c', 1, 100);
  for (const name of ['leaf', 'twice', 'main']) symbols.functionBreakpoints(name);
  for (const name of ['struct node', 'uint64_t', 'enum colour', 'nowhere']) typeName(symbols.findType(name) ?? { kind: 'void' });
  symbols.completions('m');
  symbols.findGlobal('second');
  assert.ok(symbols.problems.length <= 20);
}

for (const compiler of ['gcc', 'clang'] as const) {
  for (const dwarf of [4, 5] as const) {
    const program = buildProgram({ 'sample.c': SAMPLE_C }, { compiler, dwarf, optimise: '-O2' });
    const addresses = ['leaf', 'middle', 'vla', 'main'].flatMap((name) => {
      const start = program.symbols.addressOfSymbol(name) ?? 0n;
      return [start, start + 12n, start + 40n];
    });
    const source = sourceOf(program.bytes);

    test(`flipped bits in ${compiler} DWARF ${String(dwarf)} throw nothing and end`, () => {
      const seed = 20 + dwarf;
      const chance = new Prng(seed);
      const end = performance.now() + 2500;
      let rounds = 0;
      while (performance.now() < end) {
        const name = SECTIONS[rounds++ % SECTIONS.length] ?? '';
        const flips = 1 + chance.below(8);
        const source2 = damaged(source, name, (bytes) => {
          for (let i = 0; i < flips && bytes.length > 0; i++) bytes[chance.below(bytes.length)] = chance.below(256);
          return bytes;
        });
        const before = performance.now();
        askEverything(source2, addresses);
        assert.ok(performance.now() - before < 20_000, `seed ${String(seed)}, round ${String(rounds)}, ${name}`);
      }
      assert.ok(rounds > SECTIONS.length, String(rounds));
    });

    test(`cut sections in ${compiler} DWARF ${String(dwarf)} throw nothing and end`, () => {
      for (const name of SECTIONS) {
        for (const part of [0, 0.1, 0.5, 0.9, 0.999]) askEverything(damaged(source, name, (bytes) => bytes.subarray(0, Math.floor(bytes.length * part))), addresses);
      }
    });
  }
}

test('a unit that cannot be read is told to the user and the rest still works', () => {
  const program = buildProgram({ 'sample.c': SAMPLE_C, 'other.c': 'int other(int x) { return x + 1; }\n' }, { compiler: 'gcc', dwarf: 5, optimise: '-O0' });
  const source = damaged(sourceOf(program.bytes), '.debug_info', (bytes) => {
    bytes[4] = 99;
    return bytes;
  });
  const symbols = new SymbolFile(source, { name: 'damaged' });
  assert.deepEqual(symbols.problems.map((one) => one.code), ['dwarf-unit']);
  assert.ok((symbols.findFunctions('other')[0]?.hasDebugInfo === true) !== (symbols.findFunctions('main')[0]?.hasDebugInfo === true));
});

test('an image without symbols is refused with advice', () => {
  const result = loadSymbols({ baseAddress: 0n, section: () => undefined }, { name: 'stripped.elf' });
  assert.ok(!result.ok && result.error.code === 'symbols-none' && result.error.message.includes('-g'));
});

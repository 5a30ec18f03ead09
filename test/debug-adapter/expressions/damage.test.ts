/** Values of damaged types: whatever the debug information says, showing and opening a value ends soon and throws nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childrenOf, evaluateText, type EvaluationContext, fullText, showValue, symbolContext, type Value } from '../../../debug-adapter/expressions/index';
import { Prng } from '../../../runtime/base/prng';
import { elfSections, parseElf, registersFrom, SymbolFile } from '../../../runtime/index';
import { buildProgram } from '../../symbols/compile';
import { SAMPLE_C } from '../../symbols/sample';

const EXPRESSIONS = ['second', 'second.where', 'second.matrix', 'first.next->next', 'table', 'rows[0]', 'p', 'p->x', 'values', 'total', 'second.flags.level', 'handler', '*greeting', 'second.left + 1', 'sizeof(struct node)', 'big@3'];

function open(value: Value, context: EvaluationContext, depth: number): void {
  assert.ok(showValue(value, context).value.length < 20_000);
  fullText(value, context);
  if (depth === 0) return;
  for (const child of childrenOf(value, 'x', context, { count: 5 }).slice(0, 8)) open(child.value, context, depth - 1);
}

for (const compiler of ['gcc', 'clang'] as const) {
  test(`values of ${compiler} programs with damaged types can be shown`, () => {
    const program = buildProgram({ 'sample.c': SAMPLE_C }, { compiler, dwarf: 5, optimise: '-O0' });
    const elf = parseElf(program.bytes);
    assert.ok(elf.ok);
    const source = elfSections(elf.value);
    const chance = new Prng(3);
    const end = performance.now() + 4000;
    let rounds = 0;
    for (; performance.now() < end; rounds++) {
      const victim = rounds % 4 === 0 ? '.debug_abbrev' : '.debug_info';
      const symbols = new SymbolFile({
        baseAddress: source.baseAddress,
        section(name) {
          const section = source.section(name);
          if (section === undefined || name !== victim) return section;
          const bytes = Uint8Array.from(section.bytes);
          for (let i = chance.below(6); i >= 0; i--) bytes[chance.below(bytes.length)] = chance.below(256);
          return { address: section.address, bytes };
        },
      }, { name: 'damaged' });
      const pc = (program.symbols.addressOfSymbol(rounds % 2 === 0 ? 'middle' : 'vla') ?? 0n) + 32n;
      const memory = { read: (address: bigint, size: number): Uint8Array | undefined => (size > 1 << 20 ? undefined : new Uint8Array(size).fill(Number(address & 63n))) };
      const frame = { pc, registers: registersFrom(Array.from({ length: 33 }, (_, i) => BigInt(i) * 4096n)), memory, cfa: () => symbols.cfaOf(frame) };
      const context = symbolContext({ frame: { context: frame, symbols }, files: [symbols], readRegister: () => undefined, readMemory: (address, size) => memory.read(address, size) });
      const before = performance.now();
      for (const text of EXPRESSIONS) {
        const result = evaluateText(text, context);
        if (result.ok) open(result.value.value, context, 3);
      }
      assert.ok(performance.now() - before < 20_000, `round ${String(rounds)}`);
    }
    assert.ok(rounds > 5);
  });
}

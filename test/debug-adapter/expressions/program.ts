/** A compiled program that is not running as a context for expressions: its memory is what the ELF file loads. */
import assert from 'node:assert/strict';
import { type EvaluationContext, evaluateText, showValue, symbolContext, type SymbolContextParts } from '../../../debug-adapter/expressions/index';
import { parseElf } from '../../../runtime/images/elf';
import type { Program } from '../../symbols/compile';

/** Memory as the ELF file describes it; writes stay in this copy. */
export function loadedMemory(bytes: Uint8Array): { read(address: bigint, size: number): Uint8Array | undefined; write(address: bigint, data: Uint8Array): boolean } {
  const elf = parseElf(bytes);
  assert.ok(elf.ok);
  const segments = elf.value.segments.filter((segment) => segment.type === 1).map((segment) => {
    const memory = new Uint8Array(segment.sizeInMemory);
    memory.set(segment.bytes);
    return { start: segment.virtualAddress, memory };
  });
  const find = (address: bigint, size: number): Uint8Array | undefined => {
    for (const { start, memory } of segments) {
      const offset = address - start;
      if (offset >= 0n && offset + BigInt(size) <= BigInt(memory.length)) return memory.subarray(Number(offset), Number(offset) + size);
    }
    return undefined;
  };
  return {
    read: (address, size) => find(address, size)?.slice(),
    write: (address, data) => {
      const target = find(address, data.length);
      target?.set(data);
      return target !== undefined;
    },
  };
}

/** A context over a program at rest. */
export function programContext(program: Program, parts: Partial<SymbolContextParts> = {}): EvaluationContext {
  const memory = loadedMemory(program.bytes);
  return symbolContext({
    files: [program.symbols], filesOf: (image) => (image === 'program' ? [program.symbols] : []), readRegister: () => undefined,
    readMemory: (address, size) => memory.read(address, size), writeMemory: (address, data) => memory.write(address, data), ...parts,
  });
}

/** What a watch would show for an expression, or the message of its error in angle brackets. */
export function shown(text: string, context: EvaluationContext): string {
  const result = evaluateText(text, context);
  return result.ok ? showValue(result.value.value, context, result.value.format).value : `<${result.error.code}>`;
}

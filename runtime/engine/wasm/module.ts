/**
 * Builds one WebAssembly module: types, imported functions and memory, functions, exports.
 *
 * Functions are declared before they are defined, so that they may call each other in any order.
 */

import { assert, present } from '../../base/assert';
import { utf8Encode } from '../../base/byte-reader';
import { flatten, unsignedLeb, type Code } from './code';
import type { Local32, Local64, LocalF64 } from './expressions';

/** Type of a parameter, local or result. */
export type ValueType = 'i32' | 'i64' | 'f64';

/** Parameters and at most one result. */
export interface Signature { readonly parameters: readonly ValueType[]; readonly result?: ValueType }

const CODE_OF: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f64: 0x7c };
const FUNCTION_TYPE = 0x60;
const END = 0x0b;

/** Hands out the locals of one function while its body is built. */
export class FunctionLocals {
  private readonly types: ValueType[];
  private readonly parameterCount: number;

  constructor(signature: Signature) {
    this.types = [...signature.parameters];
    this.parameterCount = signature.parameters.length;
  }

  /** Parameter `index`, which must be an i32. */
  parameter32(index: number): Local32 {
    assert(this.types[index] === 'i32' && index < this.parameterCount, 'parameter type');
    return { type: 'i32', index, code: [0x20, unsignedLeb(index)] };
  }

  /** Parameter `index`, which must be an i64. */
  parameter64(index: number): Local64 {
    assert(this.types[index] === 'i64' && index < this.parameterCount, 'parameter type');
    return { type: 'i64', index, code: [0x20, unsignedLeb(index)] };
  }

  /** A new i32 local, zero at entry. */
  local32(): Local32 {
    const index = this.types.push('i32') - 1;
    return { type: 'i32', index, code: [0x20, unsignedLeb(index)] };
  }

  /** A new i64 local, zero at entry. */
  local64(): Local64 {
    const index = this.types.push('i64') - 1;
    return { type: 'i64', index, code: [0x20, unsignedLeb(index)] };
  }

  /** A new f64 local, zero at entry. */
  localF64(): LocalF64 {
    const index = this.types.push('f64') - 1;
    return { type: 'f64', index, code: [0x20, unsignedLeb(index)] };
  }

  /** The declaration of all locals that are not parameters, in the binary format. */
  declarations(): Code {
    const own = this.types.slice(this.parameterCount);
    return [unsignedLeb(own.length), own.map((type): Code => [1, CODE_OF[type]])];
  }
}

interface DefinedFunction { readonly signature: Signature; body: Code | undefined }

/** Collects the parts of a module and writes its bytes. */
export class ModuleBuilder {
  private readonly imports: { readonly name: string; readonly signature: Signature }[] = [];
  private readonly functions: DefinedFunction[] = [];
  private tableEntries: readonly number[] = [];
  private readonly exports: { readonly name: string; readonly index: number }[] = [];

  /** Declares an imported function `env.name`; all imports come before the first function. */
  importFunction(name: string, signature: Signature): number {
    assert(this.functions.length === 0, 'imports come first');
    return this.imports.push({ name, signature }) - 1;
  }

  /** Declares a function of this module and gives its index. */
  declare(signature: Signature): number {
    return this.imports.length + this.functions.push({ signature, body: undefined }) - 1;
  }

  /** Gives a declared function its body. */
  define(index: number, build: (locals: FunctionLocals) => Code): void {
    const target = present(this.functions[index - this.imports.length], 'declared function');
    const locals = new FunctionLocals(target.signature);
    const body = flatten([build(locals), END]);
    target.body = [locals.declarations(), body];
  }

  /** Exports a function. */
  exportFunction(name: string, index: number): void {
    this.exports.push({ name, index });
  }

  /** Makes functions callable by their place in the one table. */
  table(functions: readonly number[]): void {
    this.tableEntries = functions;
  }

  /** The module in the binary format; memory is imported as `env.memory`. */
  bytes(): Uint8Array {
    const imports = this.imports.map((entry, index): Code => [name('env'), name(entry.name), 0x00, unsignedLeb(index)]);
    const memory: Code = [name('env'), name('memory'), 0x02, 0x01, unsignedLeb(1), unsignedLeb(65536)];
    const signatures = [...this.imports, ...this.functions].map((entry) => signatureCode(entry.signature));
    const bodies = this.functions.map((entry) => sized(flatten(present(entry.body, 'defined function'))));
    return flatten([
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(1, signatures),
      section(2, [...imports, memory]),
      section(3, this.functions.map((_, index) => unsignedLeb(this.imports.length + index))),
      this.tableEntries.length === 0 ? [] : section(4, [[0x70, 0x00, unsignedLeb(this.tableEntries.length)]]),
      section(7, this.exports.map((entry): Code => [name(entry.name), 0x00, unsignedLeb(entry.index)])),
      this.tableEntries.length === 0 ? [] : section(9, [[0x00, 0x41, 0x00, 0x0b, unsignedLeb(this.tableEntries.length), this.tableEntries.map((index) => unsignedLeb(index))]]),
      section(10, bodies),
    ]);
  }
}

function signatureCode(signature: Signature): Code {
  const results = signature.result === undefined ? [0] : [1, CODE_OF[signature.result]];
  return [FUNCTION_TYPE, unsignedLeb(signature.parameters.length), signature.parameters.map((type) => CODE_OF[type]), results];
}

function name(text: string): Code {
  const bytes = utf8Encode(text);
  return [unsignedLeb(bytes.length), bytes];
}

function sized(bytes: Uint8Array): Code {
  return [unsignedLeb(bytes.length), bytes];
}

function section(id: number, items: readonly Code[]): Code {
  return [id, sized(flatten([unsignedLeb(items.length), items]))];
}

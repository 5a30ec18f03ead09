/**
 * Functions of the generated module that exist because something calls them: a definition by name is declared when it is
 * first asked for, and built at the end, so that unused ones cost nothing.
 */

import { assert, present } from '../../base/assert';
import type { Code } from './code';
import { call32, call64, callVoid, type I32, type I64 } from './expressions';
import type { FunctionLocals, ModuleBuilder, Signature } from './module';

/** One function: its type, and its body over the others. */
export interface Definition { readonly signature: Signature; readonly build: (f: FunctionLocals, library: Library) => Code }

/** The functions of one module. */
export class Library {
  private readonly module: ModuleBuilder;
  private readonly definitions: ReadonlyMap<string, Definition>;
  private readonly indexes = new Map<string, number>();
  private readonly pending: string[] = [];

  constructor(module: ModuleBuilder, definitions: ReadonlyMap<string, Definition>) {
    this.module = module;
    this.definitions = definitions;
  }

  /** The index of a function in its module. */
  index(name: string): number {
    const known = this.indexes.get(name);
    if (known !== undefined) return known;
    const index = this.module.declare(this.definition(name).signature);
    this.indexes.set(name, index);
    this.pending.push(name);
    return index;
  }

  /** A call of a function that gives an i64. */
  call64(name: string, ...values: readonly (I32 | I64)[]): I64 {
    assert(this.definition(name).signature.result === 'i64', `${name} gives an i64`);
    return call64(this.index(name), ...values);
  }

  /** A call of a function that gives an i32. */
  call32(name: string, ...values: readonly (I32 | I64)[]): I32 {
    assert(this.definition(name).signature.result === 'i32', `${name} gives an i32`);
    return call32(this.index(name), ...values);
  }

  /** A call of a function that gives nothing. */
  callVoid(name: string, ...values: readonly (I32 | I64)[]): Code {
    assert(this.definition(name).signature.result === undefined, `${name} gives nothing`);
    return callVoid(this.index(name), ...values);
  }

  /** Builds what was asked for, and what that asks for. */
  finish(): void {
    for (let name = this.pending.pop(); name !== undefined; name = this.pending.pop()) {
      const { build } = this.definition(name);
      this.module.define(this.index(name), (f) => build(f, this));
    }
  }

  private definition(name: string): Definition {
    return present(this.definitions.get(name), `function ${name}`);
  }
}

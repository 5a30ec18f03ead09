/** The generated module: walkers, slow paths, helpers and the interpreter in both tiers. Compiled once per process. */

import { dropGranulesBody } from './helpers';
import { driverBody, interpreterBody, type InterpreterFunctions } from './interpreter';
import * as layout from './layout';
import { declareMmu, defineMmu } from './mmu';
import { defineSimd } from './simd/functions';
import { declareTracking, defineTracking } from './table-tracking';
import { compile, instantiate, type HostMemory, type HostModule } from './wasm/host';
import type { Code } from './wasm/code';
import { callIndirect } from './wasm/expressions';
import { ModuleBuilder, type FunctionLocals } from './wasm/module';

/** What generated code asks of TypeScript. */
export interface CoreImports {
  /** Decode the instruction of the micro-op at this address. */
  decode(microOp: number): void;
  /** An access to a page with watchpoints: host address, size, 1 for a store. */
  watch(host: number, sizeBytes: number, isWrite: number): void;
  /** An access while the guest has watchpoints of its own: address, `info` of mmu.ts, exception level; gives a `GUEST_WATCH_…`. */
  watchGuest(va: bigint, info: number, el: number): number;
}

/** What TypeScript calls in generated code. */
export interface Core {
  /** Runs `STATE_LEFT` / 16 instructions at most; gives an exit code. */
  exact(): number;
  /** The same, counting at branches; comes back when about a page's worth of instructions is left. */
  fast(): number;
  /** (VA, EL, mode): walks both stages into `WALK_…`; nonzero is a fault. */
  walk(address: bigint, el: number, mode: number): number;
  /** (IPA, EL): walks stage 2 alone, as a probe. */
  stage2(address: bigint, el: number): number;
  /** (page, host, size): bytes of a page that holds descriptors are about to be written. */
  tableWrite(page: number, host: number, sizeBytes: number): void;
  /** (page): its write tags go away. */
  dropWrites(page: number): void;
  /** Forgets all translations. */
  forgetAll(): void;
  /** (page, offset, size): forgets decoded code that was written over. */
  dropGranules(page: number, offset: number, sizeBytes: number): void;
  /** Calls a function of the table on registers' addresses. */
  callFunction(place: number, slots: { readonly d: number; readonly n: number; readonly m: number }, options: number): void;
}

const PLACE = 4;

/** (d, n, m, options, place): calls a function of the table. */
function callFunctionBody(typeIndex: number): (f: FunctionLocals) => Code {
  return (f) => callIndirect(typeIndex, f.parameter32(PLACE), f.parameter32(0), f.parameter32(1), f.parameter32(2), f.parameter32(3));
}

/** The module in the binary format. */
export function buildCoreModule(): Uint8Array {
  const module = new ModuleBuilder();
  const decode = module.importFunction('decode', { parameters: ['i32'] });
  const watch = module.importFunction('watch', { parameters: ['i32', 'i32', 'i32'] });
  const watchGuest = module.importFunction('watchGuest', { parameters: ['i64', 'i32', 'i32'], result: 'i32' });
  const mmu = declareMmu(module);
  const tracking = declareTracking(module);
  const dropGranules = module.declare({ parameters: ['i32', 'i32', 'i32'] });
  const entry = { parameters: [], result: 'i32' } as const;
  const tiers = { exact: module.declare(entry), fast: module.declare(entry), driver: module.declare(entry) } as const;
  const simd = defineSimd(module);
  const functions: InterpreterFunctions = { mmu, decode, simdType: simd.typeIndex };
  defineMmu(module, mmu, { watch, watchGuest, dropGranules, tracking });
  defineTracking(module, tracking, { watch, dropGranules });
  module.define(dropGranules, dropGranulesBody);
  module.define(tiers.exact, (locals) => interpreterBody(locals, functions, 'exact'));
  module.define(tiers.fast, (locals) => interpreterBody(locals, functions, 'fast'));
  module.define(tiers.driver, (locals) => driverBody(locals, { ...tiers, fillCode: mmu.fillCode }));
  const callFunction = module.declare({ parameters: ['i32', 'i32', 'i32', 'i32', 'i32'] });
  module.define(callFunction, callFunctionBody(simd.typeIndex));
  simd.finish();
  module.exportFunction('exact', tiers.exact);
  module.exportFunction('fast', tiers.driver);
  module.exportFunction('walk', mmu.walk);
  module.exportFunction('stage2', mmu.stage2);
  module.exportFunction('callFunction', callFunction);
  module.exportFunction('dropGranules', dropGranules);
  module.exportFunction('tableWrite', tracking.tableWrite);
  module.exportFunction('dropWrites', tracking.dropWrites);
  module.exportFunction('forgetAll', tracking.forgetAll);
  return module.bytes();
}

let compiled: HostModule | undefined;

/** An instance of the module over a memory. */
export function createCore(memory: HostMemory, imports: CoreImports): Core {
  compiled ??= compile(buildCoreModule());
  const exported = instantiate(compiled, memory, {
    decode: (microOp: number): void => imports.decode(microOp),
    watch: (host: number, sizeBytes: number, isWrite: number): void => imports.watch(host >>> 0, sizeBytes, isWrite),
    watchGuest: (va: bigint, info: number, el: number): number => imports.watchGuest(BigInt.asUintN(64, va), info, el),
  });
  const call = (name: string): ((...values: readonly (number | bigint)[]) => number) => {
    const target = exported[name];
    if (target === undefined) throw new Error(`missing export ${name}`);
    return target;
  };
  const [exact, fast, walk, stage2, dropGranules] = [call('exact'), call('fast'), call('walk'), call('stage2'), call('dropGranules')];
  const callFunction = call('callFunction');
  const [tableWrite, dropWrites, forgetAll] = [call('tableWrite'), call('dropWrites'), call('forgetAll')];
  return {
    exact: () => exact(), fast: () => fast(),
    walk: (address, el, mode) => walk(address, el, mode), stage2: (address, el) => stage2(address, el, layout.WalkMode.probe),
    tableWrite: (page, host, sizeBytes) => { tableWrite(page, host, sizeBytes); }, dropWrites: (page) => { dropWrites(page); }, forgetAll: () => { forgetAll(); },
    callFunction: (place, { d, n, m }, options) => { callFunction(d, n, m, options, place); },
    dropGranules: (page, offset, sizeBytes) => { dropGranules(page, offset, sizeBytes); },
  };
}

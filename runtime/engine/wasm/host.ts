/** The part of the host's WebAssembly interface that the engine uses, declared here because no DOM types are loaded. */

/** A linear memory; `buffer` stays the same as long as the memory does not grow. */
export interface HostMemory { readonly buffer: ArrayBuffer }

/** A function exported by a module. */
export type HostFunction = (...values: readonly (number | bigint)[]) => number;

interface HostInstance { readonly exports: Readonly<Record<string, HostFunction>> }

declare const hostModule: unique symbol;
/** A compiled module. */
export interface HostModule { readonly [hostModule]: true }

interface HostWebAssembly {
  readonly Memory: new (descriptor: { readonly initial: number; readonly maximum: number }) => HostMemory;
  readonly Module: new (bytes: Uint8Array) => HostModule;
  readonly Instance: new (module: HostModule, imports: { readonly env: Readonly<Record<string, unknown>> }) => HostInstance;
}

declare const WebAssembly: HostWebAssembly;

/** Reserves a memory of exactly `sizeBytes` (a multiple of 64 KiB); the host commits pages when they are touched. */
export function createMemory(sizeBytes: number): HostMemory {
  return new WebAssembly.Memory({ initial: sizeBytes / 65536, maximum: sizeBytes / 65536 });
}

/** Compiles a module. */
export function compile(bytes: Uint8Array): HostModule {
  return new WebAssembly.Module(bytes);
}

/** Instantiates a module over a memory and imported functions; gives its exports. */
export function instantiate(module: HostModule, memory: HostMemory, functions: Readonly<Record<string, unknown>>): Readonly<Record<string, HostFunction>> {
  return new WebAssembly.Instance(module, { env: { memory, ...functions } }).exports;
}

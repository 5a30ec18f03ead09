/** The execution engine's public face. Described in docs/engine.md; the contract is interface.ts. */

import { WasmEngine } from './engine';
import type { Engine, EngineOptions } from './interface';

export * from './interface';

/** Makes an engine: one linear memory with its state and the platform's RAM, all vCPUs in reset. */
export function createEngine(options: EngineOptions): Engine {
  return new WasmEngine(options);
}

/** Powers a resolved system on and opens its symbols. */

import { createSystem, DebugTarget, elfSections, err, loadSymbols, ok, parseElf, restoreWhole, VmSymbols, type Diagnostic, type Result, type SymbolFile, type WholeState } from '../runtime/index';
import type { ResolvedSystem } from './configuration/resolve';
import { parseSize } from './configuration/units';
import type { Host } from './host';
import type { LaunchArguments } from './protocol/index';
import { SourceResolver } from './sources';

/** Where the sources of images lie, wherever an image itself lies at the moment. */
export class SourceBook implements Iterable<readonly [SymbolFile, SourceResolver]> {
  private readonly resolvers = new Map<SymbolFile, SourceResolver>();

  add(file: SymbolFile, resolver: SourceResolver): void {
    this.resolvers.set(file.original, resolver);
  }

  get(file: SymbolFile): SourceResolver | undefined {
    return this.resolvers.get(file.original);
  }

  [Symbol.iterator](): Iterator<readonly [SymbolFile, SourceResolver]> {
    return this.resolvers[Symbol.iterator]();
  }
}

/** What exists once a system was launched. */
export interface Debuggee {
  readonly target: DebugTarget;
  readonly launch: LaunchArguments;
  /** Symbols by VM name. */
  readonly symbols: ReadonlyMap<string, VmSymbols>;
  readonly sources: SourceBook;
  readonly warnings: readonly Diagnostic[];
}

/** Thread ids are engine vCPU indexes plus one. */
export function threadIdOf(vcpu: number): number {
  return vcpu + 1;
}

/** Builds the system and everything the debugger needs to know about its images. */
export async function makeDebuggee(host: Host, resolved: ResolvedSystem, { launch, state }: { readonly launch: LaunchArguments; readonly state?: WholeState | undefined }): Promise<Result<Debuggee, readonly Diagnostic[]>> {
  const system = createSystem(resolved.description);
  if (!system.ok) return err(system.error);
  const restored = state === undefined ? ok(undefined) : restoreWhole(system.value, state);
  if (!restored.ok) return err([{ severity: 'error', code: 'snapshot-state', message: `The snapshot cannot be restored: ${restored.error}. Run the system to that point again and save a new snapshot.` }]);
  const target = new DebugTarget(system.value, { history: historyOf(launch) });
  const names = [...resolved.description.vms.map(({ name }) => name), ...resolved.symbols.map(({ vm }) => vm)];
  const symbols = new Map(names.map((name) => [name, new VmSymbols(system.value, name)]));
  const sources = new SourceBook();
  const warnings: Diagnostic[] = [];
  for (const { vm, path, bytes, slide } of resolved.symbols) {
    const resolver = new SourceResolver(host, path, launch.sourceMap ?? {});
    const opened = openSymbols(bytes, { path, slide: slide ?? 0n }, resolver);
    if (!opened.ok) {
      warnings.push(opened.error);
      continue;
    }
    await resolver.prepare(opened.value.sourceFiles());
    warnings.push(...opened.value.problems);
    sources.add(opened.value, resolver);
    symbols.get(vm)?.add(opened.value);
    if (symbols.get(vm)?.isMismatch === true) warnings.push(otherKernel(vm, path));
  }
  target.moving = [...symbols.values()];
  return ok({ target, launch, symbols, sources, warnings });
}

function otherKernel(vm: string, path: string): Diagnostic {
  return {
    severity: 'warning', code: 'symbols-other-kernel', file: path,
    message: `${path} is not of the kernel that "${vm}" boots: their version banners differ. Give the vmlinux of the very same build, or nothing of it will be found.`,
  };
}

function openSymbols(bytes: Uint8Array, { path, slide }: { path: string; slide: bigint }, resolver: SourceResolver): Result<SymbolFile, Diagnostic> {
  const elf = parseElf(bytes, path);
  if (!elf.ok) return err({ ...elf.error, severity: 'warning' });
  return loadSymbols(elfSections(elf.value), { name: path, slide, sourceMap: (local) => resolver.recordedOf(local) });
}

function historyOf({ noDebug, reverse }: LaunchArguments): ConstructorParameters<typeof DebugTarget>[1]['history'] {
  if (noDebug === true || reverse === false) return 'off';
  const budgetBytes = typeof reverse === 'string' || typeof reverse === 'number' ? parseSize(reverse) : undefined;
  return budgetBytes === undefined ? {} : { budgetBytes };
}

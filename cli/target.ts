/** What a command line names to run: an ELF file, an arm64 Image or a system file. */

import { resolveSystem, resolveSystemFile, systemOfProgram, type ResolvedSystem } from '../debug-adapter/configuration/resolve';
import { nodeHost } from '../debug-adapter/node-host';
import type { Diagnostic, Result } from '../runtime/index';

/** Reads a target with all that it names. */
export async function resolveTarget(target: string): Promise<Result<ResolvedSystem, readonly Diagnostic[]>> {
  const path = nodeHost.resolvePath('.', target);
  const options = { semihosting: true };
  if (path.endsWith('.json')) return resolveSystemFile(nodeHost, path, options);
  return resolveSystem(nodeHost, systemOfProgram(path), { ...options, folder: nodeHost.folderOf(path) });
}

/** One problem as compilers print it. */
export function describe({ file, line, column, severity, message }: Diagnostic): string {
  const isNamed = file === undefined || (line === undefined && message.includes(file));
  const where = isNamed ? '' : line === undefined ? `${file}: ` : `${file}:${line}:${column ?? 1}: `;
  return `${where}${severity}: ${message}`;
}

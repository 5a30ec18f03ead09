/** Images with symbols, as DAP describes modules. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Debuggee } from '../debuggee';

/** One module for every symbol file of every VM. */
export function modulesOf({ symbols }: Debuggee): DebugProtocol.Module[] {
  return [...symbols].flatMap(([vm, { files }]) => files.map((file) => ({
    id: moduleId(vm, file.name),
    name: `${vm}: ${file.name.split('/').pop() ?? file.name}`,
    path: file.name,
    symbolStatus: file.hasDebugInfo ? 'Symbols loaded' : 'Symbol table only',
    symbolFilePath: file.name,
  })));
}

/** Two VMs may run the same image: it is a module of each. */
export function moduleId(vm: string, file: string): string {
  return `${vm}!${file}`;
}

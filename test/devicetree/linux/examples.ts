/**
 * The examples in Linux's bindings, each file's as one source text as Linux's `dt_binding_check` builds it: an example without a root stands in a node
 * of its own, whose parent's cells are one and which answers for interrupts of as many cells as the example gives.
 */
import { load } from 'js-yaml';
import { filesBelow, linuxFiles } from './sources';

/** The folder of Linux's bindings in its sources. */
export const BINDINGS = 'Documentation/devicetree/bindings';

/** Every binding of Linux, as a path in its sources. */
export function linuxBindings(): readonly string[] {
  return filesBelow(BINDINGS, ['.yaml']).filter((file) => /^\$id:/m.test(linuxFiles.readText(file) ?? ''));
}

/** The examples of a binding as one source text; nothing but a root if there are none. */
export function examplesOf(file: string): string {
  const text = (linuxFiles.readText(file) ?? '').replace(/([[,][ \t\r\n]*)-(?=[ \t\r\n]*[,\]])/g, '$1"-"');
  const content: unknown = load(text);
  const examples: unknown = typeof content === 'object' && content !== null && 'examples' in content ? content.examples : [];
  const parts = Array.isArray(examples) ? examples.filter((example) => typeof example === 'string') : [];
  return `/dts-v1/;\n/plugin/;\n${parts.length === 0 ? `${ROOT}};\n` : parts.map(placed).join('\n')}`;
}

const ROOT = '/ {\n\tcompatible = "foo";\n\tmodel = "foo";\n\t#address-cells = <1>;\n\t#size-cells = <1>;\n';

function placed(example: string, index: number): string {
  if (/^\/\s*\{/.test(example)) return example;
  const cells = interruptCells(example);
  const controller = cells === 0 ? '' : `\t\tinterrupt-controller;\n\t\t#interrupt-cells = <${String(cells)}>;\n`;
  return `${ROOT}\texample-${String(index)} {\n\t\t#address-cells = <1>;\n\t\t#size-cells = <1>;\n${controller}${example}\n\t};\n};\n`;
}

/** Cells of the first plain interrupt of an example. */
function interruptCells(example: string): number {
  const [, cells = ''] = /\sinterrupts\s*=\s*<([0-9a-zA-Z |()_]+)>/.exec(example) ?? [];
  return cells.replace(/\(.+|\)/g, '0').trim().split(/\s+/).filter((word) => word !== '').length;
}

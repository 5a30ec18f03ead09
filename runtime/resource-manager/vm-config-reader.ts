/** Reads nodes of a VM configuration by the rows of `vm-config-rules.ts`, and collects what is wrong with them. */

import type { Diagnostic } from '../base/result';
import type { DtNode } from '../devicetree';
import { cells, cellCounts, joinCells, strings } from './config-node';
import { VM_CONFIG_RULES } from './vm-config-rules';
import type { NodeRuleName, NodeValues, PropertyRule } from './vm-config-rules';

/** What VM_INIT answers to a bad configuration. */
export type ConfigError = 'MEM_INVALID' | 'ARGUMENT_INVALID';

/** Collects diagnostics and the first error while a tree is read. */
export class ConfigReport {
  readonly diagnostics: Diagnostic[] = [];
  error: ConfigError | undefined;

  /** The tree cannot be read as a configuration: MEM_INVALID. */
  malformed(code: string, message: string): void {
    this.error ??= 'MEM_INVALID';
    this.diagnostics.push({ severity: 'error', code: `vm-config-${code}`, message });
  }

  /** The configuration contradicts itself or asks for what it may not have: ARGUMENT_INVALID. */
  inconsistent(code: string, message: string): void {
    this.error ??= 'ARGUMENT_INVALID';
    this.diagnostics.push({ severity: 'error', code: `vm-config-${code}`, message });
  }

  warning(code: string, message: string): void {
    this.diagnostics.push({ severity: 'warning', code: `vm-config-${code}`, message });
  }
}

/** Reads the properties of a node by its rows. Values of the wrong form count as absent. */
export function readNode<N extends NodeRuleName>(rule: N, node: DtNode | undefined, report: ConfigReport): NodeValues<N> {
  const values: Record<string, unknown> = {};
  const rows: Readonly<Record<string, PropertyRule>> = VM_CONFIG_RULES[rule].properties;
  for (const [name, row] of Object.entries(rows)) {
    const value = node === undefined ? undefined : readProperty(node, name, row);
    values[name] = value;
    if (row.pageAligned === true && typeof value === 'bigint' && value % 0x1000n !== 0n) report.malformed('unaligned', `${node?.path ?? ''}: ${name} must be a multiple of 4096.`);
  }
  return values as NodeValues<N>;
}

function readProperty(node: DtNode, name: string, row: PropertyRule): unknown {
  const raw = node.property(name)?.bytes;
  if (raw === undefined) return row.type === 'flag' ? false : undefined;
  const counts = cellCounts(node.parent);
  switch (row.type) {
    case 'flag': return true;
    case 'string': return row.sizeBytesMax !== undefined && raw.length > row.sizeBytesMax ? undefined : strings(node, name)?.[0];
    case 'strings': return strings(node, name);
    case 'cells': return cells(node, name);
    case 'u32': return raw.length === 4 ? cells(node, name)?.[0] : undefined;
    case 's32': return raw.length === 4 ? (cells(node, name)?.[0] ?? 0) | 0 : undefined;
    case 'u64': return raw.length === 8 ? joinCells(cells(node, name) ?? []) : undefined;
    case 'address': return raw.length === 4 * counts.address ? joinCells(cells(node, name) ?? []) : undefined;
    case 'size': return raw.length === 4 * counts.size ? joinCells(cells(node, name) ?? []) : undefined;
  }
}

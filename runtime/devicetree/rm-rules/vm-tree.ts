/**
 * A device tree as the Resource Manager (RM) walks it: which node is handled by what, which CPUs and vdevices there are, and properties read
 * by the rows of `node-rows.ts`. Nothing is judged here; the `check-…` modules do that, and `resource-manager/vm-config.ts` makes a VM of it.
 */

import type { DtNode } from '../tree';
import type { RmGeneration, VmTrust } from './generation';
import { rowsOf, type NodeRuleName, type NodeValues, type PropertyRule } from './node-rows';
import { cellCounts, cells, DEPTH_MAX, firstString, nodeAt, nodeByPhandle, number, oneCell, PATH_BYTES_MAX, strings, walk } from './read';
import { HANDLERS, vdeviceTypesOf, type AnyVdeviceType, type HandlerName } from './vdevice-rows';

/** For whom and by which RM a tree is read. */
export interface RmReading {
  readonly generation: RmGeneration;
  readonly trust: VmTrust;
}

/** A vdevice node and its type. */
export interface VdeviceNode {
  readonly node: DtNode;
  readonly type: AnyVdeviceType;
}

/** A CPU node that makes a vCPU; `boots` is undefined if its status means nothing to RM. */
export interface CpuNode {
  readonly node: DtNode;
  readonly boots: boolean | undefined;
  /** Its own enable-method, else its parent's. */
  readonly method: string | undefined;
}

/** The walked tree. */
export class VmTree {
  readonly root: DtNode;
  readonly generation: RmGeneration;
  readonly trust: VmTrust;
  /** The configuration node; of two, what the later says holds. */
  readonly config: DtNode | undefined;
  readonly vdevices: readonly VdeviceNode[];
  /** Nodes that RM reaches, in tree order. */
  readonly visited: readonly DtNode[];
  /** Nodes with a vdevice-type that RM does not reach. */
  readonly unvisited: readonly DtNode[];
  private readonly types: readonly AnyVdeviceType[];

  constructor(root: DtNode, { generation, trust }: RmReading) {
    this.root = root;
    this.generation = generation;
    this.trust = trust;
    this.types = vdeviceTypesOf(generation);
    const all = [...walk(root)];
    const reached = new Set<DtNode>();
    for (const node of all) if (node.parent === undefined || (reached.has(node.parent) && this.looksBelow(node.parent))) reached.add(node);
    this.visited = all.filter((node) => reached.has(node));
    this.unvisited = all.filter((node) => !reached.has(node) && node.has('vdevice-type'));
    this.config = this.last('vm-config');
    this.vdevices = this.visited.flatMap((node) => {
      const type = this.handlerOf(node) === 'vdevice' ? this.typeOf(node) : undefined;
      return type === undefined ? [] : [{ node, type }];
    });
  }

  /** Who handles a node; `undefined` if nobody does. */
  handlerOf(node: DtNode): HandlerName | undefined {
    const path = node.path;
    return HANDLERS.find((row) => {
      if ('path' in row) return row.path.test(path);
      const words = strings(node, row.property) ?? [];
      return words.some((word) => (row.values === undefined ? this.types.some((type) => type === word) : row.values.some((value) => value === word)));
    })?.handler;
  }

  /** The type by which a vdevice is handled: the first that RM looks for and the property names. */
  typeOf(node: DtNode): AnyVdeviceType | undefined {
    const words = strings(node, 'vdevice-type') ?? [];
    return this.types.find((type) => words.includes(type));
  }

  /** The child of a configuration that holds one of its parts. Observed: with two configurations, a part that only the earlier has still holds. */
  part(name: 'memory' | 'vcpus' | 'interrupts' | 'segments'): DtNode | undefined {
    return name === 'segments' ? this.config?.children.find((child) => child.name === name) : this.last(name);
  }

  /** The last node that RM takes for what it reads once: it reads each, and what comes later replaces what came before. */
  private last(handler: HandlerName): DtNode | undefined {
    return this.visited.filter((node) => this.handlerOf(node) === handler).at(-1);
  }

  /** Reads the properties of a node by its rows. Values of the wrong form, and those that this generation does not read, count as absent. */
  read<N extends NodeRuleName>(rule: N, node: DtNode | undefined): NodeValues<N> {
    const values: Record<string, unknown> = {};
    for (const [name, row] of Object.entries(rowsOf(rule))) values[name] = node === undefined || !this.reads(row) ? undefined : this.property(node, name, row);
    return values as NodeValues<N>;
  }

  /** One property by its row; `undefined` if it is absent or of the wrong form. */
  property(node: DtNode, name: string, row: PropertyRule): unknown {
    const raw = node.property(name)?.bytes;
    if (raw === undefined) return row.type === 'flag' ? false : undefined;
    return valueOf(node, name, row, this.cellsOf(row, node, name) ?? 0);
  }

  /** How many cells an address or a size has; `undefined` for other types of property. Of two forms that will do, the one that is there. */
  cellsOf({ type, isFixed }: PropertyRule, node: DtNode, name?: string): number | undefined {
    if (type !== 'address' && type !== 'size') return undefined;
    const stated = cellCounts(node.parent)[type];
    if (isFixed !== true) return stated;
    const fixed = type === 'address' ? 2 : 1;
    const isStrict = this.trust === 'untrusted' && this.generation === 'open-2023';
    return !isStrict && name !== undefined && node.property(name)?.bytes.length === stated * 4 ? stated : fixed;
  }

  /** True if this generation reads a property or a kind of node. */
  reads({ readBy }: { readonly readBy?: RmGeneration }): boolean {
    return readBy === undefined || readBy === this.generation;
  }

  /** Where the CPU nodes are. */
  get cpusPath(): string {
    return this.generation === 'newer' ? '/cpus' : this.read('vcpus', this.part('vcpus')).config ?? '/cpus';
  }

  /** The CPU nodes in order, without those that have failed. */
  cpus(): readonly CpuNode[] {
    const parent = nodeAt(this.root, this.cpusPath);
    const found: CpuNode[] = [];
    for (const node of parent?.children ?? []) {
      if (firstString(node, 'device_type') !== 'cpu') continue;
      const status = firstString(node, 'status');
      if (status === 'fail' || status?.startsWith('fail-') === true) continue;
      const isFirst = !found.some(({ boots }) => boots === true);
      const boots = status === undefined ? isFirst : status === 'okay' ? true : status === 'disabled' ? false : undefined;
      found.push({ node, boots, method: firstString(node, 'enable-method') ?? (parent === undefined ? undefined : firstString(parent, 'enable-method')) });
    }
    return found;
  }

  /** True if PSCI is enabled when RM reads `vcpus`: by a CPU, or by a node that comes before it. */
  psciFor(cpus: readonly CpuNode[], when: 'at vcpus' | 'at the end'): boolean {
    if (cpus.some(({ node, boots, method }) => node.has('cpu-idle-states') || (boots === false && method === 'psci'))) return true;
    const vcpus = this.part('vcpus');
    const end = when === 'at the end' || vcpus === undefined ? this.visited.length : this.visited.indexOf(vcpus);
    return this.visited.slice(0, end).some((node) => this.handlerOf(node) === 'psci');
  }

  /** The interrupt controller that the tree names: the node, how it is named, or that it is named in vain. */
  gic(): { readonly by: 'path' | 'phandle' | 'root' | 'nothing'; readonly node: DtNode | undefined } {
    const interrupts = this.part('interrupts');
    const path = interrupts === undefined ? undefined : firstString(interrupts, 'config');
    if (path?.startsWith('/') === true && path.length > 1) return { by: 'path', node: nodeAt(this.root, path) };
    if (interrupts?.has('config') === true) {
      const phandle = oneCell(interrupts, 'config');
      return { by: 'phandle', node: phandle === undefined ? undefined : nodeByPhandle(this.root, phandle) };
    }
    const parent = oneCell(this.root, 'interrupt-parent');
    return parent === undefined ? { by: 'nothing', node: undefined } : { by: 'root', node: nodeByPhandle(this.root, parent) };
  }

  /** Newer generations look only below nodes that they know or that pass addresses on. */
  private looksBelow(node: DtNode): boolean {
    if (this.generation !== 'newer' || node.parent === undefined) return true;
    if (node.name === '__overlay__') return false;
    return node.has('ranges') || /^\/((qcom,|gunyah-)vm-config|hypervisor)(\/|$)/.test(node.path);
  }
}

/** A property that is there, by its row; addresses and sizes have so many cells. */
function valueOf(node: DtNode, name: string, row: PropertyRule, cellCount: number): unknown {
  switch (row.type) {
    case 'flag': return true;
    case 'string': {
      const text = firstString(node, name);
      return text !== undefined && row.sizeBytesMax !== undefined && text.length >= row.sizeBytesMax ? undefined : text;
    }
    case 'strings': return strings(node, name);
    case 'cells': return cells(node, name);
    case 'u32': return oneCell(node, name);
    case 's32': {
      const value = oneCell(node, name);
      return value === undefined ? undefined : value | 0;
    }
    case 'u64': return number(node, name, 2);
    case 'address': case 'size': return number(node, name, cellCount);
  }
}

/** True if RM cannot hold where a node is. */
export function isTooDeep(node: DtNode): boolean {
  let depth = 0;
  for (let at = node.parent; at !== undefined; at = at.parent) depth++;
  return depth > DEPTH_MAX || node.path.length > PATH_BYTES_MAX;
}

/**
 * Statements that add a property which is missing, in the shape that bindings and the tree around ask for: as many entries as at least needed, as many cells as the parent or provider counts, the
 * first of the values that are allowed. What cannot be known is 0 or empty, to be filled in.
 */

import { cellsPropertyOf } from '../../runtime/devicetree/bindings/decode-cells';
import { describeShape, type ValueShape } from '../../runtime/devicetree/bindings/describe';
import { typesOf } from '../../runtime/devicetree/bindings/property-types';
import { addressCells, interruptParent, sizeCells } from '../../runtime/devicetree/lookup';
import type { DtNode } from '../../runtime/devicetree/tree';
import type { Analysis } from '../analysis';
import { macroDefinitions } from '../symbols';

/** A property that a node lacks. */
interface Wanted {
  readonly analysis: Analysis;
  readonly node: DtNode;
  readonly name: string;
  readonly shape: ValueShape;
}

/** Bytes of a page: the size of a region that nobody has stated. */
const REGION_SIZE = 0x1000n;

/** The statement for a property that a node lacks. */
export function placeholder(analysis: Analysis, node: DtNode, name: string): string {
  const types = [...typesOf(analysis.law.bindings.types, name)];
  const wanted: Wanted = { analysis, node, name, shape: describeShape(analysis.law.bindings, node, name) };
  if (types.includes('flag') || name === 'ranges' || name === 'dma-ranges') return `${name};`;
  return `${name} = ${valueOf(wanted, types)};`;
}

function valueOf(wanted: Wanted, types: readonly string[]): string {
  const { name, shape } = wanted;
  if (name === 'reg') return regValue(wanted);
  if (name === 'interrupts') return repeated(shape, () => `<${specifier(wanted, controllerOf(wanted))}>`);
  if (types.some((type) => type.startsWith('string'))) return entriesOf(shape).map((entry) => `"${String(textIn(entry))}"`).join(', ');
  const kind = types.find((type) => !type.startsWith('phandle'));
  if (types.some((type) => type.startsWith('phandle')) || /-supply$|(?:^|-)gpios?$/.test(name)) return references(wanted);
  return numbers(shape, kind ?? 'uint32');
}

/** At least as many entries as needed. */
function entriesOf(shape: ValueShape): readonly ValueShape[] {
  return Array.from({ length: shape.countMin }, (_, index) => shape.items[index] ?? shape.items.at(-1) ?? { ...shape, countMin: 1 });
}

function repeated(shape: ValueShape, one: (index: number) => string): string {
  return Array.from({ length: shape.countMin }, (_, index) => one(index)).join(', ');
}

function textIn({ values }: ValueShape): string {
  return String(values.find((value) => typeof value === 'string') ?? '');
}

function numberIn({ values, minimum }: ValueShape): string {
  return String(values.find((value) => typeof value === 'number') ?? minimum ?? 0);
}

function numbers(shape: ValueShape, type: string): string {
  const [, bits] = /^u?int(8|16|64)/.exec(type) ?? [];
  const width = bits === undefined ? '' : `/bits/ ${bits} `;
  if (!/-(?:array|matrix)$/.test(type)) return `${width}<${numberIn(innermost(shape))}>`;
  if (!type.endsWith('-matrix')) return `${width}<${entriesOf(shape).map((entry) => numberIn(innermost(entry))).join(' ')}>`;
  return entriesOf(shape).map((row) => `${width}<${entriesOf(row).map((entry) => numberIn(innermost(entry))).join(' ')}>`).join(', ');
}

function innermost(shape: ValueShape): ValueShape {
  const [first] = shape.items;
  return first === undefined || shape.values.length > 0 ? shape : innermost(first);
}

/** Addresses and sizes in the cells of the parent, the first address being that of the node's name. */
function regValue({ node, shape }: Wanted): string {
  const [, unit = '0'] = /@([0-9a-fA-F]+)/.exec(node.name) ?? [];
  const { parent } = node;
  const counts = parent === undefined || !isLanding(parent) ? [addressCells(parent ?? node), sizeCells(parent ?? node)] : guessed(parent);
  const [addressCount = 1, sizeCount = 1] = counts;
  return repeated(shape, (index) => `<${[...cellsOf(index === 0 ? BigInt(`0x${unit}`) : 0n, addressCount), ...cellsOf(REGION_SIZE, sizeCount)].join(' ')}>`);
}

/** The body of an overlay in a node that nobody knows. */
function isLanding(node: DtNode): boolean {
  return node.name === '__overlay__' && !node.has('#address-cells');
}

/** As wide as those of the nodes beside; else as on a bus such as I2C. */
function guessed(parent: DtNode): readonly [number, number] {
  const cells = Math.max(1, ...parent.children.map((child) => (child.property('reg')?.bytes.length ?? 0) / 4));
  return cells >= 4 ? [2, 2] : cells === 2 ? [1, 1] : cells === 3 ? [2, 1] : [1, 0];
}

function cellsOf(value: bigint, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `0x${((value >> BigInt(32 * (count - 1 - index))) & 0xffff_ffffn).toString(16)}`);
}

function controllerOf({ analysis, node }: Wanted): DtNode | undefined {
  return interruptParent(analysis.judged.root, node);
}

/** One interrupt in the cells of its controller; by names where the tree knows them. */
function specifier({ analysis, node }: Pick<Wanted, 'analysis' | 'node'>, controller: DtNode | undefined): string {
  const knows = (name: string): boolean => [analysis, analysis.appendedTo].some((one) => one !== undefined && macroDefinitions(one, name).length > 0);
  // What a hypervisor signals is an edge.
  const isEdge = node.has('vdevice-type') || /gunyah/.test(node.string('compatible') ?? '');
  const [flagName, flags] = isEdge ? ['IRQ_TYPE_EDGE_RISING', '1'] : ['IRQ_TYPE_LEVEL_HIGH', '4'];
  const flag = knows(flagName) ? flagName : flags;
  const isGic = controller === undefined ? knows('GIC_SPI') : /^arm,.*gic/.test(controller.string('compatible') ?? '');
  const count = controller?.u32('#interrupt-cells') ?? (isGic ? 3 : 1);
  if (count >= 3) return [isGic && knows('GIC_SPI') ? 'GIC_SPI' : '0', '0', flag, ...new Array<string>(Math.min(count, 16) - 3).fill('0')].join(' ');
  return count === 2 ? `0 ${/nvic/.test(controller?.string('compatible') ?? '') ? '0' : flag}` : '0';
}

/** References to what the tree has for this: the first labelled provider, with as many cells as it takes. */
function references(wanted: Wanted): string {
  const { analysis, node, name, shape } = wanted;
  const counter = cellsPropertyOf(name);
  const provider = [...analysis.judged.root.walk()].find((one) => one !== node && one.labels.length > 0 && isProvider(one, name, counter));
  const [label] = provider?.labels ?? [];
  if (provider === undefined || label === undefined) return entriesOf(shape).map((row) => `<${new Array<string>(row.countMin).fill('0').join(' ')}>`).join(', ');
  const count = counter === undefined ? 0 : Math.min(16, provider.u32(counter) ?? 0);
  const cells = name === 'interrupts-extended' ? specifier(wanted, provider) : new Array<string>(count).fill('0').join(' ');
  return repeated(shape, () => `<&${label}${cells === '' ? '' : ` ${cells}`}>`);
}

function isProvider(node: DtNode, name: string, counter: string | undefined): boolean {
  if (counter !== undefined && name !== 'interconnects') return node.has(counter);
  if (name === 'interrupt-parent') return node.has('interrupt-controller');
  if (name === 'memory-region') return node.parent?.name === 'reserved-memory';
  if (name.endsWith('-supply')) return node.has('regulator-name') || /^regulator-/.test(node.string('compatible') ?? '');
  return false;
}

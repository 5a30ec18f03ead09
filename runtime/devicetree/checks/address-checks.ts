/** Checks of `reg`, `ranges`, unit addresses, and the buses that give them a form. */

import { addressCells, sizeCells } from '../lookup';
import { isI2cBus, isPciBridge, isSpiBus, type BusKind } from './buses';
import { cellCount, isDisabled, statedAddressCells, statedSizeCells, unitOf, type CheckContext } from './context';
import type { DtNode, DtProperty } from '../tree';

const I2C_OWN_SLAVE = 0x4000_0000;
const I2C_TEN_BITS = 0x8000_0000;

/** Whoever has an address has it in the name, and the other way round. */
export function unitAddressAgainstReg(context: CheckContext, node: DtNode): void {
  if (node.child('__overlay__') !== undefined) return;
  const ranges = node.property('ranges');
  const hasAddress = node.has('reg') || (ranges !== undefined && ranges.bytes.length > 0);
  if (hasAddress && unitOf(node) === '') context.report(node, 'The node has reg or ranges, but no unit address in its name. Add @ and its first address.');
  if (!hasAddress && unitOf(node) !== '') context.report(node, 'The name has a unit address, but the node has neither reg nor ranges.');
}

/** `reg` holds whole entries. */
export function regFormat(context: CheckContext, node: DtNode): void {
  const reg = node.property('reg');
  if (reg === undefined) return;
  if (node.parent === undefined) context.report(node, 'The root has no bus, so it has no reg.');
  if (reg.bytes.length === 0) context.report(node, 'reg is empty.', reg);
  const [address, size] = node.parent === undefined ? [2, 1] : [addressCells(node.parent), sizeCells(node.parent)];
  if (reg.bytes.length > 0 && !isMultiple(reg.bytes.length, (address + size) * 4)) {
    context.report(node, `reg has ${cellCount(reg)}; each entry has ${cellsText(address, 'address')} and ${cellsText(size, 'size')}, as #address-cells and #size-cells of the parent say.`, reg);
  }
}

/** A check that `ranges` or `dma-ranges` holds whole entries. */
export function rangesFormat(name: 'ranges' | 'dma-ranges'): (context: CheckContext, node: DtNode) => void {
  return (context, node) => {
    const ranges = node.property(name);
    if (ranges === undefined) return;
    if (node.parent === undefined) {
      context.report(node, `The root has no bus, so it has no ${name}.`, ranges);
      return;
    }
    const [own, size, parent, parentSize] = [addressCells(node), sizeCells(node), addressCells(node.parent), sizeCells(node.parent)];
    if (ranges.bytes.length === 0) {
      if (own !== parent) context.report(node, `Empty ${name} means the parent's addresses, but #address-cells is ${String(own)} here and ${String(parent)} there.`, ranges);
      if (size !== parentSize) context.report(node, `Empty ${name} means the parent's sizes, but #size-cells is ${String(size)} here and ${String(parentSize)} there.`, ranges);
    } else if (!isMultiple(ranges.bytes.length, (own + parent + size) * 4)) {
      context.report(node, `${name} has ${cellCount(ranges)}; each entry has ${cellsText(own, 'own address')}, ${cellsText(parent, 'parent address')} and ${cellsText(size, 'size')}.`, ranges);
    }
  };
}

function isMultiple(length: number, of: number): boolean {
  return of !== 0 && length % of === 0;
}

function cellsText(count: number, of: string): string {
  return `${String(count)} ${of} ${count === 1 ? 'cell' : 'cells'}`;
}

/** PCI bridges are named and sized as such. */
export function pciBridge(context: CheckContext, node: DtNode): void {
  if (!isPciBridge(node)) return;
  if (node.baseName !== 'pci' && node.baseName !== 'pcie') context.report(node, 'A PCI bridge is named pci or pcie.');
  if (!node.has('ranges')) context.report(node, 'A PCI bridge needs ranges.');
  wantCells(context, node, { address: 3, size: 2, bus: 'a PCI bus' });
  const range = node.property('bus-range');
  if (range === undefined) return;
  const [from = 0, to = 0] = range.u32s;
  if (range.bytes.length !== 8) context.report(node, 'bus-range has two cells, the first and the last bus.', range);
  else {
    if (from > to) context.report(node, 'bus-range begins behind its end.', range);
    if (to > 0xff) context.report(node, 'Bus numbers go up to 255.', range);
  }
}

function wantCells(context: CheckContext, node: DtNode, want: { readonly address: number; readonly size: number; readonly bus: string }): void {
  if (addressCells(node) !== want.address) context.report(node, `#address-cells of ${want.bus} is ${String(want.address)}.`, node.property('#address-cells'));
  if (sizeCells(node) !== want.size) context.report(node, `#size-cells of ${want.bus} is ${String(want.size)}.`, node.property('#size-cells'));
}

/** A PCI device is on one of its bridge's buses. */
export function pciDeviceBusNumber(context: CheckContext, node: DtNode): void {
  const reg = regOn(context, node, 'pci');
  if (reg === undefined || node.parent === undefined) return;
  const bus = ((reg.u32s[0] ?? 0) & 0xff_0000) >>> 16;
  const range = node.parent.property('bus-range');
  const [from = 0, to = 0] = range?.u32s ?? [];
  if (bus < from || bus > to) context.report(node, `The device is on bus ${String(bus)}, but its bridge has ${String(from)} to ${String(to)}.`, reg);
}

/** `reg` of a PCI device begins with its configuration address, which its name repeats. */
export function pciDeviceReg(context: CheckContext, node: DtNode): void {
  const reg = regOn(context, node, 'pci');
  if (reg === undefined) return;
  const [first = 0, second = 0, third = 0] = reg.u32s;
  if (second !== 0 || third !== 0) context.report(node, 'The second and third cell of a PCI configuration address are 0.', reg);
  const [device, func] = [(first & 0xf800) >>> 11, (first & 0x700) >>> 8];
  if ((first & 0xff00_0000) !== 0) context.report(node, 'The first entry of a PCI device\'s reg is in configuration space.', reg);
  if ((first & 0xff) !== 0) context.report(node, 'The register number in a PCI configuration address is 0.', reg);
  const long = `${device.toString(16)},${func.toString(16)}`;
  if ((func === 0 && unitOf(node) === device.toString(16)) || unitOf(node) === long) return;
  context.report(node, `The unit address of this PCI device is ${long}.`);
}

function regOn(context: CheckContext, node: DtNode, bus: BusKind): DtProperty | undefined {
  if (node.parent === undefined || context.buses.get(node.parent) !== bus) return undefined;
  const reg = node.property('reg');
  return reg === undefined || reg.bytes.length < 4 ? undefined : reg;
}

/** Devices on a simple bus have an address, which their name repeats. */
export function simpleBusReg(context: CheckContext, node: DtNode): void {
  if (node.parent === undefined || context.buses.get(node.parent) !== 'simple') return;
  const reg = node.property('reg');
  const ranges = node.property('ranges');
  const [source, at] = reg !== undefined ? [reg, 0] : [ranges, addressCells(node)];
  if (source === undefined || source.bytes.length === 0) {
    if (node.parent.parent !== undefined && context.buses.get(node) !== 'simple') context.report(node, 'A device on a simple bus has reg or ranges. Move a node without an address off the bus.');
    return;
  }
  const cells = source.u32s.slice(at, at + addressCells(node.parent));
  const address = cells.reduce((sum, cell) => BigInt.asUintN(64, sum << 32n) | BigInt(cell), 0n).toString(16);
  if (unitOf(node) !== address) context.report(node, `The unit address of this node is ${address}, its first address.`);
}

/** I2C buses have I2C's addresses. */
export function i2cBusBridge(context: CheckContext, node: DtNode): void {
  if (node.children.length > 0 && isI2cBus(node)) wantCells(context, node, { address: 1, size: 0, bus: 'an I2C bus' });
}

/** I2C addresses are short, and names repeat the first. */
export function i2cBusReg(context: CheckContext, node: DtNode): void {
  if (node.parent === undefined || context.buses.get(node.parent) !== 'i2c') return;
  const reg = node.property('reg');
  if (reg === undefined || reg.bytes.length < 4) {
    context.report(node, 'A device on an I2C bus has its address in reg.');
    return;
  }
  checkUnit(context, node, (reg.u32s[0] ?? 0) & ~I2C_OWN_SLAVE);
  for (const cell of reg.u32s) {
    const address = (cell & ~I2C_OWN_SLAVE) >>> 0;
    if ((address & I2C_TEN_BITS) !== 0) {
      if (((address & ~I2C_TEN_BITS) >>> 0) > 0x3ff) context.report(node, `I2C addresses of 10 bits go up to 0x3ff, but this is 0x${(address & ~I2C_TEN_BITS).toString(16)}.`, reg);
    } else if (address > 0x7f) context.report(node, `I2C addresses of 7 bits go up to 0x7f, but this is 0x${address.toString(16)}. For one of 10 bits, add I2C_TEN_BIT_ADDRESS.`, reg);
  }
}

function checkUnit(context: CheckContext, node: DtNode, address: number): void {
  const unit = (address >>> 0).toString(16);
  if (unitOf(node) !== unit) context.report(node, `The unit address of this node is ${unit}, as reg says.`);
}

/** SPI buses are named as such and have SPI's addresses. */
export function spiBusBridge(context: CheckContext, node: DtNode): void {
  if (!isSpiBus(node)) return;
  if (!node.hasBaseName('spi') && node.has('reg')) context.report(node, 'An SPI bus is named spi.');
  if (node.children.length > 0) wantCells(context, node, { address: node.has('spi-slave') ? 0 : 1, size: 0, bus: 'this SPI bus' });
}

/** SPI devices are named by their chip select. */
export function spiBusReg(context: CheckContext, node: DtNode): void {
  if (node.parent === undefined || context.buses.get(node.parent) !== 'spi' || node.parent.has('spi-slave')) return;
  const reg = node.property('reg');
  if (reg === undefined || reg.bytes.length < 4) context.report(node, 'A device on an SPI bus has its chip select in reg.');
  else checkUnit(context, node, reg.u32s[0] ?? 0);
}

/** Unit addresses have no 0x and no leading zeros, unless the bus says otherwise. */
export function unitAddressFormat(context: CheckContext, node: DtNode): void {
  if (node.parent !== undefined && context.buses.has(node.parent)) return;
  let unit = unitOf(node);
  if (unit.startsWith('0x')) {
    context.report(node, 'Unit addresses are hexadecimal without 0x.');
    unit = unit.slice(2);
  }
  if (/^0[0-9a-fA-F]/.test(unit)) context.report(node, 'Unit addresses have no leading zeros.');
}

/** Cell counts of a parent with addresses are stated. */
export function avoidDefaultCells(context: CheckContext, node: DtNode): void {
  const { parent } = node;
  if (parent === undefined || !(node.has('reg') || node.has('ranges'))) return;
  if (statedAddressCells(parent) === undefined) context.report(node, 'The parent does not state #address-cells, so 2 is taken.');
  if (statedSizeCells(parent) === undefined) context.report(node, 'The parent does not state #size-cells, so 1 is taken.');
}

/** Cell counts that nobody uses are left out. */
export function avoidUnnecessaryCells(context: CheckContext, node: DtNode): void {
  if (node.parent === undefined || statedAddressCells(node) === undefined || statedSizeCells(node) === undefined) return;
  if (node.has('ranges') || node.children.length === 0 || node.children.some((child) => child.has('reg'))) return;
  context.report(node, 'Nobody needs #address-cells and #size-cells here: there is no ranges, and no child has reg.');
}

/** A check that siblings have different addresses. */
export function uniqueUnitAddress(which: 'all' | 'enabled'): (context: CheckContext, node: DtNode) => void {
  return (context, node) => {
    if (statedAddressCells(node) === undefined || statedSizeCells(node) === undefined) return;
    const seen = new Map<string, DtNode[]>();
    for (const child of node.children) {
      const unit = unitOf(child);
      if (unit === '' || (which === 'enabled' && isDisabled(child))) continue;
      const others = seen.get(unit) ?? [];
      for (const other of others) context.report(other, `Its unit address is also that of ${child.path}.`);
      seen.set(unit, [...others, child]);
    }
  };
}

/**
 * The checks of dtc by their own names (dtc -W and -E take the same), as a table. What parsing and linking find already (duplicate names,
 * labels and phandles, references that lead nowhere) is reported there and not repeated here.
 */

import * as address from './address-checks';
import type { BusKind } from './buses';
import { CheckContext, type Finding } from './context';
import { isGunyahNode, isNumericLabel, UNFIT_FOR_GUNYAH } from './gunyah-nodes';
import * as name from './name-checks';
import { NodeMemory, type NameUse } from './node-memory';
import * as reference from './reference-checks';
import type { DtDiagnostic } from '../source';
import type { DeviceTree, DtNode } from '../tree';

/** How a failed check is told. */
export type CheckLevel = 'off' | 'warning' | 'error';

interface CheckRow {
  readonly level: CheckLevel;
  /** Checks that must hold for this one to make sense; if one fails anywhere, this one is left out. */
  readonly after: readonly string[];
  readonly run: (context: CheckContext, node: DtNode) => void;
  /** What it looks at besides a node with all below it, and the properties and kind of its parent: nodes that have signals (`NodeMemory`), or anything. */
  readonly reach?: 'signals' | 'tree';
  /** The buses that are recognised before it runs. */
  readonly recognises?: BusKind;
  /** The only nodes that need to be looked at: those with a property, or others. */
  readonly on?: string | ((property: string) => boolean) | Others;
}

/** Nodes with a name, on a bus, or that are buses, as checks before have recognised them. */
type Others = { readonly named: 'aliases' | 'chosen' } | { readonly onBus: BusKind } | { readonly buses: readonly BusKind[] };

const check = (level: CheckLevel, run: CheckRow['run'], ...after: readonly string[]): CheckRow => ({ level, run, after });
/** The same for a check that says something only of certain nodes. */
const checkOn = (on: NonNullable<CheckRow['on']>, level: CheckLevel, run: CheckRow['run'], ...after: readonly string[]): CheckRow => ({ level, run, after, on });
/** The same for a check that looks at other nodes as well. */
const far = (reach: 'signals' | 'tree', row: CheckRow): CheckRow => ({ ...row, reach });
/** A check before which buses are recognised. */
const bridge = (recognises: BusKind, row: CheckRow): CheckRow => ({ ...row, recognises });
const cell = (property: string): CheckRow => checkOn(property, 'warning', name.mustBeCell(property));
const string = (property: string, level: CheckLevel = 'warning'): CheckRow => checkOn(property, level, name.mustBeString(property));

/** Lists of phandles with arguments, by the name of their check. */
const PROVIDERS: Readonly<Record<string, reference.ProviderList>> = {
  clocks: { property: 'clocks', cells: '#clock-cells' },
  cooling_device: { property: 'cooling-device', cells: '#cooling-cells' },
  dmas: { property: 'dmas', cells: '#dma-cells' },
  hwlocks: { property: 'hwlocks', cells: '#hwlock-cells' },
  interrupts_extended: { property: 'interrupts-extended', cells: '#interrupt-cells' },
  io_channels: { property: 'io-channels', cells: '#io-channel-cells' },
  iommus: { property: 'iommus', cells: '#iommu-cells' },
  mboxes: { property: 'mboxes', cells: '#mbox-cells' },
  msi_parent: { property: 'msi-parent', cells: '#msi-cells', isOptional: true },
  mux_controls: { property: 'mux-controls', cells: '#mux-control-cells' },
  phys: { property: 'phys', cells: '#phy-cells' },
  power_domains: { property: 'power-domains', cells: '#power-domain-cells' },
  pwms: { property: 'pwms', cells: '#pwm-cells' },
  resets: { property: 'resets', cells: '#reset-cells' },
  sound_dai: { property: 'sound-dai', cells: '#sound-dai-cells' },
  thermal_sensors: { property: 'thermal-sensors', cells: '#thermal-sensor-cells' },
};

function providerRows(): Readonly<Record<string, CheckRow>> {
  return Object.fromEntries(Object.entries(PROVIDERS).flatMap(([key, list]) => [
    [`${key}_is_cell`, cell(list.cells)],
    [`${key}_property`, far('signals', checkOn(list.property, 'warning', reference.providerList(list), `${key}_is_cell`))],
  ]));
}

/** All checks, in the order in which they run. */
const CHECKS: Readonly<Record<string, CheckRow>> = {
  node_name_chars: check('error', name.nodeNameCharacters),
  node_name_chars_strict: check('off', name.nodeNameCharactersStrict),
  node_name_format: check('error', name.nodeNameFormat, 'node_name_chars'),
  node_name_vs_property_name: check('warning', name.nodeNameAgainstProperty, 'node_name_chars'),
  unit_address_vs_reg: check('warning', address.unitAddressAgainstReg),
  property_name_chars: checkOn(name.isBadName, 'error', name.propertyNameCharacters),
  property_name_chars_strict: check('off', name.propertyNameCharactersStrict),
  name_is_string: string('name', 'error'),
  address_cells_is_cell: cell('#address-cells'),
  size_cells_is_cell: cell('#size-cells'),
  device_type_is_string: string('device_type'),
  model_is_string: string('model'),
  status_is_string: string('status'),
  label_is_string: string('label'),
  compatible_is_string_list: checkOn('compatible', 'warning', name.mustBeStringList('compatible')),
  names_is_string_list: checkOn((property) => property.endsWith('-names'), 'warning', name.namesAreStrings),
  alias_paths: far('tree', checkOn({ named: 'aliases' }, 'warning', name.aliasPaths)),
  addr_size_cells: checkOn({ buses: [] }, 'warning', () => undefined, 'address_cells_is_cell', 'size_cells_is_cell'),
  reg_format: checkOn('reg', 'warning', address.regFormat, 'addr_size_cells'),
  ranges_format: checkOn('ranges', 'warning', address.rangesFormat('ranges'), 'addr_size_cells'),
  dma_ranges_format: checkOn('dma-ranges', 'warning', address.rangesFormat('dma-ranges'), 'addr_size_cells'),
  pci_bridge: bridge('pci', checkOn('device_type', 'warning', address.pciBridge, 'device_type_is_string', 'addr_size_cells')),
  pci_device_bus_num: checkOn('reg', 'warning', address.pciDeviceBusNumber, 'reg_format', 'pci_bridge'),
  pci_device_reg: checkOn('reg', 'warning', address.pciDeviceReg, 'reg_format', 'pci_bridge'),
  simple_bus_bridge: bridge('simple', checkOn({ buses: [] }, 'warning', () => undefined, 'addr_size_cells', 'compatible_is_string_list')),
  simple_bus_reg: checkOn({ onBus: 'simple' }, 'warning', address.simpleBusReg, 'reg_format', 'simple_bus_bridge'),
  i2c_bus_bridge: bridge('i2c', check('warning', address.i2cBusBridge, 'addr_size_cells')),
  i2c_bus_reg: checkOn({ onBus: 'i2c' }, 'warning', address.i2cBusReg, 'reg_format', 'i2c_bus_bridge'),
  spi_bus_bridge: bridge('spi', check('warning', address.spiBusBridge, 'addr_size_cells')),
  spi_bus_reg: checkOn({ onBus: 'spi' }, 'warning', address.spiBusReg, 'reg_format', 'spi_bus_bridge'),
  unit_address_format: check('warning', address.unitAddressFormat, 'node_name_format', 'pci_bridge', 'simple_bus_bridge'),
  avoid_default_addr_size: check('warning', address.avoidDefaultCells, 'addr_size_cells'),
  avoid_unnecessary_addr_size: checkOn('#address-cells', 'warning', address.avoidUnnecessaryCells, 'avoid_default_addr_size'),
  unique_unit_address: checkOn('#address-cells', 'warning', address.uniqueUnitAddress('all'), 'avoid_default_addr_size'),
  unique_unit_address_if_enabled: checkOn('#address-cells', 'off', address.uniqueUnitAddress('enabled'), 'avoid_default_addr_size'),
  obsolete_chosen_interrupt_controller: checkOn('interrupt-controller', 'warning', name.obsoleteChosenInterruptController),
  chosen_node_is_root: checkOn({ named: 'chosen' }, 'warning', name.chosenIsBelowRoot),
  chosen_node_bootargs: checkOn({ named: 'chosen' }, 'warning', name.chosenBootargs),
  chosen_node_stdout_path: checkOn({ named: 'chosen' }, 'warning', name.chosenStdoutPath),
  ...providerRows(),
  deprecated_gpio_property: check('off', reference.deprecatedGpioList),
  gpios_property: far('signals', checkOn(reference.isGpioList, 'warning', reference.gpioLists)),
  interrupt_provider: check('warning', reference.interruptProvider),
  interrupts_property: far('signals', checkOn('interrupts', 'warning', reference.interruptsList)),
  graph_nodes: bridge('graph-port', checkOn({ buses: [] }, 'warning', () => undefined)),
  graph_child_address: checkOn({ buses: ['graph-port', 'graph-ports'] }, 'warning', reference.graphChildAddress, 'graph_nodes'),
  graph_port: checkOn({ buses: ['graph-port'] }, 'warning', reference.graphPort, 'graph_nodes'),
  graph_endpoint: far('signals', checkOn({ onBus: 'graph-port' }, 'warning', reference.graphEndpoint, 'graph_nodes')),
};

/** Names of all checks. */
export const CHECK_NAMES: readonly string[] = Object.keys(CHECKS);

/** For each check those that it makes sense after; dtc raises and lowers their levels together. */
export const CHECK_PREREQUISITES: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(CHECKS).map(([name, { after }]) => [name, after]));

/** How a check is told unless something else is asked for. */
export function defaultLevel(name: string): CheckLevel {
  return CHECKS[name]?.level ?? 'off';
}

/** A failed check as a diagnostic; its code is the check's name. */
export interface CheckFailure extends DtDiagnostic {
  readonly node: DtNode;
  /** The property concerned, if it is about one. */
  readonly property?: string;
  /** The cell of the property at fault, if one can be named. */
  readonly cell?: number;
}

/**
 * Runs all checks on a linked tree; `levels` overrides how some are told. Checks that do not fit Gunyah's own nodes are told of those only
 * where `levels` names them; everywhere else it is dtc's word.
 */
export function checkTree(tree: DeviceTree, levels: Readonly<Record<string, CheckLevel>> = {}): readonly CheckFailure[] {
  return new TreeChecks().check(tree, levels);
}

/**
 * Checks trees that follow each other and share nodes (`TreeLinker`). A check that looks at no more than a node with all below it and its parent's properties is not asked
 * again about a node where all of that is as it was, if it had nothing to say then. The outcome is that of `checkTree`.
 */
export class TreeChecks {
  private readonly uses = new Map<string, NameUse>();
  private readonly useOf = (name: string): NameUse => this.uses.get(name) ?? this.learn(name);
  private readonly memory = new NodeMemory(this.useOf);
  /** Checks that have been asked about all nodes of the tree before, with the buses that were recognised then. */
  private ranBefore: ReadonlyMap<string, number> = new Map();

  /** Runs all checks. */
  check(tree: DeviceTree, levels: Readonly<Record<string, CheckLevel>> = {}): readonly CheckFailure[] {
    const run = new Run(new CheckContext(tree, this.memory, this.useOf), this.ranBefore);
    const failures = CHECK_NAMES.flatMap((key) => {
      const level = levels[key] ?? defaultLevel(key);
      const isUnfit = levels[key] === undefined && UNFIT_FOR_GUNYAH.has(key);
      return level === 'off' ? [] : run.findings(key).filter(({ node }) => !isUnfit || !(isGunyahNode(node) || (key === 'label_is_string' && isNumericLabel(node)))).map((finding) => failure(key, level, finding));
    });
    this.ranBefore = run.ran;
    this.memory.forget(run.guilty);
    return failures;
  }

  private learn(name: string): NameUse {
    const use: NameUse = { isIndexed: saysWhichNodes(name), isRead: SIGNALS.has(name) };
    if (this.uses.size < NAMES_MAX) this.uses.set(name, use);
    return use;
  }
}

/** Most names of properties that are remembered. */
const NAMES_MAX = 20_000;

/** Names of properties that checks of other nodes read. */
const SIGNALS: ReadonlySet<string> = new Set([...Object.values(PROVIDERS).map(({ cells }) => cells), ...reference.READ_ELSEWHERE]);

/** True for names of properties that say which nodes a check looks at. */
function saysWhichNodes(name: string): boolean {
  return ROWS.some(({ on }) => (typeof on === 'string' ? on === name : typeof on === 'function' && on(name)));
}

const ROWS = Object.values(CHECKS);

class Run {
  /** Checks that have been asked about all nodes, with the buses that were recognised then. */
  readonly ran = new Map<string, number>();
  /** Nodes that a check had something to say of that is not asked about all nodes each time. */
  readonly guilty = new Set<DtNode>();
  private readonly context: CheckContext;
  private readonly ranBefore: ReadonlyMap<string, number>;
  private readonly results = new Map<string, readonly Finding[] | 'skipped'>();

  constructor(context: CheckContext, ranBefore: ReadonlyMap<string, number>) {
    this.context = context;
    this.ranBefore = ranBefore;
  }

  /** What a check finds; nothing if one that must hold before it does not. */
  findings(key: string): readonly Finding[] {
    const known = this.results.get(key);
    if (known !== undefined) return known === 'skipped' ? [] : known;
    const row = CHECKS[key];
    if (row === undefined || !row.after.map((before) => this.holds(before)).every(Boolean)) {
      this.results.set(key, 'skipped');
      return [];
    }
    const found = this.context.collect(() => { this.ask(key, row); });
    this.results.set(key, found);
    return found;
  }

  private holds(key: string): boolean {
    return this.findings(key).length === 0 && this.results.get(key) !== 'skipped';
  }

  private ask(key: string, row: CheckRow): void {
    const { context } = this;
    if (row.recognises !== undefined) context.recognise(row.recognises);
    this.ran.set(key, context.recognisedKinds);
    const isAsBefore = this.ranBefore.get(key) === context.recognisedKinds && row.reach !== 'tree' && (row.reach !== 'signals' || context.seen.isSame);
    (isAsBefore ? nodesAmong(context, row) : nodesFor(context, row)).forEach((node) => {
      const { findingCount } = context;
      row.run(context, node);
      if (context.findingCount > findingCount) this.guilty.add(node);
    });
  }
}

function nodesFor(context: CheckContext, { on }: CheckRow): readonly DtNode[] {
  if (on === undefined) return context.nodes;
  if (typeof on === 'string') return context.nodesWith(on);
  if (typeof on === 'function') return context.nodesWithNames(on);
  if ('named' in on) return context.nodesNamed(on.named);
  return 'onBus' in on ? context.nodesOn(on.onBus) : on.buses.length === 0 ? [] : context.busesOf(on.buses);
}

/** Of the nodes that are not as they were, those that a check looks at. */
function nodesAmong(context: CheckContext, { on }: CheckRow): readonly DtNode[] {
  const { seen: { fresh }, buses } = context;
  if (on === undefined || fresh.length === 0) return fresh;
  if (typeof on === 'string') return fresh.filter((node) => node.has(on));
  if (typeof on === 'function') return fresh.filter((node) => node.properties.some(({ name }) => on(name)));
  if ('named' in on) return fresh.filter((node) => node.name === on.named);
  if ('onBus' in on) return fresh.filter(({ parent }) => parent !== undefined && buses.get(parent) === on.onBus);
  return on.buses.length === 0 ? [] : fresh.filter((node) => { const kind = buses.get(node); return kind !== undefined && on.buses.includes(kind); });
}

function failure(code: string, severity: 'warning' | 'error', { node, property, cell, message }: Finding): CheckFailure {
  const { file, line, column, length } = property?.origin ?? node.origin ?? {};
  return {
    severity, code, message: `${node.path}: ${message}`, node,
    ...(property === undefined ? {} : { property: property.name }), ...(cell === undefined ? {} : { cell }),
    ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }), ...(length === undefined ? {} : { length }),
  };
}

/**
 * What is wrong with a tree beyond its syntax: dtc's checks, bindings, RM's rules. An overlay is judged by the tree that it makes of its base; without
 * a base, by the nodes that it brings along. Knows no protocol and reads no files.
 */

import { UNDOCUMENTED, type BindingSet } from '../runtime/devicetree/bindings/binding-set';
import { TreeChecker } from '../runtime/devicetree/bindings/tree-checker';
import { TreeChecks, type CheckLevel } from '../runtime/devicetree/checks/check-table';
import { applyOverlay, unknownSymbols } from '../runtime/devicetree/overlay';
import { checkVmConfig, isVmTree, rmDiagnostic, type RmGeneration, type RmReading } from '../runtime/devicetree/rm-rules';
import type { DtDiagnostic, SourceOrigin } from '../runtime/devicetree/source';
import { deviceTree, DtNode, type DeviceTree } from '../runtime/devicetree/tree';
import { bindingProblems } from './binding-problems';
import { oneForEach } from './double-problems';
import { keyOf, placeOf, placeOfCell, placeOfValue, type Problem } from './problem';

/** What a tree is judged by. */
export interface Law {
  readonly bindings: BindingSet;
  /** Checks against the bindings; one for each tree that is checked repeatedly. */
  readonly checker: TreeChecker;
  /** dtc's checks, also one for each tree. */
  readonly checks: TreeChecks;
  /** For whom VM configurations are; nothing: RM's rules are left out. */
  readonly reading: RmGeneration | RmReading | undefined;
}

/** Unknown labels of an overlay that are told, at most. */
const UNKNOWN_SYMBOLS_TOLD = 100;

/** How dtc's checks are told. */
export type Levels = Readonly<Record<string, CheckLevel>>;

/** What dtc's checks object to; `checks` are those that have seen the tree before. */
export function checkProblems(tree: DeviceTree, levels: Levels, checks = new TreeChecks()): readonly Problem[] {
  return checks.check(tree, levels).map(({ node, property, cell, ...diagnostic }) => {
    const found = property === undefined ? undefined : node.property(property);
    return { ...diagnostic, nodePath: node.path, ...(property === undefined ? {} : { about: property }), ...(found === undefined || cell === undefined ? {} : placeOfCell(found, cell)) };
  });
}

/** What bindings and RM's rules object to in a linked tree that stands for itself. */
export function judge(tree: DeviceTree, law: Law): readonly Problem[] {
  const failures = law.checker.check(tree.root).filter((failure) => !failure.isForgiven && failure.schemaId !== UNDOCUMENTED);
  return oneForEach([...failures.flatMap((failure) => bindingProblems(failure, law.bindings)), ...rmProblems(tree.root, law.reading)]);
}

function rmProblems(root: DtNode, reading: Law['reading']): readonly Problem[] {
  if (reading === undefined || !isVmTree(root)) return [];
  return checkVmConfig(root, reading).map((finding) => {
    const { node, property, ...diagnostic } = rmDiagnostic(finding);
    const found = property === undefined ? undefined : node.property(property);
    return { ...diagnostic, nodePath: node.path, ...(property === undefined ? {} : { about: property }), ...(found === undefined ? {} : placeOfValue(found)) };
  });
}

/** Problems with the tree that their nodes are in. */
export interface Judged {
  readonly problems: readonly Problem[];
  readonly tree: DeviceTree;
}

/** What an overlay adds to the problems of its base; both linked, the base with symbols. */
export function judgeApplied(overlay: DeviceTree, base: DeviceTree, law: Law & { readonly files: ReadonlySet<string>; readonly levels: Levels }): Judged {
  const merged = applyOverlay(base, overlay);
  if (!merged.ok) {
    const unknown = unknownSymbols(base, overlay).slice(0, UNKNOWN_SYMBOLS_TOLD);
    const problems = unknown.flatMap(({ problem, entries }) => distinct((entries.length === 0 ? [''] : entries).map((entry) => placedAtReference(problem, overlay, entry))));
    return { problems: problems.length > 0 ? problems : [placedAtReference(merged.error, overlay, '')], tree: overlay };
  }
  const known = new Set([...checkProblems(base, law.levels), ...judge(base, { ...law, checker: new TreeChecker(law.bindings) })].map(keyOf));
  const problems = [...checkProblems(merged.value, law.levels), ...judge(merged.value, law)].filter((problem) => (problem.file !== undefined && law.files.has(problem.file)) || !known.has(keyOf(problem))).map((problem) => {
    if (problem.file !== undefined && law.files.has(problem.file)) return problem;
    const { cell, ...elsewhere } = problem;
    return cell !== undefined && law.files.has(cell.origin.file) ? problem : { ...elsewhere, ...placeOf(overlayNodeFor(overlay, problem.nodePath)) };
  });
  return { problems, tree: merged.value };
}

/** One problem for each place. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  const known = new Set<string>();
  return problems.filter(({ file, line, column }) => {
    const key = `${file ?? ''}:${String(line)}:${String(column)}`;
    return known.has(key) ? false : known.add(key).size > 0;
  });
}

/** A reference to an unknown symbol is where the overlay is wrong: `entry` says where, as the fixups list it. */
function placedAtReference(problem: DtDiagnostic, overlay: DeviceTree, entry: string): Problem {
  const [, path, property, offset] = /^(.*):(.*):(\d+)$/.exec(entry) ?? [];
  const node = path === undefined ? undefined : overlay.root.at(path);
  const found = node?.property(property ?? '');
  // The target of a fragment is written as its name.
  if (node?.origin !== undefined && property === 'target') return { ...problem, ...placeOf(node.origin) };
  if (found !== undefined && offset !== undefined) return { ...problem, ...placeOfCell(found, Number(offset) / 4) };
  return problem.file === undefined ? { ...problem, ...placeOf(overlay.root.children[0]?.origin) } : problem;
}

/** Where an overlay writes the node of the merged tree with this path, or what is nearest above it. */
function overlayNodeFor(overlay: DeviceTree, path = '/'): SourceOrigin | undefined {
  const names = path.split('/').filter((name) => name !== '');
  let best: SourceOrigin | undefined;
  for (const fragment of overlay.root.children) {
    const body = fragment.child('__overlay__');
    if (body === undefined) continue;
    best ??= body.origin ?? fragment.origin;
    for (let from = 0; from < names.length; from++) {
      const found = body.at(names.slice(from).join('/'));
      if (found !== undefined) return found.origin;
    }
  }
  return best;
}

/** What bindings say of the nodes that an overlay without a known base brings along, as far as they stand for themselves. */
export function judgeAlone(overlay: DeviceTree, { bindings, levels }: Law & { readonly levels: Levels }): readonly Problem[] {
  const problems: Problem[] = checkProblems(overlay, levels).filter(({ code, nodePath = '' }) => !(BASE_CHECKS.has(code) || (ADDRESS_CHECKS.has(code) && !isKnown(overlay.root.at(nodePath)?.parent))));
  for (const body of bodiesOf(overlay)) {
    for (const node of topmost(body)) {
      const root = new DtNode('');
      root.add(node.clone());
      // Nothing is known of what the node lands in: neither cells nor what it refers to.
      const failures = bindings.checkTree(deviceTree(root).root).filter((failure) => failure.node.parent !== undefined && !failure.isForgiven && KNOWABLE.has(failure.keyword) && failure.schemaId !== UNDOCUMENTED);
      problems.push(...failures.filter(({ path }) => !path.some((name) => typeof name === 'string' && TREE_CUT.test(name)))
        .flatMap((failure) => bindingProblems(failure, bindings)).map((problem) => ({ ...problem, nodePath: `${node.parent?.path ?? ''}${problem.nodePath ?? ''}`.replace(/^\/\//, '/') })));
    }
  }
  return problems;
}

/** Where the nodes of an overlay are that it brings along: in its fragments, and in its root if that is what it appends to. */
function bodiesOf({ root }: DeviceTree): readonly DtNode[] {
  const fragments = root.children.flatMap((fragment) => fragment.child('__overlay__') ?? []);
  const others = new DtNode('');
  for (const node of root.children) if (node.child('__overlay__') === undefined && !/^__\w+__$/.test(node.name)) others.add(node.clone());
  return [...fragments, others];
}

/** The nodes below one that say what they are, without those within them. */
function topmost(node: DtNode): readonly DtNode[] {
  return node.children.flatMap((child) => (child.has('compatible') ? child : topmost(child)));
}

/** True if an overlay says itself what a node of it is; without that, the base may say how wide addresses in it are. */
function isKnown(node: DtNode | undefined): boolean {
  return node?.has('compatible') === true || node?.has('#address-cells') === true;
}

/** Checks that look for what may be in the base. */
const BASE_CHECKS: ReadonlySet<string> = new Set(['alias_paths', 'chosen_node_stdout_path']);
const ADDRESS_CHECKS: ReadonlySet<string> = new Set(['unit_address_vs_reg', 'reg_format', 'ranges_format', 'dma_ranges_format', 'avoid_default_addr_size', 'interrupts_property']);

/** Keywords whose verdict does not depend on the rest of the tree. */
const KNOWABLE: ReadonlySet<string> = new Set(['required', 'additionalProperties', 'unevaluatedProperties', 'type', 'const', 'enum', 'pattern', 'dependentRequired']);
/** Properties that only the whole tree can cut. */
const TREE_CUT = /^(?:reg|ranges|dma-ranges|interrupts.*|.*-map|clocks|.*gpios?|resets|phys|dmas|power-domains|iommus|.*-supply)$/;

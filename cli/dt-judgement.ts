/**
 * What is wrong with a linked tree, in the words and at the places of the editor: the judge is the language server's, and so is the way from a cell to its text.
 * This module only makes reports of its problems, and adds what no editor tells: compatible strings that no binding documents.
 */

import { bindingProblems } from '../language-server/binding-problems';
import { checkProblems, judge, type Levels } from '../language-server/judgement';
import { placedAtCell, type Problem } from '../language-server/problem';
import { UNDOCUMENTED, type BindingSet } from '../runtime/devicetree/bindings/binding-set';
import { TreeChecker } from '../runtime/devicetree/bindings/tree-checker';
import { TreeChecks } from '../runtime/devicetree/checks/check-table';
import type { DeviceTree, DtNode } from '../runtime/devicetree/index';
import type { RmReading } from '../runtime/devicetree/rm-rules';
import type { DtReport } from './dt-report';

/** The code of compatible strings that no binding knows. */
export const UNDOCUMENTED_CODE = 'undocumented-compatible';

/** The text of a file as it was read; cells have no places of their own and are found in it. */
export type TextOf = (file: string) => string | undefined;

/** What a tree is judged by. */
export interface TreeLaw {
  readonly bindings: BindingSet;
  readonly levels: Levels;
  readonly reading: RmReading | undefined;
}

/** What dtc's checks, bindings and RM's rules object to in a tree that stands for itself, in the order of the places. */
export function treeReports(tree: DeviceTree, { bindings, levels, reading }: TreeLaw, textOf: TextOf): readonly DtReport[] {
  const problems = [...checkProblems(tree, levels), ...judge(tree, { bindings, reading, checker: new TreeChecker(bindings), checks: new TreeChecks() })];
  return problems.map((problem) => reportOf(placedAtCell(problem, textOf(problem.file ?? '')), bindings)).sort(byPlace);
}

/** A warning at each compatible string that no binding documents. */
export function undocumentedReports(bindings: BindingSet, root: DtNode): readonly DtReport[] {
  const unknown = bindings.checkTree(root).filter(({ schemaId }) => schemaId === UNDOCUMENTED);
  return unknown.flatMap((failure) => bindingProblems({ ...failure, keyword: 'const' }, bindings).map((problem) => ({
    ...reportOf(problem, bindings), severity: 'warning', code: UNDOCUMENTED_CODE, message: `${failure.node.path}: No binding documents the compatible string "${String(failure.value)}".`,
  })));
}

/** A problem as the command line tells it: with the binding behind the words. */
export function reportOf({ severity, code, message, file, line, column, length, nodePath, binding }: Problem, bindings: BindingSet): DtReport {
  const id = binding === undefined ? undefined : idOf(bindings, binding);
  return {
    severity, code, message: id === undefined ? message : `${message} (${id}, ${binding ?? ''})`,
    ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }), ...(length === undefined ? {} : { length }),
    ...(nodePath === undefined ? {} : { node: nodePath }), ...(id === undefined ? {} : { binding: { id, file: binding } }),
  };
}

function idOf({ paths }: BindingSet, path: string): string | undefined {
  for (const [id, one] of paths) if (one === path) return id;
  return undefined;
}

/** Orders reports as a reader meets them. */
function byPlace(a: DtReport, b: DtReport): number {
  const [one, other] = [a.file ?? '', b.file ?? ''];
  if (one !== other) return one < other ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

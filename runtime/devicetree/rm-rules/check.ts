/**
 * Checks the device tree of a VM by RM's rules. What is found speaks for one generation of RM; whether RM goes on or refuses is in the rule.
 */

import type { DtDiagnostic } from '../source';
import type { DtNode } from '../tree';
import { CONFIG_CHECKS } from './check-config';
import { TREE_CHECKS } from './check-tree';
import { VDEVICE_CHECKS } from './check-vdevices';
import { RmCheck, type RmFinding, type RuleCheck } from './finding';
import type { RmGeneration } from './generation';
import { RM_RULES, rmRule, type RmRefusal, type RmRuleId } from './rule-rows';
import { VmTree, type RmReading } from './vm-tree';

const CHECKS: Readonly<Record<RmRuleId, RuleCheck>> = { ...TREE_CHECKS, ...CONFIG_CHECKS, ...VDEVICE_CHECKS };

/** Names of all rules, in the order of the table. */
export const RM_RULE_IDS: readonly RmRuleId[] = Object.keys(RM_RULES).filter((name): name is RmRuleId => Object.hasOwn(RM_RULES, name));

/** True if a tree configures a VM, so that RM's rules say something about it. Of an overlay they say nothing: what it lands on counts too. */
export function isVmTree(root: DtNode): boolean {
  if (root.children.some((child) => child.child('__overlay__') !== undefined)) return false;
  return root.child('gunyah-vm-config') !== undefined || root.child('qcom,vm-config') !== undefined;
}

/** All violations in a tree, in the order of the rules. The second argument is a generation, or also says whether the VM is trusted. */
export function checkVmConfig(root: DtNode, how: RmGeneration | RmReading): readonly RmFinding[] {
  const reading: RmReading = typeof how === 'string' ? { generation: how, trust: 'unknown' } : how;
  return checkVmTree(new VmTree(root, reading));
}

/** The same for a tree that has been walked. */
export function checkVmTree(tree: VmTree): readonly RmFinding[] {
  const check = new RmCheck(tree);
  for (const id of RM_RULE_IDS) if ((rmRule(id).onlyIn ?? tree.generation) === tree.generation) check.run(id, CHECKS[id]);
  return check.findings;
}

const ORDER: readonly RmRefusal[] = ['MEM_INVALID', 'ARGUMENT_INVALID', 'NORESOURCE'];

/** What RM answers to VM_INIT, by the first of its steps that fails; `undefined` if it goes on. */
export function initRefusal(findings: readonly RmFinding[]): 'MEM_INVALID' | 'ARGUMENT_INVALID' | 'NORESOURCE' | undefined {
  const found = ORDER.find((refusal) => findings.some(({ rule }) => rmRule(rule).refusal === refusal));
  return found === 'start' || found === 'editor' ? undefined : found;
}

/** A finding as a diagnostic, at the guilty property or else the node; its code is the rule behind `vm-config-`. */
export function rmDiagnostic({ rule, severity, node, property, message }: RmFinding): DtDiagnostic & { readonly node: DtNode; readonly property?: string } {
  const { file, line, column, length } = (property === undefined ? undefined : node.property(property)?.origin) ?? node.origin ?? {};
  return {
    severity, code: `vm-config-${rule}`, message: node.parent === undefined ? message : `${node.path}: ${message}`, node,
    ...(property === undefined ? {} : { property }),
    ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }), ...(length === undefined ? {} : { length }),
  };
}

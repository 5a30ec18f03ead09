/** What a check of RM's rules sees, and where it says what it found. */

import type { DtNode } from '../tree';
import { severityOf, type RmRuleId } from './rule-rows';
import type { VmTree } from './vm-tree';

/** A violation of one of RM's rules. */
export interface RmFinding {
  readonly rule: RmRuleId;
  readonly severity: 'error' | 'warning' | 'information';
  readonly node: DtNode;
  /** The property concerned, if it is about one. */
  readonly property?: string;
  /** What is wrong, and what RM does about it, without the node's path. */
  readonly message: string;
}

/** Findings as the checks collect them. */
export class RmCheck {
  readonly tree: VmTree;
  readonly findings: RmFinding[] = [];
  private rule: RmRuleId = 'missing';

  constructor(tree: VmTree) {
    this.tree = tree;
  }

  /** Runs the check of one rule. */
  run(rule: RmRuleId, work: (check: RmCheck) => void): void {
    this.rule = rule;
    work(this);
  }

  /** Records a violation of the rule that is being checked. */
  report(node: DtNode, message: string, property?: string): void {
    this.findings.push({ rule: this.rule, severity: this.severity(), node, message, ...(property === undefined ? {} : { property }) });
  }

  /** Whether a VM is trusted is not known in an editor: then what only trusted VMs may have is worth a remark. */
  private severity(): RmFinding['severity'] {
    const isAboutTrust = this.rule === 'trusted-only' || this.rule === 'trusted-ranges' || this.rule === 'sched-priority' || this.rule === 'gic-frames';
    return isAboutTrust && this.tree.trust === 'unknown' ? 'information' : severityOf(this.rule);
  }
}

/** The check of one rule. */
export type RuleCheck = (check: RmCheck) => void;

/**
 * Checks a tree again and again as it changes. The verdict on a node depends on the node with all below it, on whether it is switched off from
 * above, and on what other nodes say about reading values; where all of that is as before (`decode.ts` knows), so is the verdict.
 */

import type { DtNode } from '../tree';
import type { BindingFailure, BindingSet } from './binding-set';
import { TreeDecoder } from './decode';
import { NodeInstance } from './instance';

interface Verdict {
  readonly disabled: boolean;
  readonly failures: readonly BindingFailure[];
}

/** The verdicts on a node and all below it. */
interface Branch {
  readonly inherited: boolean;
  readonly failures: readonly BindingFailure[];
}

/** Checks linked trees that follow each other. */
export class TreeChecker {
  private readonly bindings: BindingSet;
  private readonly decoder: TreeDecoder;
  private readonly verdicts = new WeakMap<NodeInstance, Verdict>();
  private readonly branches = new WeakMap<NodeInstance, Branch>();

  constructor(bindings: BindingSet) {
    this.bindings = bindings;
    this.decoder = new TreeDecoder(bindings.types);
  }

  /** All failures, as `BindingSet.checkTree` finds them, but for compatible strings that nobody documents. */
  check(root: DtNode): readonly BindingFailure[] {
    const failures: BindingFailure[] = [];
    this.visit(this.decoder.decode(root), false, failures);
    return failures;
  }

  private visit(instance: NodeInstance, inherited: boolean, failures: BindingFailure[]): void {
    const known = instance.isWhole ? this.branches.get(instance) : undefined;
    if (known?.inherited === inherited) {
      for (const failure of known.failures) failures.push(failure);
      return;
    }
    const { length } = failures;
    this.visitAnew(instance, inherited, failures);
    if (instance.children.length > 0) this.branches.set(instance, failures.length === length ? (inherited ? NOTHING_SWITCHED_OFF : NOTHING) : { inherited, failures: failures.slice(length) });
  }

  private visitAnew(instance: NodeInstance, inherited: boolean, failures: BindingFailure[]): void {
    const { node, members, isWhole } = instance;
    const disabled = members.has('status') ? instance.disabled : inherited;
    let verdict = instance.isAsBefore ? this.verdicts.get(instance) : undefined;
    if (verdict?.disabled !== disabled) this.verdicts.set(instance, verdict = { disabled, failures: this.bindings.checkNode(instance, disabled) });
    // The node may be the same and yet another object; the failures are about the one that is there now.
    for (const failure of verdict.failures) failures.push(failure.node === node ? failure : { ...failure, node });
    instance.children.forEach((child) => {
      if (isWhole) child.isAsBefore = child.isWhole = true;
      this.visit(child, disabled, failures);
    });
  }
}

const NOTHING: Branch = { inherited: false, failures: [] };
const NOTHING_SWITCHED_OFF: Branch = { inherited: true, failures: [] };

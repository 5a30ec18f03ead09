/** What RM will add to the device tree of a VM, by RM's own code. */

import { posix } from 'node:path';
import { previewOverlay } from '../../runtime/resource-manager/overlay-preview';
import { uriOfPath } from '../files';
import type { RmOverlay } from '../protocol';
import { problemsOf, type TreeSource } from '../tree-source';
import { appliedTo, printed } from './convert';

/** RM's overlay for the VM that the root of a document configures; an overlay counts by the tree that it makes of its base. */
export function rmOverlay(sources: TreeSource, uri: string, trust: 'trusted' | 'untrusted'): RmOverlay | null {
  const analysis = sources.analysis(uri);
  if (analysis === undefined) return null;
  const base = analysis.tree.plugin ? sources.workspace.baseOf(analysis) : undefined;
  const applied = base === undefined ? undefined : appliedTo(base, analysis);
  const { overlay, diagnostics, assumptions } = previewOverlay((applied ?? analysis.linked).root, trust);
  const reading = base === undefined ? [] : [applied === undefined ? `The overlay cannot be applied to ${posix.basename(base.root)}, so RM is shown the overlay alone.` : `RM is shown ${posix.basename(base.root)} with the overlay applied.`];
  const reports = diagnostics.map(({ severity, code, message }) => ({ severity: severity === 'error' ? 'error' as const : 'warning' as const, code, message }));
  const text = overlay === undefined ? { text: '', files: [], origins: [] } : printed(overlay);
  return { ...text, problems: problemsOf(analysis), root: uriOfPath(analysis.root), reports, assumptions: [...reading, ...assumptions], base: base === undefined ? null : uriOfPath(base.root) };
}

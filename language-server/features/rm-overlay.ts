/** What RM will add to the device tree of a VM, by RM's own code. */

import { previewOverlay } from '../../runtime/resource-manager/overlay-preview';
import { uriOfPath } from '../files';
import type { RmOverlay } from '../protocol';
import { problemsOf, type TreeSource } from '../tree-source';
import { printed } from './convert';

/** RM's overlay for the VM that the root of a document configures. */
export function rmOverlay(sources: TreeSource, uri: string, trust: 'trusted' | 'untrusted'): RmOverlay | null {
  const analysis = sources.analysis(uri);
  if (analysis === undefined) return null;
  const { overlay, diagnostics, assumptions } = previewOverlay(analysis.linked.root, trust);
  const reports = diagnostics.map(({ severity, code, message }) => ({ severity: severity === 'error' ? 'error' as const : 'warning' as const, code, message }));
  const text = overlay === undefined ? { text: '', files: [], origins: [] } : printed(overlay);
  return { ...text, problems: problemsOf(analysis), root: uriOfPath(analysis.root), reports, assumptions };
}

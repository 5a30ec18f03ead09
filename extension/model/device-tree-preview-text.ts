/** Text of the previews that is not the server's own: the overlay's heading, and an overlay made of what differs from a running VM's tree. No editor in here. */

import type { RmOverlay, TreeDifference } from '../../language-server/protocol';

/** RM's overlay under a heading that says what it is worth. */
export function overlayText({ text, reports, assumptions }: Pick<RmOverlay, 'text' | 'reports' | 'assumptions'>): string {
  const said = reports.map(({ severity, message }) => `// ${severity}: ${message}`);
  const heading = text === '' ? ['// The Resource Manager would not start this VM.', ...said] : [...assumptions.map((assumption) => `// ${assumption}`), ...said];
  return `${heading.join('\n')}\n\n${text}`;
}

/** What the Resource Manager put into a running VM's tree, as an overlay with the real capability ids. */
export function liveOverlayText(vm: string, file: string, differences: readonly TreeDifference[]): string {
  const byNode = new Map<string, string[]>();
  for (const { kind, path, property, right } of differences) {
    if (kind === 'removed' || right === null) continue;
    const at = property === null ? path.slice(0, path.lastIndexOf('/')) || '/' : path;
    byNode.set(at, [...(byNode.get(at) ?? []), right.trim()]);
  }
  const fragments = [...byNode].map(([path, blocks]) => `&{${path}} {\n${blocks.join('\n\n').replace(/^(?=.)/gm, '\t')}\n};\n`);
  return [`// What ${vm} was given beyond ${file}, with the capability ids of the running session.\n/dts-v1/;\n/plugin/;\n`, ...fragments].join('\n');
}

/** Differences of two trees for reading. */
export function comparisonText(left: string, right: string, differences: readonly TreeDifference[]): string {
  const heading = `// ${left} → ${right}: ${differences.length === 0 ? 'no difference in meaning' : `${differences.length} ${differences.length === 1 ? 'difference' : 'differences'}`}\n`;
  return heading + differences.map((difference) => `\n// ${difference.kind}: ${difference.path}${difference.property === null ? '' : ` ${difference.property}`}\n${sides(difference)}`).join('');
}

function sides({ left, right }: TreeDifference): string {
  const marked = (text: string | null, mark: string): string => (text === null ? '' : `${text.trim().replace(/^/gm, `${mark} `)}\n`);
  return marked(left, '-') + marked(right, '+');
}

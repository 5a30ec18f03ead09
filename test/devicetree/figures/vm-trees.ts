/**
 * Trees of VMs in all dialects, ours and those in the forms of phone vendors (`../vm-trees`): what one missing token does to them, and that a folder of
 * them opens without an error.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileDts, type DtsFiles } from '../../../runtime/devicetree/index';
import { RM_GENERATIONS } from '../../../runtime/devicetree/rm-rules';
import { tokenize } from '../../../runtime/devicetree/syntax/tokens';
import { parseSyntax, type SyntaxNode } from '../../../runtime/devicetree/syntax/tree';
import { withClient } from '../../language-server/client';
import { SENSOR_DTS, vmTree } from '../../resource-manager/trees';
import { ratio, share, type Figure } from './figure';

const TREES = join(__dirname, '..', 'vm-trees');
const SAMPLES = join(__dirname, '..', '..', '..', 'extension', 'samples');
/** Share of cases with few errors near by, and of nodes that an outline keeps. */
const BAR = 0.95;
const ERRORS_MAX = 2;
const LINES_MAX = 2;

/** A file of a tree, and the root that it is compiled through. */
interface Subject {
  readonly name: string;
  readonly root: string;
  readonly texts: ReadonlyMap<string, string>;
}

function subjectsIn(folder: string, include: (name: string) => boolean): readonly Subject[] {
  const texts = new Map(readdirSync(folder).filter((name) => /\.(dts|dtsi|h)$/.test(name)).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  return [...texts.keys()].filter((name) => name.endsWith('.dts') && include(name)).map((name) => ({ name, root: name, texts }));
}

function subjects(): readonly Subject[] {
  const vendors = subjectsIn(TREES, () => true);
  const shared = vendors.filter(({ name }) => name === 'oem-vm.dts').map((subject) => ({ ...subject, name: 'vm-common.dtsi' }));
  const ours = Object.entries({ 'plain.dts': vmTree({}), 'channels.dts': SENSOR_DTS }).map(([name, text]) => ({ name, root: name, texts: new Map([[name, text]]) }));
  return [...subjectsIn(join(SAMPLES, 'two-vms'), () => true), ...subjectsIn(join(SAMPLES, 'console-loopback'), () => true), ...ours, ...vendors, ...shared];
}

interface Outcome { cases: number; calm: number; nodes: number; kept: number; readonly wild: string[] }

/** Nodes by their names, from the text alone. */
function names(node: SyntaxNode): readonly string[] {
  return node.children.flatMap((child) => (child.kind === 'node' ? [child.name?.text ?? '/', ...names(child)] : names(child)));
}

/** How many of some names are still there. */
function keptOf(before: readonly string[], after: readonly string[]): number {
  const left = [...after];
  return before.filter((name) => {
    const index = left.indexOf(name);
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  }).length;
}

/** Deletes every `step`th token of a file in turn. */
function damage({ name, root, texts }: Subject, step: number, outcome: Outcome): void {
  const text = texts.get(name) ?? '';
  const errorsOf = (source: string): ReturnType<typeof compileDts>['diagnostics'] => {
    const files: DtsFiles = { readText: (path) => (path === name ? source : texts.get(path)) };
    return compileDts(files.readText(root) ?? '', { file: root, files }).diagnostics.filter(({ severity }) => severity === 'error');
  };
  const [problem] = errorsOf(text);
  if (problem !== undefined) throw new Error(`${name}: ${problem.message}`);
  const outline = names(parseSyntax(text).root);
  for (const token of tokenize(text).filter(({ kind }) => kind !== 'comment').filter((_, index) => index % step === 0)) {
    const damaged = text.slice(0, token.start) + text.slice(token.end);
    const line = text.slice(0, token.start).split('\n').length;
    const errors = errorsOf(damaged);
    outcome.cases++;
    const isCalm = errors.length <= ERRORS_MAX && errors.every((error) => error.line !== undefined && (error.file ?? name) === name && Math.abs(error.line - line) <= LINES_MAX);
    if (isCalm) outcome.calm++;
    else outcome.wild.push(`${name}:${String(line)} without ${text.slice(token.start, token.end).split('\n')[0] ?? ''}: ${String(errors.length)} errors`);
    outcome.nodes += outline.length;
    outcome.kept += keptOf(outline, names(parseSyntax(damaged).root));
  }
}

/** What a missing token does. */
export function damageFigures(step: number): readonly Figure[] {
  const outcome: Outcome = { cases: 0, calm: 0, nodes: 0, kept: 0, wild: [] };
  for (const subject of subjects()) damage(subject, step, outcome);
  const { cases, calm, nodes, kept, wild } = outcome;
  return [
    { what: 'one token missing in trees of VMs: at most two errors, within two lines', bar: '95 %', seen: share(calm, cases), misses: calm >= BAR * cases ? [] : wild },
    { what: 'the same, nodes that the outline keeps', bar: '95 %', seen: share(kept, nodes), misses: kept >= BAR * nodes ? [] : ['too few'] },
  ];
}

const ERROR = 1;

/** A folder of trees in the forms of vendors, opened in the language server file by file, for each generation of RM and form of the hypervisor node. */
export async function vendorFigures(): Promise<readonly Figure[]> {
  const files = Object.fromEntries(readdirSync(TREES).map((name) => [name, readFileSync(join(TREES, name), 'utf8')]));
  const trees = Object.keys(files).filter((name) => /\.dtsi?$/.test(name));
  const errors: string[] = [];
  let clean = 0;
  for (const rmGeneration of Object.keys(RM_GENERATIONS)) {
    await withClient(files, async (client) => {
      for (const name of trees) {
        await client.open(name, files[name] ?? '');
        await client.diagnostics(name);
      }
      for (const name of trees) {
        const found = (client.published.get(name)?.diagnostics ?? []).filter(({ severity }) => severity === ERROR);
        errors.push(...found.map(({ range, code, message }) => `${rmGeneration}: ${name}:${String(range.start.line + 1)} ${String(code)}: ${message}`));
        if (found.length === 0) clean++;
      }
    }, { settings: { rmGeneration } });
  }
  return [{ what: 'trees in the forms of phone vendors, for each generation of RM, without a false error', bar: 'all', seen: ratio(clean, trees.length * Object.keys(RM_GENERATIONS).length), misses: errors }];
}

/**
 * What the device tree of one root file is: parsed, linked and checked over all its files, and kept until one of them changes. Files that
 * no root includes are read alone; then only their own syntax is judged. Knows nothing of the protocol.
 */

import { TreeChecks, type CheckLevel } from '../runtime/devicetree/checks/check-table';
import { DtsReader, parseDts } from '../runtime/devicetree/dts-parser';
import { linkTree, TreeLinker } from '../runtime/devicetree/link';
import type { DtsFiles } from '../runtime/devicetree/preprocessor';
import { hasErrors, type DtDiagnostic, type SourceOrigin } from '../runtime/devicetree/source';
import { TreeChecker } from '../runtime/devicetree/bindings/tree-checker';
import { parseSyntax, syntaxPathAt, type SyntaxNode, type SyntaxTree } from '../runtime/devicetree/syntax/tree';
import type { DeviceTree, DtNode } from '../runtime/devicetree/tree';
import type { RmGeneration, RmReading } from '../runtime/devicetree/rm-rules';
import type { BindingStore, HypervisorForm } from './binding-store';
import { appendedText, isAppended, statedBaseRange } from './contexts';
import { checkProblems, judge, judgeAlone, judgeApplied, type Judged, type Law } from './judgement';
import { keyOf, placedAtCell, placeOf, type Problem } from './problem';
import { offsetsOf } from './positions';

/** What an analysis depends on besides files. */
export interface AnalysisSettings {
  readonly includePaths: readonly string[];
  readonly defines: Readonly<Record<string, string>>;
  /** Levels of dtc's checks that differ from dtc's own. */
  readonly checks: Readonly<Record<string, CheckLevel>>;
  readonly bindings: readonly string[];
  readonly hypervisorNode: HypervisorForm;
  /** For whom VM configurations are; nothing: RM's rules are left out. */
  readonly rmGeneration: RmGeneration | RmReading | undefined;
}

/** What an analysis asks of its surroundings. */
export interface Surroundings {
  readonly bindings: Pick<BindingStore, 'setFor'>;
  /** The base that an overlay is for, if it is known. */
  readonly baseOf: (overlay: Pick<Analysis, 'root' | 'textOf'>) => Analysis | undefined;
  /** Folders in which what a root includes is looked for. */
  readonly includePathsFor: (root: string) => readonly string[];
}

/** The meaning of a root file. */
export interface Analysis {
  readonly root: string;
  /** Paths of all files that were read, the root first; without those of what the root is appended to. */
  readonly files: readonly string[];
  /** The tree that the root is appended to, which `tree` begins with. */
  readonly appendedTo: Analysis | undefined;
  /** The merged tree; references keep their names. */
  readonly tree: DeviceTree;
  /** The same with every reference resolved, as a blob has it. */
  readonly linked: DeviceTree;
  /** The tree that problems name nodes of: of an overlay with a base, what both come to. */
  readonly judged: DeviceTree;
  /** What compiling would report. */
  readonly compileProblems: readonly DtDiagnostic[];
  /** What is shown: the problems of compiling, and what checks, bindings and RM's rules found. */
  readonly diagnostics: readonly Problem[];
  /** The bindings that it was judged by. */
  readonly law: Law;
  /** The text of a file as the analysis saw it. */
  textOf(path: string): string | undefined;
  /** The structure of a file as the analysis saw it. */
  syntaxOf(path: string): SyntaxTree | undefined;
}

/** Problems that no including file can mend. */
const SYNTAX_CODES = new Set(['dts-syntax', 'dts-missing-semicolon', 'dts-missing-equals', 'dts-missing-comma', 'dts-unterminated', 'dts-bad-number', 'dts-bad-character', 'dts-bad-byte', 'dts-bad-bits', 'dts-out-of-range', 'cpp-unbalanced', 'cpp-bad-directive', 'cpp-macro-unterminated']);

/** True for a file that stands for itself and is not only included by others. Its name decides: many included files say /dts-v1/ too. */
export function isRootFile(path: string): boolean {
  return !/\.(dtsi|h)$/.test(path);
}

/** Remembers every file that was asked for, also those that are not there. */
class Recorder implements DtsFiles {
  readonly seen = new Map<string, string | undefined>();
  private readonly files: DtsFiles;

  constructor(files: DtsFiles) {
    this.files = files;
  }

  readText(path: string): string | undefined {
    if (this.seen.has(path)) return this.seen.get(path);
    const text = this.files.readText(path);
    this.seen.set(path, text);
    return text;
  }

  readBytes(path: string): Uint8Array | undefined {
    return this.files.readBytes?.(path);
  }
}

/** Roots that are kept although no open document needs them. */
const OTHERS_KEPT = 4;

/** Analyses by root file. */
export class Analyses {
  private readonly files: DtsFiles;
  private readonly surroundings: Surroundings;
  private readonly underway = new Set<string>();
  private readonly kept = new Map<string, { readonly analysis: Analysis; readonly seen: ReadonlyMap<string, string | undefined>; readonly settings: string; readonly reader: DtsReader; readonly linker: TreeLinker; readonly base: Analysis | undefined }>();

  constructor(files: DtsFiles, surroundings: Surroundings) {
    this.files = files;
    this.surroundings = surroundings;
  }

  /** The analysis of a root file as all files are now; `undefined` if the file itself is not there. */
  of(root: string, settings: AnalysisSettings): Analysis | undefined {
    // Overlays that name each other as base have none.
    if (this.underway.has(root)) return undefined;
    this.underway.add(root);
    try {
      return this.analysed(root, settings);
    } finally {
      this.underway.delete(root);
    }
  }

  private analysed(root: string, settings: AnalysisSettings): Analysis | undefined {
    const known = this.kept.get(root);
    const key = JSON.stringify(settings);
    const bindings = this.surroundings.bindings.setFor(settings.hypervisorNode, settings.bindings);
    const checker = known?.analysis.law.bindings === bindings ? known.analysis.law.checker : new TreeChecker(bindings);
    const law: Law = { bindings, checker, checks: known?.analysis.law.checks ?? new TreeChecks(), reading: settings.rmGeneration };
    const isSame = known?.settings === key && known.analysis.law.bindings === bindings && [...known.seen].every(([path, text]) => this.files.readText(path) === text);
    if (isSame && (!(known.analysis.tree.plugin || isAppended(root, known.seen.get(root) ?? '')) || known.base === this.surroundings.baseOf(known.analysis))) return known.analysis;
    const text = this.files.readText(root);
    if (text === undefined) return undefined;
    const recorder = new Recorder(this.files);
    recorder.readText(root);
    const { reader, linker } = known ?? { reader: new DtsReader(), linker: new TreeLinker() };
    const { analysis, base } = this.made({ root, text, reader, linker }, recorder, { ...settings, law });
    this.kept.delete(root);
    this.kept.set(root, { analysis, seen: recorder.seen, settings: key, reader, linker, base });
    return analysis;
  }

  private made(source: Omit<Root, 'base'>, recorder: Recorder, settings: Given): { readonly analysis: Analysis; readonly base: Analysis | undefined } {
    const { root, text } = source;
    if (!isRootFile(root)) return { analysis: analyseAlone(root, text, recorder, settings), base: undefined };
    if (!isAppended(root, text)) return this.onBase(source, recorder, settings);
    const base = this.surroundings.baseOf({ root, textOf: (path) => (path === root ? text : undefined) });
    return { analysis: base === undefined ? analyse({ ...source, base }, recorder, settings) : analyseAppended({ ...source, base }, recorder, { ...settings, includePaths: [...new Set([...settings.includePaths, ...this.surroundings.includePathsFor(base.root)])] }), base };
  }

  /** Analyses a tree, or an overlay on its base. That a tree is an overlay may be said by what it includes: then it is analysed twice, for looking for a base first would cost all trees. */
  private onBase(source: Omit<Root, 'base'>, recorder: Recorder, settings: Given): { readonly analysis: Analysis; readonly base: Analysis | undefined } {
    const { root, text } = source;
    const find = (): Analysis | undefined => this.surroundings.baseOf({ root, textOf: (path) => (path === root ? text : undefined) });
    const stated = text.includes('/plugin/') ? find() : undefined;
    const analysis = analyse({ ...source, base: stated }, recorder, settings);
    const base = !analysis.tree.plugin || text.includes('/plugin/') ? stated : find();
    return { analysis: base === stated ? analysis : analyse({ ...source, base }, recorder, settings), base };
  }

  /** Forgets all roots but these and the few others that were asked for last. */
  keepOnly(roots: ReadonlySet<string>): void {
    const others = [...this.kept.keys()].filter((root) => !roots.has(root));
    for (const root of others.slice(0, Math.max(0, others.length - OTHERS_KEPT))) this.kept.delete(root);
  }
}

interface Given extends AnalysisSettings {
  readonly law: Law;
}

interface Root {
  readonly root: string;
  readonly text: string;
  readonly reader: DtsReader;
  readonly linker: TreeLinker;
  /** Of an overlay, what it is for. */
  readonly base: Analysis | undefined;
}

function analyse({ root, text, reader, linker, base }: Root, files: Recorder, settings: Given): Analysis {
  const parsed = reader.read(text, { ...settings, file: root, files, isAppended: isAppended(root, text) });
  const linked = linker.link(parsed.tree, { missing: parsed.missing });
  const found = [...parsed.diagnostics, ...linked.diagnostics];
  // dtc checks no tree that it could not parse; what a broken line tears apart would only be told twice.
  const { problems, tree } = hasErrors(parsed.diagnostics) ? { problems: [], tree: linked.tree } : judgeRoot(linked.tree, { root, text, base, files: parsed.files, settings });
  const failures = withoutConsequences(problems, linked.diagnostics, tree).map((problem) => placedAtCell(problem, files.seen.get(problem.file ?? '')));
  return new FileAnalysis(root, files, { files: parsed.files, tree: parsed.tree, linked: linked.tree, judged: tree, compileProblems: found, diagnostics: [...found, ...failures], law: settings.law });
}

/** Checks that go where references lead. */
const FOLLOWS_REFERENCES = /_property$|^graph_/;

/** What is wrong besides references that find nothing: what stands behind these is not judged. */
function withoutConsequences(problems: readonly Problem[], linking: readonly DtDiagnostic[], tree: DeviceTree): readonly Problem[] {
  const keyAt = ({ file = '', line = 0, column = 0 }: Partial<SourceOrigin>): string => `${file}:${String(line)}:${String(column)}`;
  const lost = new Set(linking.filter(({ code }) => code === 'dts-reference-not-found').map(keyAt));
  if (lost.size === 0) return problems;
  return problems.filter(({ code, nodePath = '', about }) => {
    if (!FOLLOWS_REFERENCES.test(code)) return true;
    const property = about === undefined ? undefined : tree.root.at(nodePath)?.property(about);
    return property?.value.some(({ references }) => references.some(({ origin }) => origin !== undefined && lost.has(keyAt(origin)))) !== true;
  });
}

/** A file with the tree that it is appended to, read as the build does: one behind the other, with the macros of both. Told is what the base alone has not. */
function analyseAppended({ root, text, reader, linker, base }: Root & { readonly base: Analysis }, files: Recorder, settings: Given): Analysis {
  const folder = root.slice(0, root.lastIndexOf('/') + 1);
  const wrapper = `${folder}<${root.slice(folder.length)} and its base>`;
  const parsed = reader.read(appendedText(base.root, root), { ...settings, file: wrapper, files });
  const linked = linker.link(parsed.tree, { missing: parsed.missing });
  const found: readonly Problem[] = [...parsed.diagnostics, ...linked.diagnostics];
  const judged = hasErrors(parsed.diagnostics) ? [] : withoutConsequences(judgeRoot(linked.tree, { root, text: '', base: undefined, files: parsed.files, settings }).problems, linked.diagnostics, linked.tree);
  const own = new Set(parsed.files.filter((file) => file !== wrapper && !base.files.includes(file)));
  const known = new Set(base.diagnostics.map(keyOf));
  const all = [...found, ...judged].flatMap((problem) => {
    const placed = placedAtCell(problem, files.seen.get(problem.file ?? ''));
    if (own.has(placed.file ?? '')) return placed.code === 'dts-reference-not-found' ? { ...placed, message: placed.message.replace(', or add /plugin/; if another tree has it', '') } : placed;
    return known.has(keyOf(placed)) ? [] : { ...placed, ...placeInPart(placed, linked.tree, own, { root, text }) };
  });
  return new FileAnalysis(root, files, {
    files: [root, ...[...own].filter((file) => file !== root)], appendedTo: base, tree: parsed.tree, linked: linked.tree, judged: linked.tree, compileProblems: found, diagnostics: all, law: settings.law,
  });
}

/** Where the appended file writes what a problem of its base is about, or what is nearest above that; else its beginning. */
function placeInPart({ nodePath, message }: Problem, tree: DeviceTree, own: ReadonlySet<string>, { root, text }: Pick<Root, 'root' | 'text'>): ReturnType<typeof placeOf> {
  for (let node = nodePath === undefined ? undefined : tree.root.at(nodePath); node !== undefined; node = node.parent) {
    const origin = [node.origin, ...node.properties.map((property) => property.origin)].find((one) => one !== undefined && own.has(one.file));
    if (origin !== undefined) return placeOf(origin);
  }
  // What a deletion leaves without a target is told at the deletion.
  const deletion = [...text.matchAll(/\/delete-node\/\s*&\{?([\w/,.+@-]+)\}?/g)].find(([, name = '']) => message.includes(` ${name} `));
  if (deletion === undefined) return { file: root, line: 1, column: 1, length: 0 };
  const lines = text.slice(0, deletion.index).split('\n');
  return { file: root, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, length: deletion[0].length };
}

function judgeRoot(tree: DeviceTree, { root, text, base, files, settings }: Pick<Root, 'root' | 'text' | 'base'> & { readonly files: readonly string[]; readonly settings: Given }): Judged {
  const law = { ...settings.law, levels: settings.checks };
  if (!tree.plugin) return { problems: [...checkProblems(tree, settings.checks, law.checks), ...judge(tree, law)], tree };
  if (base === undefined) return { problems: [...judgeAlone(tree, law), withoutBase(root, text)], tree };
  return judgeApplied(tree, linkTree(base.tree, { symbols: true }).tree, { ...law, files: new Set(files) });
}

/** The one hint that an overlay is only half checked; a warning where a comment names a base that is not there. */
function withoutBase(root: string, text: string): Problem {
  const stated = statedBaseRange(root, text);
  if (stated === undefined) {
    return {
      severity: 'hint', code: 'overlay-without-base', file: root, line: 1, column: 1, length: 0,
      message: 'The base of this overlay is not known, so only what it says itself is checked. Name it in a comment: // dts-context: base.dts',
    };
  }
  const lines = text.slice(0, stated.start).split('\n');
  return {
    severity: 'warning', code: 'overlay-without-base', file: root, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, length: stated.end - stated.start,
    message: `The base ${text.slice(stated.start, stated.end)} is not found, so only what the overlay says itself is checked. The name is relative to the folder of this file.`,
  };
}

/** A file that nobody includes: wrapped into a root, so that its own text is read in full. */
function analyseAlone(root: string, text: string, files: Recorder, settings: Given): Analysis {
  const folder = root.slice(0, root.lastIndexOf('/') + 1);
  const name = root.slice(folder.length);
  const include = `#include "${name}"\n`;
  const syntax = parseSyntax(text);
  const wrapped = standsInsideNode(syntax) ? `/dts-v1/; / {\n${include}};\n` : `/dts-v1/;\n${include}/ { };\n`;
  const wrapper = `${folder}<includes ${name}>`;
  const parsed = parseDts(wrapped, { ...settings, file: wrapper, files });
  const own = parsed.diagnostics.filter((diagnostic) => diagnostic.file === root && SYNTAX_CODES.has(diagnostic.code) && !mayBeMacro(syntax, diagnostic));
  const linked = linkTree(parsed.tree).tree;
  return new FileAnalysis(root, files, { files: [root, ...parsed.files.filter((file) => file !== wrapper && file !== root)], tree: parsed.tree, linked, judged: linked, compileProblems: parsed.diagnostics, diagnostics: own, law: settings.law });
}

/** True if a file holds properties or named nodes outside any node, so it is meant to be included within one. */
function standsInsideNode(syntax: SyntaxTree): boolean {
  const { children } = syntax.root;
  const isTop = children.some(({ kind, name }) => (kind === 'node' && name?.kind !== 'name') || name?.text === '/dts-v1/' || name?.text === '/plugin/');
  return !isTop && children.some(({ kind, name }) => kind === 'property' || (kind === 'node' && name?.kind === 'name'));
}

/** True if a macro that the including file defines may make sense of the statement. */
function mayBeMacro(syntax: SyntaxTree, diagnostic: DtDiagnostic): boolean {
  if (!diagnostic.code.startsWith('dts-')) return false;
  const { start } = offsetsOf(syntax.text, diagnostic);
  const inner = syntaxPathAt(syntax, start).at(-1);
  return inner !== undefined && inner.children.length === 0 && looksLikeMacro(syntax, inner);
}

function looksLikeMacro(syntax: SyntaxTree, node: SyntaxNode): boolean {
  if (node.kind === 'macro') return true;
  return syntax.tokens.slice(node.from, node.to).some(({ kind, text }) => kind === 'identifier' || (kind === 'name' && node.kind === 'property' && node.equals === undefined && /^[A-Z_]\w*$/.test(text)));
}

class FileAnalysis implements Analysis {
  readonly root: string;
  readonly files: readonly string[];
  readonly appendedTo: Analysis | undefined;
  readonly tree: DeviceTree;
  readonly linked: DeviceTree;
  readonly judged: DeviceTree;
  readonly compileProblems: readonly DtDiagnostic[];
  readonly diagnostics: readonly Problem[];
  readonly law: Law;
  private readonly seen: Recorder;
  private readonly syntaxes = new Map<string, SyntaxTree>();

  constructor(root: string, seen: Recorder, made: Pick<Analysis, 'files' | 'tree' | 'linked' | 'judged' | 'compileProblems' | 'diagnostics' | 'law'> & { readonly appendedTo?: Analysis }) {
    this.root = root;
    this.seen = seen;
    this.files = made.files;
    this.appendedTo = made.appendedTo;
    this.tree = made.tree;
    this.linked = made.linked;
    this.judged = made.judged;
    this.compileProblems = made.compileProblems;
    this.law = made.law;
    this.diagnostics = made.diagnostics;
  }

  textOf(path: string): string | undefined {
    return this.seen.seen.get(path);
  }

  syntaxOf(path: string): SyntaxTree | undefined {
    const text = this.textOf(path);
    if (text === undefined) return undefined;
    const known = this.syntaxes.get(path) ?? parseSyntax(text);
    this.syntaxes.set(path, known);
    return known;
  }
}

/** The node that a reference names: a label in the tree, a path, or a fragment of an overlay. */
export function nodeOfReference(tree: DeviceTree, reference: string): readonly DtNode[] {
  const name = reference.replace(/^&\{?/, '').replace(/\}$/, '');
  const slash = name.indexOf('/');
  const label = slash < 0 ? name : name.slice(0, slash);
  const starts: DtNode[] = [];
  if (label === '') starts.push(tree.root);
  else for (const node of tree.root.walk()) if (node.labels.includes(label)) starts.push(node);
  return starts.flatMap((start) => (slash < 0 ? start : (start.at(name.slice(slash)) ?? [])));
}

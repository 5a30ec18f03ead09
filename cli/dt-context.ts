/**
 * Checks files that are no whole trees where they belong: overlays on their base, what a build appends to the tree of a board behind that, included files in a tree that includes
 * them. They are found and judged as in the editor, by the same code. No whole trees: those are `dt-check.ts`'s.
 */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { posix, relative, resolve, sep } from 'node:path';
import { Analyses, isRootFile, type Analysis } from '../language-server/analysis';
import { BaseFinder } from '../language-server/bases';
import { isAppended, statedBase } from '../language-server/contexts';
import { Includers } from '../language-server/includers';
import type { Problem } from '../language-server/problem';
import type { CheckLevel } from '../runtime/devicetree/checks/check-table';
import type { BindingSet } from '../runtime/devicetree/bindings/binding-set';
import { isDtb } from '../runtime/devicetree/index';
import type { RmReading } from '../runtime/devicetree/rm-rules';
import { hostFiles, includePathsOf, STANDARD_STREAM, textOf } from './dt-files';
import { reportOf } from './dt-judgement';
import type { DtReport } from './dt-report';

/** How files are read and judged. */
export interface ContextOptions {
  readonly includes: readonly string[];
  readonly within: readonly string[] | undefined;
  readonly levels: Readonly<Record<string, CheckLevel>>;
  readonly bindings: BindingSet;
  readonly reading: RmReading | undefined;
  /** The base that the caller names for every overlay. */
  readonly base: string | undefined;
}

/** What was found wrong with a file, and the tree that it was judged in. */
export interface CheckedInContext {
  readonly reports: readonly DtReport[];
  readonly analysis: Analysis;
}

/** Largest file that is looked at to see whether it is a whole tree, in bytes. */
const LOOKED_AT_MAX = 16 * 1024 * 1024;

/** Checks files that need others around them; remembers what it read. */
export class ContextChecker {
  private readonly options: ContextOptions;
  private readonly analyses: Analyses;
  private readonly bases: BaseFinder;
  private readonly includers: Includers;
  private readonly files: ReturnType<typeof folderFiles>;
  private readonly here = slashed(resolve('.'));

  constructor(options: ContextOptions) {
    this.options = options;
    this.files = folderFiles(options);
    const includePathsFor = (root: string): readonly string[] => includePathsOf(root, options.includes.map((folder) => slashed(resolve(folder))));
    this.analyses = new Analyses(this.files, {
      bindings: { setFor: () => options.bindings }, includePathsFor,
      baseOf: ({ root, textOf: read }) => {
        const path = this.bases.baseOf(root, read(root) ?? '');
        return path === undefined || path === root ? undefined : this.analysisOf(path);
      },
    });
    const stated = options.base === undefined ? undefined : slashed(resolve(options.base));
    this.bases = new BaseFinder({ files: this.files, folders: () => [this.here], bySetting: () => stated, treeOf: (path) => this.analysisOf(path)?.tree });
    this.includers = new Includers(this.files);
  }

  /** What is wrong with a file that is no whole tree; `undefined` for every other, which stands for itself. */
  check(given: string): CheckedInContext | undefined {
    const path = slashed(resolve(given));
    const text = given === STANDARD_STREAM ? undefined : sourceAt(path);
    if (text === undefined || !(isAppended(path, text) || text.includes('/plugin/') || !isRootFile(path))) return undefined;
    const { analysis, hint } = isRootFile(path) ? { analysis: this.analysisOf(path), hint: undefined } : this.included(path, text);
    if (analysis === undefined || (analysis.root === path && text.includes('/dts-v1/') && !text.includes('/plugin/'))) return undefined;
    const found = analysis.diagnostics.filter(({ file = path }) => analysis.files.includes(file) && (isRootFile(path) || file === path));
    return { analysis, reports: [...hint ?? [], ...found].map((problem) => this.shownReport(problem, given, path)) };
  }

  /** A file that others include, in the tree that its comment names or that includes it in its folder; else alone. */
  private included(path: string, text: string): { readonly analysis: Analysis | undefined; readonly hint: readonly Problem[] } {
    const stated = statedBase(path, text) ?? (this.options.base === undefined ? undefined : slashed(resolve(this.options.base)));
    for (const root of [...(stated === undefined ? [] : [stated]), ...this.includers.rootsOf(path, undefined)]) {
      const analysis = isRootFile(root) ? this.analysisOf(root) : undefined;
      if (analysis?.files.includes(path) === true) {
        const message = `Read as part of ${posix.basename(root)}, which includes it. For another tree, name it in a comment: // dts-context: other.dts`;
        return { analysis, hint: [{ severity: 'hint', code: 'read-in-context', file: path, line: 1, column: 1, length: 0, message }] };
      }
    }
    return { analysis: this.analysisOf(path), hint: [] };
  }

  private analysisOf(path: string): Analysis | undefined {
    const { levels, reading, includes } = this.options;
    return this.analyses.of(path, {
      includePaths: includePathsOf(path, includes.map((folder) => slashed(resolve(folder)))), defines: {}, checks: levels, bindings: [], hypervisorNode: 'documented', rmGeneration: reading,
    });
  }

  private shownReport(problem: Problem, given: string, path: string): DtReport {
    const { file = path } = problem;
    return { ...reportOf(problem, this.options.bindings), file: file === path ? given : this.shown(file, given) };
  }

  /** Another file as the user would name it: relative, if the file that was given is. */
  private shown(file: string, given: string): string {
    return slashed(given).startsWith('/') || /^[A-Za-z]:/.test(given) ? file : slashed(relative('.', file));
  }
}

/** The text of a source that may need others; `undefined` for blobs and what cannot be read, which others tell. */
function sourceAt(path: string): string | undefined {
  const stats = existsSync(path) ? statSync(path, { throwIfNoEntry: false }) : undefined;
  if (stats?.isFile() !== true || stats.size > LOOKED_AT_MAX) return undefined;
  try {
    const bytes = readFileSync(path);
    return isDtb(bytes) || bytes.includes(0) ? undefined : textOf(bytes);
  } catch {
    return undefined;
  }
}

/** The disk as the search for bases and includers needs it. */
function folderFiles({ within, includes }: Pick<ContextOptions, 'within' | 'includes'>) {
  const files = hostFiles(within === undefined ? undefined : [...within, ...includes]);
  const entries = new Map<string, readonly { readonly name: string; readonly isFolder: boolean }[]>();
  const entriesOf = (folder: string): readonly { readonly name: string; readonly isFolder: boolean }[] => {
    const known = entries.get(folder);
    if (known !== undefined) return known;
    let found: readonly { readonly name: string; readonly isFolder: boolean }[] = [];
    try {
      found = readdirSync(folder, { withFileTypes: true }).map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() })).sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch {
      // What cannot be read holds nothing.
    }
    entries.set(folder, found);
    return found;
  };
  // Each file has one name.
  const readText = (path: string): string | undefined => (posix.normalize(path) === path ? files.readText(path) : undefined);
  return {
    ...files, readText,
    namesIn: (folder: string) => entriesOf(folder).map(({ name }) => name),
    hasFolder: (path: string) => entriesOf(posix.dirname(path)).some(({ name, isFolder }) => isFolder && name === posix.basename(path)),
  };
}

function slashed(path: string): string {
  return path.split(sep).join('/');
}

/** All open documents with the folders around them: which root's analysis speaks for a document. Knows no connection. */

import { posix } from 'node:path';
import { parseSyntax } from '../runtime/devicetree/syntax/tree';
import { Analyses, isRootFile, nodeOfReference, type Analysis, type AnalysisSettings } from './analysis';
import { BindingStore } from './binding-store';
import { OpenDocuments, type OpenList } from './documents';
import { baseInMakefile, baseInSystemFile, likelyBases, MAKEFILE, statedBase, SYSTEM_FILE } from './contexts';
import { folderOf, leadsInto, WorkspaceFiles } from './files';
import { Includers } from './includers';
import { NO_SETTINGS, type ServerSettings } from './settings';
import { labelOf } from './symbols';

/** Folders that Linux and Zephyr keep included files in, below some folder above the root file. */
const USUAL_INCLUDE_FOLDERS = ['include', 'scripts/dtc/include-prefixes'];

/** Where Linux keeps its bindings. */
const LINUX_BINDINGS = 'Documentation/devicetree/bindings';

/** Overlays that are looked at when labels of a base are sought in them, at most. */
const OVERLAYS_MAX = 200;
const OVERLAY_FILE = /\.(?:dtso|overlay|dts)$/;

/** The state behind a connection. */
export class Workspace {
  readonly documents: OpenDocuments;
  readonly files: WorkspaceFiles;
  readonly bindings: BindingStore;
  /** True if the client fills in snippets. */
  hasSnippets = false;
  private readonly analyses: Analyses;
  private readonly includers: Includers;
  private guessed: ReadonlyMap<string, string> = new Map();
  private folders: readonly string[] = [];
  private settings: ServerSettings = NO_SETTINGS;

  constructor(list: OpenList, cacheFolder?: string) {
    this.documents = new OpenDocuments(list);
    this.files = new WorkspaceFiles((path) => this.documents.byPath(path)?.getText());
    this.bindings = new BindingStore(cacheFolder);
    this.includers = new Includers(this.files);
    this.analyses = new Analyses(this.files, { bindings: this.bindings, baseOf: (overlay) => this.baseOf(overlay) });
  }

  /** A command of the client that shows places, if it said that it has one. */
  get showPlacesCommand(): string | undefined {
    return this.settings.showPlacesCommand;
  }

  /** Sets the workspace folders (paths) and the settings. */
  configure(folders: readonly string[], settings: ServerSettings): void {
    this.folders = folders.map((folder) => folder.replace(/(.)\/+$/, '$1'));
    this.settings = settings;
    this.allowFolders();
  }

  /** To be called when documents were opened or closed: without a workspace, the folders of open documents may be read. */
  allowFolders(): void {
    const roots = this.folders.length > 0 ? this.folders : this.documents.paths.filter((path) => path.startsWith('/') || /^[A-Za-z]:\//.test(path)).map(folderOf);
    this.files.allow([...roots, ...this.statedIncludePaths()]);
    this.includers.forget();
  }

  /** To be called when files on disk came, went or changed. */
  noteFiles(): void {
    this.includers.forget();
  }

  private statedIncludePaths(): readonly string[] {
    return this.stated(this.settings.includePaths);
  }

  /**
   * Who states a whole path, or one that leads out of the workspace by its words, trusts what is there; what a path within the workspace leads to is up to whoever
   * made the workspace.
   */
  private stated(paths: readonly string[]): readonly string[] {
    return paths.flatMap((path) => {
      if (/^(\/|[A-Za-z]:)/.test(path)) return [path];
      const folders = this.folders.map((folder) => `${folder}/${path}`);
      return /^\.\.(\/|$)/.test(posix.normalize(path)) ? folders : folders.filter((folder) => leadsInto(folder, this.folders));
    });
  }

  /** Include paths for a root file: those stated, then the usual folders on the way up to the workspace folder. */
  includePathsFor(path: string): readonly string[] {
    const found = this.foldersAbove(path).flatMap((folder) => USUAL_INCLUDE_FOLDERS.map((usual) => `${folder}/${usual}`)).filter((folder) => this.files.hasFolder(folder));
    return [...this.statedIncludePaths(), ...found];
  }

  /** Folders of bindings for a root file: those stated, else Linux's if the file lies in its sources. */
  private bindingFoldersFor(path: string): readonly string[] {
    const stated = this.stated(this.settings.bindings);
    if (stated.length > 0) return stated;
    return this.foldersAbove(path).map((folder) => `${folder}/${LINUX_BINDINGS}`).filter((folder) => this.files.hasFolder(folder)).slice(0, 1);
  }

  /** Gets the bindings at hand that a tree in a workspace folder will be judged by, so that the first one need not wait for them. */
  prepare(): void {
    const form = this.settings.hypervisorNode;
    if (this.folders.length === 0) this.bindings.setFor(form, []).prepare();
    for (const folder of this.folders) this.bindings.setFor(form, this.bindingFoldersFor(`${folder}/any.dts`)).prepare();
  }

  private settingsFor(path: string): AnalysisSettings {
    const { defines, checks, hypervisorNode, rmGeneration } = this.settings;
    return { includePaths: this.includePathsFor(path), defines, checks, hypervisorNode, rmGeneration, bindings: this.bindingFoldersFor(path) };
  }

  /** The root in whose context a file that is open without one is read, as `analyse` chose it last. */
  contextOf(path: string): string | undefined {
    return this.guessed.get(path);
  }

  /** The analyses that speak for the open documents: one for each root, one for a tree that includes what no open root does, and one for each other file. */
  analyse(): readonly Analysis[] {
    const paths = this.documents.paths;
    const found: Analysis[] = [];
    const add = (path: string): void => {
      const analysis = this.analyses.of(path, this.settingsFor(path));
      if (analysis !== undefined) found.push(analysis);
    };
    paths.filter(isRootFile).forEach(add);
    const guessed = new Map<string, string>();
    for (const path of paths) {
      if (isRootFile(path) || found.some(({ root, files }) => !isGuess(guessed, root) && files.includes(path))) continue;
      const context = found.find(({ root, files }) => isGuess(guessed, root) && files.includes(path)) ?? this.includerOf(path);
      if (context === undefined) add(path);
      else {
        guessed.set(path, context.root);
        if (!found.includes(context)) found.push(context);
      }
    }
    this.guessed = guessed;
    this.analyses.keepOnly(new Set(found.map(({ root }) => root)));
    return found;
  }

  /** The tree that a file which only others include is read in: as its comment or a setting says, else the nearest that includes it. */
  private includerOf(path: string): Analysis | undefined {
    if (!path.endsWith('.dtsi')) return undefined;
    const stated = statedBase(path, this.files.readText(path) ?? '') ?? this.baseBySetting(path);
    const candidates = [...(stated === undefined ? [] : [stated]), ...this.includers.rootsOf(path, this.folders.find((folder) => path.startsWith(`${folder}/`)))];
    for (const root of candidates) {
      const analysis = isRootFile(root) ? this.analyses.of(root, this.settingsFor(root)) : undefined;
      if (analysis?.files.includes(path) === true) return analysis;
    }
    return undefined;
  }

  /** The analysis that speaks for one open document: its own, or that of the first root that includes it. */
  analysisFor(path: string): Analysis | undefined {
    const all = this.analyse();
    return all.find(({ root }) => root === path) ?? all.find(({ files }) => files.includes(path));
  }

  /** The same for a file that need not be open. */
  analysisOfAny(path: string): Analysis | undefined {
    return this.analysisFor(path) ?? this.analyses.of(path, this.settingsFor(path));
  }

  /** The trees that the labels of a file mean something in: those that read the file, the bases of overlays among them, and the overlays that are for these. */
  familyOf(path: string): readonly Analysis[] {
    const own = this.analyse().filter(({ files }) => files.includes(path));
    const family = new Map<string, Analysis>();
    for (const analysis of own) {
      const trunk = (analysis.tree.plugin ? this.baseOf(analysis) : undefined) ?? analysis;
      for (const member of [analysis, trunk, ...this.overlaysOf(trunk)]) family.set(member.root, member);
    }
    return [...family.values()];
  }

  /** The overlays for a tree among the open documents and in the folder of its root. */
  private overlaysOf({ root }: Analysis): readonly Analysis[] {
    const folder = folderOf(root);
    const near = this.files.namesIn(folder).map((name) => `${folder}/${name}`);
    const paths = new Set([...this.documents.paths, ...near].filter((path) => path !== root && OVERLAY_FILE.test(path)));
    return [...paths].slice(0, OVERLAYS_MAX).flatMap((path) => {
      const text = this.files.readText(path) ?? '';
      if (!text.includes('/plugin/') || this.basePathOf(path, text) !== root) return [];
      return this.analyses.of(path, this.settingsFor(path)) ?? [];
    });
  }

  /** The base that an overlay is for, if it is known. */
  baseOf(overlay: Pick<Analysis, 'root' | 'textOf'>): Analysis | undefined {
    const path = this.basePathOf(overlay.root, overlay.textOf(overlay.root) ?? '');
    return path === undefined || path === overlay.root ? undefined : this.analyses.of(path, this.settingsFor(path));
  }

  /** Its path: by a comment in the overlay, a setting, a system file or Makefile, or else a tree in its folder that has all that it refers to. */
  private basePathOf(overlay: string, text: string): string | undefined {
    return statedBase(overlay, text) ?? this.baseBySetting(overlay) ?? this.baseByOtherFiles(overlay) ?? this.baseBeside(overlay, text);
  }

  private baseBySetting(overlay: string): string | undefined {
    const full = (path: string): readonly string[] => (/^(\/|[A-Za-z]:)/.test(path) ? [path] : this.folders.map((folder) => posix.join(folder, path)));
    const [, base] = Object.entries(this.settings.bases).find(([name]) => full(name).includes(overlay)) ?? [];
    return base === undefined ? undefined : full(base).find((path) => this.files.readText(path) !== undefined);
  }

  /**
   * A neighbour counts only if what the overlay refers to is there, since a wrong base would make errors of what is right: all of it, or at least half of it where
   * the names of the files belong together.
   */
  private baseBeside(overlay: string, text: string): string | undefined {
    if (!text.includes('/plugin/')) return undefined;
    const { tokens } = parseSyntax(text);
    const own = new Set(tokens.filter(({ kind }) => kind === 'label').map((token) => labelOf(token.text)));
    const wanted = new Set(tokens.filter(({ kind }) => kind === 'ref').map((token) => token.text).filter((reference) => !own.has(labelOf(reference))));
    return likelyBases(overlay, this.files.namesIn(folderOf(overlay))).find((path) => {
      if (wanted.size === 0 || this.files.readText(path)?.includes('/plugin/') !== false) return false;
      const tree = this.analyses.of(path, this.settingsFor(path))?.tree;
      const found = tree === undefined ? 0 : [...wanted].filter((reference) => nodeOfReference(tree, reference).length > 0).length;
      return found === wanted.size || (overlay.startsWith(path.replace(/\.dts$/, '')) && found > 0 && found * 2 >= wanted.size);
    });
  }

  /** The base by the nearest system file or Makefile that puts both together. */
  private baseByOtherFiles(overlay: string): string | undefined {
    for (const folder of this.foldersAbove(overlay)) {
      for (const name of this.files.namesIn(folder)) {
        const baseIn = SYSTEM_FILE.test(name) ? baseInSystemFile : MAKEFILE.test(name) ? baseInMakefile : undefined;
        const base = baseIn?.(`${folder}/${name}`, this.files.readText(`${folder}/${name}`) ?? '', overlay);
        if (base !== undefined) return base;
      }
    }
    return undefined;
  }

  /** The folder of a file and those above it, up to the workspace folder that it lies in. */
  private foldersAbove(path: string): readonly string[] {
    const top = this.folders.find((folder) => path.startsWith(`${folder}/`));
    const found = [folderOf(path)];
    for (let folder = folderOf(path); top !== undefined && folder.length > top.length; folder = folderOf(folder)) found.push(folderOf(folder));
    return found;
  }
}

function isGuess(guessed: ReadonlyMap<string, string>, root: string): boolean {
  return [...guessed.values()].includes(root);
}

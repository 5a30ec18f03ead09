/** All open documents with the folders around them: which root's analysis speaks for a document. Knows no connection. */

import { posix } from 'node:path';
import { Analyses, isRootFile, type Analysis, type AnalysisSettings } from './analysis';
import { BaseFinder } from './bases';
import { BindingStore } from './binding-store';
import { OpenDocuments, type OpenList } from './documents';
import { isAppended, statedBase, ZEPHYR_INCLUDE_FOLDERS, ZEPHYR_MARK } from './contexts';
import { folderOf, leadsInto, WorkspaceFiles } from './files';
import { Includers } from './includers';
import { NO_SETTINGS, type ServerSettings } from './settings';

/** Folders that Linux keeps included files in, below some folder above the root file. */
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
  private readonly bases: BaseFinder;
  private guessed: ReadonlyMap<string, string> = new Map();
  private folders: readonly string[] = [];
  private settings: ServerSettings = NO_SETTINGS;

  constructor(list: OpenList, cacheFolder?: string) {
    this.documents = new OpenDocuments(list);
    this.files = new WorkspaceFiles((path) => this.documents.textOf(path));
    this.bindings = new BindingStore(cacheFolder);
    this.includers = new Includers(this.files);
    this.bases = new BaseFinder({
      files: this.files, folders: () => this.folders, bySetting: (path) => this.baseBySetting(path), treeOf: (path) => this.analyses.of(path, this.settingsFor(path))?.tree,
    });
    this.analyses = new Analyses(this.files, { bindings: this.bindings, baseOf: (overlay) => this.baseOf(overlay), includePathsFor: (path) => this.includePathsFor(path) });
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
    this.bases.forget();
  }

  /** To be called when files on disk came, went or changed. */
  noteFiles(): void {
    this.includers.forget();
    this.bases.forget();
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
    const usual = (folder: string): readonly string[] => (this.files.hasFolder(`${folder}/${ZEPHYR_MARK}`) ? ZEPHYR_INCLUDE_FOLDERS : USUAL_INCLUDE_FOLDERS).map((name) => `${folder}/${name}`);
    // An application lies beside Zephyr's sources.
    const places = this.bases.foldersAbove(path).flatMap((folder) => [folder, ...(this.files.hasFolder(`${folder}/zephyr/${ZEPHYR_MARK}`) ? [`${folder}/zephyr`] : [])]);
    const found = places.flatMap(usual).filter((folder) => this.files.hasFolder(folder));
    return [...this.statedIncludePaths(), ...found];
  }

  /** Folders of bindings for a root file: those stated, else Linux's if the file lies in its sources. */
  private bindingFoldersFor(path: string): readonly string[] {
    const stated = this.stated(this.settings.bindings);
    if (stated.length > 0) return stated;
    return this.bases.foldersAbove(path).map((folder) => `${folder}/${LINUX_BINDINGS}`).filter((folder) => this.files.hasFolder(folder)).slice(0, 1);
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
      const trunk = this.baseBehind(analysis) ?? analysis;
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
      if ((!text.includes('/plugin/') && !isAppended(path, text)) || this.bases.baseOf(path, text) !== root) return [];
      return this.analyses.of(path, this.settingsFor(path)) ?? [];
    });
  }

  /** The base that an overlay is for, if it is known. */
  baseOf(overlay: Pick<Analysis, 'root' | 'textOf'>): Analysis | undefined {
    const path = this.bases.baseOf(overlay.root, overlay.textOf(overlay.root) ?? '');
    return path === undefined || path === overlay.root ? undefined : this.analyses.of(path, this.settingsFor(path));
  }

  /** What a tree is an overlay of, or is appended to, if that is known. */
  baseBehind(analysis: Analysis): Analysis | undefined {
    return analysis.appendedTo ?? (analysis.tree.plugin ? this.baseOf(analysis) : undefined);
  }

  private baseBySetting(overlay: string): string | undefined {
    const full = (path: string): readonly string[] => (/^(\/|[A-Za-z]:)/.test(path) ? [path] : this.folders.map((folder) => posix.join(folder, path)));
    const [, base] = Object.entries(this.settings.bases).find(([name]) => full(name).includes(overlay)) ?? [];
    return base === undefined ? undefined : full(base).find((path) => this.files.readText(path) !== undefined);
  }
}

function isGuess(guessed: ReadonlyMap<string, string>, root: string): boolean {
  return [...guessed.values()].includes(root);
}

/**
 * Finds the tree that an overlay is for, or that a file without a header of its own is appended to: by a comment, a setting, a system file or Makefile, or else a tree beside it, or
 * that of the board after which it is named. Reads no tree itself; the command line and the editor find the same.
 */

import { posix } from 'node:path';
import { parseSyntax } from '../runtime/devicetree/syntax/tree';
import type { DeviceTree } from '../runtime/devicetree/tree';
import { nodeOfReference } from './analysis';
import { baseInMakefile, baseInSystemFile, isAppended, likelyBases, MAKEFILE, statedBase, SYSTEM_FILE } from './contexts';
import type { FoundFiles } from './includers';
import { labelOf } from './symbols';

/** What the search asks of its surroundings. */
export interface BaseSurroundings {
  readonly files: Pick<FoundFiles, 'namesIn' | 'hasFolder'> & { readonly readText: (path: string) => string | undefined };
  /** The folders of the workspace. */
  readonly folders: () => readonly string[];
  /** What a setting says. */
  readonly bySetting: (path: string) => string | undefined;
  /** The tree of a file with all that it includes. */
  readonly treeOf: (path: string) => DeviceTree | undefined;
}

/** Folders of boards that are looked into, at most, and how deep below `boards`. */
const BOARD_FOLDERS_MAX = 5000;
const BOARD_DEPTH_MAX = 4;

/** Searches, and remembers where boards are until `forget`. */
export class BaseFinder {
  private readonly around: BaseSurroundings;
  private boards: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(around: BaseSurroundings) {
    this.around = around;
  }

  /** To be called when files may have come, gone or changed. */
  forget(): void {
    this.boards = undefined;
  }

  /** The path of the base of an overlay with this text. */
  baseOf(overlay: string, text: string): string | undefined {
    return statedBase(overlay, text) ?? this.around.bySetting(overlay) ?? this.byOtherFiles(overlay) ?? this.besideOrBoard(overlay, text);
  }

  /** The folder of a file and those above it, up to the workspace folder that it lies in. */
  foldersAbove(path: string): readonly string[] {
    const own = posix.dirname(path);
    const top = this.around.folders().find((folder) => path.startsWith(`${folder}/`));
    const found = [own];
    for (let folder = own; top !== undefined && folder.length > top.length; folder = posix.dirname(folder)) found.push(posix.dirname(folder));
    return found;
  }

  /** By the nearest system file or Makefile that puts both together. */
  private byOtherFiles(overlay: string): string | undefined {
    const { files } = this.around;
    for (const folder of this.foldersAbove(overlay)) {
      for (const name of files.namesIn(folder)) {
        const baseIn = SYSTEM_FILE.test(name) ? baseInSystemFile : MAKEFILE.test(name) ? baseInMakefile : undefined;
        const base = baseIn?.(`${folder}/${name}`, files.readText(`${folder}/${name}`) ?? '', overlay);
        if (base !== undefined) return base;
      }
    }
    return undefined;
  }

  /**
   * A guess counts only if what the overlay refers to is there, since a wrong base would make errors of what is right: all of it, or at least half of it where
   * the names of the files belong together.
   */
  private besideOrBoard(overlay: string, text: string): string | undefined {
    const isPart = isAppended(overlay, text);
    if (!isPart && !text.includes('/plugin/')) return undefined;
    const { files, treeOf } = this.around;
    const wanted = wantedIn(text);
    const stem = stemOf(overlay);
    const boards = isPart ? this.boardsNamed(stem, overlay) : [];
    return [...likelyBases(overlay, files.namesIn(posix.dirname(overlay))), ...boards].find((path) => {
      if (files.readText(path)?.includes('/plugin/') !== false) return false;
      if (wanted.size === 0) return isPart && stemOf(path) === stem;
      const tree = treeOf(path);
      const found = tree === undefined ? 0 : [...wanted].filter((reference) => nodeOfReference(tree, reference).length > 0).length;
      return found === wanted.size || (stem.startsWith(stemOf(path)) && found > 0 && found * 2 >= wanted.size);
    });
  }

  /** Trees of boards with a name, those nearest to a file first. */
  private boardsNamed(name: string, path: string): readonly string[] {
    const found = (this.boards ??= this.findBoards(path)).get(name) ?? [];
    return found.filter((board) => board !== path).slice(0, 3);
  }

  private findBoards(path: string): ReadonlyMap<string, readonly string[]> {
    const { files } = this.around;
    const found = new Map<string, string[]>();
    let folderCount = 0;
    const look = (folder: string, depth: number): void => {
      if (folderCount++ >= BOARD_FOLDERS_MAX) return;
      for (const name of files.namesIn(folder)) {
        if (name.endsWith('.dts')) found.set(stemOf(name), [...(found.get(stemOf(name)) ?? []), `${folder}/${name}`]);
        else if (depth < BOARD_DEPTH_MAX && !/\.\w+$/.test(name) && files.hasFolder(`${folder}/${name}`)) look(`${folder}/${name}`, depth + 1);
      }
    };
    const tops = new Set([...this.foldersAbove(path), ...this.around.folders()]);
    const places = [...tops].flatMap((top) => [top, ...files.namesIn(top).filter((name) => !/\.\w+$/.test(name) && name !== 'boards').map((name) => `${top}/${name}`)]);
    for (const place of new Set(places.map((one) => `${one}/boards`))) if (files.hasFolder(place)) look(place, 0);
    return found;
  }
}

/** What an overlay refers to and does not define itself. */
function wantedIn(text: string): ReadonlySet<string> {
  const { tokens } = parseSyntax(text);
  const own = new Set(tokens.filter(({ kind }) => kind === 'label').map((token) => labelOf(token.text)));
  return new Set(tokens.filter(({ kind }) => kind === 'ref').map((token) => token.text).filter((reference) => !own.has(labelOf(reference))));
}

function stemOf(path: string): string {
  return posix.basename(path).replace(/\.[^.]*$/, '');
}

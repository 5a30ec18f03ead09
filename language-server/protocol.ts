/**
 * Requests of the language server beside those of the protocol, all of them about device trees as a whole. Types only, for the server and
 * for clients. A request about a document that is neither open nor readable is answered with `null`.
 *
 * | method | parameters | result |
 * |---|---|---|
 * | `gunyah/dt/mergedTree` | `MergedTreeParams` | `MergedTree` |
 * | `gunyah/dt/compile` | `CompileParams` | `CompiledTree` |
 * | `gunyah/dt/decompile` | `TreeInput` | `PrintedTree` |
 * | `gunyah/dt/rmOverlay` | `RmOverlayParams` | `RmOverlay` |
 * | `gunyah/dt/memoryMap` | `TreeInput` | `MemoryMap` |
 * | `gunyah/dt/compare` | `CompareParams` | `TreeComparison` |
 */

import type { Diagnostic, Range } from 'vscode-languageserver';

/** A tree: a document or file (source or blob), or the bytes of a blob in base 64. */
export type TreeInput = { readonly uri: string } | { readonly bytes: string };

/** Where a line of printed source comes from: index into `files`, line and character from 0; `null` if from nowhere. */
export type LineOrigin = readonly [file: number, line: number, character: number] | null;

/** A tree as source. */
export interface PrintedTree {
  readonly text: string;
  /** URIs that `origins` points into. */
  readonly files: readonly string[];
  /** One entry for each line of `text`. */
  readonly origins: readonly LineOrigin[];
  /** What is wrong with what it was made from; the text is the best that could be made. */
  readonly problems: readonly FileProblems[];
}

/** Diagnostics of one file. */
export interface FileProblems {
  readonly uri: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Which tree to merge. */
export interface MergedTreeParams {
  /** A root, or a file that an open root includes. */
  readonly uri: string;
  /** For an overlay with a known base: `applied` gives the base with the overlay in it; `own` (the default) the overlay itself. */
  readonly form?: 'own' | 'applied';
}

/** The merged tree of a root. It compiles to the same blob as the root. */
export interface MergedTree extends PrintedTree {
  /** URI of the root that it was made from. */
  readonly root: string;
  /** URI of the base, if one is known and the root is an overlay. */
  readonly base: string | null;
}

/** What to compile. */
export interface CompileParams {
  readonly uri: string;
  /** Compiled instead of the document, on its own: includes are not read. */
  readonly text?: string;
  /** Adds `__symbols__`, as `dtc -@` does. */
  readonly symbols?: boolean;
}

/** A blob. */
export interface CompiledTree {
  readonly root: string;
  /** The blob in base 64; `null` if there are errors. */
  readonly bytes: string | null;
  /** File name for it, with `.dtb` or `.dtbo`. */
  readonly name: string;
  readonly problems: readonly FileProblems[];
}

/** For which tree to tell what RM will generate. */
export interface RmOverlayParams {
  readonly uri: string;
  /** Whether the VM comes with the platform (the default) or another VM creates it. */
  readonly trust?: 'trusted' | 'untrusted';
}

/** What RM will add to the VM's tree, as an overlay in source. Origins lead to the nodes that ask for what is generated. */
export interface RmOverlay extends PrintedTree {
  readonly root: string;
  /** The base that the root was applied to, if it is an overlay whose base is known. */
  readonly base: string | null;
  /** What RM would report; with an error among them `text` is empty. */
  readonly reports: readonly { readonly severity: 'error' | 'warning'; readonly code: string; readonly message: string }[];
  /** Sentences about what is not known before the VM exists. */
  readonly assumptions: readonly string[];
}

/** A place in a file. */
export interface FilePlace {
  readonly uri: string;
  readonly range: Range;
}

/** A range of addresses as the CPUs see it; numbers are hexadecimal with `0x`. */
export interface MemoryMapRange {
  /** Path of the node; empty for `/memreserve/`. */
  readonly path: string;
  readonly labels: readonly string[];
  readonly kind: 'memory' | 'reserved' | 'device';
  readonly base: string;
  readonly size: string;
  /** Last address in the range. */
  readonly last: string;
  /** The address as the node's own bus counts. */
  readonly busAddress: string;
  /** False if the node is switched off. */
  readonly isEnabled: boolean;
  readonly place: FilePlace | null;
}

/** Where things lie in memory. */
export interface MemoryMap {
  /** Ascending by base. */
  readonly ranges: readonly MemoryMapRange[];
  /** Indexes into `ranges` of two that share `size` bytes from `base` on, and do not lie in each other by nature. */
  readonly overlaps: readonly { readonly first: number; readonly second: number; readonly base: string; readonly size: string }[];
}

/** Two trees. */
export interface CompareParams {
  readonly left: TreeInput;
  readonly right: TreeInput;
}

/** One difference; `left` and `right` are source text, `null` where a side has nothing. */
export interface TreeDifference {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly path: string;
  /** `null` if the whole node was added or removed. */
  readonly property: string | null;
  readonly left: string | null;
  readonly right: string | null;
  readonly leftPlace: FilePlace | null;
  readonly rightPlace: FilePlace | null;
}

/** What differs in meaning: order, labels and numbers of phandles do not count. */
export interface TreeComparison {
  readonly differences: readonly TreeDifference[];
  readonly problems: readonly FileProblems[];
}

/**
 * The flattened device tree (DTSpec chapter 5): writing, byte for byte as dtc does, and reading, also of blobs that
 * are damaged or lie about their offsets. It does not resolve references: see `link.ts`.
 */

import { ByteReader, utf8Encode } from '../base/byte-reader';
import type { Result } from '../base/result';
import { err, ok } from '../base/result';
import { dtError, DiagnosticList, type DtDiagnostic } from './source';
import { concatBytes, utf8Decode } from './text';
import { DtNode, DtProperty, NODE_DEPTH_MAX, type DeviceTree, type MemoryReservation } from './tree';
import { NameTable } from './name-table';
import { chunk } from './value';

/** First word of every blob. */
export const FDT_MAGIC = 0xd00d_feed;
/** Largest blob that is read, in bytes. */
export const DTB_SIZE_MAX = 64 * 1024 * 1024;

/** Deepest nesting that is read: what source may have, and the copies of its paths in `__local_fixups__`. */
const DTB_DEPTH_MAX = NODE_DEPTH_MAX + 2;

const FDT_BEGIN_NODE = 1;
const FDT_END_NODE = 2;
const FDT_PROP = 3;
const FDT_NOP = 4;
const FDT_END = 9;
const HEADER_SIZE = 40;
const VERSION = 17;
const COMPATIBLE_VERSION = 16;
const NAME_LENGTH_MAX = 4096;

/** Writes a linked tree as a version 17 blob. */
export function encodeDtb(tree: DeviceTree): Uint8Array {
  const names = new NameTable(tree.root);
  const structure = new WordWriter();
  writeNode(structure, names, tree.root);
  structure.word(FDT_END);
  const structureBytes = structure.bytes();
  const nameBytes = utf8Encode(names.text);
  const reservationSize = (tree.reservations.length + 1) * 16;
  const structureAt = HEADER_SIZE + reservationSize;
  const namesAt = structureAt + structureBytes.length;
  const out = new Uint8Array(namesAt + nameBytes.length);
  const view = new DataView(out.buffer);
  const header = [FDT_MAGIC, out.length, structureAt, namesAt, HEADER_SIZE, VERSION, COMPATIBLE_VERSION, tree.bootCpu, nameBytes.length, structureBytes.length];
  header.forEach((value, index) => { view.setUint32(index * 4, value); });
  tree.reservations.forEach(({ address, size }, index) => {
    view.setBigUint64(HEADER_SIZE + index * 16, address);
    view.setBigUint64(HEADER_SIZE + index * 16 + 8, size);
  });
  out.set(structureBytes, structureAt);
  out.set(nameBytes, namesAt);
  return out;
}

/** Grows as it is written; all items are padded to words. */
class WordWriter {
  private buffer = new Uint8Array(4096);
  private view = new DataView(this.buffer.buffer);
  private size = 0;

  word(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.size, value);
    this.size += 4;
  }

  padded(bytes: Uint8Array): void {
    this.reserve(bytes.length + 4);
    this.buffer.set(bytes, this.size);
    this.size += (bytes.length + 3) & ~3;
  }

  bytes(): Uint8Array {
    return this.buffer.slice(0, this.size);
  }

  private reserve(extra: number): void {
    if (this.size + extra <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.size + extra));
    grown.set(this.buffer.subarray(0, this.size));
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }
}

function writeNode(out: WordWriter, names: NameTable, node: DtNode): void {
  out.word(FDT_BEGIN_NODE);
  out.padded(utf8Encode(`${node.name}\0`));
  for (const property of node.properties) {
    out.word(FDT_PROP);
    out.word(property.bytes.length);
    out.word(names.offsetOf(property.name));
    out.padded(property.bytes);
  }
  for (const child of node.children) writeNode(out, names, child);
  out.word(FDT_END_NODE);
}

/** A tree read from a blob, with what was wrong on the way. */
export interface DecodedTree {
  readonly tree: DeviceTree;
  readonly diagnostics: readonly DtDiagnostic[];
}

/** True if the bytes begin like a blob. */
export function isDtb(bytes: Uint8Array): boolean {
  return new ByteReader(bytes, 'big').u32(0) === FDT_MAGIC;
}

/**
 * Reads a blob. It fails only if the header is unusable; a damaged structure gives the part before the damage and a
 * diagnostic. Bytes behind the stated total size are ignored. Property values are views of `bytes`.
 */
export function decodeDtb(bytes: Uint8Array): Result<DecodedTree, DtDiagnostic> {
  const reader = new ByteReader(bytes, 'big');
  if (reader.u32(0) !== FDT_MAGIC) return err(dtError('dtb-not-dtb'));
  const problems = new DiagnosticList();
  const truncated = (what: string) => dtError('dtb-truncated', undefined, { what, size: bytes.length });
  if (!reader.has(0, HEADER_SIZE)) return err(truncated('the header'));
  if (bytes.length > DTB_SIZE_MAX) return err(dtError('dts-too-large', undefined, { limit: `${String(DTB_SIZE_MAX)} bytes` }));
  const field = (index: number) => reader.u32(index * 4) ?? 0;
  const [version, compatible] = [field(5), field(6)];
  if (version < COMPATIBLE_VERSION || compatible > VERSION) return err(dtError('dtb-version', undefined, { version, compatible }));
  if (field(1) > bytes.length) problems.add('dtb-truncated', undefined, { what: `its total size ${String(field(1))}`, size: bytes.length });
  const end = Math.min(field(1), bytes.length);
  const structureAt = field(2);
  const namesAt = field(3);
  if (structureAt >= end) return err(truncated('the structure block'));
  if (namesAt > end) return err(truncated('the strings block'));
  // Version 16 has no size of the structure block: it ends where the blob ends, or at its END token.
  const structureEnd = version >= 17 ? Math.min(end, structureAt + field(9)) : end;
  const names = bytes.subarray(namesAt, Math.min(end, namesAt + field(8)));
  const root = new StructureReader(reader, { at: structureAt, end: structureEnd, names, problems }).read();
  const reservations = readReservations(reader, field(4), end, problems);
  return ok({ tree: { root, reservations, bootCpu: field(7), plugin: false }, diagnostics: problems.list() });
}

function readReservations(reader: ByteReader, start: number, end: number, problems: DiagnosticList): MemoryReservation[] {
  const reservations: MemoryReservation[] = [];
  for (let at = start; ; at += 16) {
    const address = at + 16 <= end ? reader.u64(at) : undefined;
    const size = at + 16 <= end ? reader.u64(at + 8) : undefined;
    if (address === undefined || size === undefined) {
      problems.add('dtb-truncated', undefined, { what: 'the end of the memory reservations', size: reader.sizeBytes });
      return reservations;
    }
    if (address === 0n && size === 0n) return reservations;
    reservations.push({ address, size });
  }
}

interface StructureBlock {
  at: number;
  readonly end: number;
  readonly names: Uint8Array;
  readonly problems: DiagnosticList;
}

/** Walks the tokens of a structure block with an explicit stack, so that depth costs no call frames. */
class StructureReader {
  private readonly reader: ByteReader;
  private readonly block: StructureBlock;
  private readonly nameReader: ByteReader;
  private readonly nameCache = new Map<number, string>();
  private readonly stack: DtNode[] = [];
  private root: DtNode | undefined;

  constructor(reader: ByteReader, block: StructureBlock) {
    this.reader = reader;
    this.block = block;
    this.nameReader = new ByteReader(block.names);
  }

  read(): DtNode {
    let reason: string | undefined;
    let done = false;
    while (!done && reason === undefined) {
      const token = this.word();
      switch (token) {
        case FDT_BEGIN_NODE: reason = this.beginNode(); break;
        case FDT_PROP: reason = this.readProperty(); break;
        case FDT_NOP: break;
        case FDT_END_NODE:
          if (this.stack.pop() === undefined) reason = 'a node ends that did not begin';
          break;
        case FDT_END: done = true; break;
        case undefined: reason = 'it ends without an END token'; break;
        default: reason = `unknown token ${String(token)}`;
      }
    }
    if (done && this.stack.length > 0) reason = 'it ends inside a node';
    if (done && this.root === undefined) reason = 'it has no root node';
    if (reason !== undefined) this.block.problems.add('dtb-bad-structure', undefined, { offset: this.block.at, reason });
    return this.root ?? new DtNode('');
  }

  private word(): number | undefined {
    if (this.block.at + 4 > this.block.end) return undefined;
    const value = this.reader.u32(this.block.at);
    this.block.at += 4;
    return value;
  }

  private beginNode(): string | undefined {
    const at = this.block.at;
    const name = this.reader.cString(at, Math.min(NAME_LENGTH_MAX, this.block.end - at));
    if (name === undefined) return 'a node name does not end';
    this.block.at = at + ((name.length + 4) & ~3);
    if (this.stack.length >= DTB_DEPTH_MAX) return `nodes are nested more than ${String(DTB_DEPTH_MAX)} deep`;
    const parent = this.stack[this.stack.length - 1];
    if (parent === undefined && this.root !== undefined) return 'it has a second root node';
    const node = new DtNode(parent === undefined ? '' : utf8Decode(this.reader.bytes.subarray(at, at + name.length)));
    if (parent !== undefined) this.checkName(name, at, parent.child(node.name) !== undefined);
    if (parent === undefined) this.root = node;
    else parent.add(node);
    this.stack.push(node);
    return undefined;
  }

  private checkName(name: string, offset: number, taken: boolean): void {
    const reason = name === '' ? 'it is empty' : name.includes('/') ? 'it contains a slash' : taken ? `its parent has two nodes ${name}` : undefined;
    if (reason !== undefined) this.block.problems.add('dtb-bad-name', undefined, { offset, reason });
  }

  private readProperty(): string | undefined {
    const size = this.word();
    const nameAt = this.word();
    if (size === undefined || nameAt === undefined || this.block.at + size > this.block.end) return 'a property lies outside the block';
    const node = this.stack[this.stack.length - 1];
    if (node === undefined) return 'a property lies outside the root node';
    const value = this.reader.slice(this.block.at, size) ?? new Uint8Array(0);
    const name = this.propertyName(nameAt);
    if (name === undefined) this.block.problems.add('dtb-bad-name', undefined, { offset: this.block.at, reason: 'it lies outside the strings block' });
    else node.insertProperty(new DtProperty(name, size === 0 ? [] : [chunk('unknown', value)]));
    this.block.at += (size + 3) & ~3;
    return undefined;
  }

  private propertyName(offset: number): string | undefined {
    const known = this.nameCache.get(offset);
    if (known !== undefined) return known;
    const raw = this.nameReader.cString(offset, NAME_LENGTH_MAX);
    if (raw === undefined) return undefined;
    const name = utf8Decode(this.block.names.subarray(offset, offset + raw.length));
    this.nameCache.set(offset, name);
    return name;
  }
}

/** Appends `size` zero bytes to a blob and states the larger total, as loaders that edit in place want it. */
export function padDtb(bytes: Uint8Array, size: number): Uint8Array {
  const out = concatBytes([bytes, new Uint8Array(size)]);
  new DataView(out.buffer, out.byteOffset).setUint32(4, out.length);
  return out;
}

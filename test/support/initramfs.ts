/**
 * Writes an initial RAM file system for Linux: a cpio archive in the "newc" format (Linux
 * Documentation/driver-api/early-userspace/buffer-format.rst), compressed with gzip. The same entries give the same bytes: no dates, owners or
 * inode numbers of this machine get in.
 */
import { gzipSync } from 'node:zlib';

const DIRECTORY = 0o040_000;
const REGULAR = 0o100_000;
const LINK = 0o120_000;
const CHARACTER_DEVICE = 0o020_000;
const TRAILER = 'TRAILER!!!';

/** One thing in the archive; `path` has no leading slash, and its parents must come before it. */
export type ArchiveEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly content: Uint8Array; readonly isExecutable?: boolean }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'character-device'; readonly path: string; readonly major: number; readonly minor: number };

/** The archive's bytes. */
export function cpioArchive(entries: readonly ArchiveEntry[]): Uint8Array {
  const chunks = entries.map((entry, index) => record(entry.path, index + 1, headOf(entry)));
  return Buffer.concat([...chunks, record(TRAILER, 0, { mode: 0, content: Buffer.alloc(0), device: [0, 0] })]);
}

/** The archive, compressed. Level 1: what Linux has to inflate costs the machine more than the bytes. */
export function initramfs(entries: readonly ArchiveEntry[]): Uint8Array {
  return gzipSync(cpioArchive(entries), { level: 1 });
}

interface Head { readonly mode: number; readonly content: Uint8Array; readonly device: readonly [number, number] }

function headOf(entry: ArchiveEntry): Head {
  const none = Buffer.alloc(0);
  switch (entry.kind) {
    case 'directory': return { mode: DIRECTORY | 0o755, content: none, device: [0, 0] };
    case 'file': return { mode: REGULAR | (entry.isExecutable === true ? 0o755 : 0o644), content: entry.content, device: [0, 0] };
    case 'link': return { mode: LINK | 0o777, content: Buffer.from(entry.target, 'utf8'), device: [0, 0] };
    case 'character-device': return { mode: CHARACTER_DEVICE | 0o600, content: none, device: [entry.major, entry.minor] };
  }
}

/** Magic number, thirteen fields of eight hexadecimal digits, name, content; name and content end at multiples of four bytes. */
function record(path: string, inode: number, { mode, content, device }: Head): Buffer {
  const name = Buffer.from(`${path}\0`, 'utf8');
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, ...device, name.length, 0];
  const head = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`, 'latin1');
  return Buffer.concat([head, name, padding(head.length + name.length), content, padding(content.length)]);
}

function padding(length: number): Buffer {
  return Buffer.alloc(-length & 3);
}

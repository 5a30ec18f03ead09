/**
 * Reads the trace in memory from a dump, written from the description of the format alone: nothing is shared with what writes it.
 *
 * A control block with the magic `6TRA` names the first buffer; buffers follow each other; strings lie at the distance from the first buffer that
 * entries name. `{:d}`, `{:x}`, `{:#x}` and `{:s}` stand for the arguments in their order.
 */

/** One entry. */
export interface TraceLine { readonly buffer: number; readonly cpu: number; readonly counter: bigint; readonly vmid: number; readonly vcpu: number; readonly id: number; readonly format: string; readonly args: readonly bigint[]; readonly text: string }
/** All that a dump says. */
export interface DecodedTrace { readonly classes: bigint; readonly flags: number; readonly base: bigint; readonly buffers: readonly { readonly entries: number; readonly mask: bigint; readonly isWrapped: boolean }[]; readonly lines: readonly TraceLine[] }

const MAGIC = [0x36, 0x54, 0x52, 0x41];

function stringAt(dump: Uint8Array, at: number): string {
  return String.fromCharCode(...dump.subarray(at, dump.indexOf(0, at)));
}

function format(template: string, args: readonly bigint[], text: (pointer: bigint) => string): string {
  let next = 0;
  return template.replaceAll(/\{:(#?[dxs]|#x)\}/g, (_, kind: string) => {
    const value = args[next++] ?? 0n;
    if (kind === 's') return text(value);
    return kind === 'd' ? value.toString() : `${kind === '#x' ? '0x' : ''}${value.toString(16)}`;
  });
}

function findControl(dump: Uint8Array, view: DataView): number {
  for (let at = 0; at + 40 <= dump.length; at += 8) if (MAGIC.every((byte, n) => dump[at + n] === byte) && view.getUint16(at + 4, true) === 0x100) return at;
  throw new Error('no control block');
}

/** Decodes a dump of physical memory from `dumpBase` on, or with 0 a file that begins with the first buffer. Lines of the global buffer come first, then those of each CPU; each oldest first. */
export function decodeTrace(dump: Uint8Array, dumpBase: bigint): DecodedTrace {
  const view = new DataView(dump.buffer, dump.byteOffset, dump.length);
  const control = findControl(dump, view);
  const base = view.getBigUint64(control + 24, true);
  const first = dumpBase === 0n ? 0 : Number(base - dumpBase);
  const text = (pointer: bigint): string => stringAt(dump, first + Number(pointer & 0x1f_ffffn));
  const buffers: DecodedTrace['buffers'][number][] = [];
  const lines: TraceLine[] = [];
  let at = first;
  for (let buffer = 0; buffer < view.getUint32(control + 16, true); buffer++) {
    if (stringAt(dump, at).slice(0, 4) !== '6BUF') throw new Error(`no header of buffer ${String(buffer)}`);
    const [entries, head, isWrapped] = [view.getUint32(at + 4, true), view.getUint32(at + 40, true), dump[at + 44] === 0];
    buffers.push({ entries, mask: view.getBigUint64(at + 8, true), isWrapped });
    for (let n = 0; n < (isWrapped ? entries : head); n++) {
      const from = at + 64 * (1 + (isWrapped ? (head + n) % entries : n));
      const [info = 0n, tag = 0n, pointer = 0n, ...args] = Array.from({ length: 8 }, (_, word) => view.getBigUint64(from + word * 8, true));
      const template = text(pointer);
      lines.push({ buffer, cpu: Number(info >> 56n), counter: info & 0xff_ffff_ffff_ffffn, vmid: Number((tag >> 16n) & 0xffffn), vcpu: Number((tag >> 32n) & 0xffffn), id: Number(tag & 0xffffn), format: template, args, text: format(template, args, text) });
    }
    at += 64 * (entries + 1);
  }
  return { classes: view.getBigUint64(control + 8, true), flags: view.getUint16(control + 6, true), base, buffers, lines };
}

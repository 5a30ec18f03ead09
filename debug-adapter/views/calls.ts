/** The calls that a source line makes, for stepping into a particular one. */

import { va, type SymbolFile, type Va } from '../../runtime/index';
import type { Session } from '../session';

const INSTRUCTIONS_MAX = 4096;
const BL_OPCODE = 0b100101;

/** A call instruction of a line. */
export interface LineCall { readonly address: Va; readonly label: string; readonly line: number }

/** BL and BLR instructions between the PC and the end of its line, in order of address. Code of other lines in between is left out. */
export function callsOnLine(session: Session, vcpu: number, file: SymbolFile): LineCall[] {
  const { system } = session.debuggee.target;
  const pc = system.pcOf(vcpu);
  const here = file.lineAt(pc);
  const range = file.functionAt(pc)?.ranges.find(({ start, end }) => pc >= start && pc < end);
  if (here === undefined || range === undefined) return [];
  const size = Math.min(INSTRUCTIONS_MAX * 4, Number(range.end - pc));
  const bytes = system.readVirtual(vcpu, va(pc), size);
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const calls: LineCall[] = [];
  for (let offset = 0; offset + 4 <= bytes.length; offset += 4) {
    const address = pc + BigInt(offset);
    const label = callLabel(session, { vcpu, file, address }, words.getUint32(offset, true));
    if (label === undefined) continue;
    const line = file.lineAt(address);
    if (line?.line === here.line && line.file === here.file) calls.push({ address: va(address), label, line: line.line });
  }
  return calls;
}

/** What an instruction calls; undefined if it is no call. Arm ARM C6.2: BL, BLR. */
function callLabel(session: Session, { vcpu, file, address }: { vcpu: number; file: SymbolFile; address: bigint }, word: number): string | undefined {
  if (word >>> 26 === BL_OPCODE) {
    const entry = BigInt.asUintN(64, address + BigInt((word << 6) >> 4));
    return session.debuggee.symbols.get(session.debuggee.target.system.vmNameOf(vcpu) ?? '')?.at(entry)?.symbolize(entry)?.name ?? file.symbolize(entry)?.name ?? `0x${entry.toString(16)}`;
  }
  const isBlr = ((word & 0xffff_fc1f) >>> 0) === 0xd63f_0000;
  return isBlr ? `(*x${(word >>> 5) & 31})` : undefined;
}

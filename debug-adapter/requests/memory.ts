/** Reading and writing memory, and disassembly. Memory references are `vm:va:0x…`, `vm:ipa:0x…` or `pa:0x…`. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { disassemble as disassembleWord } from '../../runtime/index';
import { AdapterError } from '../errors';
import { piecesOf, readBytes, writeBytes } from '../memory-access';
import type { Session } from '../session';
import { addressText, type SpacedAddress } from '../variables/references';
import { decodeBase64, encodeBase64 } from '../base64';
import { lineOffset } from './breakpoints';
import { numberOf, numberOr, textOf, type Arguments } from './arguments';
import type { Handler } from './handler';

const READ_SIZE_MAX = 16 * 1024 * 1024;
const INSTRUCTION_COUNT_MAX = 20_000;
const INSTRUCTION_BYTES = 4n;

function addressOf(session: Session, args: Arguments, command: string): SpacedAddress {
  const reference = textOf(args, 'memoryReference', command);
  const parsed = session.references.parseAddress(reference);
  if (parsed === undefined) throw new AdapterError('badAddress', { address: reference });
  return { ...parsed, address: BigInt.asUintN(64, parsed.address + BigInt(Math.trunc(numberOr(args, 'offset', 0)))) };
}

function readMemory(session: Session, args: Arguments): unknown {
  const address = addressOf(session, args, 'readMemory');
  const count = Math.min(READ_SIZE_MAX, Math.max(0, Math.trunc(numberOf(args, 'count', 'readMemory'))));
  const bytes = readBytes(session, address, count);
  return {
    address: `0x${address.address.toString(16)}`,
    ...(bytes.length === 0 ? {} : { data: encodeBase64(bytes) }),
    ...(bytes.length === count ? {} : { unreadableBytes: count - bytes.length }),
  };
}

function writeMemory(session: Session, args: Arguments): unknown {
  const address = addressOf(session, args, 'writeMemory');
  const bytes = decodeBase64(textOf(args, 'data', 'writeMemory'));
  if (bytes === undefined) throw new AdapterError('badArguments', { command: 'writeMemory', problem: '"data" is not base64.' });
  const writable = piecesOf(session, address, bytes.length).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (writable === 0 && bytes.length > 0) throw new AdapterError('notWritable', { problem: `${addressText(address)} is not RAM.` });
  if (writable < bytes.length && args['allowPartial'] !== true) throw new AdapterError('notWritable', { problem: `only ${writable} of ${bytes.length} bytes at ${addressText(address)} are RAM.` });
  const written = writeBytes(session, address, bytes);
  session.references.clear();
  session.event('invalidated', { areas: ['variables', 'stacks'] });
  session.event('memory', { memoryReference: addressText(address), offset: 0, count: written });
  return { bytesWritten: written };
}

/** DAP: disassemble. Exactly `instructionCount` rows, whatever lies there. */
function disassemble(session: Session, args: Arguments): unknown {
  const base = addressOf(session, args, 'disassemble');
  const count = Math.min(INSTRUCTION_COUNT_MAX, Math.max(0, Math.trunc(numberOf(args, 'instructionCount', 'disassemble'))));
  const first = BigInt.asIntN(64, base.address - (base.address % INSTRUCTION_BYTES)) + BigInt(Math.trunc(numberOr(args, 'instructionOffset', 0))) * INSTRUCTION_BYTES;
  const rows: DebugProtocol.DisassembledInstruction[] = [];
  let lastPlace = '';
  for (let i = 0; i < count; i++) {
    const row = instructionAt(session, base, first + BigInt(i) * INSTRUCTION_BYTES);
    const place = row.location === undefined ? '' : `${row.location.path ?? ''}:${row.line ?? 0}`;
    if (place === lastPlace) {
      delete row.location;
      delete row.line;
    }
    lastPlace = place;
    rows.push(row);
  }
  return { instructions: rows };
}

function instructionAt(session: Session, base: SpacedAddress, signed: bigint): DebugProtocol.DisassembledInstruction {
  if (signed < 0n) return { address: `-0x${(-signed).toString(16)}`, instruction: '(below address 0)', presentationHint: 'invalid' };
  const address = BigInt.asUintN(64, signed);
  const bytes = readBytes(session, { ...base, address }, 4);
  const text = `0x${address.toString(16).padStart(8, '0')}`;
  if (bytes.length < 4) return { address: text, instruction: '(not mapped)', presentationHint: 'invalid' };
  const word = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const { mnemonic, operands } = disassembleWord(word, address);
  return {
    address: text,
    instructionBytes: [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    instruction: operands === '' ? mnemonic : `${mnemonic.padEnd(7)} ${operands}`,
    ...sourceAt(session, base, address),
  };
}

function sourceAt(session: Session, base: SpacedAddress, address: bigint): Partial<DebugProtocol.DisassembledInstruction> {
  if (base.space !== 'va') return {};
  const { target, symbols, sources } = session.debuggee;
  const vm = base.vm ?? target.system.vmNameOf(session.references.vcpuOfVm(null)) ?? '';
  const file = symbols.get(vm)?.at(address);
  const symbol = file?.symbolize(address);
  const line = file?.lineAt(address);
  const resolver = file === undefined ? undefined : sources.get(file);
  return {
    ...(symbol === undefined ? {} : { symbol: symbol.offset === 0n ? symbol.name : `${symbol.name}+${symbol.offset}` }),
    ...(line === undefined || line.line === 0 || resolver === undefined ? {} : { location: resolver.source(line.file), line: line.line - lineOffset(session) }),
  };
}

/** Requests about memory and disassembly, by name. */
export const MEMORY_REQUESTS = { readMemory, writeMemory, disassemble } as const satisfies Readonly<Record<string, Handler>>;

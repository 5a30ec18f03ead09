/**
 * Semihosting: calls that a bare-metal guest makes with `HLT #0xF000`, the operation in W0 and a parameter in X1. All operations of Arm's
 * specification for AArch64 exist. Console and exit are the VM's own; files are a sandbox (`semihosting-files.ts`); time is virtual. No call reaches
 * the host. Source: Semihosting for AArch32 and AArch64 (Arm), version 3.
 */

import { latin1 } from '../base/byte-reader';
import { pa, va } from '../base/brands';
import type { Engine } from '../engine/interface';
import { ERRNO, SemihostingFiles, type OpenFile, type SavedFiles } from './semihosting-files';

/** What a call did. `wait`: nothing; the vCPU makes the call again after some time. */
export type SemihostingResult = { readonly kind: 'return'; readonly value: bigint } | { readonly kind: 'exit'; readonly code: number } | { readonly kind: 'wait'; readonly ticks: number };

/** What a VM is to its semihosting calls. */
export interface SemihostingVm {
  /** Number that tells VMs apart. */
  readonly id: number;
  /** Program and arguments. */
  readonly commandLine: string;
  /** RAM that the image does not use, by guest physical address. */
  readonly heap: { readonly base: bigint; readonly end: bigint };
  print(bytes: Uint8Array): void;
  /** Takes typed bytes. */
  takeInput(countMax: number): Uint8Array;
}

/** Longest text or data that one call moves, in bytes. */
export const SEMIHOSTING_TEXT_MAX = 65536;
/** Seconds since 1970 at power-on, for SYS_TIME. */
export type StartSeconds = number;

const OPERATION = {
  open: 0x01, close: 0x02, writeCharacter: 0x03, writeText: 0x04, write: 0x05, read: 0x06, readCharacter: 0x07, isError: 0x08, isTerminal: 0x09, seek: 0x0a, fileLength: 0x0c,
  temporaryName: 0x0d, remove: 0x0e, rename: 0x0f, clock: 0x10, time: 0x11, system: 0x12, errno: 0x13, commandLine: 0x15, heapInfo: 0x16, exit: 0x18, exitExtended: 0x20,
  elapsed: 0x30, tickFrequency: 0x31,
} as const;
const REASON_APPLICATION_EXIT = 0x20026n;
const NAME_MAX = 1024;
const MASK_64 = 0xffff_ffff_ffff_ffffn;
/** How often a vCPU that waits for a key looks. */
const POLL_TICKS = 10_000;
const NANOSECONDS_PER_SECOND = 1_000_000_000;
const NANOSECONDS_PER_CENTISECOND = 10_000_000;

/** One call: who makes it, with which parameter, when. */
interface Call { readonly vm: SemihostingVm; readonly memory: GuestSpace; readonly parameter: bigint; readonly now: number }

/** Semihosting of a whole system. */
export class Semihosting {
  private readonly engine: Engine;
  private readonly startSeconds: StartSeconds;
  private readonly files = new SemihostingFiles();

  constructor(engine: Engine, startSeconds: StartSeconds) {
    this.engine = engine;
    this.startSeconds = startSeconds;
  }

  /** Carries out the call that `vcpu` is about to make. `now` is virtual time in nanoseconds. */
  call(vcpu: number, vm: SemihostingVm, now: number): SemihostingResult {
    const registers = this.engine.vcpu(vcpu);
    const call: Call = { vm, memory: new GuestSpace(this.engine, vcpu), parameter: registers.x(1), now };
    const operation = Number(registers.x(0) & 0xffff_ffffn);
    return this.console(operation, call) ?? this.file(operation, call) ?? this.environment(operation, call) ?? answer(this.files.fail(vm.id, ERRNO.invalid));
  }

  save(): SavedFiles {
    return this.files.save();
  }

  restore(saved: SavedFiles): void {
    this.files.restore(saved);
  }

  private console(operation: number, { vm, memory, parameter }: Call): SemihostingResult | undefined {
    switch (operation) {
      case OPERATION.writeCharacter:
        vm.print(memory.bytes(parameter, 1));
        return answer(0);
      case OPERATION.writeText:
        vm.print(memory.text(parameter));
        return answer(0);
      case OPERATION.readCharacter: {
        const [byte] = vm.takeInput(1);
        return byte === undefined ? { kind: 'wait', ticks: POLL_TICKS } : answer(byte);
      }
      default: return undefined;
    }
  }

  private file(operation: number, call: Call): SemihostingResult | undefined {
    const { vm, memory, parameter } = call;
    switch (operation) {
      case OPERATION.open: return answer(this.files.open(vm.id, latin1(memory.sized(parameter, 0, 2)), Number(memory.word(parameter, 1))));
      case OPERATION.close: return answer(this.files.close(vm.id, Number(memory.word(parameter, 0))));
      case OPERATION.write: return this.write(call);
      case OPERATION.read: return this.read(call);
      case OPERATION.isTerminal: return this.onFile(call, (file) => (file.kind === 'console' ? 1 : 0));
      case OPERATION.seek: return this.onFile(call, (file) => this.seek(call, file));
      case OPERATION.fileLength: return this.onFile(call, (file) => this.files.sizeOf(file));
      case OPERATION.remove: return answer(this.files.remove(vm.id, latin1(memory.sized(parameter, 0, 1))));
      case OPERATION.rename: return answer(this.files.rename(vm.id, latin1(memory.sized(parameter, 0, 1)), latin1(memory.sized(parameter, 2, 3))));
      case OPERATION.temporaryName: return this.temporaryName(call);
      default: return undefined;
    }
  }

  private environment(operation: number, { vm, memory, parameter, now }: Call): SemihostingResult | undefined {
    switch (operation) {
      case OPERATION.isError: return answer(memory.word(parameter, 0) >> 63n === 1n ? 1 : 0);
      case OPERATION.clock: return answer(Math.floor(now / NANOSECONDS_PER_CENTISECOND));
      case OPERATION.time: return answer(this.startSeconds + Math.floor(now / NANOSECONDS_PER_SECOND));
      case OPERATION.errno: return answer(this.files.errno(vm.id));
      case OPERATION.elapsed: return answer(memory.write(parameter, wordsOf(BigInt(now))) ? 0 : -1);
      case OPERATION.tickFrequency: return answer(NANOSECONDS_PER_SECOND);
      case OPERATION.system: return answer(this.files.fail(vm.id, ERRNO.access));
      case OPERATION.commandLine: return answer(giveCommandLine(memory, parameter, vm.commandLine));
      case OPERATION.heapInfo: return answer(memory.write(memory.word(parameter, 0), wordsOf(vm.heap.base, vm.heap.end, vm.heap.end, vm.heap.base)) ? 0 : -1);
      case OPERATION.exit:
      case OPERATION.exitExtended: {
        const isNormal = memory.word(parameter, 0) === REASON_APPLICATION_EXIT;
        return { kind: 'exit', code: isNormal ? Number(memory.word(parameter, 1) & 0xffn) : 1 };
      }
      default: return undefined;
    }
  }

  /** Calls on the file whose handle is the first word of the parameter. */
  private onFile({ vm, memory, parameter }: Call, act: (file: OpenFile) => number): SemihostingResult {
    const file = this.files.at(vm.id, Number(memory.word(parameter, 0)));
    return answer(file === undefined ? this.files.fail(vm.id, ERRNO.badHandle) : act(file));
  }

  /** Answers how many bytes were not written. */
  private write({ vm, memory, parameter }: Call): SemihostingResult {
    const file = this.files.at(vm.id, Number(memory.word(parameter, 0)));
    const size = memory.word(parameter, 2);
    if (file?.isWritable !== true) {
      this.files.fail(vm.id, ERRNO.badHandle);
      return answer(size);
    }
    const bytes = memory.bytes(memory.word(parameter, 1), Number(size > BigInt(SEMIHOSTING_TEXT_MAX) ? BigInt(SEMIHOSTING_TEXT_MAX) : size));
    if (file.kind === 'console') vm.print(bytes);
    const written = file.kind === 'console' ? bytes.length : this.files.write(file, bytes);
    if (written < bytes.length) this.files.fail(vm.id, ERRNO.tooLarge);
    return answer(size - BigInt(written));
  }

  /** Answers how many bytes were not read; all of them at the end of the file. */
  private read({ vm, memory, parameter }: Call): SemihostingResult {
    const file = this.files.at(vm.id, Number(memory.word(parameter, 0)));
    const size = memory.word(parameter, 2);
    if (file?.isReadable !== true) return answer(this.files.fail(vm.id, ERRNO.badHandle));
    const most = Number(size > BigInt(SEMIHOSTING_TEXT_MAX) ? BigInt(SEMIHOSTING_TEXT_MAX) : size);
    const bytes = file.kind === 'console' ? vm.takeInput(most) : this.files.read(file, most);
    if (file.kind === 'console' && bytes.length === 0 && most > 0) return { kind: 'wait', ticks: POLL_TICKS };
    return memory.write(memory.word(parameter, 1), bytes) ? answer(size - BigInt(bytes.length)) : answer(this.files.fail(vm.id, ERRNO.invalid));
  }

  private seek({ vm, memory, parameter }: Call, file: OpenFile): number {
    const position = memory.word(parameter, 1);
    if (file.kind === 'console' || position > BigInt(this.files.sizeOf(file))) return this.files.fail(vm.id, ERRNO.invalid);
    file.position = Number(position);
    return 0;
  }

  private temporaryName({ vm, memory, parameter }: Call): SemihostingResult {
    const name = `tmp${Number(memory.word(parameter, 1) & 0xffn)}\0`;
    const hasRoom = memory.word(parameter, 2) >= BigInt(name.length);
    return answer(hasRoom && memory.write(memory.word(parameter, 0), bytesOf(name)) ? 0 : this.files.fail(vm.id, ERRNO.invalid));
  }
}

/** The command line goes into the caller's buffer and its length into the second word. */
function giveCommandLine(memory: GuestSpace, parameter: bigint, text: string): number {
  if (memory.word(parameter, 1) < BigInt(text.length + 1)) return -1;
  return memory.write(memory.word(parameter, 0), bytesOf(`${text}\0`)) && memory.write(parameter + 8n, wordsOf(BigInt(text.length))) ? 0 : -1;
}

function answer(value: number | bigint): SemihostingResult {
  return { kind: 'return', value: BigInt.asUintN(64, BigInt(value)) };
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function wordsOf(...words: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 8);
  const view = new DataView(bytes.buffer);
  words.forEach((word, n) => { view.setBigUint64(n * 8, word, true); });
  return bytes;
}

/** Memory as the calling vCPU sees it, up to the first page that is not there. */
class GuestSpace {
  private readonly engine: Engine;
  private readonly vcpu: number;

  constructor(engine: Engine, vcpu: number) {
    this.engine = engine;
    this.vcpu = vcpu;
  }

  bytes(address: bigint, sizeBytes: number): Uint8Array {
    const out = new Uint8Array(sizeBytes);
    const done = this.eachPage(address, sizeBytes, 'readable', (at, offset, count) => { out.set(this.engine.memory.read(at, count), offset); });
    return out.slice(0, done);
  }

  /** False if not all of it could be written. */
  write(address: bigint, bytes: Uint8Array): boolean {
    return this.eachPage(address, bytes.length, 'writable', (at, offset, count) => { this.engine.memory.write(at, bytes.subarray(offset, offset + count)); }) === bytes.length;
  }

  /** Text up to its zero. */
  text(address: bigint): Uint8Array {
    const chunk = this.bytes(address, SEMIHOSTING_TEXT_MAX);
    const end = chunk.indexOf(0);
    return chunk.slice(0, end < 0 ? chunk.length : end);
  }

  /** Word `index` of a parameter block; 0 where there is no memory. */
  word(block: bigint, index: number): bigint {
    const bytes = this.bytes((block + BigInt(8 * index)) & MASK_64, 8);
    return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  /** A text whose address and length are words of a parameter block. */
  sized(block: bigint, address: number, length: number): Uint8Array {
    const size = this.word(block, length);
    return this.bytes(this.word(block, address), size > BigInt(NAME_MAX) ? NAME_MAX : Number(size));
  }

  private eachPage(address: bigint, sizeBytes: number, right: 'readable' | 'writable', visit: (at: ReturnType<typeof pa>, offset: number, count: number) => void): number {
    let done = 0;
    while (done < sizeBytes) {
      const at = (address + BigInt(done)) & MASK_64;
      const count = Math.min(sizeBytes - done, 4096 - Number(at & 0xfffn));
      const translation = this.engine.translate(this.vcpu, va(at), 'both');
      if (!translation.ok || !translation.isRam || !translation[right]) break;
      visit(translation.pa, done, count);
      done += count;
    }
    return done;
  }
}

/**
 * Semihosting calls that a bare-metal guest can make with `HLT #0xF000`: write a character or text, read time, exit.
 * Source: Semihosting for AArch32 and AArch64 (Arm). No call reaches the host's files.
 */

import { ipa, va, type Va } from '../base/brands';
import type { Engine } from '../engine/interface';

/** What a call did. */
export type SemihostingResult = { readonly kind: 'return'; readonly value: bigint; readonly output: Uint8Array } | { readonly kind: 'exit'; readonly code: number };

const SYS_WRITEC = 0x03;
const SYS_WRITE0 = 0x04;
const SYS_WRITE = 0x05;
const SYS_ISERROR = 0x08;
const SYS_CLOCK = 0x10;
const SYS_TIME = 0x11;
const SYS_ERRNO = 0x13;
const SYS_EXIT = 0x18;
const SYS_EXIT_EXTENDED = 0x20;
const SYS_ELAPSED = 0x30;
const SYS_TICKFREQ = 0x31;
const REASON_APPLICATION_EXIT = 0x20026n;
const MINUS_ONE = 0xffff_ffff_ffff_ffffn;
/** Longest text that one call prints, in bytes. */
export const SEMIHOSTING_TEXT_MAX = 65536;

/** Carries out the call that `vcpu` is about to make. `now` is virtual time in nanoseconds. */
export function semihostingCall(engine: Engine, vcpu: number, now: number): SemihostingResult {
  const memory = new GuestReader(engine, vcpu);
  const registers = engine.vcpu(vcpu);
  const parameter = registers.x(1);
  switch (Number(registers.x(0) & 0xffff_ffffn)) {
    case SYS_WRITEC: return answer(0n, memory.bytes(va(parameter), 1));
    case SYS_WRITE0: return answer(0n, memory.text(va(parameter)));
    case SYS_WRITE: return write(memory, parameter);
    case SYS_ISERROR: return answer(memory.word(parameter) >> 63n === 1n ? 1n : 0n);
    case SYS_CLOCK: return answer(BigInt(Math.floor(now / 10_000_000)));
    case SYS_TIME: return answer(BigInt(Math.floor(now / 1_000_000_000)));
    case SYS_ERRNO: return answer(0n);
    case SYS_ELAPSED: return answer(BigInt(now));
    case SYS_TICKFREQ: return answer(1_000_000_000n);
    case SYS_EXIT:
    case SYS_EXIT_EXTENDED: {
      const isNormal = memory.word(parameter) === REASON_APPLICATION_EXIT;
      return { kind: 'exit', code: isNormal ? Number(memory.word(parameter + 8n) & 0xffn) : 1 };
    }
    default: return answer(MINUS_ONE);
  }
}

function write(memory: GuestReader, parameter: bigint): SemihostingResult {
  const size = memory.word(parameter + 16n);
  const output = memory.bytes(va(memory.word(parameter + 8n)), Number(size > BigInt(SEMIHOSTING_TEXT_MAX) ? BigInt(SEMIHOSTING_TEXT_MAX) : size));
  return answer(size - BigInt(output.length), output);
}

function answer(value: bigint, output: Uint8Array = new Uint8Array(0)): SemihostingResult {
  return { kind: 'return', value, output };
}

/** Reads guest memory as the guest would, stopping at the first page that is not there. */
class GuestReader {
  private readonly engine: Engine;
  private readonly vcpu: number;

  constructor(engine: Engine, vcpu: number) {
    this.engine = engine;
    this.vcpu = vcpu;
  }

  bytes(address: Va, sizeBytes: number): Uint8Array {
    const out = new Uint8Array(sizeBytes);
    let done = 0;
    while (done < sizeBytes) {
      const at = address + BigInt(done);
      const chunk = Math.min(sizeBytes - done, 4096 - Number(at & 0xfffn));
      const translation = this.engine.translate(this.vcpu, ipa(at), 'both');
      if (!translation.ok || !translation.isRam) break;
      out.set(this.engine.memory.read(translation.pa, chunk), done);
      done += chunk;
    }
    return out.slice(0, done);
  }

  text(address: Va): Uint8Array {
    const chunk = this.bytes(address, SEMIHOSTING_TEXT_MAX);
    const end = chunk.indexOf(0);
    return chunk.slice(0, end < 0 ? chunk.length : end);
  }

  word(address: bigint): bigint {
    const bytes = this.bytes(va(address), 8);
    return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }
}

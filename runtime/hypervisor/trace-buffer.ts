/**
 * The hypervisor's trace in memory, in the format of the open hypervisor (trace_standard, format 1), which its own tool decodes from a dump.
 *
 * A control block with the magic `6TRA` says where the buffers lie: a global one and one per CPU, each with a header (`6BUF`) and entries of 64 bytes.
 * No guest can see them; dump tools find the control block by its magic. Format strings lie behind it, at the addresses that entries name modulo 2 MiB.
 * All state is in these bytes, so that nothing is saved beside RAM. Hypercalls are logged (class USER), nothing else.
 */

import { assert } from '../base/assert';
import { pa } from '../base/brands';
import type { PhysicalMemory } from '../engine/interface';
import type { Heap } from './partition';

/** `6TRA`: the control block. */
export const TRACE_MAGIC = 0x4152_5436;
/** `6BUF`: the header of a buffer. */
export const TRACE_BUFFER_MAGIC = 0x4655_4236;
/** Class and identifier of hypercalls. */
export const TRACE_CLASS_USER = 1n << 2n;
const TRACE_ID_HYPERCALL = 2n;
const VERSION = 0x0100;
/** 64-bit registers, little endian, format `hypervisor_armv8`. */
const FLAGS = 0x13;
/** Bytes of an entry, and of a header. */
export const TRACE_ENTRY_SIZE = 64;
const PAGE = 4096;
/** Share of the heap that buffers take, and the most that they take. */
const HEAP_SHARE = 16;
const AREA_PAGES_MAX = 256;
/** Where format strings begin in the page of the control block. */
const STRINGS = 0x100;
const ARGUMENTS_MAX = 5;
/** Formats of the calls by SMCCC, which do not name the call. */
const SMCCC_ENTER = 'smccc hyp: {:#x}: {:#x} {:#x} {:#x}, {:#x}';
const SMCCC_LEAVE = 'smccc ret: {:#x} {:#x} {:#x} {:#x} {:#x}';

/** Where an entry comes from. `counter` is the system counter. */
export interface TraceOrigin { readonly cpu: number; readonly vmid: number; readonly vcpu: number; readonly counter: bigint }

/** Writes entries. */
export class TraceBuffer {
  /** Physical address of the control block. */
  readonly controlBase: bigint;
  private readonly memory: PhysicalMemory;
  private readonly globalBase: bigint;
  private readonly strings = new Map<string, bigint>();
  private readonly entry = new Uint8Array(TRACE_ENTRY_SIZE);
  private readonly view = new DataView(this.entry.buffer);

  /** Takes its pages off an empty heap and writes headers; formats are the names of all calls. */
  constructor(memory: PhysicalMemory, heap: Heap, setup: { readonly cpuCount: number; readonly classes: bigint; readonly names: readonly string[] }) {
    this.memory = memory;
    const texts = [SMCCC_ENTER, SMCCC_LEAVE, ...setup.names];
    const stringBytes = texts.reduce((sum, text) => sum + text.length + 1, STRINGS);
    const controlPages = Math.ceil(stringBytes / PAGE);
    const areaPages = Math.max(1, Math.min(AREA_PAGES_MAX, Math.floor(heap.pageCount / HEAP_SHARE)));
    const first = takePages(heap, controlPages + areaPages);
    this.controlBase = BigInt(first) * BigInt(PAGE);
    this.globalBase = this.controlBase + BigInt(controlPages * PAGE);
    this.memory.fill(pa(this.controlBase), (controlPages + areaPages) * PAGE, 0);
    this.writeStrings(texts);
    this.writeHeaders(areaPages, setup);
  }

  /** The classes that are enabled now, for whoever reads a dump. */
  setClasses(classes: bigint): void {
    this.memory.writeU64(pa(this.controlBase + 8n), classes);
  }

  /** A native call, entering with its arguments or leaving with its results. */
  native(origin: TraceOrigin, format: string, values: readonly bigint[]): void {
    this.log(origin, format, values);
  }

  /** A call by SMCCC. */
  smccc(origin: TraceOrigin, phase: 'enter' | 'leave', values: readonly bigint[]): void {
    this.log(origin, phase === 'enter' ? SMCCC_ENTER : SMCCC_LEAVE, values);
  }

  private log({ cpu, vmid, vcpu, counter }: TraceOrigin, format: string, values: readonly bigint[]): void {
    const header = this.globalBase;
    const entries = this.memory.readU32(pa(header + 4n));
    const head = this.memory.readU32(pa(header + 40n));
    const slot = head >= entries ? 0 : head;
    if (head >= entries) this.memory.writeU32(pa(header + 44n), 0);
    this.memory.writeU32(pa(header + 40n), slot + 1);
    const at = header + BigInt((slot + 1) * TRACE_ENTRY_SIZE);
    const { view } = this;
    view.setBigUint64(0, (BigInt(cpu) << 56n) | BigInt.asUintN(56, counter), true);
    view.setBigUint64(8, (BigInt((vcpu << 16) | vmid) << 16n) | TRACE_ID_HYPERCALL, true);
    view.setBigUint64(16, this.strings.get(format) ?? 0n, true);
    for (let n = 0; n < ARGUMENTS_MAX; n++) view.setBigInt64(24 + n * 8, BigInt.asIntN(64, values[n] ?? 0n), true);
    this.memory.write(pa(at), this.entry);
  }

  private writeStrings(texts: readonly string[]): void {
    let offset = STRINGS;
    for (const text of texts) {
      this.strings.set(text, BigInt(offset));
      this.memory.write(pa(this.controlBase + BigInt(offset)), Uint8Array.from(text, (character) => character.charCodeAt(0)));
      offset += text.length + 1;
    }
  }

  /** The global buffer first, then one for each CPU; half of the area is the CPUs'. */
  private writeHeaders(areaPages: number, { cpuCount, classes }: { readonly cpuCount: number; readonly classes: bigint }): void {
    const total = areaPages * (PAGE / TRACE_ENTRY_SIZE);
    const local = Math.floor(total / 2 / cpuCount);
    let at = this.globalBase;
    for (let buffer = 0; buffer <= cpuCount; buffer++) {
      const size = buffer === 0 ? total - local * cpuCount : local;
      this.memory.writeU32(pa(at), TRACE_BUFFER_MAGIC);
      this.memory.writeU32(pa(at + 4n), size - 1);
      this.memory.writeU64(pa(at + 8n), buffer === 0 ? 0n : 1n << BigInt(buffer - 1));
      this.memory.writeU32(pa(at + 44n), 1);
      at += BigInt(size * TRACE_ENTRY_SIZE);
    }
    this.memory.writeU32(pa(this.controlBase), TRACE_MAGIC);
    this.memory.writeU32(pa(this.controlBase + 4n), VERSION | (FLAGS << 16));
    this.setClasses(classes);
    this.memory.writeU32(pa(this.controlBase + 16n), cpuCount + 1);
    this.memory.writeU32(pa(this.controlBase + 20n), total);
    this.memory.writeU64(pa(this.controlBase + 24n), this.globalBase);
    this.memory.writeU64(pa(this.controlBase + 32n), this.globalBase);
  }
}

function takePages(heap: Heap, count: number): number {
  const pages = Array.from({ length: count }, () => heap.allocatePage() ?? -1);
  const first = pages[0] ?? -1;
  assert(first >= 0 && pages.every((page, n) => page === first + n), 'the trace comes first and gets pages in a row');
  return first;
}

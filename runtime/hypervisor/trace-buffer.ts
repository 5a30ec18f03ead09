/**
 * The hypervisor's trace in memory, in the format of the open hypervisor (trace_standard, format 1), which its own tool decodes from a dump.
 *
 * First come the buffers, a global one and one per CPU, each with a header (`6BUF`) and entries of 64 bytes; behind them a control block with the
 * magic `6TRA` that says where they lie, and the format strings. Entries name strings by their distance from the first buffer, so that one dump of
 * all of it is both what the tool decodes and the image that it takes strings from. No guest can see any of it.
 * All state is in these bytes, so that nothing is saved beside RAM. What is logged when is known to `trace-log.ts`.
 */

import { assert } from '../base/assert';
import { type Pa, pa } from '../base/brands';
import type { PhysicalMemory } from '../engine/interface';
import type { Heap } from './partition';

/** `6TRA`: the control block. */
export const TRACE_MAGIC = 0x4152_5436;
/** `6BUF`: the header of a buffer. */
export const TRACE_BUFFER_MAGIC = 0x4655_4236;
const VERSION = 0x0100;
/** 64-bit registers, little endian, format `hypervisor_armv8`. */
const FLAGS = 0x13;
/** Bytes of an entry, and of a header. */
export const TRACE_ENTRY_SIZE = 64;
const PAGE = 4096;
/** Share of the heap that buffers take, and the most that they take: with the strings it must stay below the tool's 2 MiB. */
const HEAP_SHARE = 16;
const AREA_PAGES_MAX = 256;
/** Where strings begin in the page of the control block. */
const STRINGS = 0x100;
const ARGUMENTS_MAX = 5;
const HIGH = 0x1_0000_0000;

/** An argument of an entry: 64 bits, as a number where it is one exactly. */
export type TraceValue = number | bigint;
/** Where entries come from: the CPU, and VMID and vCPU of the thread on it. `ticks` is virtual time. */
export interface TraceOrigin { readonly cpu: number; readonly vmid: number; readonly vcpu: number }

/** One buffer: where its header lies and how many entries follow. */
interface Ring { readonly header: Pa; readonly head: Pa; readonly wrapped: Pa; readonly base: bigint; readonly entries: number }

/** How large the trace is and what it says at first. */
export interface TraceSetup { readonly cpuCount: number; readonly classes: bigint; readonly texts: readonly string[] }

/** Writes entries. */
export class TraceBuffer {
  /** Physical address of the first buffer. */
  readonly base: bigint;
  /** Physical address of the control block. */
  readonly controlBase: bigint;
  /** Bytes from the first buffer to the end of the strings. */
  readonly sizeBytes: number;
  private readonly memory: PhysicalMemory;
  private readonly rings: readonly Ring[];
  private readonly strings = new Map<string, number>();
  private readonly entry = new Uint8Array(TRACE_ENTRY_SIZE);
  private readonly words = new Uint32Array(this.entry.buffer);
  private readonly longs = new BigUint64Array(this.entry.buffer);

  /** Takes its pages off an empty heap and writes headers and strings. */
  constructor(memory: PhysicalMemory, heap: Heap, setup: TraceSetup) {
    this.memory = memory;
    const controlPages = Math.ceil(setup.texts.reduce((sum, text) => sum + text.length + 1, STRINGS) / PAGE);
    const areaPages = Math.max(1, Math.min(AREA_PAGES_MAX, Math.floor(heap.pageCount / HEAP_SHARE)));
    this.base = BigInt(takePages(heap, controlPages + areaPages)) * BigInt(PAGE);
    this.controlBase = this.base + BigInt(areaPages * PAGE);
    this.sizeBytes = (areaPages + controlPages) * PAGE;
    memory.fill(pa(this.base), this.sizeBytes, 0);
    this.writeStrings(setup.texts);
    this.rings = this.writeHeaders(areaPages, setup);
  }

  /** The classes that are enabled now, for whoever reads a dump. */
  setClasses(classes: bigint): void {
    this.memory.writeU64(pa(this.controlBase + 8n), classes);
  }

  /** Where a string lies, as entries name it; it was among the texts. */
  stringAt(text: string): number {
    const at = this.strings.get(text);
    assert(at !== undefined, 'a string of the trace is known from the start');
    return at;
  }

  /** Where the next entry comes from and when: virtual time in ticks, of which the counter has one in 16. */
  stamp({ cpu, vmid, vcpu }: TraceOrigin, ticks: number): void {
    const { words } = this;
    // An entry of time 0 on CPU 0 would look like none.
    words[0] = Math.max(1, Math.floor(ticks / 16));
    words[1] = ((cpu << 24) | Math.floor(ticks / (16 * HIGH))) >>> 0;
    words[2] = (vmid << 16) >>> 0;
    words[3] = vcpu & 0xffff;
  }

  /** One argument of the next entry. */
  argument(index: number, value: TraceValue): void {
    if (typeof value === 'bigint') {
      this.longs[3 + index] = value;
      return;
    }
    this.words[6 + index * 2] = value;
    this.words[7 + index * 2] = Math.floor(value / HIGH);
  }

  /** Arguments from `count` on are zero. */
  noMoreArguments(count: number): void {
    // A loop: filling so little takes longer.
    for (let n = 6 + count * 2; n < 6 + ARGUMENTS_MAX * 2; n++) this.words[n] = 0;
  }

  /** Adds the entry that `stamp` and `argument` made. `cpu` picks the buffer of a CPU; without, the global one takes it. */
  add(id: number, format: number, cpu: number | undefined): void {
    const ring = this.rings[cpu === undefined ? 0 : cpu + 1];
    if (ring === undefined) return;
    const { memory, words } = this;
    words[2] = ((words[2] ?? 0) | id) >>> 0;
    words[4] = format;
    words[5] = 0;
    let slot = memory.readU32(ring.head);
    if (slot >= ring.entries) {
      slot = 0;
      memory.writeU32(ring.wrapped, 0);
    }
    memory.writeU32(ring.head, slot + 1);
    memory.write(pa(ring.base + BigInt(slot * TRACE_ENTRY_SIZE)), this.entry);
  }

  private writeStrings(texts: readonly string[]): void {
    let offset = Number(this.controlBase - this.base) + STRINGS;
    for (const text of texts) {
      if (this.strings.has(text)) continue;
      this.strings.set(text, offset);
      this.memory.write(pa(this.base + BigInt(offset)), Uint8Array.from(text, (character) => character.charCodeAt(0)));
      offset += text.length + 1;
    }
  }

  /** The global buffer first, then one for each CPU; half of the area is the CPUs'. */
  private writeHeaders(areaPages: number, { cpuCount, classes }: TraceSetup): Ring[] {
    const total = areaPages * (PAGE / TRACE_ENTRY_SIZE);
    const local = Math.floor(total / 2 / cpuCount);
    const control = this.controlBase;
    let at = this.base;
    const rings = Array.from({ length: cpuCount + 1 }, (_, buffer): Ring => {
      const size = buffer === 0 ? total - local * cpuCount : local;
      const header = at;
      this.memory.writeU32(pa(header), TRACE_BUFFER_MAGIC);
      this.memory.writeU32(pa(header + 4n), size - 1);
      if (buffer > 0) this.memory.writeU32(pa(header + 8n + BigInt(((buffer - 1) >>> 5) * 4)), (1 << ((buffer - 1) & 31)) >>> 0);
      this.memory.writeU32(pa(header + 44n), 1);
      at += BigInt(size * TRACE_ENTRY_SIZE);
      return { header: pa(header), head: pa(header + 40n), wrapped: pa(header + 44n), base: header + BigInt(TRACE_ENTRY_SIZE), entries: size - 1 };
    });
    this.memory.writeU32(pa(control), TRACE_MAGIC);
    this.memory.writeU32(pa(control + 4n), VERSION | (FLAGS << 16));
    this.setClasses(classes);
    this.memory.writeU32(pa(control + 16n), cpuCount + 1);
    this.memory.writeU32(pa(control + 20n), total);
    this.memory.writeU64(pa(control + 24n), this.base);
    this.memory.writeU64(pa(control + 32n), this.base);
    return rings;
  }
}

function takePages(heap: Heap, count: number): number {
  const pages = Array.from({ length: count }, () => heap.allocatePage() ?? -1);
  const first = pages[0] ?? -1;
  assert(first >= 0 && pages.every((page, n) => page === first + n), 'the trace comes first and gets pages in a row');
  return first;
}

/**
 * What the hypervisor logs in its trace in memory: who runs on which CPU, and how objects are named there. Formats are in `trace-formats.ts`, bytes in
 * `trace-buffer.ts`.
 *
 * Entries name objects by address. Objects have none here: each gets one from its id, as if the hypervisor's heap held one object a page. An entry
 * carries the CPU, VMID and vCPU of the thread that runs there, whomever it is about, as in the open hypervisor.
 */

import { assert } from '../base/assert';
import type { PhysicalMemory } from '../engine/interface';
import { type Hypercall, type HypercallName, HYPERCALLS } from './hypercall-table';
import type { Heap } from './partition';
import { BLOCK, type BlockReason, type Thread } from './thread';
import { TraceBuffer, type TraceValue } from './trace-buffer';
import { enterFormat, leaveFormat, TRACE_CLASS, TRACE_ROW_NAMES, TRACE_ROWS, TRACE_TEXTS, TRACE_WORDS, type TraceRow, type TraceRowName } from './trace-formats';

/** Where objects would lie. Multiples of 4096 up here are exact as numbers. */
const OBJECTS = 0xffff_ff8f_0600_0000;
const IDLE_THREADS = 0xffff_ffd6_0001_0000;
const OBJECT_SIZE = 4096;
/** Numbers of block reasons by the bits of `BLOCK`: off, suspend, WFI, fault, run, MMIO, lifecycle, affinity. */
const REASONS = [7, 8, 9, 10, 11, 6, 4, 3] as const;

/** A kind of entry, ready to be written. */
export interface TraceHandle { readonly mask: number; readonly id: number; readonly isLocal: boolean; readonly format: number }
/** The entries of one hypercall by the native path. */
export interface CallHandles { readonly enter: TraceHandle; readonly leave: TraceHandle }

/** Which threads are on the CPUs, and on which CPU something happens; by object id. */
export interface SavedTraceLog { readonly cpu: number; readonly running: readonly (number | undefined)[] }

/** Logs. */
export class TraceLog {
  readonly buffer: TraceBuffer;
  /** Handles of all kinds of entries. */
  readonly rows: Readonly<Record<TraceRowName, TraceHandle>>;
  private readonly calls = new Map<HypercallName, CallHandles>();
  private readonly now: () => number;
  private readonly running: (Thread | undefined)[];
  private readonly origin: { cpu: number; vmid: number; vcpu: number } = { cpu: 0, vmid: 0, vcpu: 0 };
  private enabled: number;

  constructor(parts: { readonly memory: PhysicalMemory; readonly heap: Heap; readonly cpuCount: number; readonly classes: bigint; readonly now: () => number }) {
    this.buffer = new TraceBuffer(parts.memory, parts.heap, { cpuCount: parts.cpuCount, classes: parts.classes, texts: TRACE_TEXTS });
    this.now = parts.now;
    this.enabled = Number(BigInt.asUintN(32, parts.classes));
    this.running = Array.from({ length: parts.cpuCount }, () => undefined);
    const rows: Partial<Record<TraceRowName, TraceHandle>> = {};
    for (const name of TRACE_ROW_NAMES) rows[name] = this.handle(TRACE_ROWS[name]);
    assert(isComplete(rows), 'every kind of entry has a handle');
    this.rows = rows;
  }

  /** Gunyah API: trace_update_class_flags. */
  set classes(classes: bigint) {
    this.enabled = Number(BigInt.asUintN(32, classes));
    this.buffer.setClasses(classes);
  }

  /** Adds no entries until `restore`. */
  pause(): void {
    this.enabled = 0;
  }

  /** The entries of a hypercall. */
  callOf(name: HypercallName): CallHandles {
    const known = this.calls.get(name);
    if (known !== undefined) return known;
    const row: Hypercall = HYPERCALLS[name];
    const { id } = TRACE_ROWS.smcccEnter;
    const made = { enter: this.handle({ class: 'USER', id, format: enterFormat(name, row) }), leave: this.handle({ class: 'USER', id, format: leaveFormat(name, row) }) };
    this.calls.set(name, made);
    return made;
  }

  /** True if entries of this kind are wanted. */
  wants({ mask }: TraceHandle): boolean {
    return (this.enabled & mask) !== 0;
  }

  /** Adds an entry, if its class is enabled. */
  log(handle: TraceHandle, ...values: readonly TraceValue[]): void {
    if ((this.enabled & handle.mask) !== 0) this.write(handle, values);
  }

  /** Adds an entry whose class is known to be enabled. */
  write(handle: TraceHandle, values: readonly TraceValue[]): void {
    const { buffer, origin } = this;
    buffer.stamp(origin, this.now());
    const count = Math.min(values.length, 5);
    for (let n = 0; n < count; n++) buffer.argument(n, values[n] ?? 0);
    buffer.noMoreArguments(count);
    buffer.add(handle.id, handle.format, handle.isLocal ? origin.cpu : undefined);
  }

  /** The address by which entries name an object. */
  addressOf(object: { readonly header: { readonly id: number } }): number {
    return OBJECTS + object.header.id * OBJECT_SIZE;
  }

  /** The address of a word that entries name. */
  word(name: keyof typeof TRACE_WORDS): number {
    return this.buffer.stringAt(TRACE_WORDS[name]);
  }

  /** What follows happens on the CPU where a thread runs. */
  enter(cpu: number, thread: Thread | undefined): void {
    const { origin } = this;
    origin.cpu = cpu;
    origin.vmid = thread?.vmid ?? 0;
    origin.vcpu = thread?.vpm?.index ?? 0;
  }

  /** The scheduler has decided who runs on a CPU. */
  schedule(cpu: number, thread: Thread | undefined): void {
    const before = this.running[cpu];
    if (before !== thread) this.switch(cpu, before, thread);
    else if (thread === undefined && this.origin.cpu === cpu && this.origin.vmid !== 0) this.enter(cpu, undefined);
  }

  /** A thread got one more reason not to run; `blocks` is as before. */
  block(thread: Thread, reason: BlockReason, blocks: number): void {
    if (!this.wants(this.rows.block)) return;
    if (thread.kind === 'native' && reason === 'VCPU_WFI') this.log(this.rows.vcpuSuspend, this.addressOf(thread), thread.vmid);
    this.write(this.rows.block, [this.addressOf(thread), reasonOf(thread, reason), reasonsOf(blocksOf(thread, blocks))]);
  }

  /** A killed thread ends: the last that it does itself. */
  exit(thread: Thread): void {
    if (!this.wants(this.rows.block)) return;
    const { cpu, vmid, vcpu } = this.origin;
    this.enter(cpu, thread);
    if (thread.isBlockedBy('VCPU_SUSPEND')) this.resumed(thread, 'resume');
    else if (thread.isBlockedBy('VCPU_OFF')) this.resumed(thread, 'start');
    this.write(this.rows.block, [this.addressOf(thread), reasonOf(thread, 'LIFECYCLE'), reasonsOf(thread.blocks)]);
    this.origin.vmid = vmid;
    this.origin.vcpu = vcpu;
  }

  /** A reason went away, if it was there; the thread's are as after that. */
  unblock(thread: Thread, reason: BlockReason): void {
    if (!this.wants(this.rows.unblock)) return;
    const current = this.running[this.origin.cpu];
    const isLocal = reason === 'VCPU_RUN' ? thread.isRunnable || thread.state === 'killed' : thread.isRunnable && thread.affinity === this.origin.cpu && (current === undefined || current.priority < thread.priority);
    this.write(this.rows.unblock, [this.addressOf(thread), reasonOf(thread, reason), reasonsOf(reason === 'LIFECYCLE' ? thread.blocks : blocksOf(thread, thread.blocks)), isLocal ? 1 : 0]);
  }

  save(): SavedTraceLog {
    return { cpu: this.origin.cpu, running: this.running.map((thread) => thread?.header.id) };
  }

  /** Takes a saved state back; classes are the kernel's. */
  restore(saved: SavedTraceLog | undefined, classes: bigint, thread: (id: number) => Thread | undefined): void {
    this.enabled = Number(BigInt.asUintN(32, classes));
    this.running.forEach((_, cpu) => {
      const id = saved?.running[cpu];
      this.running[cpu] = id === undefined ? undefined : thread(id);
    });
    this.enter(saved?.cpu ?? 0, this.running[saved?.cpu ?? 0]);
  }

  private handle(row: TraceRow): TraceHandle {
    return { mask: 1 << TRACE_CLASS[row.class], id: row.id, isLocal: row.local === true, format: this.buffer.stringAt(row.format) };
  }

  private switch(cpu: number, before: Thread | undefined, thread: Thread | undefined): void {
    const { cpu: other } = this.origin;
    this.enter(cpu, before);
    const name = (which: Thread | undefined): number => (which === undefined ? IDLE_THREADS + cpu * OBJECT_SIZE : this.addressOf(which));
    this.log(this.rows.contextSwitch, name(before), name(thread));
    this.running[cpu] = thread;
    this.enter(cpu, thread);
    if (thread?.wokenBy !== undefined) this.resumed(thread, thread.wokenBy);
    if (other !== cpu) this.enter(other, this.running[other]);
  }

  private resumed(thread: Thread, by: NonNullable<Thread['wokenBy']>): void {
    thread.wokenBy = undefined;
    if (by === 'start') this.log(this.rows.vcpuStarted, this.addressOf(thread), thread.vmid);
    else this.log(this.rows.vcpuResume, this.addressOf(thread), thread.vmid, thread.vpm?.index ?? 0);
  }
}

function isComplete(rows: Partial<Record<TraceRowName, TraceHandle>>): rows is Record<TraceRowName, TraceHandle> {
  return TRACE_ROW_NAMES.every((name) => rows[name] !== undefined);
}

/** The root VM's vCPU is suspended where others wait. */
function reasonOf(thread: Thread, reason: BlockReason): number {
  const bit = 31 - Math.clz32(BLOCK[reason === 'VCPU_WFI' && thread.kind === 'native' ? 'VCPU_SUSPEND' : reason]);
  return REASONS[bit] ?? 0;
}

/** Reasons of a thread, also of one that has not begun or has ended. */
function blocksOf({ state, header }: Thread, blocks: number): number {
  return state === 'exited' || header.state === 'init' ? blocks | BLOCK.LIFECYCLE : blocks;
}

function reasonsOf(blocks: number): number {
  return REASONS.reduce<number>((bits, reason, bit) => (((blocks >>> bit) & 1) === 0 ? bits : bits | (1 << reason)), 0);
}


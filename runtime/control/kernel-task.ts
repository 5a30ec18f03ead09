/**
 * What a Linux kernel works on: the task of a vCPU, from the kernel's own variables and the layout that its debug information gives.
 * What does not look right is not told.
 */

import { findMember, fromBytes, stripType, type RecordType, type SymbolFile, type Type } from '../symbols/index';
import type { System } from '../system/system';
import { isUpperHalf, type KernelImage } from './kernel-image';

/** A task in words. */
export interface TaskName {
  readonly address: bigint;
  /** The name of its program, at most 15 characters. */
  readonly comm: string;
  readonly pid: number;
}

const POINTER_SIZE_BYTES = 8;
const COMM_SIZE_MAX_BYTES = 64;
/** A task on a machine as large as Linux supports has a smaller number (PID_MAX_LIMIT). */
const PID_MAX = 1 << 22;
const PRINTABLE = /^[\x20-\x7e]+$/;

interface TaskLayout { readonly comm: { readonly offset: number; readonly sizeBytes: number }; readonly pid: number }

/** The tasks of one kernel. */
export class KernelTasks {
  private readonly system: System;
  private readonly kernel: KernelImage;
  private known: { readonly layout: TaskLayout | undefined } | undefined;

  constructor(system: System, kernel: KernelImage) {
    this.system = system;
    this.kernel = kernel;
  }

  /** The `struct task_struct` that a vCPU runs; undefined before the kernel has one for it, or where it cannot be told. */
  current(vcpu: number): bigint | undefined {
    return this.describe(vcpu)?.address;
  }

  /** The task of a vCPU with its name. */
  describe(vcpu: number): TaskName | undefined {
    if (this.kernel.virtual === undefined) return undefined;
    for (const address of this.candidates(vcpu)) {
      const name = address === undefined || !isUpperHalf(address) || (address & 7n) !== 0n ? undefined : this.nameAt(vcpu, address);
      if (name !== undefined) return name;
    }
    return undefined;
  }

  /**
   * At EL1 the kernel keeps the task in SP_EL0; at EL0, and in the first instructions after, that is the process's stack pointer,
   * and `__entry_task` of the CPU has it. TPIDR_EL1 is the distance to the CPU's own variables.
   */
  private candidates(vcpu: number): readonly (bigint | undefined)[] {
    const state = this.system.engine.vcpu(vcpu);
    const variable = this.kernel.virtual?.addressOfSymbol('__entry_task');
    const own = this.system.systemRegister(vcpu, 'TPIDR_EL1');
    const entry = variable === undefined || own === undefined ? undefined : this.kernel.read(vcpu, BigInt.asUintN(64, variable + own), POINTER_SIZE_BYTES);
    const task = entry === undefined ? undefined : fromBytes(entry);
    return state.el === 1 ? [state.spEl0, task] : [task];
  }

  private nameAt(vcpu: number, address: bigint): TaskName | undefined {
    const layout = this.layout();
    if (layout === undefined) return undefined;
    const commBytes = this.kernel.read(vcpu, address + BigInt(layout.comm.offset), layout.comm.sizeBytes);
    const pidBytes = this.kernel.read(vcpu, address + BigInt(layout.pid), 4);
    if (commBytes === undefined || pidBytes === undefined) return undefined;
    const end = commBytes.indexOf(0);
    const comm = String.fromCharCode(...commBytes.subarray(0, Math.max(0, end)));
    const pid = Number(fromBytes(pidBytes));
    return PRINTABLE.test(comm) && pid < PID_MAX ? { address, comm, pid } : undefined;
  }

  private layout(): TaskLayout | undefined {
    this.known ??= { layout: taskLayout(this.kernel.file) };
    return this.known.layout;
  }

  /** The type of `current`. */
  taskType(): Type | undefined {
    return structure(this.kernel.file, 'task_struct');
  }
}

/** A structure of the kernel, looked for in the units that certainly have it whole, before all others. */
export function structure(file: SymbolFile, name: string): RecordType | undefined {
  const near = ['schedule', 'do_exit', 'start_kernel'].map((symbol) => file.addressOfSymbol(symbol)).find((address) => address !== undefined);
  const found = file.findType(`struct ${name}`, near);
  const type = found === undefined ? undefined : stripType(file.completeType(found));
  return type?.kind === 'record' && !type.isDeclaration ? type : undefined;
}

function taskLayout(file: SymbolFile): TaskLayout | undefined {
  const type = structure(file, 'task_struct');
  const comm = type === undefined ? undefined : findMember(type, 'comm');
  const pid = type === undefined ? undefined : findMember(type, 'pid');
  const text = comm === undefined ? undefined : stripType(comm.type);
  if (comm === undefined || pid === undefined || text?.kind !== 'array' || text.count === undefined || text.count > COMM_SIZE_MAX_BYTES) return undefined;
  return { comm: { offset: comm.offsetBytes, sizeBytes: text.count }, pid: pid.offsetBytes };
}

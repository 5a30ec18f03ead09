/**
 * Handles that DAP clients hold on to while the system stands still: variables, frames, and addresses as text. All but addresses are
 * gone when it moves on.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Va } from '../../runtime/index';
import { AdapterError } from '../errors';

/** An address in one of the spaces of the platform. */
export interface SpacedAddress {
  /** VM name; null with physical addresses and where the client gave a bare address. */
  readonly vm: string | null;
  readonly space: 'va' | 'ipa' | 'pa';
  readonly address: bigint;
}

/** Something that expands into variables. */
export interface VariableContainer {
  /** How many children there are, if it is a long list. */
  readonly indexed?: number;
  children(start: number, count: number): DebugProtocol.Variable[];
  /** Changes a child; returns its new text. Absent if nothing in here can be changed. */
  set?(name: string, value: string): DebugProtocol.SetVariableResponse['body'];
}

/** A stack frame that the client knows. */
export interface FrameHandle { readonly vcpu: number; readonly vm: string; readonly index: number; readonly inlineIndex: number }

/** A place in code that was offered to the client. */
export interface CodeTarget { readonly vm: string; readonly address: Va }

/** All handles of a session. */
export class References {
  private containers: VariableContainer[] = [];
  private frames: FrameHandle[] = [];
  private targets: CodeTarget[] = [];
  private generation = 0;
  /** Set by the session when a debuggee exists: some vCPU of a VM, for address translation. */
  resolveVm: (vm: string | null) => number = () => 0;

  /** Forgets everything: the system moves on. */
  clear(): void {
    this.containers = [];
    this.frames = [];
    this.targets = [];
    this.generation = (this.generation + 1) % 1000;
  }

  /** A `variablesReference`. */
  add(container: VariableContainer): number {
    this.containers.push(container);
    return this.generation * 100_000 + this.containers.length;
  }

  container(reference: number): VariableContainer {
    const container = Math.floor((reference - 1) / 100_000) === this.generation ? this.containers[(reference - 1) % 100_000] : undefined;
    if (container === undefined) throw new AdapterError('unknownReference');
    return container;
  }

  /** A frame id. */
  addFrame(frame: FrameHandle): number {
    const known = this.frames.findIndex((other) => other.vcpu === frame.vcpu && other.index === frame.index && other.inlineIndex === frame.inlineIndex);
    if (known >= 0) return this.generation * 100_000 + known + 1;
    this.frames.push(frame);
    return this.generation * 100_000 + this.frames.length;
  }

  frame(id: number): FrameHandle {
    const frame = Math.floor((id - 1) / 100_000) === this.generation ? this.frames[(id - 1) % 100_000] : undefined;
    if (frame === undefined) throw new AdapterError('unknownFrame');
    return frame;
  }

  /** The id of a place to go to or to step into. */
  addTarget(target: CodeTarget): number {
    this.targets.push(target);
    return this.generation * 100_000 + this.targets.length;
  }

  target(id: number): CodeTarget {
    const target = Math.floor((id - 1) / 100_000) === this.generation ? this.targets[(id - 1) % 100_000] : undefined;
    if (target === undefined) throw new AdapterError('unknownTarget');
    return target;
  }

  /** Some vCPU of a VM. */
  vcpuOfVm(vm: string | null): number {
    return this.resolveVm(vm);
  }

  /** `vm:va:0x…`, `vm:ipa:0x…`, `pa:0x…` or a bare `0x…` (a virtual address of the VM in focus). */
  parseAddress(text: string): SpacedAddress | undefined {
    const match = /^(?:(?:([^:]+):)?(va|ipa|pa):)?(0x[0-9a-f]{1,16}|\d{1,20})$/i.exec(text.trim());
    if (match === null) return undefined;
    const space = (match[2] ?? 'va').toLowerCase();
    const address = BigInt.asUintN(64, BigInt(match[3] ?? '0'));
    if (space === 'pa') return { vm: null, space: 'pa', address };
    return { vm: match[1] ?? null, space: space === 'ipa' ? 'ipa' : 'va', address };
  }
}

/** The text of an address, as `memoryReference`s and custom requests use it. */
export function addressText({ vm, space, address }: SpacedAddress): string {
  const digits = `0x${address.toString(16)}`;
  if (space === 'pa') return `pa:${digits}`;
  return vm === null ? digits : `${vm}:${space}:${digits}`;
}

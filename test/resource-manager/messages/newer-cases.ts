/** Cases of requests that only later Resource Managers know: served in profile `linux`, refused in the other. */

import assert from 'node:assert/strict';

import { AT_GUEST_BASE, configure, DTB_OFFSET, GUEST_BASE } from '../made-vm';
import { vmTree } from '../trees';
import { after, alone, aloneWithLinux, answered, type CasesOf, h16, h32, h64, h8, OTHER, type Situation, VM, within } from './case';

const tree = vmTree({ memory: AT_GUEST_BASE });
const configured = after(aloneWithLinux, (system) => { configure(system, tree); });
const ready = after(configured, (system) => { system.request('VM_INIT', { vmid: VM }); });
const foreign = after((): Situation => within('', 'linux'), (system) => { system.request('VM_ALLOCATE', { vmid: 0 }); });
const context = (set: number, index: number, value: bigint, vmid = VM): string => `${h16(vmid)} ${h8(set)} ${h8(index)} 00000000 ${h64(value)}`;
const layout = (range: number, base: bigint, size: bigint, vmid = VM): string => `${h16(vmid)} 0000 ${h32(range)} ${h64(base)} ${h64(size)}`;

const paging = (ranges: readonly (readonly [bigint, bigint])[], vmid = VM): string => `${h16(vmid)} 0000 ${h32(ranges.length)} ${ranges.map(([base, size]) => h64(base) + h64(size)).join('')}`;

/** Registers of the boot vCPU once the VM has started. */
function started({ system }: Situation): { readonly pc: bigint; readonly x0: bigint } {
  system.request('VM_START', { vmid: VM });
  const vcpu = system.engine.vcpu(system.thread(VM).engineVcpu ?? 0);
  return { pc: vcpu.pc, x0: vcpu.x(0) };
}

/** By request. */
export const NEWER_CASES: Readonly<Record<string, CasesOf>> = {
  VM_SET_BOOT_CONTEXT: {
    success: answered(ready, context(1, 0, 0x8001_2340n), '00000000', (situation) => {
      assert.deepEqual(started(situation), { pc: 0x8001_2340n, x0: GUEST_BASE + DTB_OFFSET });
    }),
    UNIMPLEMENTED: answered(alone, context(1, 0, 0x8001_2340n), 'ffffffff'),
    MSG_INVALID: answered(aloneWithLinux, '00', '04000000'),
    VMID_INVALID: answered(aloneWithLinux, context(1, 0, 0n), '0d000000'),
    DENIED: answered(foreign, context(1, 0, 0n, OTHER), '03000000'),
    VM_STATE: answered(configured, context(1, 0, 0n), '14000000'),
    ARGUMENT_INVALID: answered(ready, context(0, 31, 0n), '06000000'),
  },
  VM_SET_DEMAND_PAGING: {
    success: answered(configured, paging([[0x8000_0000n, 0x1000_0000n]]), '00000000', ({ system }) => {
      system.request('VM_INIT', { vmid: VM });
      const resources = system.request('VM_GET_HYP_RESOURCES', { vmid: VM }).values?.resources ?? [];
      assert.deepEqual(resources.map(({ type, label }) => [type, label]), [[4, 1], [9, 0], [9, 1], [9, 2], [9, 3], [10, 0]]);
    }),
    UNIMPLEMENTED: answered(alone, paging([]), 'ffffffff'),
    MSG_INVALID: answered(aloneWithLinux, '00', '04000000'),
    NORESOURCE: answered(configured, `${h16(VM)} 0000 ${h32(513)}`, '02000000'),
    VMID_INVALID: answered(aloneWithLinux, paging([]), '0d000000'),
    DENIED: answered(foreign, paging([], OTHER), '03000000'),
    VM_STATE: answered(ready, paging([]), '14000000'),
    ARGUMENT_INVALID: answered(configured, paging([[0x8000_0800n, 0x1000n]]), '06000000'),
  },
  VM_SET_ADDRESS_LAYOUT: {
    success: answered(configured, layout(0, 0x9000_0000n, 0x20_0000n), '00000000', (situation) => {
      situation.system.request('VM_INIT', { vmid: VM });
      assert.deepEqual(started(situation), { pc: 0x9000_0000n, x0: 0x9000_0000n + DTB_OFFSET });
    }),
    UNIMPLEMENTED: answered(alone, layout(0, 0x9000_0000n, 0x20_0000n), 'ffffffff'),
    MSG_INVALID: answered(aloneWithLinux, '00', '04000000'),
    VMID_INVALID: answered(aloneWithLinux, layout(0, 0x9000_0000n, 0x20_0000n), '0d000000'),
    DENIED: answered(foreign, layout(0, 0x9000_0000n, 0x20_0000n, OTHER), '03000000'),
    VM_STATE: answered(ready, layout(0, 0x9000_0000n, 0x20_0000n), '14000000'),
    ARGUMENT_INVALID: answered(configured, layout(2, 0x9000_0000n, 0x20_0000n), '06000000'),
  },
};

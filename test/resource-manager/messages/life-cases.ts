/** Cases of requests about the life of VMs. */

import assert from 'node:assert/strict';

import { AT_GUEST_BASE, configure, DTB_OFFSET, IMAGE, IMAGE_SIZE, lent } from '../made-vm';
import type { SystemFixture } from '../system-fixture';
import { vmTree } from '../trees';
import { after, alone, answered, beside, type CasesOf, exchanged, h16, h32, h64, h8, hText, OTHER, type Situation, TARGET, VM, within } from './case';

const STATUS = '56100008';
const EXITED = '56100001';
const RELEASED = '51100012';
/** VM_STATUS of the VM in a state. */
const status = (state: number): string => `${STATUS} ${h16(VM)} 0000 ${h8(state)} 00 0000`;

const allocated = after(alone, (system) => { system.request('VM_ALLOCATE', { vmid: 0 }); });
const offered = after(allocated, (system) => { system.request('MEM_LEND', lent(VM, [{ address: IMAGE, size: IMAGE_SIZE }])); });
const image = (change: { readonly vmid?: number; readonly auth?: number; readonly handle?: number; readonly dtbOffset?: bigint } = {}): string =>
  `${h16(change.vmid ?? VM)} ${h16(change.auth ?? 0)} ${h32(change.handle ?? 0)} ${h64(0)} ${h64(0)} ${h64(change.dtbOffset ?? DTB_OFFSET)} ${h64(0x1_0000)}`;

/** A made VM in state INIT, with this in its tree. */
function configured(tree: { readonly attributes?: string; readonly vdevices?: string; readonly name?: string; readonly vcpus?: string; readonly extra?: string } = {}, auth = 0): () => Situation {
  const { attributes = '', ...rest } = tree;
  return () => {
    const made = alone();
    configure(made.system, vmTree({ ...rest, memory: AT_GUEST_BASE }).replace('image-name', `${attributes} image-name`), { auth });
    made.system.receiveAll();
    return made;
  };
}

const initialised = (tree = {}): (() => Situation) => after(configured(tree), (system) => { system.request('VM_INIT', { vmid: VM }); });
const running = (tree = {}): (() => Situation) => after(initialised(tree), (system) => { system.request('VM_START', { vmid: VM }); });
const stopped = after(running(), (system) => { system.request('VM_STOP', { vmid: VM, flags: 1, reason: 0 }); });
const reset = after(stopped, (system) => { system.request('VM_RESET', { vmid: VM }); });
/** The same, but the platform's VM asks about another one. */
const foreign = (situation: () => Situation): (() => Situation) => () => ({ ...situation(), by: VM });
const otherTarget = `${h16(OTHER)} 0000`;
const withOther = after(within, (system) => { system.request('VM_ALLOCATE', { vmid: 0 }); });

/** RM has a firmware for such VMs. */
const withFirmware = after(configured({}, 2), (system) => {
  system.request('MEM_DONATE', { ...lent(0xff, [{ address: IMAGE + 0x40_0000n, size: 0x1000n }]) });
  system.request('FW_SET_VM_FIRMWARE', { auth: 2, more: 0, handle: 1, offset: 0n, size: 0x1000n });
});

const firmwareAt = (handle: number, size = 0x1000n): string => `${TARGET} ${h32(handle)} ${h64(0)} ${h64(size)}`;
const time = (nanoseconds: bigint, counter = 0n, vmid = VM): string => `${h16(vmid)} 0000 ${h64(nanoseconds)} ${h64(counter)}`;
const CLOCK = { vdevices: 'clock { vdevice-type = "vrtc-pl031"; base = <0 0x20000000>; };' };

function reports(system: SystemFixture): readonly string[] {
  return system.trace.flatMap((event) => (event.event === 'report' ? [event.code] : []));
}

/** By request. */
export const LIFE_CASES: Readonly<Record<string, CasesOf>> = {
  VM_ALLOCATE: {
    success: answered(alone, '0000 0000', `00000000 ${h32(VM)}`),
    DENIED: answered(within, '0000 0000', '03000000'),
    NORESOURCE: answered(alone, `${h16(0x40)} 0000`, '02000000'),
  },
  VM_DEALLOCATE: {
    success: answered(reset, TARGET, '00000000', ({ system }) => { system.request('VM_DEALLOCATE', { vmid: VM }, 0xd); }),
    VMID_INVALID: answered(alone, TARGET, '0d000000', ({ system }) => { assert.deepEqual(reports(system), ['rm-would-die']); }),
    DENIED: answered(withOther, otherTarget, '03000000'),
    VM_STATE: answered(configured(), TARGET, '14000000'),
  },
  VM_CONFIG_IMAGE: {
    success: exchanged(offered, image(), [status(1), 'reply 00000000']),
    DENIED: answered(within, image(), '03000000'),
    VMID_INVALID: answered(alone, image(), '0d000000'),
    VM_STATE: answered(configured(), image(), '14000000'),
    MEM_INVALID: exchanged(allocated, image(), [status(8), 'reply 0a000000']),
    ARGUMENT_INVALID: exchanged(offered, image({ auth: 3 }), [status(8), 'reply 06000000']),
  },
  VM_AUTH_IMAGE: {
    success: exchanged(configured({}, 1), `${h16(VM)} ${h16(1)} ${h32(1)} ${h32(2)}`, [status(1), 'reply 00000000']),
    DENIED: answered(within, `${h16(VM)} ${h16(0)}`, '03000000'),
    VMID_INVALID: answered(alone, `${h16(VM)} ${h16(0)}`, '0d000000'),
    VM_STATE: answered(allocated, `${h16(VM)} ${h16(0)}`, '14000000'),
  },
  VM_INIT: {
    success: exchanged(configured(), TARGET, [status(2), 'reply 00000000']),
    DENIED: answered(within, TARGET, '03000000'),
    VMID_INVALID: answered(alone, TARGET, '0d000000'),
    VM_STATE: answered(allocated, TARGET, '14000000'),
    MEM_INVALID: exchanged(configured({ name: 'x'.repeat(80) }), TARGET, [status(8), 'reply 0a000000']),
    ARGUMENT_INVALID: exchanged(configured({ attributes: 'vm-attrs = "crash-fatal";' }), TARGET, [status(8), 'reply 06000000']),
    NORESOURCE: exchanged(configured({ vdevices: 'queue { vdevice-type = "message-queue"; is-sender; peer-default; queue-depth = <256>; };' }), TARGET, [status(8), 'reply 02000000']),
  },
  VM_START: {
    success: exchanged(initialised(), TARGET, [status(3), 'reply 00000000']),
    VMID_INVALID: answered(alone, TARGET, '0d000000'),
    DENIED: answered(withOther, otherTarget, '03000000'),
    VM_STATE: answered(configured(), TARGET, '14000000'),
    NORESOURCE: exchanged(initialised({ extra: 'hypervisor {};' }), TARGET, [status(8), 'reply 02000000']),
  },
  VM_STOP: {
    success: exchanged(running(), `${h16(VM)} 01 00 ${h32(3)}`, [status(9), `${EXITED} ${h16(VM)} ${h16(7)} ${h32(4)} ${h32(0)}`, 'reply 00000000']),
    VMID_INVALID: answered(withOther, `${h16(OTHER)} 01 00 ${h32(3)}`, '0d000000'),
    VM_STATE: answered(allocated, `${h16(VM)} 01 00 ${h32(3)}`, '14000000'),
  },
  VM_RESET: {
    success: exchanged(stopped, TARGET, [status(10), 'reply 00000000', `${RELEASED} ${h32(0)} ${h16(VM)} 0000 ${h32(0)}`, status(11)]),
    VMID_INVALID: answered(withOther, otherTarget, '0d000000'),
    DENIED: answered(initialised({ attributes: 'vm-attrs = "no-reset";' }), TARGET, '03000000'),
    VM_STATE: answered(allocated, TARGET, '14000000', ({ system }) => { assert.deepEqual(reports(system), ['rm-would-die']); }),
  },
  VM_SET_TIME_BASE: {
    success: answered(initialised(CLOCK), time(5n), '00000000'),
    NORESOURCE: answered(alone, time(5n), '02000000 01000000'),
    DENIED: answered(withOther, time(5n, 0n, OTHER), '03000000 01000000'),
    VM_STATE: answered(allocated, time(5n), '14000000 01000000'),
    ARGUMENT_INVALID: answered(initialised(), time(5n), '06000000 1e000000'),
  },
  VM_SET_FIRMWARE_MEM: {
    success: answered(withFirmware, firmwareAt(0), '00000000'),
    NORESOURCE: answered(alone, firmwareAt(0), '02000000 01000000'),
    DENIED: answered(withOther, `${otherTarget} ${h32(0)} ${h64(0)} ${h64(0x1000)}`, '03000000 01000000'),
    VM_STATE: answered(allocated, firmwareAt(0), '14000000 01000000'),
    MEM_INVALID: answered(withFirmware, firmwareAt(7), '0a000000 01000000'),
    ARGUMENT_INVALID: answered(withFirmware, firmwareAt(0, 0x20_1000n), '06000000 01000000'),
  },
  VM_SET_STATUS: {
    success: answered(within, `00 04 ${h16(0x1234)}`, '00000000', ({ system }) => {
      assert.deepEqual(system.receiveAll().map(({ id, payload }) => `${id.toString(16)} ${Buffer.from(payload).toString('hex')}`), [`${STATUS} 8000000003043412`]);
    }),
    DENIED: answered(alone, '00 04 0000', '03000000'), MSG_INVALID: answered(within, '00', '04000000'),
    ARGUMENT_INVALID: answered(within, '00 08 0000', '06000000'),
  },
  VM_EXIT: {
    success: exchanged(within, `${h16(1)} 03 00`, [], ({ system }) => {
      assert.deepEqual(system.receiveAll().map(({ id, payload }) => `${id.toString(16)} ${Buffer.from(payload).toString('hex')}`), [`${STATUS} 8000000009000000`, `${EXITED} 800000000400000001000300`]);
    }),
    ARGUMENT_INVALID: answered(() => within('vm-attrs = "crash-fatal";'), '0000 00 00', '06000000'),
  },
  VM_SET_CRASH_MSG: {
    success: answered(within, `${h16(5)} 0000 ${hText('panic')} 000000`, '00000000', ({ system }) => {
      assert.deepEqual(system.request('VM_GET_CRASH_MSG', { vmid: VM }).values, { message: 'panic' });
    }),
  },
  VM_GET_CRASH_MSG: {
    success: answered(beside, TARGET, `00000000 ${h16(0)} 0000`),
    VMID_INVALID: answered(foreign(withOther), otherTarget, '0d000000'),
  },
};

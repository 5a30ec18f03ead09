/** Cases of requests that only ask. */

import { AT_GUEST_BASE, configure } from '../made-vm';
import { vmTree } from '../trees';
import { after, alone, answered, beside, type CasesOf, h16, h32, h64, h8, hText, OTHER, type Situation, TARGET, VM, within } from './case';

const allocated = after(alone, (system) => { system.request('VM_ALLOCATE', { vmid: 0 }); });
const withOther = after(within, (system) => { system.request('VM_ALLOCATE', { vmid: 0 }); });
const GUID = '00112233-4455-6677-8899-aabbccddeeff';
const GUID_BYTES = GUID.replace(/-/g, '');
/** A VM with a name, a URI and a GUID. */
const named = (): Situation => beside(`vm-uri = "vmuid/sensor"; vm-guid = "${GUID}";`);
const long = `${h16(80)} 0000 ${hText('x'.repeat(80))}`;

const one = (vmid: number): string => `00000000 ${h32(1)} ${h32(vmid)}`;
const text = (value: string): string => `${h16(value.length)} 0000 ${hText(value)}${'00'.repeat((4 - value.length % 4) % 4)}`;

/** A VM with a proxy-scheduled vCPU, a doorbell each way and a queue that it receives from. */
function connected(): Situation {
  const made = alone();
  configure(made.system, vmTree({
    vcpus: 'affinity = "proxy";', memory: AT_GUEST_BASE,
    vdevices: `bell { vdevice-type = "doorbell"; label = <1>; peer-default; }; source { vdevice-type = "doorbell-source"; label = <2>; peer-default; };
      queue { vdevice-type = "message-queue"; is-receiver; label = <3>; peer-default; };`,
  }));
  made.system.request('VM_INIT', { vmid: VM });
  made.system.receiveAll();
  return made;
}

/** An entry of VM_GET_HYP_RESOURCES. */
function entry(type: number, partner: number, rest: { readonly label: number; readonly cap: number; readonly virq: number }): string {
  return `${h8(type)} 00 ${h16(partner)} ${h32(0)} ${h32(rest.label)} ${h64(rest.cap)} ${h32(0)} ${h32(rest.virq)} ${h64(0)} ${h64(0)}`;
}

/** By request. */
export const QUERY_CASES: Readonly<Record<string, CasesOf>> = {
  VM_GET_ID: {
    success: answered(named, TARGET, `00000000 ${h32(4)} 00 00 ${h16(16)} ${GUID_BYTES} 02 00 ${h16(6)} ${hText('sensor')} 0000 01 00 ${h16(12)} ${hText('vmuid/sensor')} 03 00 ${h16(3)} ${hText('N/A')} 00`),
    NORESOURCE: answered(alone, TARGET, '02000000'),
    VM_STATE: answered(allocated, TARGET, '14000000'),
  },
  VM_LOOKUP_URI: { success: answered(named, text('vmuid/sensor'), one(VM)), ARGUMENT_INVALID: answered(alone, long, '06000000') },
  VM_LOOKUP_GUID: { success: answered(named, GUID_BYTES, one(VM)) },
  VM_LOOKUP_NAME: { success: answered(beside, text('sensor'), one(VM)), ARGUMENT_INVALID: answered(alone, long, '06000000') },
  VM_GET_OWNER: { success: answered(within, '', `00000000 ${h32(3)}`) },
  VM_GET_STATE: {
    success: answered(beside, TARGET, '00000000 03 00 0000'),
    NORESOURCE: answered(alone, TARGET, '02000000'),
    DENIED: answered(withOther, `${h16(OTHER)} 0000`, '03000000'),
  },
  VM_GET_HYP_RESOURCES: {
    success: answered(connected, TARGET, `00000000 ${h32(4)}
      ${entry(4, 0, { label: 0, cap: 3, virq: 0x3c2 })} ${entry(0, VM, { label: 1, cap: 4, virq: 0 })} ${entry(1, VM, { label: 2, cap: 5, virq: 0x3c3 })} ${entry(2, VM, { label: 3, cap: 6, virq: 0x3c4 })}`),
    ARGUMENT_INVALID: answered(alone, TARGET, '06000000'),
    NORESOURCE: answered(allocated, TARGET, '02000000'),
  },
  VM_GET_VMID: { success: answered(within, '', `00000000 ${h32(VM)}`) },
  VM_GET_PEERS: { success: answered(within, '', one(3)) },
  HOST_GET_TYPE: { success: answered(alone, '', '00000000 64010001') },
};


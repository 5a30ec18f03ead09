/** Handlers of the calls on virtual real-time clocks. They have no numbers, so only the root VM reaches them. */

import { IPA_SIZE_BYTES } from './addrspace';
import type { Handlers } from './hypercall-types';

const PAGE = 4096n;
/** CNTPCT = ticks >> 4. */
const COUNTER_SHIFT = 4n;

/** The system counter at a tick. */
export function counterAt(tick: number): bigint {
  return BigInt(tick) >> COUNTER_SHIFT;
}

/** Handlers of this file. */
export const VRTC_HANDLERS: Handlers<'vrtc_configure' | 'vrtc_set_time_base' | 'vrtc_attach_addrspace'> = {
  vrtc_configure: ({ ipa }, { vrtc }) => vrtc.configure(ipa),
  vrtc_set_time_base: ({ time_base, sys_timer_ref }, { vrtc }, { kernel }) => vrtc.setTimeBase(time_base, sys_timer_ref, counterAt(kernel.now)),
  vrtc_attach_addrspace: (_args, { vrtc, addrspace }) => {
    if (vrtc.ipa === undefined || vrtc.ipa + PAGE > IPA_SIZE_BYTES) return 'ADDR_INVALID';
    vrtc.addrspaceId = addrspace.header.id;
    return 'OK';
  },
};

/** Handlers of the calls on watchdogs, and the SMC calls by which a guest uses its own. Both exist only where the platform has watchdogs. */

import type { ErrorName } from './errors';
import type { Handler, Handlers } from './hypercall-types';
import type { Thread } from './thread';
import type { Watchdog } from './watchdog';

type WatchdogCallName = 'watchdog_configure' | 'watchdog_attach_vcpu' | 'watchdog_bind_virq' | 'watchdog_unbind_virq' | 'watchdog_manage';

const BIND_BITE = 1n;

const sourceOf = (watchdog: Watchdog, flags: bigint) => ((flags & BIND_BITE) !== 0n ? watchdog.biteSource : watchdog.barkSource);

/** The primary VM has the platform's own watchdog. */
const attach: Handler<'watchdog_attach_vcpu'> = (_args, { watchdog, vcpu }, { kernel }) => {
  if (vcpu.has('hlos_vm')) return 'ARGUMENT_INVALID';
  const old = vcpu.watchdog;
  watchdog.header.get();
  vcpu.watchdog = watchdog;
  if (old !== undefined) kernel.put(old);
  return 'OK';
};

/** Handlers of this file. */
export const WATCHDOG_HANDLERS: Handlers<WatchdogCallName> = {
  watchdog_configure: ({ options }, { watchdog }) => watchdog.configure(options),
  watchdog_attach_vcpu: attach,
  watchdog_bind_virq: ({ virq, flags }, { watchdog, vic }) => ((flags & ~BIND_BITE) !== 0n ? 'ARGUMENT_INVALID' : sourceOf(watchdog, flags).bind(vic.vic, virq)),
  watchdog_unbind_virq: ({ flags }, { watchdog }) => {
    if ((flags & ~BIND_BITE) !== 0n) return 'ARGUMENT_INVALID';
    sourceOf(watchdog, flags).unbind();
    return 'OK';
  },
  watchdog_manage: ({ operation }, { watchdog }) => watchdog.manage(operation),
};

/** SMC32 function identifiers of the vendor's hypervisor range (Linux: gunyah-wdt, gh_virt_wdt). */
export const WATCHDOG_SERVICES = { 0x8600_0005: 'WATCHDOG_CONTROL', 0x8600_0006: 'WATCHDOG_STATUS', 0x8600_0007: 'WATCHDOG_PET', 0x8600_0008: 'WATCHDOG_SET_TIME' } as const satisfies Record<number, string>;

const CONTROL_ENABLE = 1n;
/** Reserved, and wanted to be one. */
const CONTROL_ONE = 2n;
const TIME_BITS = 0xffffn;
const EXPIRED_BIT = 31;

/** A service call: the error, and the status words where it asks for them. `undefined` if the caller has no watchdog. */
export function callWatchdog(thread: Thread, name: string, args: readonly [bigint, bigint]): { readonly error: ErrorName; readonly words: readonly bigint[] } | undefined {
  const { watchdog } = thread;
  if (watchdog === undefined) return undefined;
  switch (name) {
    case 'WATCHDOG_CONTROL':
      if ((args[0] & ~CONTROL_ENABLE) !== CONTROL_ONE) return { error: 'ARGUMENT_INVALID', words: [] };
      return { error: watchdog.control((args[0] & CONTROL_ENABLE) !== 0n), words: [] };
    case 'WATCHDOG_STATUS': {
      const { isEnabled, isExpired, elapsedMs } = watchdog.status();
      return { error: 'OK', words: [BigInt(((isExpired ? 2 ** EXPIRED_BIT : 0) + (isEnabled ? 1 : 0))), BigInt(elapsedMs)] };
    }
    case 'WATCHDOG_PET':
      watchdog.pet();
      return { error: 'OK', words: [] };
    default: return { error: watchdog.setTimes(Number(args[0] & TIME_BITS), Number(args[1] & TIME_BITS)), words: [] };
  }
}

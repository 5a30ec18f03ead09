/** Cases of requests about hardware interrupts and address space. */

import { after, alone, answered, beside, type CasesOf, h16, h32, h64, type Situation, VM, within } from './case';

const UART = 33;
const CHOOSE = 0xffff_ffff;
const NOBODY = 0x99;
/** The handle that RM gives for the UART's interrupt: its base is random, so it is read from the state. */
function handleOf({ system }: Situation): number {
  return ((system.rm.save() as { interruptHandleBase: number }).interruptHandleBase + UART) >>> 0;
}
const HANDLE = handleOf(alone());
const lendUart = after(beside, (system) => { system.request('VM_IRQ_LEND', { borrower: VM, virq: UART, label: 7 }); });
const borrowed = (): Situation => ({ ...lendUart(), by: VM });
const accepted = after(borrowed, (system) => { system.exchangeAs(VM, 0x5600_0050, Uint8Array.from(Buffer.from(h32(HANDLE) + h32(CHOOSE), 'hex'))); });
const acceptedAndSecond = after(accepted, (system) => { system.request('VM_IRQ_LEND', { borrower: VM, virq: UART + 1, label: 8 }); });
const lentToNobody = after(beside, (system) => { system.request('VM_IRQ_LEND', { borrower: NOBODY, virq: UART, label: 7 }); });
const primary = (situation: () => Situation): (() => Situation) => () => ({ ...situation(), by: 3 });
const fixed = (...ranges: readonly (readonly [bigint, bigint])[]): string => `00 00 0000 ${h32(4)} ${h32(0)} ${h16(ranges.length)} 0000 ${ranges.map(([base, size]) => h64(base) + h64(size)).join('')}`;
const GIGABYTE = 0x4000_0000n;

/** By request. */
export const DEVICE_CASES: Readonly<Record<string, CasesOf>> = {
  VM_IRQ_LEND: {
    success: answered(beside, `${h16(VM)} 0000 ${h32(UART)} ${h32(7)}`, `00000000 ${h32(HANDLE)}`),
    IRQ_INVALID: answered(beside, `${h16(VM)} 0000 ${h32(40)} ${h32(7)}`, '0f000000'),
    IRQ_INUSE: answered(lendUart, `${h16(VM)} 0000 ${h32(UART)} ${h32(7)}`, '10000000'),
  },
  VM_IRQ_ACCEPT: {
    success: answered(borrowed, `${h32(HANDLE)} ${h32(CHOOSE)}`, `00000000 ${h32(UART)}`),
    HANDLE_INVALID: answered(primary(borrowed), `${h32(HANDLE)} ${h32(CHOOSE)}`, '07000000'),
    IN_USE: answered(accepted, `${h32(HANDLE)} ${h32(CHOOSE)}`, '12000000'),
    // What would be bound is the hardware interrupt of that number.
    ARGUMENT_INVALID: answered(borrowed, `${h32(HANDLE)} ${h32(960)}`, '06000000'),
    DENIED: answered(acceptedAndSecond, `${h32(HANDLE + 1)} ${h32(UART)}`, '03000000'),
  },
  VM_IRQ_RELEASE: {
    success: answered(accepted, h32(HANDLE), '00000000'),
    HANDLE_INVALID: answered(primary(accepted), h32(HANDLE), '07000000'),
    IN_USE: answered(borrowed, h32(HANDLE), '12000000'),
  },
  VM_IRQ_RECLAIM: {
    success: answered(lendUart, h32(HANDLE), '00000000'),
    HANDLE_INVALID: answered(beside, h32(HANDLE), '07000000'),
    IN_USE: answered(primary(accepted), h32(HANDLE), '12000000'),
    IRQ_INVALID: answered(() => ({ ...lentToNobody(), by: VM }), h32(HANDLE), '0f000000'),
  },
  VM_IRQ_NOTIFY: {
    success: answered(lendUart, `${h32(HANDLE)} ${h32(1)} ${h16(1)} 0000 ${h16(VM)} 0000`, '00000000', ({ system }) => {
      const [told] = system.secondaryReceive(VM);
      if (Buffer.from(told?.payload ?? []).toString('hex') !== `03000000${h32(HANDLE)}07000000`) throw new Error('the borrower is told');
    }),
    MSG_INVALID: answered(lendUart, `${h32(HANDLE)} ${h32(2)} ${h16(0)} 0000`, '04000000'),
    HANDLE_INVALID: answered(beside, `${h32(HANDLE)} ${h32(1)}`, '07000000'),
    IRQ_INUSE: answered(primary(accepted), `${h32(HANDLE)} ${h32(1)}`, '10000000'),
    IRQ_RELEASED: answered(borrowed, `${h32(HANDLE)} ${h32(4)}`, '11000000'),
    VMID_INVALID: answered(lentToNobody, `${h32(HANDLE)} ${h32(1)}`, '0d000000'),
    ARGUMENT_INVALID: answered(lendUart, `${h32(HANDLE)} ${h32(1)} ${h16(1)} 0000 ${h16(0x8f)} 0000`, '06000000'),
  },
  IPA_RESERVE: {
    success: answered(within, `01 00 0000 ${h32(4)} ${h32(0)} ${h16(2)} 0000 ${h64(8n * GIGABYTE)} ${h64(GIGABYTE)} ${h64(0x2000)} ${h64(0x1000)} ${h64(8n * GIGABYTE)} ${h64(GIGABYTE)} ${h64(0x1000)} ${h64(0x20_0000)}`,
      `00000000 ${h32(2)} ${h64(8n * GIGABYTE)} ${h64(8n * GIGABYTE + 0x20_0000n)}`),
    MSG_INVALID: answered(within, `02 00 0000 ${h32(4)} ${h32(0)} ${h16(0)} 0000`, '04000000'),
    NORESOURCE: answered(within, `00 00 0000 ${h32(4)} ${h32(0)} ${h16(31)} 0000`, '02000000'),
    ARGUMENT_INVALID: answered(within, `00 00 0000 ${h32(8)} ${h32(0)} ${h16(0)} 0000`, '06000000'),
    DENIED: answered(within, fixed([8n * GIGABYTE, 0x800n]), '03000000'),
  },
};


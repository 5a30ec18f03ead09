/** Cases of requests about memory parcels. */

import { pa } from '../../../runtime/base/brands';
import type { SystemFixture } from '../system-fixture';
import { after, alone, answered, beside, type CasesOf, exchanged, h16, h32, h64, h8, OTHER, type Situation, VM, within } from './case';

const PAGE = 0x4040_0000n;
/** Where RM puts what a VM accepts without saying where, and memory of the platform's VM that it may give away. */
const CHOSEN = 0x4000_1000n;
const VM_PAGE = 0x8004_0000n;

type Acl = readonly (readonly [number, number])[];
type Ranges = readonly (readonly [bigint, bigint])[];

const aclBytes = (acl: Acl): string => `${h16(acl.length)} 0000 ${acl.map(([vmid, rights]) => `${h16(vmid)}${h8(rights)}00`).join(' ')}`;
const rangeBytes = (ranges: Ranges, second = 0): string => `${h16(ranges.length)} ${h16(second)} ${ranges.map(([address, size]) => h64(address) + h64(size)).join(' ')}`;
const NO_ATTRIBUTES = '0000 0000';
/** A count above the limit, and bytes enough for what is demanded of any message. */
const TOO_MANY = `${h16(513)} 0000 00000000 00000000`;

interface Given { readonly type?: number; readonly flags?: number; readonly label?: number; readonly acl?: Acl; readonly ranges?: Ranges; readonly attributes?: string }

/** Payload of donate, lend and share. */
function given({ type = 0, flags = 0, label = 0, acl = [[VM, 7]], ranges = [[PAGE, 0x1000n]], attributes = NO_ATTRIBUTES }: Given = {}): string {
  return `${h8(type)} 00 ${h8(flags)} 00 ${h32(label)} ${aclBytes(acl)} ${rangeBytes(ranges)} ${attributes}`;
}

const SHARED: Acl = [[3, 6], [VM, 6]];
const send = (system: SystemFixture, id: number, payload: string): void => { system.exchange(id, Uint8Array.from(Buffer.from(payload.replace(/\s/g, ''), 'hex'))); };
const sendAs = (system: SystemFixture, id: number, payload: string): void => { system.exchangeAs(VM, id, Uint8Array.from(Buffer.from(payload.replace(/\s/g, ''), 'hex'))); };
const share = (change: Given = {}) => (system: SystemFixture): void => { send(system, 0x5100_0013, given({ acl: SHARED, ...change })); };
const lend = (change: Given = {}) => (system: SystemFixture): void => { send(system, 0x5100_0012, given(change)); };
const accepted = (system: SystemFixture): void => { sendAs(system, 0x5100_0011, acceptance({})); };
const another = (system: SystemFixture): void => { system.request('VM_ALLOCATE', { vmid: 0 }); };
const sixtyFour = (system: SystemFixture): void => { for (let n = 0n; n < 64n; n++) lend({ ranges: [[PAGE + n * 0x1000n, 0x1000n]] })(system); };

interface Acceptance { readonly handle?: number; readonly type?: number; readonly transaction?: number; readonly flags?: number; readonly label?: number; readonly acl?: string; readonly ranges?: Ranges; readonly mapFor?: number }

/** Payload of MEM_ACCEPT. */
function acceptance({ handle = 0, type = 0, transaction = 2, flags = 0x80, label = 0, acl = aclBytes([]), ranges = [], mapFor = 0 }: Acceptance): string {
  return `${h32(handle)} ${h8(type)} ${h8(transaction)} ${h8(flags)} 00 ${h32(label)} ${acl} ${rangeBytes(ranges, mapFor)} ${NO_ATTRIBUTES}`;
}

/** The VM of the platform asks, after the primary VM has shared a page with it. */
const offered = after(within, share({ label: 5 }));
const taken = after(within, share(), accepted);
const withOther = after(beside, another);
const release = (handle: number, flags = 0): string => `${h32(handle)} ${h8(flags)} 000000`;
const notice = (flags: number, to: readonly number[] = [], tag = 0): string => `${h32(0)} ${h8(flags)} 000000 ${h32(tag)}${to.length === 0 ? '' : `${h16(to.length)} 0000 ${to.map((vmid) => `${h16(vmid)} 0000`).join(' ')}`}`;
const byPrimary = (situation: () => Situation): (() => Situation) => () => ({ ...situation(), by: 3 });

/** Errors that donate, lend and share have in common; `acl` is right for the kind. */
function creationErrors(acl: Acl): CasesOf {
  return {
    NORESOURCE: answered(beside, `00 00 00 00 ${h32(0)} ${TOO_MANY}`, '02000000'),
    ARGUMENT_INVALID: answered(beside, given({ acl: [] }), '06000000'),
    VMID_INVALID: answered(withOther, given({ acl, attributes: `${h16(1)} 0000 ${h16(0)} ${h16(OTHER)}` }), '0d000000'),
    MEM_INVALID: answered(beside, given({ acl, ranges: [[0x9000_0000n, 0x1000n]] }), '0a000000'),
    DENIED: answered(after(beside, sixtyFour), given({ acl, ranges: [[PAGE + 0x10_0000n, 0x1000n]] }), '03000000'),
  };
}

/** By request. */
export const PARCEL_CASES: Readonly<Record<string, CasesOf>> = {
  MEM_DONATE: { success: answered(beside, given(), '00000000 00000000'), ...creationErrors([[VM, 7]]) },
  MEM_LEND: { success: answered(after(beside, lend()), given({ ranges: [[PAGE + 0x1000n, 0x1000n]] }), '00000000 01000000'), ...creationErrors([[VM, 7]]) },
  MEM_SHARE: { success: answered(beside, given({ acl: SHARED, ranges: [[PAGE, 0x1000n], [PAGE + 0x4000n, 0x2000n]] }), '00000000 00000000'), ...creationErrors(SHARED) },
  MEM_ACCEPT: {
    success: answered(offered, acceptance({ label: 5, flags: 0x84 }), `00000000 0100 0000 ${h64(CHOSEN)} ${h64(0x1000)}`),
    NORESOURCE: answered(offered, acceptance({ ranges: [[VM_PAGE, 0x1000n]] }), '02000000'),
    HANDLE_INVALID: answered(offered, acceptance({ handle: 9 }), '07000000'),
    DENIED: answered(offered, acceptance({ flags: 0x88, mapFor: VM }), '03000000'),
    VMID_INVALID: answered(after(within, another, lend({ acl: [[OTHER, 7]] })), acceptance({ transaction: 1 }), '0d000000'),
    ARGUMENT_INVALID: answered(offered, acceptance({ transaction: 1 }), '06000000'),
    VALIDATE_FAILED: answered(offered, acceptance({ label: 6, flags: 0x84 }), '08000000'),
  },
  MEM_RELEASE: {
    success: answered(taken, release(0), '00000000', ({ system }) => { system.request('MEM_RECLAIM', { handle: 0, flags: 0 }); }),
    HANDLE_INVALID: answered(taken, release(1), '07000000'),
    DENIED: answered(byPrimary(taken), release(0), '03000000'),
    MEM_RELEASED: answered(offered, release(0), '0c000000'),
  },
  MEM_RECLAIM: {
    success: answered(byPrimary(offered), release(0, 1), '00000000', ({ system }) => { if (system.engine.memory.read(pa(PAGE), 1)[0] !== 0) throw new Error('sanitised'); }),
    HANDLE_INVALID: answered(beside, release(0), '07000000'),
    DENIED: answered(offered, release(0), '03000000'),
    MEM_INUSE: answered(byPrimary(taken), release(0), '0b000000'),
  },
  MEM_NOTIFY: {
    success: exchanged(taken, notice(4), ['reply 00000000'], ({ system }) => {
      const [told] = system.receiveAll();
      if (Buffer.from(told?.payload ?? []).toString('hex') !== '000000008000000000000000') throw new Error('the owner is told');
    }),
    HANDLE_INVALID: answered(beside, notice(1, [VM]), '07000000'),
    ARGUMENT_INVALID: answered(byPrimary(offered), notice(3, [VM]), '06000000'),
    DENIED: answered(offered, notice(1, [3]), '03000000'),
    VMID_INVALID: answered(byPrimary(offered), notice(1, [OTHER]), '0d000000'),
    MEM_INUSE: answered(taken, notice(2), '0b000000'),
    MEM_RELEASED: answered(offered, notice(4), '0c000000'),
  },
  MEM_APPEND: {
    success: answered(after(beside, lend({ flags: 2 })), `${h32(0)} 01 000000 ${rangeBytes([[PAGE + 0x1000n, 0x1000n]])}`, '00000000'),
    NORESOURCE: answered(after(beside, lend({ flags: 2 })), `${h32(0)} 01 000000 ${TOO_MANY}`, '02000000'),
    HANDLE_INVALID: answered(beside, `${h32(0)} 01 000000 ${rangeBytes([[PAGE, 0x1000n]])}`, '07000000'),
    DENIED: answered(after(beside, lend()), `${h32(0)} 01 000000 ${rangeBytes([[PAGE + 0x1000n, 0x1000n]])}`, '03000000'),
    ARGUMENT_INVALID: answered(after(beside, lend({ flags: 2 })), `${h32(0)} 01 000000 ${rangeBytes([])}`, '06000000'),
    MEM_INVALID: answered(after(beside, lend({ flags: 2 })), `${h32(0)} 01 000000 ${rangeBytes([[PAGE, 0x1000n]])}`, '0a000000'),
  },
  MEM_QCOM_LOOKUP_SGL: {
    success: answered(after(beside, lend(), lend({ label: 4, ranges: [[PAGE + 0x1000n, 0x1000n]] })), `00 000000 ${h32(4)} ${aclBytes([[VM, 7]])} ${rangeBytes([[PAGE + 0x1000n, 0x1000n]])} ${NO_ATTRIBUTES}`, '00000000 01000000'),
    NORESOURCE: answered(beside, `00 000000 ${h32(4)} ${TOO_MANY}`, '02000000'),
    LOOKUP_FAILED: answered(after(beside, lend()), `00 000000 ${h32(4)} ${aclBytes([[VM, 6]])} ${rangeBytes([[PAGE, 0x1000n]])} ${NO_ATTRIBUTES}`, '0e000000'),
  },
  FW_MILESTONE: {
    success: answered(alone, '', '00000000'),
    // Before the length.
    DENIED: answered(after(alone, (system) => { system.request('FW_MILESTONE', {}); }), '00', '03000000'),
  },
  FW_SET_VM_FIRMWARE: firmwareCases(),
};

function firmwareCases(): CasesOf {
  const RM = 0xff;
  const donated = (change: Given = {}) => (system: SystemFixture): void => { send(system, 0x5100_0010, given({ acl: [[RM, 7]], ...change })); };
  const firmware = (change: { readonly auth?: number; readonly handle?: number; readonly offset?: bigint; readonly size?: bigint } = {}): string =>
    `${h16(change.auth ?? 2)} 0000 ${h32(change.handle ?? 0)} ${h64(change.offset ?? 0n)} ${h64(change.size ?? 0x1000n)}`;
  const ready = after(alone, donated());
  return {
    success: answered(ready, firmware(), '00000000', ({ system }) => { system.request('MEM_RECLAIM', { handle: 0, flags: 0 }, 7); }),
    DENIED: answered(after(ready, (system) => { system.request('FW_MILESTONE', {}); }), '', '03000000'),
    UNIMPLEMENTED: answered(ready, firmware().replace(' 0000 ', ' 0100 '), 'ffffffff'),
    BUSY: answered(after(ready, (system) => { send(system, 0x5100_0021, firmware()); }, donated({ ranges: [[PAGE + 0x1000n, 0x1000n]] })), firmware({ handle: 1 }), '05000000'),
    HANDLE_INVALID: answered(ready, firmware({ handle: 5 }), '07000000'),
    VALIDATE_FAILED: answered(after(alone, donated({ attributes: `${h16(1)} 0000 ${h16(0)} ${h16(RM)}` })), firmware(), '08000000'),
    ARGUMENT_INVALID: answered(ready, firmware({ offset: 0x1000n }), '06000000'),
  };
}

/**
 * What a case of a message is: a situation, a request as bytes, and everything that comes back as bytes, in order. The requests go
 * through the queues as a guest's do; nothing of the Resource Manager is called.
 */

import type { RmProfile } from '../../../runtime/resource-manager';
import { vmTree } from '../trees';
import { SystemFixture } from '../system-fixture';

/** A situation before the request, and who asks. */
export interface Situation { readonly system: SystemFixture; readonly by: number }

/** One case. Spaces in bytes are for the reader. */
export interface MessageCase {
  readonly situation: () => Situation;
  readonly request: string;
  /** Messages that come back to the one who asks: replies as `reply …`, notifications by number. */
  readonly answers: readonly string[];
  /** What else must be true then. */
  readonly then?: (situation: Situation) => void;
}

/** Cases of one request: the success, and each error by its name. */
export type CasesOf = Readonly<Record<string, MessageCase>>;

/** A case whose only answer is a reply. */
export function answered(situation: () => Situation, request: string, reply: string, then?: MessageCase['then']): MessageCase {
  return { situation, request, answers: [`reply ${reply}`], ...(then === undefined ? {} : { then }) };
}

/** A case in which notifications come too, in this order. */
export function exchanged(situation: () => Situation, request: string, answers: readonly string[], then?: MessageCase['then']): MessageCase {
  return { situation, request, answers, ...(then === undefined ? {} : { then }) };
}

function little(value: bigint | number, bytes: number): string {
  let out = '';
  for (let i = 0; i < bytes; i++) out += ((BigInt(value) >> BigInt(8 * i)) & 0xffn).toString(16).padStart(2, '0');
  return out;
}

/** Little-endian numbers as hexadecimal bytes. */
export const h8 = (value: number): string => little(value, 1);
export const h16 = (value: number): string => little(value, 2);
export const h32 = (value: number): string => little(value >>> 0, 4);
export const h64 = (value: bigint | number): string => little(value, 8);
/** Characters as bytes. */
export const hText = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** Bytes of a case. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));
}

/** The VM that most cases are about. */
export const VM = 0x80;
/** Target fields of most requests: this VM. */
export const TARGET = `${h16(VM)} 0000`;
/** Another one that exists in some situations. */
export const OTHER = 0x81;

const CONSOLE_RPC = 'rpc { vdevice-type = "rm-rpc"; generate = "/hypervisor/rm-rpc"; console-dev; };';

/** The primary VM asks; there is no other VM. */
export function alone(): Situation {
  return { system: new SystemFixture(), by: 3 };
}

/** The primary VM asks a Resource Manager of profile `linux`; there is no other VM. */
export function aloneWithLinux(): Situation {
  return { system: new SystemFixture([], { rm: { profile: 'linux', drivers: 'current' } }), by: 3 };
}

/** A VM of the platform runs, with a channel and a console; the primary VM asks. */
export function beside(attributes = '', profile: RmProfile = 'open-2023-12'): Situation {
  const dts = vmTree({ vdevices: CONSOLE_RPC }).replace('image-name', `${attributes} image-name`);
  const system = new SystemFixture([{ dts, autostart: true }], { rm: { profile, drivers: 'current' } });
  system.receiveAll();
  return { system, by: 3 };
}

/** The same, but that VM asks. */
export function within(attributes = '', profile: RmProfile = 'open-2023-12'): Situation {
  return { ...beside(attributes, profile), by: VM };
}

/** A situation with more requests made before. */
export function after(situation: () => Situation, ...steps: readonly ((system: SystemFixture) => void)[]): () => Situation {
  return () => {
    const made = situation();
    for (const step of steps) step(made.system);
    made.system.receiveAll();
    return made;
  };
}

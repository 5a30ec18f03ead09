/**
 * What a user means by an address to walk: `0x41000000`, `sensor:va:0x80000000`, `primary:ipa:0x40000000`, a register or a C expression.
 *
 * Only text is looked at here; expressions are left to the debug adapter.
 */

/** Virtual, intermediate, physical. */
export type WalkSpace = 'va' | 'ipa' | 'pa';

/** An address in a VM's virtual or intermediate address space, or a physical one. `vm` is undefined if the text does not say. */
export interface WalkAddress { readonly vm: string | undefined; readonly space: WalkSpace; readonly address: string }

const SPACED = /^(?:([\w.-]+):)?(va|ipa|pa):(0x[0-9a-f]{1,16})$/i;
const SPACES: readonly WalkSpace[] = ['va', 'ipa', 'pa'];
const PLAIN = /^(0x[0-9a-f]{1,16}|\d{1,20})$/i;

/** Reads an address. Undefined for anything else, which may be an expression. */
export function parseWalkAddress(text: string, space: WalkSpace): WalkAddress | undefined {
  const word = text.trim();
  const spaced = SPACED.exec(word);
  if (spaced !== null) {
    const [, vm, named = space, address = '0x0'] = spaced;
    return { vm, space: SPACES.find((one) => one === named.toLowerCase()) ?? space, address: address.toLowerCase() };
  }
  if (!PLAIN.test(word)) return undefined;
  const value = BigInt(word);
  return value > 0xffff_ffff_ffff_ffffn ? undefined : { vm: undefined, space, address: `0x${value.toString(16)}` };
}

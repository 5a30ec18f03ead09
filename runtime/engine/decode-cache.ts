/**
 * Instruction words decoded once. Instructions that leave generated code (device accesses, traps) are few and come again and
 * again; finding their row and fields anew each time would cost more than carrying them out.
 */

import { decode } from '../isa/encodings';
import { systemRegisterKey, type Decoded, type Feature, type SystemRegister } from '../isa/interface';
import { systemInstructionByKey, systemRegisterByKey } from '../isa/system-registers';

/** Words remembered at most; then all are forgotten. */
const WORD_COUNT_MAX = 4096;

const known = new Map<number, Decoded | null>();

/** As `decode`, remembered. The result is shared: nobody changes it. */
export function decodeOnce(word: number): Decoded | undefined {
  const found = known.get(word);
  if (found !== undefined) return found ?? undefined;
  const decoded = decode(word);
  if (known.size >= WORD_COUNT_MAX) known.clear();
  known.set(word, decoded ?? null);
  return decoded;
}

/** Whether the core has a feature. */
export type FeatureTest = (feature: Feature) => boolean;

/** True if the instruction executes on a core with these features, and the system register or operation that it names exists there. */
export function isAvailable({ encoding, fields }: Decoded, has: FeatureTest): boolean {
  if (encoding.state !== 'ready' || !has(encoding.feature)) return false;
  const find = LOOK_UPS[encoding.class];
  if (find === undefined) return true;
  const { op0 = 0, op1 = 0, CRn: crn = 0, CRm: crm = 0, op2 = 0 } = fields;
  const feature = find(systemRegisterKey({ op0, op1, crn, crm, op2 }))?.feature;
  return feature === undefined || has(feature);
}

/** Classes whose operand may belong to a feature of its own. */
const LOOK_UPS: Readonly<Record<string, (key: number) => SystemRegister | undefined>> = {
  system_register_move: systemRegisterByKey, system_instruction: systemInstructionByKey,
};

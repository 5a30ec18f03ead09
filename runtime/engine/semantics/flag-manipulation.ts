/** The flag manipulation instructions: FEAT_FlagM and FEAT_FlagM2. The work is in `simd/flag-functions.ts`. */

import { packOptions } from '../simd/lanes';
import { simdFunction } from '../simd/functions';
import { field, source, type Emit, type InstructionClass, type Lowered } from './lowering';

/** Lowers to a call of a function of the table that works on general registers, so that CPACR_EL1 does not matter. */
function generalCall(name: string, slots: Pick<Lowered, 'd' | 'n' | 'm'>, options: Parameters<typeof packOptions>[0]): Lowered {
  return { op: 'call', ...slots, low: packOptions(options), high: simdFunction(name) };
}

const XAFLAG = 1;

/** RMIF, SETF8, SETF16, CFINV, XAFLAG, AXFLAG. */
export const flagManipulation: InstructionClass = {
  keys: ['rotate_into_flags', 'evaluate_into_flags', 'invert_carry', 'convert_flags'],
  ops: new Map<string, Emit>([['call', (o) => o.needsCalls(() => o.callSimd())]]),
  lower(f, _place, key): Lowered {
    switch (key) {
      case 'rotate_into_flags':
        return generalCall('rmif', { n: source(field(f, 'Rn')) }, { bytes: 0, amount: field(f, 'imm6'), part: field(f, 'mask') });
      case 'evaluate_into_flags': return generalCall(field(f, 'sz') === 1 ? 'setf16' : 'setf8', { n: source(field(f, 'Rn')) }, { bytes: 0 });
      case 'invert_carry': return generalCall('cfinv', {}, { bytes: 0 });
      default: return generalCall(field(f, 'op2') === XAFLAG ? 'xaflag' : 'axflag', {}, { bytes: 0 });
    }
  },
};

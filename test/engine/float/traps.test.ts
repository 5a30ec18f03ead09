import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load, run } from '../support';

const FP_ACCESS = 0x07n;

/** Runs one instruction at an exception level with FPEN; gives the class of the exception, if it took one. */
function checkAccess(instruction: string, el: 0 | 1, fpen: bigint): bigint | undefined {
  const engine = load(`${instruction}\n nop\n hvc #0`);
  const vcpu = engine.vcpu(0);
  vcpu.setSystemRegister('CPACR_EL1', fpen << 20n);
  vcpu.setX(1, 0x4000_1000n);
  if (el === 0) vcpu.pstate = 0x3c0n;
  engine.reportExceptions({ exceptionClasses: 0xffff_ffff_ffff_ffffn, irq: false, fiq: false, serror: false });
  const { exit } = run(engine, 2);
  return exit.reason === 'exception' ? exit.esr >> 26n : undefined;
}

test('CPACR_EL1.FPEN traps SIMD, floating point and their control registers at the levels it names', () => {
  for (const instruction of ['fadd d0, d1, d2', 'ldr q0, [x1]', 'ld1 {v0.16b}, [x1]', 'mov v0.16b, v1.16b', 'umov w0, v1.b[3]', 'msr fpsr, x0', 'mrs x0, fpcr', 'cmtst v0.2d, v1.2d, v2.2d']) {
    for (const fpen of [0n, 1n, 2n, 3n]) {
      assert.equal(checkAccess(instruction, 1, fpen), (fpen & 1n) === 0n ? FP_ACCESS : undefined, `${instruction} at EL1, FPEN ${fpen}`);
      assert.equal(checkAccess(instruction, 0, fpen), fpen === 3n ? undefined : FP_ACCESS, `${instruction} at EL0, FPEN ${fpen}`);
    }
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { exceptionClasses, explainEsr, faultStatus } from '../../runtime/isa/exception-classes';

function checkExplained(esr: bigint, far: bigint | undefined, expected: readonly string[]): void {
  assert.deepEqual(explainEsr(esr, far), expected);
}

test('a data abort tells fault, level, address, direction and register', () => {
  checkExplained(0x93c0_8007n | (3n << 16n), 0x1000n, [
    'Data abort from a lower exception level', 'translation fault, level 3', 'at address 0x1000', 'on a read', '8-byte access, register x3',
  ]);
  checkExplained(0x9600_004fn, 0xffff_0000_0000_0000n, [
    'Data abort at the same exception level', 'permission fault, level 3', 'at address 0xffff000000000000', 'on a write',
  ]);
});

test('an external abort without a valid address does not show one', () => {
  checkExplained(0x9600_0410n, 0x1234n, [
    'Data abort at the same exception level', 'synchronous external abort', 'the fault address register is not valid', 'on a read',
  ]);
});

test('calls show their immediate and breakpoints theirs', () => {
  checkExplained(0x5600_0000n, undefined, ['SVC', 'immediate #0 (0x0)']);
  checkExplained(0xf200_0800n, undefined, ['BRK', 'immediate #2048 (0x800)']);
  checkExplained(0x5a00_6000n, undefined, ['HVC', 'immediate #24576 (0x6000)']);
});

test('a trapped system register access reads as the instruction', () => {
  const iss = (3n << 20n) | (4n << 17n) | (0n << 14n) | (1n << 10n) | (2n << 5n) | (0n << 1n) | 1n;
  checkExplained((0x18n << 26n) | iss, undefined, ['MSR, MRS or system instruction trapped', 'mrs x2, s3_0_c1_c0_4']);
});

test('an undefined instruction has no details', () => {
  checkExplained(0x0200_0000n, 0n, ['Undefined instruction, or another cause without a syndrome']);
});

test('classes have unique codes and names, and every fault status has words', () => {
  assert.equal(new Set(exceptionClasses.map((row) => row.code)).size, exceptionClasses.length);
  assert.equal(new Set(exceptionClasses.map((row) => row.name)).size, exceptionClasses.length);
  for (let code = 0; code < 64; code++) assert.ok(faultStatus(code).length > 5);
});

test('any syndrome has an explanation', () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (esr, far) => {
    const lines = explainEsr(esr, far);
    assert.ok(lines.length > 0 && lines.every((line) => line !== '' && !line.includes('undefined ')));
  }), { numRuns: 5000 });
});

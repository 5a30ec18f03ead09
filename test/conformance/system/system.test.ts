/**
 * System behaviour against QEMU's system mode: exceptions, system registers, debug of the guest's own, performance monitors. What QEMU
 * does not do as the architecture says is named here, or checked against a transcript of ours (`programs/*.txt`).
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildProgram, checkSameOnQemu, runHere, type Cpu, type NamedException } from './same-on-qemu';

const CPUS: readonly Cpu[] = ['cortex-a53', 'cortex-a57', 'cortex-a76', 'max'];

const DAIF_TRAPS: readonly NamedException[] = [
  { qemu: /esr=620793([ef])/, ours: 'esr=620cd3$1', reason: 'QEMU swaps op1 and op2 in the syndrome of a trapped MSR DAIFSet' },
  { qemu: /esr=6207d3([ef])/, ours: 'esr=620ed3$1', reason: 'the same of MSR DAIFClr' },
];

/** SPSR_EL1[11:10]. */
const BRANCH_TYPES: readonly NamedException[] = [{
  qemu: /spsr=\w+/, ours: (part) => `spsr=${(Number.parseInt(part.slice(5), 16) & ~0xc00).toString(16)}`,
  reason: 'PSTATE.BTYPE is kept only where the target may refuse it, since nothing else looks at it',
}];

/** A line of a register and what its writable bits are. */
const keeps = (name: string, ones: string): NamedException => ({ qemu: new RegExp(`^${name} \\w+ 0$`), ours: `${name} ${ones} 0`, reason: 'QEMU keeps bits that are RES0' });

const RESERVED_BITS: readonly NamedException[] = [
  keeps('cpacr_el1', '300000'), keeps('contextidr_el1', 'ffffffff'), keeps('cntkctl_el1', '3ff'), keeps('vbar_el1', 'fffffffffffff800'), keeps('mdscr_el1', 'f001'),
  keeps('dbgbvr0_el1', 'fffffffffffffffc'), keeps('dbgbcr0_el1', 'ffe1e7'), keeps('dbgbvr5_el1', 'fffffffffffffffc'), keeps('dbgbcr5_el1', 'ffe1e7'),
  keeps('dbgwcr0_el1', '1f1fffff'), keeps('dbgwcr3_el1', '1f1fffff'),
];

const ARMV80_EVENTS: readonly NamedException[] = ['pmevtyper0_el0', 'pmevtyper5_el0', 'pmxevtyper_el0'].map((name): NamedException =>
  ({ qemu: new RegExp(`^${name} fe00ffff 0$`), ours: `${name} fe0003ff 0`, reason: 'event numbers have ten bits before Armv8.1' }));
const NO_LONG_EVENTS: NamedException = { qemu: /^pmcr=(\w+)f8$/, ours: 'pmcr=$178', reason: 'PMCR_EL0.LP exists from Armv8.5 on' };

test('calls, breakpoint instructions and undefined instructions are taken as on QEMU', async () => {
  await checkSameOnQemu('calls.c', 'cortex-a57', DAIF_TRAPS);
});

test('illegal returns, misaligned jumps and data, and what EL0 may not do are as on QEMU', async () => {
  await checkSameOnQemu('exceptions.c', 'cortex-a57', DAIF_TRAPS);
  await checkSameOnQemu('exceptions.c', 'max');
});

test('a guest steps itself, and its breakpoints and watchpoints are hit, as on QEMU', async () => {
  for (const cpu of ['cortex-a53', 'max'] as const) await checkSameOnQemu('self-hosted-debug.c', cpu, BRANCH_TYPES);
});

test('registers keep the bits that they have on QEMU, reserved ones apart', async () => {
  await checkSameOnQemu('register-writes.c', 'cortex-a57', [...RESERVED_BITS, ...ARMV80_EVENTS, NO_LONG_EVENTS]);
  await checkSameOnQemu('register-writes.c', 'cortex-a76', [...RESERVED_BITS, NO_LONG_EVENTS]);
  await checkSameOnQemu('register-writes.c', 'max');
});

test('performance monitors count, filter, overflow and interrupt as on QEMU', async () => {
  for (const cpu of ['cortex-a57', 'max'] as const) await checkSameOnQemu('performance-monitors.c', cpu);
});

/** Lines of the sweep that differ on purpose: what, and why. */
const READS: readonly NamedException[] = [
  { qemu: /^S2_0_C0_C2_0 5a5a$/, ours: 'S2_0_C0_C2_0 0', reason: 'QEMU leaves the register alone on a read of MDCCINT_EL1' },
  { qemu: /^S3_0_C1_C0_0 \w+$/, ours: 'S3_0_C1_C0_0 30d00800', reason: 'the reset value of SCTLR_EL1 is the core\'s; ours has MMU and caches off and all RES1 bits set' },
  { qemu: /^S3_3_C9_Cc_6 20001$/, ours: 'S3_3_C9_Cc_6 40020101', reason: 'QEMU counts instructions only with -icount, and chains no counters' },
];

/** Encodings that one machine has and the other has not. */
const ONLY_OURS = /^S2_0_C0_C0_2 |^S2_0_C0_C3_2 |^S2_0_C0_C6_2 |^S2_0_C1_C4_4 |^S2_0_C7_C[89]_6 |^S2_0_C7_Ce_6 |^S2_3_C0_C[45]_0 /;
const ONLY_QEMU = /^S3_1_C[bf]_|^S3_3_C4_C2_6 0/;
/** The interrupt controller is compared elsewhere; timer values are time; the count of Undefined encodings follows from the rest. */
const ELSEWHERE = /^S3_0_Cc_C[89bc]_|^S3_0_C4_C6_0|^S3_3_Ce_C[23]_0|^undefined=/;

test('every MRS of op0 2 and 3 reads what it reads on QEMU, or is as Undefined, for each CPU', async () => {
  for (const cpu of CPUS) {
    const drop = (line: string): boolean => ELSEWHERE.test(line) || ONLY_OURS.test(line) || (cpu !== 'max' && ONLY_QEMU.test(line)) || /^S3_1_C[bf]_/.test(line);
    await checkSameOnQemu('register-reads.c', cpu, READS, drop);
  }
});

async function checkTranscript(program: string, cpu: Cpu): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    const said = `${(await runHere(buildProgram(program, folder), cpu)).join('\n')}\n`;
    const golden = join(__dirname, 'programs', `${program.replace('.c', '')}.txt`);
    if (process.env['UPDATE_EXPECT'] === '1') writeFileSync(golden, said);
    assert.equal(said, readFileSync(golden, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the stack pointer, and data with the MMU off, are checked for alignment as the architecture says', async () => {
  // QEMU 7.2 checks neither.
  await checkTranscript('alignment.c', 'cortex-a57');
});

/** Hypercall services chosen in the system file, by requests and by the debug console, with a compiled guest that calls them. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import type { ServicesConfiguration } from '../../debug-adapter/protocol/launch';
import { guestElf } from '../support/guest-build';
import { debugging, type Debugging } from './debugging';

const VM = 'guest';
const BITMAPS = ['KVM_REG_ARM_STD_BMAP', 'KVM_REG_ARM_STD_HYP_BMAP', 'KVM_REG_ARM_VENDOR_HYP_BMAP', 'KVM_REG_ARM_VENDOR_HYP_BMAP_2'] as const;
const SUPPORTED = ['0x1', '0x1', '0x3', '0x3'] as const;
const RESET = ['0x1', '0x1', '0x3', '0x0'] as const;
const NOT_SUPPORTED = '0xffffffffffffffff';
const KVM: ServicesConfiguration = { personality: 'kvm', stolenTime: '0x47f00000' };
/** Names of the calls that the bitmaps gate. */
const GATED = /^(TRNG|ARCH_FEATURES|PV_TIME|FEATURES|CALL_UID|PTP)/;

/** The guest, stopped before its first instruction. */
async function stopped(context: TestContext, smccc: ServicesConfiguration | undefined): Promise<Debugging> {
  const session = debugging(context);
  await session.start({ launch: { system: { vms: [{ name: VM, image: guestElf('service-calls'), ...(smccc === undefined ? {} : { smccc }) }] }, stopOnEntry: true, consoles: 'terminal' } });
  return session;
}

/** Lets the guest run to its end; X0 to X3 by name of the call. */
async function results(session: Debugging): Promise<Map<string, string[]>> {
  await session.client.request('continue', { threadId: 1 });
  await session.client.waitForEvent('terminated');
  return new Map([...session.client.consoleText(VM).matchAll(/^(\S+): (0x\S+) (0x\S+) (0x\S+) (0x\S+)\r?$/gm)].map(([, name = '', ...values]) => [name, values]));
}

/** Writes a register; the errno, or OK. */
async function set(session: Debugging, register: string, value: string): Promise<string> {
  const { success, message } = await session.answer('gunyah/setServiceRegister', { vm: VM, register, value });
  return success ? 'OK' : (/\b(E[A-Z]+) \(\d+\)/.exec(message)?.[1] ?? message);
}

async function get(session: Debugging, register: string): Promise<string> {
  return (await session.client.request('gunyah/getServiceRegister', { vm: VM, register })).value;
}

async function command(session: Debugging, text: string): Promise<string> {
  return String((await session.send('evaluate', { expression: text, context: 'repl' }))['result']);
}

test('published cases by request: reset values, writes, a bit too many, and nothing changes after the run began', async (context) => {
  const session = await stopped(context, KVM);
  for (const [index, register] of BITMAPS.entries()) {
    assert.equal(await get(session, register), RESET[index]);
    assert.equal(await set(session, register, RESET[index] === '0x0' ? SUPPORTED[index] ?? '' : '0x0'), 'OK');
    assert.equal(await set(session, register, '0x0'), 'OK');
    assert.equal(await set(session, register, `0x${(BigInt(SUPPORTED[index] ?? 0) + 1n).toString(16)}`), 'EINVAL');
  }
  await session.step('stepIn', { threadId: 1, byInstruction: true });
  for (const [index, register] of BITMAPS.entries()) {
    assert.equal(await get(session, register), '0x0');
    assert.equal(await set(session, register, SUPPORTED[index] ?? ''), 'EBUSY');
    assert.equal(await set(session, register, '0x0'), 'OK');
  }
  assert.equal(await set(session, '0x6030000000160009', '0x0'), 'ENOENT');
  for (const [name, values] of await results(session)) if (GATED.test(name)) assert.deepEqual(values, [NOT_SUPPORTED, '0x0', '0x0', '0x0'], name);
});

test('published case: an untouched VM is offered all of them', async (context) => {
  const answers = await results(await stopped(context, KVM));
  assert.equal(answers.size, 13);
  for (const [name, [x0]] of answers) assert.notEqual(x0, NOT_SUPPORTED, name);
  assert.deepEqual(answers.get('CALL_UID'), ['0xb66fb428', '0xe911c52e', '0x564bcaa9', '0x743a004d']);
  assert.deepEqual(answers.get('PV_TIME_ST'), ['0x47f00000', '0x0', '0x0', '0x0']);
});

test('the register list has all eight with their bits by name, and is answered for every VM', async (context) => {
  const session = await stopped(context, KVM);
  const selection = await session.client.request('gunyah/serviceRegisters', { vm: VM });
  assert.deepEqual([selection.personality, selection.flavour, selection.hasRun, selection.stolenTime], ['kvm', 'merged', false, '0x47f00000']);
  assert.equal(selection.registers.length, 8);
  for (const { id, value } of selection.registers) assert.equal(await set(session, id, value), 'OK');
  assert.deepEqual(selection.registers.find(({ name }) => name === BITMAPS[2])?.bits.map(({ name, isSet }) => [name, isSet]), [['features', true], ['ptp', true]]);
  await assert.rejects(session.client.request('gunyah/serviceRegisters', { vm: 'nobody' }), /no virtual machine nobody/);
  await assert.rejects(session.client.request('gunyah/serviceRegisters', {}), /"vmid" must be/);
});

test('a VM without a selection answers as Gunyah, and its registers say what can be taken away', async (context) => {
  const session = await stopped(context, undefined);
  assert.deepEqual(await Promise.all(BITMAPS.map((register) => get(session, register))), [...RESET]);
  const answers = await results(session);
  assert.deepEqual(answers.get('CALL_UID')?.[0], '0xcd8fd5c1');
  assert.deepEqual([answers.get('PSCI_VERSION')?.[0], answers.get('SMCCC_VERSION')?.[0], answers.get('FEATURES')?.[0]], ['0x10001', '0x10003', NOT_SUPPORTED]);
});

test('the system file chooses by name, and the debug console changes the choice before the run', async (context) => {
  const session = await stopped(context, { ...KVM, standardSecure: [], vendorHypervisor: ['ptp'], psciVersion: '1.0' });
  assert.equal(await command(session, `smccc get ${VM} STD_BMAP`), '0x0');
  assert.match(await command(session, `smccc list ${VM}`), /KVM_REG_ARM_VENDOR_HYP_BMAP = 0x2 \(-features \+ptp\)/);
  assert.match(await command(session, `smccc set ${VM} STD_BMAP trng`), /= 0x1/);
  assert.match(await command(session, `smccc set ${VM} STD_HYP_BMAP none`), /= 0x0/);
  assert.match(await command(session, `smccc filter ${VM} 0x86000001 1 deny`), /filter 0x86000001 1 deny/);
  await assert.rejects(command(session, `smccc set ${VM} STD_BMAP 2`), /EINVAL \(22\): 0x2 cannot be: its bits are 0x1 \(trng\)\.$/);
  await assert.rejects(command(session, `smccc set ${VM} PSCI_VERSION 9.9`), /9\.9 is no value of KVM_REG_ARM_PSCI_VERSION: versions are 0\.2, 1\.0, .*1\.3\.$/);
  await assert.rejects(command(session, `smccc filter ${VM} 0x84000009 1 refuse`), /EINVAL \(22\): there is no action "refuse"; there are handle, deny, forward\.$/);
  assert.match(await command(session, `smccc list ${VM}`), /KVM_REG_ARM_PSCI_VERSION = 0x10000 \(1\.0\)\n.*WORKAROUND_1 = 0x2 \(not required\)/);
  await assert.rejects(command(session, `smccc set ${VM} STD_BMAP what`), /what is no value/);
  await assert.rejects(command(session, `smccc filter ${VM} 0x80000000 1 deny`), /EEXIST \(17\)/);
  const answers = await results(session);
  assert.equal(answers.get('TRNG_VERSION')?.[0], '0x10000');
  for (const name of ['PV_TIME_ST', 'PTP', 'CALL_UID', 'FEATURES']) assert.equal(answers.get(name)?.[0], NOT_SUPPORTED, name);
  assert.equal(answers.get('PSCI_VERSION')?.[0], '0x10000');
});

test('a forwarded call stops the session, and the guest gets what the debugger puts into its registers', async (context) => {
  const session = await stopped(context, { ...KVM, filter: [{ base: '0x84000000', action: 'forward' }] });
  const stop = await session.continue();
  assert.equal(stop.reason, 'exception');
  assert.match(String(stop['text']), /0x84000000 \(HVC\) is forwarded/);
  await session.evaluate('$x0 = 0x12345');
  const answers = await results(session);
  assert.equal(answers.get('PSCI_VERSION')?.[0], '0x12345');
});

test('a choice made in the past begins another history, in which the guest finds it', async (context) => {
  const session = await stopped(context, KVM);
  const { now } = await session.client.request('gunyah/timeline', {});
  await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'smccc:0x84000052' }] });
  await session.continue();
  await session.client.request('gunyah/seek', { tick: now });
  await session.client.waitForStop();
  assert.equal(await set(session, BITMAPS[0], '0x0'), 'OK');
  await session.client.request('setFunctionBreakpoints', { breakpoints: [] });
  assert.equal((await results(session)).get('TRNG_GET_UUID')?.[0], NOT_SUPPORTED);
});

test('what a system file cannot mean is told with its place', async (context) => {
  const refuse = async (smccc: ServicesConfiguration, expected: RegExp): Promise<void> => {
    const session = debugging(context);
    await assert.rejects(session.start({ launch: { system: { vms: [{ name: VM, image: guestElf('service-calls'), smccc }] } } }), expected);
  };
  await refuse({ standardSecure: 2 }, /"vms\.0\.smccc\.standardSecure": 0x2 has bits that do not exist/);
  await refuse({ vendorHypervisor: ['pvTime'] }, /no service "pvTime" here. There are "features", "ptp"/);
  await refuse({ psciVersion: '1.3' }, /Gunyah has PSCI 1\.1 at most/);
  await refuse({ stolenTime: '0x40000001' }, /multiples of 64/);
  await refuse({ filter: [{ base: '0x80000000', action: 'deny' }] }, /filter\.0": the range overlaps/);
  await refuse({ filter: [{ base: '0xffffffff', count: 2, action: 'deny' }] }, /filter\.0": the range is empty, leaves 32 bits/);
});

/** Every row of the table of events as a breakpoint, and every exception filter, each with conditions over its named arguments. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { LaunchArguments } from '../../debug-adapter/protocol/launch';
import { sampleSystemFile } from '../support/guest-build';
import { debugging, type Debugging, guestLaunch, sampleLaunch } from './debugging';

interface Row { readonly name: string; readonly condition?: string; readonly launch?: () => LaunchArguments; readonly text: RegExp }

const services = (): LaunchArguments => ({ ...guestLaunch('service-calls') });
const manager = (): LaunchArguments => ({ system: sampleSystemFile('vm-manager') });
const kvm = (): LaunchArguments => ({ system: { smccc: { personality: 'kvm' }, vms: [{ image: guestLaunch('service-calls').program ?? '' }] } });

/** Names, conditions over what the event calls its arguments, and what the stop says. */
const ROWS: readonly Row[] = [
  { name: 'hvc:*', text: /\(/ },
  { name: 'hvc:msgqueue_send', condition: 'size > 16 && vm == "primary"', text: /^msgqueue_send\(/ },
  { name: 'hvc:msgqueue_*', condition: 'vm == "sensor"', text: /^msgqueue_/ },
  { name: 'hvc:0x601b', condition: 'vcpu == 0', text: /^msgqueue_send\(/ },
  { name: 'hvc:0xc600801c', text: /^msgqueue_receive\(/ },
  { name: 'sensor!hvc:*', text: /\(/ },
  { name: 'sensor!hvc-return:*', text: /returned/ },
  { name: 'primary!psci:*', text: /^SYSTEM_OFF\(/ },
  { name: 'primary!rm:VM_START', text: /^RM request VM_START\(vmid=128 \(sensor\)\)/ },
  { name: 'primary!rm:*', text: /^RM request / },
  { name: 'primary!rm-notify:VM_EXITED', text: /^RM notification VM_EXITED/ },
  { name: 'sensor!virq:*', text: /^VIRQ \d+ taken/ },
  { name: 'sensor!vm:start', text: /sensor: .* RUNNING$/ },
  { name: 'sensor ! vm:exit', text: /sensor: .* EXITED$/ },
  { name: 'primary!event:rm-reply', text: /^RM reply / },
  { name: 'manager!rm:VM_DEALLOCATE', text: /^RM request VM_DEALLOCATE/, launch: manager },
  { name: 'guest!vm:exit', text: /guest: .* EXITED$/, launch: manager },
  { name: 'hvc-return:msgqueue_send', condition: 'not_full == 1', text: /^msgqueue_send\(.*\) returned OK, not_full=/ },
  { name: 'hvc-return:*', condition: 'error != "OK"', text: /returned (?!OK)/ },
  { name: 'psci:SYSTEM_OFF', text: /^SYSTEM_OFF\(/ },
  { name: 'psci:0x84000008', condition: 'vm == "primary"', text: /^SYSTEM_OFF\(/ },
  { name: 'psci:*', condition: 'id == 0x84000000', text: /^PSCI_VERSION\(/, launch: services },
  { name: 'smccc:0x8600ff01', text: /^VENDOR_HYP_CALL_UID\(/, launch: services },
  { name: 'smccc:TRNG_*', condition: 'x1 == 0xc4000053', text: /^TRNG_FEATURES\(/, launch: services },
  { name: 'smccc:0x86000001', text: /unknown|does not have/i, launch: services },
  { name: 'smccc:KVM_PTP', text: /^KVM_PTP\(/, launch: kvm },
  { name: 'smccc:*', condition: 'id == 0x84000000', text: /^PSCI_VERSION\(/, launch: kvm },
  { name: 'rm:VM_START', condition: 'vmid == 128', text: /^RM request VM_START\(vmid=128 \(sensor\)\)/ },
  { name: 'rm:0x56000004', text: /^RM request VM_START/ },
  { name: 'rm:*', condition: 'sequence > 2', text: /^RM request / },
  { name: 'rm-notify:VM_STATUS', condition: 'vmid == 128', text: /^RM notification VM_STATUS/ },
  { name: 'rm-notify:VM_EXITED', text: /^RM notification VM_EXITED/ },
  { name: 'rm-notify:*', text: /^RM notification / },
  { name: 'virq:*', condition: 'vm == "sensor"', text: /^VIRQ \d+ taken/ },
  { name: 'virq:27', text: /^VIRQ 27 taken/, launch: () => guestLaunch('timer-irq') },
  { name: 'virq:*', condition: 'virq < 16', text: /^VIRQ \d+ taken/, launch: () => guestLaunch('timer-irq') },
  { name: 'vm:start', condition: 'vm == "sensor"', text: /sensor: .* RUNNING$/ },
  { name: 'vm:exit', condition: 'vm == "sensor"', text: /sensor: .* EXITED$/ },
  { name: 'vm:exit', condition: 'vm == "hello"', text: /hello: RUNNING → EXITED$/, launch: () => guestLaunch('hello') },
  { name: 'vm:reset', text: /RESET$/, launch: () => guestLaunch('jump-to-zero') },
  { name: 'vm:*', condition: 'vm == "sensor" && to == "EXITED"', text: /sensor: .* EXITED$/ },
  { name: 'event:memory', condition: 'action == "map"', text: /^Memory map/ },
  { name: 'event:rm-reply', condition: 'error == "OK"', text: /^RM reply / },
  { name: 'event:vcpu-state', condition: 'state == "off" && vm == "sensor"', text: /^vCPU sensor\/cpu0 off/ },
  { name: 'event:message', condition: 'action == "received"', text: /^Message of \d+ bytes received/ },
];

function setUp(context: TestContext, row: Row): Promise<DebugProtocol.StoppedEvent['body']> {
  const breakpoint = { name: row.name, ...(row.condition === undefined ? {} : { condition: row.condition }) };
  return debugging(context).start({ launch: row.launch?.() ?? sampleLaunch(), functionBreakpoints: [breakpoint] });
}

for (const row of ROWS) {
  test(`${row.name}${row.condition === undefined ? '' : ` if ${row.condition}`} stops and says what happened`, async (context) => {
    const stop = await setUp(context, row);
    assert.equal(stop.reason, 'function breakpoint');
    assert.match(stop.text ?? '', row.text);
  });
}

test('names that do not exist are refused with the nearest that does, numbers that cannot be with their limit', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('hello', { stopOnEntry: true }) });
  const names = ['hvc:msgqueue_sent', 'psci:CPU_ONN', 'smccc:TRNG_VERSIONS', 'rm:VM_STARTS', 'rm-notify:VM_EXITD', 'vm:stop', 'virq:1020', 'event:memry', 'smccc:0x123456789', 'rm:'];
  const { breakpoints } = await session.client.request('setFunctionBreakpoints', { breakpoints: names.map((name) => ({ name })) });
  assert.deepEqual(breakpoints.map(({ verified }) => verified), names.map(() => false));
  for (const [index, wanted] of [/msgqueue_send/, /CPU_ON/, /TRNG_VERSION/, /VM_START/, /VM_EXITED/, /no life-cycle event/, /up to 1019/, /memory/, /no service|32 bits/, /names no event/].entries()) {
    assert.match(breakpoints[index]?.message ?? '', wanted);
  }
});

test('an event of one VM does not stop at those of another', async (context) => {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'sensor!rm:VM_START' }, { name: 'sensor!rm-notify:VM_EXITED' }, { name: 'primary!psci:SYSTEM_OFF' }] });
  const { events } = await session.client.request('gunyah/trace', { from: 0, filter: 'rm:VM_START|rm-notify:VM_EXITED' });
  assert.deepEqual(events.map(({ vm, name }) => [vm, name]), [['primary', 'VM_START'], ['primary', 'VM_EXITED']], 'both happened, neither stopped');
});

test('an event of a VM that is not there yet says so, and stops once it is', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('hello', { stopOnEntry: true }) });
  const { breakpoints } = await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'sensr!hvc:*' }, { name: 'resource-manager!hvc:msgqueue_send' }, { name: 'hello!virq:*' }] });
  assert.deepEqual(breakpoints.map(({ verified }) => verified), [false, false, true]);
  assert.match(breakpoints[0]?.message ?? '', /^There is no virtual machine "sensr" now, only .*hello.* This will stop in one that gets the name\.$/);
  assert.match(breakpoints[1]?.message ?? '', /^"resource-manager!hvc:msgqueue_send": only what guests do/);
});

test('an event that is removed, or left out because it is disabled, stops no more, and the others go on', async (context) => {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'hvc:msgqueue_send', condition: 'vm == "primary"' }, { name: 'sensor!vm:exit' }] });
  const { breakpoints } = await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'sensor!vm:exit' }] }) ?? { breakpoints: [] };
  assert.deepEqual(breakpoints.map(({ verified }) => verified), [true]);
  assert.match((await session.continue()).text ?? '', /sensor: .* EXITED$/);
});

test('hit counts and log messages work at events as at lines', async (context) => {
  const session = debugging(context);
  const stop = await session.start({ launch: sampleLaunch(), functionBreakpoints: [
    { name: 'hvc:msgqueue_send', hitCondition: '== 3' },
  ] });
  assert.equal(stop.reason, 'function breakpoint');
  const { events } = await session.client.request('gunyah/trace', { from: 0, filter: 'hvc:msgqueue_send if vm != "resource-manager"' });
  assert.equal(events.length, 2, 'two were made, the third is about to be');
});

/** Stops at a filter with a condition; the stop and its exceptionInfo. */
async function filterStop(context: TestContext, filterId: string, { launch, condition }: { readonly launch: LaunchArguments; readonly condition?: string }): Promise<{ readonly session: Debugging; readonly text: string }> {
  const session = debugging(context);
  await session.start({ launch: { ...launch, stopOnEntry: true } });
  const { breakpoints } = await session.send('setExceptionBreakpoints', { filters: [], filterOptions: [{ filterId, ...(condition === undefined ? {} : { condition }) }] });
  assert.deepEqual(breakpoints, [{ verified: true }]);
  const stop = await session.continue();
  assert.equal(stop.reason, 'exception');
  assert.equal((await session.client.request('exceptionInfo', { threadId: 1 })).exceptionId, filterId);
  return { session, text: stop['text'] === undefined ? '' : String(stop['text']) };
}

const FILTERS: readonly { readonly filter: string; readonly condition: string; readonly launch: () => LaunchArguments; readonly text: RegExp }[] = [
  { filter: 'hypercall-error', condition: 'error == "CSPACE_CAP_NULL" && vm == "hypercall-fuzz"', launch: () => guestLaunch('hypercall-fuzz'), text: /returned CSPACE_CAP_NULL/ },
  { filter: 'hypercall-unknown', condition: 'number > 0x60', launch: () => guestLaunch('hypercall-fuzz'), text: /does not have/ },
  { filter: 'guest-exception', condition: 'vm == "exception-zoo" && (esr >> 26) == 0x25', launch: () => guestLaunch('exception-zoo'), text: /exception/ },
  { filter: 'guest-undefined', condition: 'vm == "exception-zoo" && vcpu == 0', launch: () => guestLaunch('exception-zoo'), text: /exception/ },
  { filter: 'stage2-fault', condition: 'access == "read" && ipa > 0x1000000000', launch: () => guestLaunch('exception-zoo'), text: /Stage-2 fault: read/ },
  { filter: 'rm-error', condition: 'error == "ARGUMENT_INVALID" && vm == "primary"', launch: () => ({ system: sampleSystemFile('console-loopback') }), text: /^RM reply CONSOLE_OPEN: ARGUMENT_INVALID/ },
  { filter: 'vm-exit', condition: 'vm == "sensor"', launch: () => sampleLaunch(), text: /sensor/ },
  { filter: 'vm-exit', condition: 'vm == "hello"', launch: () => guestLaunch('hello'), text: /hello/ },
];

for (const { filter, condition, launch, text } of FILTERS) {
  test(`the filter ${filter} stops if ${condition}`, async (context) => {
    assert.match((await filterStop(context, filter, { launch: launch(), condition })).text, text);
  });
}

test('the filter wfi-deadlock stops when everything waits, if its condition says so', async (context) => {
  const { text } = await filterStop(context, 'wfi-deadlock', { launch: guestLaunch('wait-for-ever'), condition: '$tick > 10' });
  assert.match(text, /Every vCPU waits/);
  const session = debugging(context);
  await session.start({ launch: guestLaunch('wait-for-ever', { stopOnEntry: true }) });
  await session.send('setExceptionBreakpoints', { filters: [], filterOptions: [{ filterId: 'wfi-deadlock', condition: '$tick == 1' }] });
  await session.client.request('continue', { threadId: 1 });
  await new Promise((done) => { setTimeout(done, 300); });
  await session.client.request('pause', { threadId: 1 });
  assert.equal((await session.client.waitForStop()).reason, 'pause', 'a condition that does not hold lets it wait');
});

/** What stops say: each number with its name beside it, in the words of the views. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { LaunchArguments } from '../../debug-adapter/protocol/launch';
import { sampleSystemFile } from '../support/guest-build';
import { debugging, guestLaunch, sampleLaunch } from './debugging';

interface Row { readonly name: string; readonly condition?: string; readonly launch?: () => LaunchArguments; readonly text: RegExp }

const manager = (): LaunchArguments => ({ system: sampleSystemFile('vm-manager') });
const services = (): LaunchArguments => guestLaunch('service-calls');
const disabled = (): LaunchArguments => ({ system: { vms: [{ image: guestLaunch('service-calls').program ?? '', smccc: { standardSecure: [] } }] } });

const ROWS: readonly Row[] = [
  { name: 'hvc:msgqueue_send', text: /^msgqueue_send\(msgqueue=0x[0-9a-f]+ \(message queue \d+ ".*"\), size=/ },
  { name: 'hvc-return:doorbell_send', text: /^doorbell_send\(doorbell=0x[0-9a-f]+ \(doorbell \d+ "doorbell label 0x20 of sensor"\)/ },
  { name: 'hvc-return:vcpu_run', launch: manager, text: /\(vCPU \d+ "guest vCPU 0"\).* returned OK, vcpu_state=\d+ \([a-zA-Z ]+\)/ },
  { name: 'hvc-return:vcpu_run', condition: 'vcpu_state == 4', launch: manager, text: /vcpu_state=4 \(VMMIO read\), state_data_0=0x[0-9a-f]+ \(IPA\), state_data_1=0x4 \(bytes\)/ },
  { name: 'event:message', text: /^Message of \d+ bytes sent \(message queue \d+ ".*"\)$/ },
  { name: 'sensor!virq:*', condition: 'virq >= 32', text: /^VIRQ \d+ taken \(SPI \d+, .*message queue \d+ ".*"\)$/ },
  { name: 'virq:27', launch: () => guestLaunch('timer-irq'), text: /^VIRQ 27 taken \(PPI 11, .*timer.*\)$/ },
  { name: 'rm:VM_START', text: /^RM request VM_START\(vmid=128 \(sensor\)\)$/ },
  { name: 'rm-notify:VM_STATUS', condition: 'vmid == 128', text: /^RM notification VM_STATUS\(vmid=128 \(sensor\), vmState=3 \(RUNNING\), osState=0 \(none\)/ },
  { name: 'rm:MEM_LEND', launch: manager, text: /acl=\[\{vmid: 128( \(.*\))?, rights: 7 \(RWX\)\}\]/ },
  { name: 'event:vm-state', text: /^VM primary: / },
  { name: 'event:vcpu-state', condition: 'vm == "sensor"', text: /^vCPU sensor\/cpu0 / },
  { name: 'event:memory', condition: 'action == "derive"', text: /^Memory derive .* memory extent \d+ "memory of the platform" to / },
  { name: 'event:stage2-fault', launch: () => guestLaunch('exception-zoo'), text: /^Stage-2 fault: \w+ of 0x[0-9a-f]+ at PC 0x[0-9a-f]+ \(\w+\)$/m },
  { name: 'event:exception', condition: 'kind == "synchronous"', launch: () => guestLaunch('exception-zoo'), text: /^synchronous exception at 0x[0-9a-f]+ \(\w+\)$/m },
  { name: 'event:psci', condition: 'id == 0x84000000', launch: services, text: /^PSCI_VERSION\(/ },
  { name: 'smccc:TRNG_FEATURES', launch: services, text: /^TRNG_FEATURES\(x1=0xc4000053 \(TRNG_RND\)/ },
  { name: 'event:hypercall-unknown', launch: disabled, text: /^An SMCCC call 0x84000050 \(TRNG_VERSION\) that the hypervisor does not have for service-calls$/ },
];

for (const { name, condition, launch, text } of ROWS) {
  test(`${name}${condition === undefined ? '' : ` if ${condition}`} says its numbers by name`, async (context) => {
    const session = debugging(context);
    const stop = await session.start({ launch: launch?.() ?? sampleLaunch(), functionBreakpoints: [{ name, ...(condition === undefined ? {} : { condition }) }] });
    assert.match(stop.text ?? '', text);
    const info = await session.client.request('exceptionInfo', { threadId: stop.threadId ?? 1 });
    assert.match(info.details?.message ?? '', text, 'as exceptionInfo says');
  });
}

test('the trace names the functions and the errors of firmware-style calls', async (context) => {
  const session = debugging(context);
  await session.start({ launch: services(), functionBreakpoints: [{ name: 'psci:SYSTEM_OFF' }] });
  const { events } = await session.client.request('gunyah/trace', { from: 0, filter: 'event:psci|event:smccc', names: true, limit: 500 });
  const names = (name: string, phase: string): readonly (Readonly<Record<string, string>> | undefined)[] => events.filter((row) => row['name'] === name && row['phase'] === phase).map((row) => row.names);
  assert.ok(names('PSCI_VERSION', 'leave').some((row) => /^version \d+\.\d+$/.test(row?.['result'] ?? '')));
  assert.ok(names('TRNG_FEATURES', 'enter').some((row) => row?.['x1'] === 'TRNG_RND'));
  assert.ok(names('TRNG_FEATURES', 'leave').some((row) => row?.['result'] === 'SUCCESS'));
});

test('a condition that names nothing of its event is told what the event has', async (context) => {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'hvc:msgqueue_send', condition: 'siz > 16' }] });
  assert.match(session.output('important'), /no variable, constant or symbol named siz here\..* This event has msgqueue, size, data, send_flags, .*vm.* The breakpoint stops\./);
});

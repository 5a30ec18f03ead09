/** As many vCPUs as a system may have: sixteen VMs of eight, each with its own interrupts and timers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveSystem } from '../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../debug-adapter/node-host';
import { ticks, type System } from '../../runtime/index';
import { machineElf } from '../machine/beside-qemu';
import { powerOn, type Subject } from '../support/system';

const VMS = 16;
const VCPUS = 8;
const END = 400_000_000;
const SLICE = 5_000_000;

async function crowd(vmCount: number): Promise<Subject> {
  const image = machineElf('crowd');
  const memory = { base: '0x40000000', size: '32M' };
  const others = Array.from({ length: vmCount - 1 }, (_, index) => ({ name: `vm${index + 1}`, image, vcpus: VCPUS, memory, autostart: true }));
  const system = { platform: { cpus: VCPUS }, vms: [{ name: 'primary', image, vcpus: VCPUS }, ...others] };
  const resolved = await resolveSystem(nodeHost, system, { semihosting: true, folder: '/' });
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.error.map(({ message }) => message).join('\n'));
  return { name: 'crowd', ...resolved.value };
}

const textsOf = (system: System): string[] => system.consoles.map(({ transcript }) => Buffer.from(transcript.text()).toString('latin1').trim());

/** Runs in slices of virtual time until every VM has spoken. */
function runUntilAllSpoke(system: System): void {
  while (system.now < END && textsOf(system).some((text) => text === '')) system.run({ until: ticks(system.now + SLICE) });
}

test('128 vCPUs in 16 VMs pass interrupts round their rings, the same in every run', async () => {
  const subject = await crowd(VMS);
  const systems = [powerOn(subject), powerOn(subject)];
  for (const system of systems) {
    runUntilAllSpoke(system);
    assert.deepEqual(textsOf(system), Array.from({ length: VMS }, () => `${VCPUS} CPUs, 20 rounds, at least 20 passes on each`));
    assert.equal(system.vcpus().length, VMS * VCPUS);
    system.parts.hypervisor.checkInvariants();
  }
  const [first, second] = systems;
  assert.deepEqual([first?.now, first?.retired, first?.stateHash()], [second?.now, second?.retired, second?.stateHash()]);
});

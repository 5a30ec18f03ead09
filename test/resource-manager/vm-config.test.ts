import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { decodeDtb } from '../../runtime/devicetree';
import { parseVmConfig, type VmConfigOutcome } from '../../runtime/resource-manager/vm-config';
import { VDEVICE_TYPES, VM_CONFIG_RULES } from '../../runtime/devicetree/rm-rules';
import { dtb } from './system-fixture';
import { RPC, SENSOR_DTS, vmTree } from './trees';

function parse(dts: string, trust: 'trusted' | 'untrusted' = 'untrusted'): VmConfigOutcome {
  const decoded = decodeDtb(dtb(dts));
  assert.ok(decoded.ok);
  return parseVmConfig(decoded.value.tree.root, trust);
}

/** The tree must be refused with this error word and this diagnostic. */
function checkRefused(dts: string, error: string, code: string): void {
  const outcome = parse(dts);
  assert.equal(outcome.config, undefined);
  assert.ok(outcome.diagnostics.some((diagnostic) => diagnostic.severity === 'error' && diagnostic.code === `vm-config-${code}`), `${code} is among ${JSON.stringify(outcome.diagnostics)}`);
  assert.equal(outcome.error, error);
}

function checkWarns(dts: string, code: string): void {
  const outcome = parse(dts);
  assert.ok(outcome.config, JSON.stringify(outcome.diagnostics));
  assert.deepEqual(outcome.diagnostics.map((diagnostic) => [diagnostic.severity, diagnostic.code]), [['warning', `vm-config-${code}`]]);
}

const vdevices = (text: string): string => vmTree({ vdevices: text });

test('a configuration is read with its defaults', () => {
  const { config, diagnostics } = parse(SENSOR_DTS);
  assert.deepEqual(diagnostics, []);
  assert.equal(config?.name, 'sensor');
  assert.deepEqual([config.affinity, config.affinityMap, config.priorityOffset, config.timesliceMicroseconds, config.psci], ['static', [1], -1, 5000, true]);
  assert.deepEqual(config.cpus, [{ path: '/cpus/cpu@0', boots: true }]);
  assert.deepEqual(config.gic, { path: '/interrupt-controller@8000000', gicd: 0x0800_0000n, gicr: 0x080a_0000n, stride: 0x2_0000n });
  assert.deepEqual(config.vdevices.map((vdevice) => [vdevice.type, vdevice.label, vdevice.messageSizeBytes, vdevice.queueDepth, vdevice.generate]), [
    ['rm-rpc', 0, 240, 8, '/hypervisor/rm-rpc'], ['message-queue-pair', 16, 128, 4, '/hypervisor/requests'], ['doorbell', 32, 240, 8, '/hypervisor/bell'],
  ]);
});

test('the cells of addresses are those of the configuration node, and values of another length are absent', () => {
  assert.equal(parse(vmTree({ memory: 'base-address = <0x1 0x80000000>;' })).config?.baseAddress, 0x1_8000_0000n);
  assert.equal(parse(vmTree({ memory: '#address-cells = <1>; base-address = <0x80000000>;' })).config?.baseAddress, null);
  assert.equal(parse(vmTree({}).replace('#size-cells = <2>;\n    image-name', 'image-name')).config?.sizeMin, 0n);
});

test('a base address is rounded up to 2 MiB with a warning', () => {
  checkWarns(vmTree({ memory: 'base-address = <0 0x80001000>;' }), 'base-address');
  assert.equal(parse(vmTree({ memory: 'base-address = <0 0x80001000>;' })).config?.baseAddress, 0x8020_0000n);
  checkRefused(vmTree({ memory: 'base-address = <0 0x80000800>;' }), 'MEM_INVALID', 'unaligned');
});

test('identity is checked', () => {
  checkRefused(vmTree({}).replace('image-name = "sensor";', ''), 'MEM_INVALID', 'image-name');
  checkRefused(vmTree({ name: 'x'.repeat(80) }), 'MEM_INVALID', 'image-name');
  checkRefused(vmTree({}).replace('image-name', 'vm-guid = "12"; image-name'), 'MEM_INVALID', 'vm-guid');
  checkRefused(vmTree({}).replace('gunyah-vm-config', 'other'), 'NORESOURCE', 'missing');
  checkWarns(vmTree({}).replace('image-name', 'vm-attrs = "shiny"; image-name'), 'vm-attrs');
});

test('what only trusted VMs may have is refused to others', () => {
  const dts = vmTree({ memory: 'is-direct;' }).replace('image-name', 'vm-attrs = "crash-fatal"; image-name');
  checkRefused(dts, 'ARGUMENT_INVALID', 'trusted-only');
  assert.ok(parse(dts, 'trusted').config);
  checkRefused(vmTree({ vcpus: 'affinity-map = <0>;' }), 'NORESOURCE', 'sched-priority');
  assert.ok(parse(vmTree({ vcpus: 'affinity-map = <0>;' }), 'trusted').config);
});

test('vCPUs are checked', () => {
  checkRefused(vmTree({ vcpus: 'sched-priority = <(-1)>;' }), 'MEM_INVALID', 'affinity-map');
  checkRefused(vmTree({ vcpus: 'affinity-map = <0 1>; sched-priority = <(-1)>;' }), 'MEM_INVALID', 'affinity-map');
  checkRefused(vmTree({ vcpus: 'affinity-map = <0>; sched-priority = <(-1)>; sched-timeslice = <50>;' }), 'NORESOURCE', 'sched-timeslice');
  checkRefused(vmTree({ vcpus: 'affinity = "proxy";' }).replace('device_type = "cpu"', 'device_type = "cpu"; status = "disabled"'), 'MEM_INVALID', 'no-boot-cpu');
  checkRefused(vmTree({ vcpus: 'affinity = "proxy";' }).replace('device_type = "cpu"', 'device_type = "cpu"; status = "sleepy"'), 'MEM_INVALID', 'cpu-status');
  checkRefused(vmTree({ vcpus: 'affinity = "proxy";' }).replace('cpu-idle-states = <1>; };', 'cpu-idle-states = <1>; }; cpu@1 { device_type = "cpu"; enable-method = "magic"; };'), 'MEM_INVALID', 'enable-method');
  checkRefused(vmTree({}).replace('cpu-idle-states = <1>;', ''), 'MEM_INVALID', 'idle-states');
  checkWarns(vmTree({ vcpus: 'affinity = "loose"; affinity-map = <0>; sched-priority = <(-1)>; sched-timeslice = <5000>;' }), 'affinity');
});

test('the interrupt controller is found by path, by phandle with a warning, and by default', () => {
  checkWarns(vmTree({}).replace('config = "/interrupt-controller@8000000"', 'config = <&intc>'), 'gic-phandle');
  assert.equal(parse(vmTree({}).replace('interrupts { config = "/interrupt-controller@8000000"; };', '')).config?.gic?.path, '/interrupt-controller@8000000');
  checkRefused(vmTree({}).replace('"arm,gic-v3"', '"arm,gic-400"'), 'MEM_INVALID', 'gic-compatible');
});

test('vdevices are checked', () => {
  checkRefused(vdevices('q { vdevice-type = "message-queue"; peer-default; };'), 'MEM_INVALID', 'direction');
  checkRefused(vdevices('q { vdevice-type = "message-queue"; peer-default; is-sender; is-receiver; };'), 'MEM_INVALID', 'direction');
  checkRefused(vdevices('q { vdevice-type = "message-queue"; is-sender; peer = "vm-name:x"; };'), 'MEM_INVALID', 'peer');
  checkRefused(vdevices('q { vdevice-type = "message-queue-pair"; };'), 'MEM_INVALID', 'peer');
  checkWarns(vdevices('q { vdevice-type = "doorbell"; peer = "x"; };'), 'peer-form');
  checkRefused(vdevices('q { vdevice-type = "doorbell"; peer-default; push-compatible = "a", "b", "c", "d", "e", "f", "g"; };'), 'MEM_INVALID', 'push-compatible');
  checkRefused(vdevices('q { vdevice-type = "shm"; peer-default; };'), 'MEM_INVALID', 'memory-child');
  checkRefused(vdevices('q { vdevice-type = "shm"; peer-default; memory { label = <1>; }; };'), 'MEM_INVALID', 'memory-base');
  checkRefused(vdevices('q { vdevice-type = "shm"; peer-default; memory { allocate-base; }; };'), 'MEM_INVALID', 'memory-label');
  checkWarns(vdevices('q { vdevice-type = "doorbell"; peer-default; interrupts = <0 2000 1>; };'), 'interrupts');
  checkWarns(vdevices('q { vdevice-type = "doorbell"; peer-default; interrupts = <0 1 1 0 2 1>; };'), 'interrupts');
  checkWarns(vdevices('q { vdevice-type = "teapot"; };'), 'vdevice-type');
  checkRefused(vdevices(`q { vdevice-type = "doorbell"; peer-default; generate = "${'/a'.repeat(20)}"; };`), 'MEM_INVALID', 'generate');
  checkRefused(vdevices('q { vdevice-type = "doorbell"; peer-default; generate = "bell"; };'), 'MEM_INVALID', 'generate');
  checkRefused(vdevices(Array.from({ length: 257 }, (_, n) => `d${n} { vdevice-type = "doorbell-source"; label = <${n}>; peer-default; };`).join('\n')), 'ARGUMENT_INVALID', 'too-many-vdevices');
});

test('labels, peers and interrupts of a vdevice are read', () => {
  const [vdevice] = parse(vdevices('q { vdevice-type = "doorbell"; qcom,label = <5>; label = <6>; peer = "vm-name:other"; interrupts = <0 40 1>; source-can-clear; };')).config?.vdevices ?? [];
  assert.deepEqual([vdevice?.label, vdevice?.peer, vdevice?.interrupts, vdevice?.sourceCanClear], [5, { kind: 'name', value: 'other' }, [72], true]);
});

test('memory nodes other than /memory are refused', () => {
  checkRefused(vmTree({ extra: 'memory@80000000 { device_type = "memory"; };' }), 'MEM_INVALID', 'memory-node');
});

test('vdevices count anywhere in the tree', () => {
  assert.equal(parse(vmTree({ extra: `elsewhere { ${RPC} };` })).config?.vdevices.length, 1);
});

test('every row of the table says what it is for', () => {
  for (const [name, rule] of Object.entries(VM_CONFIG_RULES)) {
    assert.ok(rule.match.length > 0 && rule.summary.endsWith('.'), name);
    for (const [property, row] of Object.entries(rule.properties)) assert.ok(row.summary.endsWith('.'), `${name}/${property}`);
  }
  assert.ok(VDEVICE_TYPES.every((type) => type in VM_CONFIG_RULES));
});

test('damaged blobs are read without throwing', () => {
  const blob = dtb(SENSOR_DTS);
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(blob.length - 1), fc.nat(255)), { maxLength: 8 }), fc.nat(blob.length), (changes, cut) => {
    const bytes = blob.slice(0, cut < 64 ? blob.length : cut);
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    const decoded = decodeDtb(bytes);
    if (!decoded.ok) return;
    const outcome = parseVmConfig(decoded.value.tree.root, 'untrusted');
    assert.equal(outcome.config === undefined, outcome.error !== undefined);
  }), { numRuns: 400 });
});

/** RM's rules, one by one: a tree that keeps each, one that breaks it, and our own RM, which refuses exactly what the rules refuse. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileDts, decodeDtb, type DtNode } from '../../../runtime/devicetree/index';
import { checkVmConfig, initRefusal, OUR_GENERATION, RM_RULE_IDS, rmRule, severityOf, type RmGeneration, type RmRuleId, type VmTrust } from '../../../runtime/devicetree/rm-rules';
import { parseVmConfig } from '../../../runtime/resource-manager/vm-config';
import { vmTree } from '../../resource-manager/trees';

/** A change to a good tree that breaks a rule: what is replaced by what, or something for one of the places of `vmTree`. */
interface Breach {
  readonly from?: string;
  readonly to?: string;
  readonly tree?: Parameters<typeof vmTree>[0];
  /** A good tree near by, if the plain one says nothing about the rule. */
  readonly good?: Parameters<typeof vmTree>[0];
  readonly trust?: VmTrust;
  readonly generation?: RmGeneration;
}

const DOORBELL = 'vdevice-type = "doorbell"; peer-default;';
const SHM = 'vdevice-type = "shm"; peer-default;';
const MEMORY = 'memory { label = <1>; base = <0 0x1000>; };';
const vd = (text: string): Parameters<typeof vmTree>[0] => ({ vdevices: text });
const config = (to: string): Breach => ({ from: 'image-name', to: `${to} image-name` });
const gic = (from: string, to: string): Breach => ({ from, to });
const CPU = 'device_type = "cpu";';
const MORE_CPUS = (text: string, vcpus = 'affinity = "proxy";'): Breach => ({ from: 'cpu-idle-states = <1>; };', to: `cpu-idle-states = <1>; }; ${text}`, tree: { vcpus } });

/** How each rule is broken. */
const BREACHES: Readonly<Record<RmRuleId, Breach>> = {
  'missing': { from: 'gunyah-vm-config', to: 'other' },
  'memory-node': { tree: { extra: 'memory@80000000 { device_type = "memory"; };' }, good: { extra: 'memory { device_type = "memory"; };' } },
  'too-deep': { tree: { extra: `${'a { '.repeat(16)}${'}; '.repeat(16)}` }, good: { extra: `${'a { '.repeat(15)}${'}; '.repeat(15)}` } },
  'hypervisor-node': { tree: { extra: 'hypervisor { };' } },
  'shadowed-vdevice': config('vdevice-type = "shm";'),
  'not-visited': { tree: { extra: `soc { x { ${DOORBELL} }; };` }, good: { extra: `soc { ranges; x { ${DOORBELL} }; };` }, generation: 'newer' },
  'vdevice-type': { tree: vd('x { vdevice-type = "teapot"; };'), good: vd(`x { ${DOORBELL} };`) },
  'ignored-value': { tree: { memory: 'size-min = <0x100000>;' }, good: { memory: 'size-min = <0 0x100000>;' } },
  'own-cells': { tree: { memory: '#address-cells = <1>; base-address = <0 0x80000000>;' }, good: { memory: '#address-cells = <2>; base-address = <0 0x80000000>;' } },
  'unaligned': { tree: { memory: 'size-min = <0 0x100800>;' }, good: { memory: 'size-min = <0 0x101000>;' } },
  'array-length': { tree: { memory: 'base-mem-constraints = <1 2 3>;' }, good: { memory: 'base-mem-constraints = <1 2>;' } },
  'other-generation': { tree: { vcpus: 'affinity = "proxy"; no-timer-wakeups;' } },
  'unknown-property': { tree: vd(`x { ${DOORBELL} source-can-clean; };`), good: vd(`x { ${DOORBELL} source-can-clear; color = <1>; };`) },
  'image-name': { tree: { name: 'x'.repeat(80) }, good: { name: 'x'.repeat(79) } },
  'vm-type': config('vm-type = "pdp11-guest";'),
  'vm-uri': config(`vm-uri = "${'x'.repeat(80)}";`),
  'vm-guid': config('vm-guid = "12";'),
  'vm-attrs': config('vm-attrs = "no-reset", "shiny";'),
  'vm-attrs-list': config('vm-attrs = <0x61616161>;'),
  'trusted-only': config('vm-attrs = "crash-fatal";'),
  'trusted-ranges': config('gic-irq-ranges = <40 40>;'),
  'iomemory-ranges': { ...config('iomemory-ranges = <0 0x1000 0 0x1000 0 0x1000 7>;'), trust: 'trusted' },
  'iomemory-direct': { ...config('iomemory-ranges = <0 0x1000 0 0x2000 0 0x1000 0>;'), trust: 'trusted' },
  'gic-irq-ranges': { ...config('gic-irq-ranges = <40 40 41>;'), trust: 'trusted' },
  'base-address': { tree: { memory: 'base-address = <0 0x80001000>;' }, good: { memory: 'base-address = <0 0x80200000>;' } },
  'size-max': { tree: { memory: 'base-address = <0 0x80000000>; size-max = <0xffffffff 0x90000000>;' }, good: { memory: 'base-address = <0 0x80000000>; size-max = <1 0>;' } },
  'size-order': { tree: { memory: 'size-min = <0 0x2000>; size-max = <0 0x1000>;' }, good: { memory: 'size-min = <0 0x1000>; size-max = <0 0x1000>;' } },
  'firmware-size': { tree: { memory: 'firmware-size-max = <0 0x1000>;' }, good: { memory: 'firmware-address = <0 0x80000000>; firmware-size-max = <0 0x1000>;' } },
  'no-vcpus': { from: 'vcpus {', to: 'vcpus@0 {' },
  'affinity': { tree: { vcpus: 'affinity = "loose"; affinity-map = <0>; sched-priority = <(-1)>;' } },
  'affinity-map': { tree: { vcpus: 'affinity-map = <0 1>; sched-priority = <(-1)>;' } },
  'sched-priority': { tree: { vcpus: 'affinity-map = <0>;' } },
  'sched-timeslice': { tree: { vcpus: 'affinity-map = <0>; sched-priority = <(-1)>; sched-timeslice = <50>;' }, good: { vcpus: 'affinity = "proxy"; sched-timeslice = <50>;' } },
  'cpus-path': { from: 'config = "/cpus"', to: 'config = "/nowhere"' },
  'cpus-fixed': { from: 'config = "/cpus"', to: 'config = "/psci"', generation: 'newer' },
  'cpu-cells': { from: '#size-cells = <0>; cpu@0', to: '#size-cells = <1>; cpu@0', generation: 'newer' },
  'cpu-reg': { from: 'reg = <0>; ', to: '', generation: 'newer' },
  'cpu-status': MORE_CPUS(`cpu@1 { ${CPU} status = "failsafe"; };`),
  'enable-method': { ...MORE_CPUS(`cpu@1 { ${CPU} status = "disabled"; enable-method = "magic"; };`), good: { vcpus: 'affinity = "proxy";' } },
  'no-boot-cpu': { from: CPU, to: `${CPU} status = "disabled";`, tree: { vcpus: 'affinity = "proxy";' } },
  'too-many-cpus': MORE_CPUS(Array.from({ length: 8 }, (_, n) => `cpu@${String(n + 1)} { ${CPU} enable-method = "psci"; };`).join(' ')),
  'idle-states': MORE_CPUS(`cpu@1 { ${CPU} enable-method = "psci"; };`, 'affinity-map = <0 1>; sched-priority = <(-1)>;'),
  'gic-missing': gic('config = "/interrupt-controller@8000000"', 'config = "/nowhere"'),
  'gic-phandle': gic('config = "/interrupt-controller@8000000"', 'config = <&intc>'),
  'gic-compatible': gic('"arm,gic-v3"', '"arm,gic-400"'),
  'gic-cells': gic('#interrupt-cells = <3>', '#interrupt-cells = <2>'),
  'gic-regions': gic('interrupt-controller;', 'interrupt-controller; #redistributor-regions = <2>;'),
  'gic-reg': gic(', <0 0x080a0000 0 0x20000>', ''),
  'gic-stride': gic('interrupt-controller;', 'interrupt-controller; redistributor-stride = <0 0x10000>;'),
  'generate': { tree: vd(`x { ${DOORBELL} generate = "bell"; };`), good: vd(`x { ${DOORBELL} generate = "/bell"; };`) },
  'rm-rpc-generate': { tree: vd('x { vdevice-type = "rm-rpc"; };'), good: vd('x { vdevice-type = "rm-rpc"; generate = "/hypervisor/rm"; };') },
  'generate-twice': { tree: vd(`x { ${SHM} ${MEMORY} }; y { ${SHM} label = <2>; ${MEMORY} };`), good: vd(`x { ${SHM} ${MEMORY} }; y { ${SHM} label = <2>; generate = "/y"; ${MEMORY} };`) },
  'generate-or-patch': { tree: vd(`x { vdevice-type = "virtio-mmio"; peer-default; generate = "/a"; patch = "/b"; ${MEMORY} };`), generation: 'newer' },
  'push-compatible': { tree: vd(`x { ${DOORBELL} push-compatible = "a", "b", "c", "d", "e", "f", "g"; };`), good: vd(`x { ${DOORBELL} push-compatible = "a", "b", "c", "d", "e", "f"; };`) },
  'peer': { tree: vd('x { vdevice-type = "message-queue"; is-sender; peer = "vm-name:x"; };'), good: vd('x { vdevice-type = "message-queue-pair"; peer = "vm-name:x"; };') },
  'peer-form': { tree: vd('x { vdevice-type = "doorbell"; peer = "x"; };'), good: vd('x { vdevice-type = "doorbell"; peer = "vm-uri:x"; };') },
  'interrupts': { tree: vd(`x { ${DOORBELL} interrupts = <0 1 1 0 2 1>; };`), good: vd(`x { ${DOORBELL} interrupts = <0 1 4>; };`) },
  'direction': { tree: vd('x { vdevice-type = "message-queue"; peer-default; is-sender; is-receiver; };'), good: vd('x { vdevice-type = "message-queue"; peer-default; is-sender; };') },
  'queue-limits': { tree: vd('x { vdevice-type = "message-queue-pair"; peer-default; queue-depth = <256>; };'), good: vd('x { vdevice-type = "message-queue-pair"; peer-default; queue-depth = <255>; message-size = <1023>; };') },
  'console-twice': { tree: vd('x { vdevice-type = "rm-rpc"; generate = "/a"; console-dev; }; y { vdevice-type = "rm-rpc"; generate = "/b"; console-dev; };') },
  'memory-child': { tree: vd(`x { ${SHM} };`), good: vd(`x { ${SHM} ${MEMORY} };`) },
  'memory-label': { tree: vd(`x { ${SHM} memory { allocate-base; }; };`), good: vd(`x { ${SHM} memory { allocate-base; qcom,label = <0>; }; };`) },
  'memory-base': { tree: vd(`x { ${SHM} memory { label = <1>; }; };`), good: vd(`x { ${SHM} memory { label = <1>; allocate-base; }; };`) },
  'iomem-path': { tree: vd(`x { vdevice-type = "iomem"; peer-default; ${MEMORY} };`), good: vd(`x { vdevice-type = "iomem"; peer-default; patch = "/soc"; ${MEMORY} };`) },
  'iomem-list': { tree: vd(`x { vdevice-type = "iomem"; peer-default; patch = "/soc"; qcom,rm_sglist = <0 1 2>; ${MEMORY} };`) },
  'vsmmu': { tree: vd('x { vdevice-type = "vsmmu-v2"; smmu-handle = <1>; patch = "/soc"; num-cbs = <1>; num-smrs = <256>; };'), good: vd('x { vdevice-type = "vsmmu-v2"; smmu-handle = <1>; patch = "/soc"; num-cbs = <1>; num-smrs = <255>; };') },
  'vrtc-twice': { tree: vd('x { vdevice-type = "vrtc-pl031"; base = <0 0x1000>; }; y { vdevice-type = "vrtc-pl031"; base = <0 0x2000>; };'), good: vd('x { vdevice-type = "vrtc-pl031"; base = <0 0x1000>; };') },
  'vrtc-base': { tree: vd('x { vdevice-type = "vrtc-pl031"; };'), good: vd('x { vdevice-type = "vrtc-pl031"; base = <0 0x1000>; };') },
  'vrtc-allocate': { tree: vd('x { vdevice-type = "vrtc-pl031"; allocate-base; };'), good: vd('x { vdevice-type = "vrtc-pl031"; base = <0 0x1000>; };') },
  'label-twice': { tree: vd(`x { ${DOORBELL} label = <3>; }; y { ${DOORBELL} label = <3>; };`), good: vd(`x { ${DOORBELL} label = <3>; }; y { ${DOORBELL} label = <4>; }; z { vdevice-type = "doorbell-source"; peer-default; label = <3>; };`) },
  'too-many-vdevices': { tree: vd(Array.from({ length: 257 }, (_, n) => `d${String(n)} { ${DOORBELL} label = <${String(n)}>; };`).join('\n')) },
  'reserved-ranges': { tree: { extra: 'reserved-memory { #address-cells = <2>; #size-cells = <2>; };' }, good: { extra: 'reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; };' }, generation: 'newer' },
  'target-vmid': { tree: { extra: 'reserved-memory { ranges; a { qcom,target-vmid = <3>; }; };' }, good: { extra: 'reserved-memory { ranges; a { qcom,target-vmid = <3>; no-map; }; };' }, generation: 'newer' },
  'consumer-label': {
    tree: { extra: 'qrtr { compatible = "qcom,qrtr-gunyah"; gunyah-label = <1>; };', vdevices: `x { ${DOORBELL} label = <1>; };` },
    good: { extra: 'qrtr { compatible = "qcom,qrtr-gunyah"; gunyah-label = <1>; };', vdevices: `x { vdevice-type = "shm-doorbell"; peer-default; ${MEMORY} };` },
  },
};

/** A tree as RM gets it: compiled, and decoded from its blob. */
function compile(dts: string): DtNode {
  const { bytes, diagnostics } = compileDts(dts);
  assert.deepEqual(diagnostics, []);
  const decoded = decodeDtb(bytes);
  assert.ok(decoded.ok);
  return decoded.value.tree.root;
}

function brokenTree({ from, to, tree }: Breach): DtNode {
  const text = vmTree(tree ?? {});
  assert.ok(from === undefined || text.includes(from), from);
  return compile(from === undefined ? text : text.replace(from, to ?? ''));
}

/** Checks that one tree keeps a rule and another breaks it, and that our RM says the same of both, where the rule speaks for its generation. */
function checkRule(id: RmRuleId, breach: Breach): void {
  const reading = { generation: breach.generation ?? OUR_GENERATION, trust: breach.trust ?? 'untrusted' } as const;
  for (const [root, isBroken] of [[brokenTree(breach), true], [compile(vmTree(breach.good ?? {})), false]] as const) {
    const found = checkVmConfig(root, reading).filter(({ rule }) => rule === id);
    assert.equal(found.length > 0, isBroken, `${id}: ${JSON.stringify(checkVmConfig(root, reading).map(({ rule, message }) => [rule, message]))}`);
    for (const { severity, message } of found) {
      assert.equal(severity, severityOf(id));
      assert.match(message, /[.!?]$/, 'a sentence');
    }
    if (reading.generation === OUR_GENERATION) checkOurRm(root, id, { trust: breach.trust === 'trusted' ? 'trusted' : 'untrusted', isBroken });
  }
}

function checkOurRm(root: DtNode, id: RmRuleId, { trust, isBroken }: { readonly trust: 'trusted' | 'untrusted'; readonly isBroken: boolean }): void {
  const outcome = parseVmConfig(root, trust);
  const { refusal, level } = rmRule(id);
  assert.equal(outcome.error, initRefusal(checkVmConfig(root, { generation: OUR_GENERATION, trust })));
  assert.equal(outcome.config === undefined, outcome.error !== undefined);
  if (refusal !== undefined && refusal !== 'start' && refusal !== 'editor') assert.equal(outcome.error !== undefined, isBroken, id);
  const isTold = outcome.diagnostics.some(({ code }) => code === `vm-config-${id}`);
  assert.equal(isTold, isBroken && level !== 'information' && refusal !== 'start' && refusal !== 'editor', id);
}

describe('RM\'s rules', () => {
  for (const id of RM_RULE_IDS) it(`${id}: one tree keeps the rule, another breaks it, and our RM agrees`, () => { checkRule(id, BREACHES[id]); });

  it('find nothing wrong with a good tree', () => {
    for (const generation of ['open-2023', 'newer'] as const) assert.deepEqual(checkVmConfig(compile(vmTree({})), generation), []);
  });

  it('tell what only trusted VMs may have as an information while nobody knows whether a VM is trusted', () => {
    const root = brokenTree(BREACHES['trusted-ranges']);
    assert.deepEqual(checkVmConfig(root, OUR_GENERATION).map(({ rule, severity }) => [rule, severity]), [['trusted-ranges', 'information']]);
    assert.deepEqual(checkVmConfig(root, { generation: OUR_GENERATION, trust: 'trusted' }), []);
  });

  it('say of the newer generation what it reads besides', () => {
    const root = compile(vmTree({ vcpus: 'affinity = "proxy"; no-timer-wakeups;', vdevices: 'x { vdevice-type = "watchdog"; }; y { vdevice-type = "doorbell"; peer-default; interrupts = <0 1 8 0 2 1>; };' }));
    assert.deepEqual(checkVmConfig(root, 'newer'), []);
    assert.deepEqual(checkVmConfig(root, 'open-2023').map(({ rule }) => rule), ['vdevice-type', 'other-generation', 'interrupts']);
  });
});

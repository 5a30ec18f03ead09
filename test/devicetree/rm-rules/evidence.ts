/**
 * Evidence for each of RM's rules, as data: a tree that breaks it, one near by that keeps it, and, where RM goes on, a tree that RM reads as the same.
 * A rule without a row does not compile.
 */
import { OUR_GENERATION, type RmGeneration, type RmRuleId, type VmTrust } from '../../../runtime/devicetree/rm-rules';
import { vmTree } from '../../resource-manager/trees';

/** A change to a good tree that breaks a rule: what is replaced by what, or something for one of the places of `vmTree`. */
export interface Breach {
  readonly from?: string;
  readonly to?: string;
  readonly tree?: Parameters<typeof vmTree>[0];
  /** A good tree near by, if the plain one says nothing about the rule. */
  readonly good?: Parameters<typeof vmTree>[0];
  /** The good tree near by as text in place of `from`, where `from` stays in both. */
  readonly near?: string;
  /** Where RM goes on: what it reads the same, in place of `from` or for a place of `vmTree`; `plain` is the plain tree. */
  readonly as?: 'plain' | { readonly to: string } | { readonly tree: Parameters<typeof vmTree>[0] };
  readonly trust?: VmTrust;
  readonly generation?: RmGeneration;
}

const DOORBELL = 'vdevice-type = "doorbell"; peer-default;';
const SHM = 'vdevice-type = "shm"; peer-default;';
const MEMORY = 'memory { label = <1>; base = <0 0x1000>; };';
const vd = (text: string): Parameters<typeof vmTree>[0] => ({ vdevices: text });
const config = (to: string, near: string): Breach => ({ from: 'image-name', to: `${to} image-name`, near: `${near} image-name` });
const gic = (from: string, to: string): Breach => ({ from, to });
const CPU = 'device_type = "cpu";';
const CPUS = (count: number): string => Array.from({ length: count }, (_, n) => `cpu@${String(n + 1)} { ${CPU} enable-method = "psci"; };`).join(' ');
const MORE_CPUS = (text: string, vcpus = 'affinity = "proxy";'): Breach => ({ from: 'cpu-idle-states = <1>; };', to: `cpu-idle-states = <1>; }; ${text}`, tree: { vcpus } });

/** How each rule is broken, and what comes near by without breaking it. */
export const BREACHES: Readonly<Record<RmRuleId, Breach>> = {
  'missing': { from: 'gunyah-vm-config', to: 'other' },
  'memory-node': { tree: { extra: 'memory@80000000 { device_type = "memory"; };' }, good: { extra: 'memory { device_type = "memory"; };' } },
  'too-deep': { tree: { extra: `${'a { '.repeat(16)}${'}; '.repeat(16)}` }, good: { extra: `${'a { '.repeat(15)}${'}; '.repeat(15)}` } },
  'hypervisor-node': { tree: { extra: 'hypervisor { };' }, good: { extra: 'hypervisors { };' } },
  'shadowed-vdevice': { ...config('vdevice-type = "shm";', 'vdevice-kind = "shm";'), as: 'plain' },
  'not-visited': { tree: { extra: `soc { x { ${DOORBELL} }; };` }, good: { extra: `soc { ranges; x { ${DOORBELL} }; };` }, generation: 'newer' },
  'vdevice-type': { as: 'plain', tree: vd('x { vdevice-type = "teapot"; };'), good: vd(`x { ${DOORBELL} };`) },
  'ignored-value': { as: 'plain', tree: { memory: 'size-min = <0 0 0x100000>;' }, good: { memory: 'size-min = <0x100000>;' } },
  'own-cells': { as: { tree: vd(`x { ${SHM} ${MEMORY.replace('{', '{ optional;')} };`) }, tree: vd(`x { ${SHM} ${MEMORY.replace('{', '{ #address-cells = <1>; optional;')} };`), good: vd(`x { ${SHM} ${MEMORY.replace('{', '{ #address-cells = <2>; optional;')} };`) },
  'unaligned': { tree: { memory: 'size-min = <0x100800>;' }, good: { memory: 'size-min = <0x101000>;' } },
  'array-length': { tree: { memory: 'base-mem-constraints = <1 2 3>;' }, good: { memory: 'base-mem-constraints = <4 0>;' } },
  'other-generation': { as: { tree: { vcpus: 'affinity = "proxy";' } }, tree: { vcpus: 'affinity = "proxy"; no-timer-wakeups;' }, good: { vcpus: 'affinity = "proxy"; sched-timeslice = <5000>;' } },
  'unknown-property': { as: { tree: vd(`x { ${DOORBELL} };`) }, tree: vd(`x { ${DOORBELL} source-can-clean; };`), good: vd(`x { ${DOORBELL} source-can-clear; color = <1>; };`) },
  'image-name': { tree: { name: 'x'.repeat(80) }, good: { name: 'x'.repeat(79) } },
  'vm-type': { ...config('vm-type = "pdp11-guest";', 'vm-type = "aarch64-guest";'), as: 'plain' },
  'vm-uri': { ...config(`vm-uri = "${'x'.repeat(80)}";`, `vm-uri = "${'x'.repeat(79)}";`), as: 'plain' },
  'vm-guid': config('vm-guid = "12";', 'vm-guid = "598085da-c516-5b25-a9c1-927a02819770";'),
  'vm-attrs': { ...config('vm-attrs = "no-reset", "shiny";', 'vm-attrs = "no-reset", "no-shutdown";'), as: { to: 'vm-attrs = "no-reset"; image-name' } },
  'vm-attrs-list': config('vm-attrs = <0x61616161>;', 'vm-attrs = "context-dump";'),
  'trusted-only': config('vm-attrs = "crash-fatal";', 'vm-attrs = "context-dump";'),
  'trusted-ranges': config('gic-irq-ranges = <40 40>;', 'gic-irq-lines = <40 40>;'),
  'iomemory-ranges': { ...config('iomemory-ranges = <0 0x1000 0 0x1000 0 0x1000 7>;', 'iomemory-ranges = <0 0x1000 0 0x1000 0 0x1000 6>;'), trust: 'trusted' },
  'iomemory-direct': { ...config('iomemory-ranges = <0 0x1000 0 0x2000 0 0x1000 0>;', 'iomemory-ranges = <0 0x2000 0 0x2000 0 0x1000 0>;'), trust: 'trusted' },
  'gic-irq-ranges': { as: { to: 'gic-irq-ranges = <40 40>; image-name' }, ...config('gic-irq-ranges = <40 40 41>;', 'gic-irq-ranges = <40 40 41 41>;'), trust: 'trusted' },
  'base-address': { as: { tree: { memory: 'base-address = <0 0x80200000>;' } }, tree: { memory: 'base-address = <0 0x80001000>;' }, good: { memory: 'base-address = <0 0x80200000>;' } },
  'size-max': { tree: { memory: 'base-address = <0xffffffff 0xffe00000>; size-max = <0x200000>;' }, good: { memory: 'base-address = <0 0x80000000>; size-max = <0xfffff000>;' } },
  'size-order': { tree: { memory: 'size-min = <0x2000>; size-max = <0x1000>;' }, good: { memory: 'size-min = <0x1000>; size-max = <0x1000>;' } },
  'firmware-size': { tree: { memory: 'firmware-size-max = <0x1000>;' }, good: { memory: 'firmware-address = <0 0x80000000>; firmware-size-max = <0x1000>;' } },
  'memory-constraints': { tree: { memory: 'base-mem-constraints = <8 0>;' }, good: { memory: 'base-mem-constraints = <0x44 0>;' } },
  'no-vcpus': { from: 'vcpus {', to: 'vcpus@0 {' },
  'affinity': { as: { tree: { vcpus: 'affinity = "static"; affinity-map = <0>; sched-priority = <(-1)>; sched-timeslice = <5000>;' } }, tree: { vcpus: 'affinity = "loose"; affinity-map = <0>; sched-priority = <(-1)>; sched-timeslice = <5000>;' }, good: { vcpus: 'affinity = "sticky"; affinity-map = <0>; sched-priority = <(-1)>; sched-timeslice = <5000>;' } },
  'affinity-map': { tree: { vcpus: 'affinity-map = <0 1>; sched-priority = <(-1)>; sched-timeslice = <5000>;' }, good: { vcpus: 'affinity-map = <0>; sched-priority = <(-1)>; sched-timeslice = <5000>;' } },
  'sched-priority': { tree: { vcpus: 'affinity-map = <0>; sched-priority = <0>; sched-timeslice = <5000>;' }, good: { vcpus: 'affinity-map = <0>; sched-priority = <(-1)>; sched-timeslice = <5000>;' } },
  'sched-timeslice': { tree: { vcpus: 'affinity-map = <0>; sched-priority = <(-1)>; sched-timeslice = <50>;' }, good: { vcpus: 'affinity = "proxy"; sched-timeslice = <50>;' } },
  'cpus-path': { from: 'config = "/cpus"', to: 'config = "/nowhere"' },
  'cpus-fixed': { from: 'config = "/cpus"', to: 'config = "/psci"', generation: 'newer' },
  'cpu-cells': { from: '#size-cells = <0>; cpu@0', to: '#size-cells = <1>; cpu@0', generation: 'newer' },
  'cpu-reg': { from: 'reg = <0>; ', to: '', generation: 'newer' },
  'cpu-twice': { ...MORE_CPUS(`cpu@1 { ${CPU} reg = <0>; enable-method = "psci"; };`), near: `cpu-idle-states = <1>; }; cpu@1 { ${CPU} reg = <1>; enable-method = "psci"; };`, generation: 'newer' },
  'cpu-status': { ...MORE_CPUS(`cpu@1 { ${CPU} status = "failsafe"; };`), near: 'cpu-idle-states = <1>; }; cpu@1 { device_type = "cpu"; status = "fail-safe"; };' },
  'enable-method': { ...MORE_CPUS(`cpu@1 { ${CPU} status = "disabled"; enable-method = "magic"; };`), good: { vcpus: 'affinity = "proxy";' } },
  'no-boot-cpu': { from: CPU, to: `${CPU} status = "disabled";`, tree: { vcpus: 'affinity = "proxy";' } },
  'too-many-cpus': { ...MORE_CPUS(CPUS(8)), near: `cpu-idle-states = <1>; }; ${CPUS(7)}` },
  'idle-states': MORE_CPUS(`cpu@1 { ${CPU} enable-method = "psci"; };`, 'affinity-map = <0 1>; sched-priority = <(-1)>; sched-timeslice = <5000>;'),
  'gic-missing': gic('config = "/interrupt-controller@8000000"', 'config = "/nowhere"'),
  'gic-phandle': { ...gic('config = "/interrupt-controller@8000000"', 'config = <&intc>'), as: 'plain' },
  'gic-compatible': gic('"arm,gic-v3"', '"arm,gic-400"'),
  'gic-cells': gic('#interrupt-cells = <3>', '#interrupt-cells = <2>'),
  'gic-regions': gic('interrupt-controller;', 'interrupt-controller; #redistributor-regions = <2>;'),
  'gic-reg': gic(', <0 0x080a0000 0 0x20000>', ''),
  'gic-stride': gic('interrupt-controller;', 'interrupt-controller; redistributor-stride = <0 0x10000>;'),
  'gic-frames': { from: '0x08000000 0 0x10000', to: '0x08001000 0 0x10000', near: '0x08010000 0 0x10000' },
  'generate': { tree: vd(`x { ${DOORBELL} generate = "bell"; };`), good: vd(`x { ${DOORBELL} generate = "/bell"; };`) },
  'rm-rpc-generate': { as: { tree: vd('x { vdevice-type = "rm-rpc"; generate = "/hypervisor/qcom,resource-manager-rpc"; };') }, tree: vd('x { vdevice-type = "rm-rpc"; };'), good: vd('x { vdevice-type = "rm-rpc"; generate = "/hypervisor/rm"; };') },
  'generate-twice': { tree: vd(`x { ${SHM} ${MEMORY} }; y { ${SHM} label = <2>; ${MEMORY} };`), good: vd(`x { ${SHM} ${MEMORY} }; y { ${SHM} label = <2>; generate = "/y"; ${MEMORY} };`) },
  'generate-or-patch': { good: vd(`x { vdevice-type = "virtio-mmio"; peer-default; generate = "/a"; ${MEMORY} };`), tree: vd(`x { vdevice-type = "virtio-mmio"; peer-default; generate = "/a"; patch = "/b"; ${MEMORY} };`), generation: 'newer' },
  'push-compatible': { tree: vd(`x { ${DOORBELL} push-compatible = "a", "b", "c", "d", "e", "f", "g"; };`), good: vd(`x { ${DOORBELL} push-compatible = "a", "b", "c", "d", "e", "f"; };`) },
  'peer': { tree: vd('x { vdevice-type = "message-queue"; is-sender; peer = "vm-name:x"; };'), good: vd('x { vdevice-type = "message-queue-pair"; peer = "vm-name:x"; };') },
  'peer-form': { tree: vd('x { vdevice-type = "doorbell"; peer = "x"; };'), good: vd('x { vdevice-type = "doorbell"; peer = "vm-uri:x"; };') },
  'interrupts': { as: { tree: vd(`x { ${DOORBELL} };`) }, tree: vd(`x { ${DOORBELL} interrupts = <0 1 1 0 2 1>; };`), good: vd(`x { ${DOORBELL} interrupts = <0 1 4>; };`) },
  'direction': { tree: vd('x { vdevice-type = "message-queue"; peer-default; is-sender; is-receiver; };'), good: vd('x { vdevice-type = "message-queue"; peer-default; is-sender; };') },
  'queue-limits': { tree: vd('x { vdevice-type = "message-queue-pair"; peer-default; queue-depth = <256>; };'), good: vd('x { vdevice-type = "message-queue-pair"; peer-default; queue-depth = <255>; message-size = <1023>; };') },
  'console-twice': { tree: vd('x { vdevice-type = "rm-rpc"; generate = "/a"; console-dev; }; y { vdevice-type = "rm-rpc"; generate = "/b"; console-dev; };'), good: vd('x { vdevice-type = "rm-rpc"; generate = "/a"; console-dev; };') },
  'memory-child': { tree: vd(`x { ${SHM} };`), good: vd(`x { ${SHM} ${MEMORY} };`) },
  'memory-label': { tree: vd(`x { ${SHM} memory { allocate-base; }; };`), good: vd(`x { ${SHM} memory { allocate-base; qcom,label = <0>; }; };`) },
  'memory-base': { tree: vd(`x { ${SHM} memory { label = <1>; }; };`), good: vd(`x { ${SHM} memory { label = <1>; allocate-base; }; };`) },
  'iomem-path': { tree: vd(`x { vdevice-type = "iomem"; peer-default; ${MEMORY} };`), good: vd(`x { vdevice-type = "iomem"; peer-default; patch = "/soc"; ${MEMORY} };`) },
  'iomem-list': { tree: vd(`x { vdevice-type = "iomem"; peer-default; patch = "/soc"; qcom,rm_sglist = <0 1 2>; ${MEMORY} };`), good: vd(`x { vdevice-type = "iomem"; peer-default; patch = "/soc"; qcom,rm_sglist = <0 0x1000 0 0x1000>; ${MEMORY} };`) },
  'vsmmu': { tree: vd('x { vdevice-type = "vsmmu-v2"; smmu-handle = <1>; patch = "/soc"; num-cbs = <1>; num-smrs = <256>; };'), good: vd('x { vdevice-type = "vsmmu-v2"; smmu-handle = <1>; patch = "/soc"; num-cbs = <1>; num-smrs = <255>; };') },
  'vrtc-twice': { tree: vd('x { vdevice-type = "vrtc-pl031"; base = <0 0x1000>; }; y { vdevice-type = "vrtc-pl031"; base = <0 0x2000>; };'), good: vd('x { vdevice-type = "vrtc-pl031"; base = <0 0x1000>; };') },
  'vrtc-base': { tree: vd('x { vdevice-type = "vrtc-pl031"; };'), good: vd('x { vdevice-type = "vrtc-pl031"; base = <0 0x1000>; };') },
  'vrtc-allocate': { tree: vd('x { vdevice-type = "vrtc-pl031"; allocate-base; };'), good: vd('x { vdevice-type = "vrtc-pl031"; base = <0 0x1000>; };') },
  'pci-sizes': { tree: vd('x { vdevice-type = "pci"; config-size = <0x1000000>; npmem-size = <0x3000000>; };'), good: vd('x { vdevice-type = "pci"; config-size = <0x1000000>; npmem-size = <0x2000000>; };'), generation: 'newer' },
  'label-twice': { tree: vd(`x { ${DOORBELL} label = <3>; }; y { ${DOORBELL} label = <3>; };`), good: vd(`x { ${DOORBELL} label = <3>; }; y { ${DOORBELL} label = <4>; }; z { vdevice-type = "doorbell-source"; peer-default; label = <3>; };`) },
  'too-many-vdevices': { good: vd(Array.from({ length: 256 }, (_, n) => `d${String(n)} { ${DOORBELL} label = <${String(n)}>; };`).join('\n')), tree: vd(Array.from({ length: 257 }, (_, n) => `d${String(n)} { ${DOORBELL} label = <${String(n)}>; };`).join('\n')) },
  'reserved-ranges': { tree: { extra: 'reserved-memory { #address-cells = <2>; #size-cells = <2>; };' }, good: { extra: 'reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; };' }, generation: 'newer' },
  'reserved-reg': { tree: { extra: 'reserved-memory { ranges; a { reg = <0 0x1000 0x1000 0 0x4000 0x1000>; }; };' }, good: { extra: 'reserved-memory { ranges; a { reg = <0 0x1000 0x1000>; }; };' }, generation: 'newer' },
  'target-vmid': { tree: { extra: 'reserved-memory { ranges; a { qcom,target-vmid = <3>; }; };' }, good: { extra: 'reserved-memory { ranges; a { qcom,target-vmid = <3>; no-map; }; };' }, generation: 'newer' },
  'consumer-label': {
    tree: { extra: 'qrtr { compatible = "qcom,qrtr-gunyah"; gunyah-label = <1>; };', vdevices: `x { ${DOORBELL} label = <1>; };` },
    good: { extra: 'qrtr { compatible = "qcom,qrtr-gunyah"; gunyah-label = <1>; };', vdevices: `x { vdevice-type = "shm-doorbell"; peer-default; ${MEMORY} };` },
  },
};

/** The text of a tree that breaks a rule. */
export function brokenText({ from, to, tree }: Breach): string {
  const text = vmTree(tree ?? {});
  if (from !== undefined && !text.includes(from)) throw new Error(`There is no ${from}`);
  return from === undefined ? text : text.replace(from, to ?? '');
}

/** The text of a tree near by that keeps it. */
export function goodText({ from, near, tree, good }: Breach): string {
  if (from !== undefined && near !== undefined) return vmTree(tree ?? {}).replace(from, near);
  return vmTree(good ?? {});
}

/** The text of what RM reads the same, where it goes on; `undefined` if the row has none. */
export function sameText({ from, tree, as }: Breach): string | undefined {
  if (as === undefined) return undefined;
  if (as === 'plain') return vmTree({});
  return 'tree' in as ? vmTree(as.tree) : vmTree(tree ?? {}).replace(from ?? '', as.to);
}

/** The generation whose reading the row shows. */
export function generationOf({ generation }: Breach): RmGeneration {
  return generation ?? OUR_GENERATION;
}

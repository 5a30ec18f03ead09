/** Our bindings for Gunyah: what they object to in trees of each form, and that they accept what RM itself writes. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';

import { pa } from '../../../runtime/base/brands';
import { readBindings, UNDOCUMENTED, type BindingSet } from '../../../runtime/devicetree/bindings/binding-set';
import { ITEM_TEXTS } from '../../../runtime/devicetree/bindings/schema-fixups';
import { compileDts, decodeDtb, type DtNode } from '../../../runtime/devicetree/index';
import { VM_CONFIG_RULES } from '../../../runtime/devicetree/rm-rules';
import { dtb, PRIMARY_DTB, SystemFixture } from '../../resource-manager/system-fixture';
import { RPC, vmTree } from '../../resource-manager/trees';

const FOLDER = join(__dirname, '../../../language-server/bindings');

function read(...folders: readonly string[]): BindingSet {
  const files = folders.flatMap((folder) => readdirSync(join(FOLDER, folder)).sort().map((name) => join(folder, name)));
  const { bindings, diagnostics } = readBindings(files.map((path) => ({ path, content: load(readFileSync(join(FOLDER, path), 'utf8')) })));
  assert.deepEqual(diagnostics, []);
  return bindings;
}

const BINDING = read('core', 'gunyah/binding', 'gunyah/vm-config');
const AS_RM = read('core', 'gunyah/as-rm-generates', 'gunyah/vm-config');

/** Failures as `path keyword member/… names`, compatible strings that no binding knows aside. */
function failures(bindings: BindingSet, root: DtNode): string[] {
  return bindings.checkTree(root).filter(({ schemaId }) => schemaId !== UNDOCUMENTED).map(({ node, keyword, path, names }) => (
    [node.path, keyword, path.join('/'), ...(names ?? [])].filter((part) => part !== '').join(' ')
  ));
}

/** Failures of what stands in the root node. */
function check(bindings: BindingSet, body: string): string[] {
  const { tree, diagnostics } = compileDts(`/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&gic>;
    gic: gic { interrupt-controller; #interrupt-cells = <3>; }; ${body} };`);
  assert.deepEqual(diagnostics, []);
  return failures(bindings, tree.root);
}

/** A node of the binding, with other properties for itself and its child. */
function upstream({ own = 'compatible = "gunyah-hypervisor";', cells = '#address-cells = <2>; #size-cells = <0>;', child = '' }): string {
  return `hypervisor { ${own} ${cells} gunyah-resource-mgr@0 { ${child || GOOD_CHILD} }; };`;
}
const GOOD_CHILD = 'compatible = "gunyah-resource-manager"; reg = <0 0>, <0 1>; interrupts = <0 3 1>, <0 4 1>;';

/** A device of a VM configuration. */
function vdevice(type: string, properties: string): string {
  return `gunyah-vm-config { image-name = "vm"; vcpus { affinity = "proxy"; }; vdevices { x { vdevice-type = "${type}"; ${properties} }; }; };`;
}

/** Failures of one device, without the path to it. */
function checkVdevice(type: string, properties: string): string[] {
  return [...new Set(check(BINDING, vdevice(type, properties)).map((line) => line.replace('/gunyah-vm-config/vdevices/x ', '')))];
}

/** A node that RM writes, below its hypervisor node. */
function generated(name: string, properties: string): string[] {
  return check(AS_RM, `shared: shared { }; hypervisor { compatible = "gunyah-hypervisor", "qcom,gunyah-hypervisor-1.0", "qcom,gunyah-hypervisor", "simple-bus"; #address-cells = <2>; #size-cells = <0>;
    qcom,gunyah-vm { compatible = "qcom,gunyah-vm-id-1.0", "qcom,gunyah-vm-id"; qcom,vmid = <45>; qcom,owner-vmid = <3>; qcom,image-name = "vm"; qcom,vendor = "Qualcomm"; };
    ${name} { ${properties} }; };`).map((line) => line.replace(`/hypervisor/${name} `, ''));
}

describe('the core bindings', () => {
  it('take a property whose name begins with a number sign for one number, whatever other bindings leave open', () => {
    const files = readdirSync(join(FOLDER, 'core')).map((name) => ({ path: name, content: load(readFileSync(join(FOLDER, 'core', name), 'utf8')) }));
    const own = { $id: 'http://devicetree.org/schemas/test/dma.yaml#', $schema: 'http://devicetree.org/meta-schemas/core.yaml#', properties: { 'compatible': { const: 'test,dma' }, '#dma-channels': { const: 32 } }, additionalProperties: false };
    const { bindings } = readBindings([...files, { path: 'dma.yaml', content: own }]);
    const found = (count: string): string[] => check(bindings, `dma { compatible = "test,dma"; #dma-channels = <${count}>; };`).filter((line) => line.startsWith('/dma '));
    assert.deepEqual([found('32'), found('31')], [[], ['/dma const #dma-channels']]);
  });
});

describe('the binding of the hypervisor node', () => {
  it('accepts the documented form', () => {
    assert.deepEqual(check(BINDING, upstream({})), []);
  });

  it('finds every mistake of a node with many', () => {
    const found = check(BINDING, upstream({
      cells: '#address-cells = <1>; #size-cells = <0>; surprise = <1>;',
      child: 'compatible = "gunyah-resource-manger"; reg = <0>; interrupts = <0 3 1>; bogus;',
    }));
    assert.deepEqual(found.sort(), [
      '/hypervisor additionalProperties gunyah-resource-mgr@0 bogus', '/hypervisor additionalProperties surprise', '/hypervisor const #address-cells',
      '/hypervisor const gunyah-resource-mgr@0/compatible/0', '/hypervisor minItems gunyah-resource-mgr@0/interrupts', '/hypervisor minItems gunyah-resource-mgr@0/reg',
    ]);
  });

  it('knows what the missing cells are', () => {
    const schema = JSON.stringify([...BINDING.schemas.values()].find(({ $id: id }) => String(id).endsWith('binding/gunyah-hypervisor.yaml#')));
    assert.ok(schema.includes(`"${ITEM_TEXTS}":["transmit capability id","receive capability id"]`));
  });

  it('names what is missing', () => {
    assert.deepEqual(check(BINDING, upstream({ cells: '' })).filter((line) => line.includes('required')), ['/hypervisor required #address-cells', '/hypervisor required #size-cells']);
    assert.deepEqual(check(BINDING, upstream({ child: 'compatible = "gunyah-resource-manager";' })), ['/hypervisor required gunyah-resource-mgr@0 reg', '/hypervisor oneOf gunyah-resource-mgr@0']);
  });

  it('has the earlier form with versions, in that order', () => {
    const child = GOOD_CHILD.replace('"gunyah', '"gunyah-resource-manager-1-0", "gunyah');
    assert.deepEqual(check(BINDING, upstream({ own: 'compatible = "gunyah-hypervisor-1.0", "gunyah-hypervisor";', child })), []);
    assert.deepEqual(check(BINDING, upstream({ own: 'compatible = "gunyah-hypervisor", "gunyah-hypervisor-1.0";', child })), ['/hypervisor const compatible/0', '/hypervisor const compatible/1']);
  });

  it('has the form of Android’s vendors', () => {
    const node = (size: number): string => `hypervisor { compatible = "qcom,gunyah-hypervisor-1.0", "qcom,gunyah-hypervisor", "simple-bus"; #address-cells = <2>; #size-cells = <0>;
      qcom,gunyah-vm { compatible = "qcom,gunyah-vm-id-1.0", "qcom,gunyah-vm-id"; qcom,vendor = "Qualcomm"; qcom,vmid = <3>; };
      qcom,resource-manager-rpc@0 { compatible = "qcom,resource-manager-1-0", "qcom,resource-manager"; reg = <0 0>, <0 1>; interrupts = <0 3 1>, <0 4 1>; qcom,is-full-duplex; qcom,tx-message-size = <${String(size)}>; }; };`;
    assert.deepEqual(check(BINDING, node(240)), []);
    assert.deepEqual(check(BINDING, node(128)), ['/hypervisor minimum qcom,resource-manager-rpc@0/qcom,tx-message-size']);
  });
});

describe('the core bindings', () => {
  it('accept nodes that are called as properties are', () => {
    assert.deepEqual(check(BINDING, 'clocks { c: c { #clock-cells = <0>; }; }; soc { ranges = <0 0 0 0 0 1>; #address-cells = <2>; #size-cells = <2>; interrupt-controller { }; pcie { ranges; clocks = <&c>; status = "okay"; }; };'), []);
  });

  it('object to values of the wrong type', () => {
    assert.deepEqual(check(BINDING, 'x { status = "off"; };'), ['/x pattern status/0']);
    assert.deepEqual(check(BINDING, 'x { interrupt-parent = <1 2>; };'), ['/x maxItems interrupt-parent/0']);
    assert.deepEqual(check(BINDING, 'x { dma-coherent = <1>; };').slice(0, 1), ['/x type dma-coherent']);
    assert.deepEqual(check(BINDING, 'x { #address-cells = <5>; reg-names = <1>; };').sort(), ['/x maximum #address-cells', '/x type reg-names']);
  });
});

describe('what RM generates', () => {
  it('passes as such, for the sample’s VM and for the primary one, and fails the binding', () => {
    const dts = readFileSync(join(FOLDER, '../../extension/samples/two-vms/sensor.dts'), 'utf8');
    const system = new SystemFixture([{ dts, autostart: true }]);
    for (const address of [system.translate(0x80, 0x8010_0000n), PRIMARY_DTB]) {
      const decoded = decodeDtb(system.engine.memory.read(pa(address), 0x1_0000));
      assert.ok(decoded.ok);
      const { root } = decoded.value.tree;
      // The primary VM of the test has no interrupt controller to say how many cells an interrupt has.
      if (!root.has('interrupt-parent')) root.set('#interrupt-cells', 3);
      assert.deepEqual(failures(AS_RM, root), []);
      assert.ok(root.child('hypervisor')?.stringList('compatible').includes('gunyah-hypervisor') !== true || failures(BINDING, root).length > 0);
    }
  });
});

const PAIR = 'compatible = "qcom,gunyah-message-queue", "qcom,gunyah-capability"; reg = <0 3 0 4>; interrupts = <0 3 1>, <0 4 1>; qcom,is-full-duplex; qcom,tx-message-size = <240>; qcom,rx-message-size = <240>; '
  + 'qcom,tx-queue-depth = <8>; qcom,rx-queue-depth = <8>; qcom,free-irq-start = <0>; qcom,label = <1>; label = <1>;';
const QUEUE = 'compatible = "qcom,gunyah-message-queue", "qcom,gunyah-capability"; reg = <0 3>; interrupts = <0 3 1>; is-sender; tx_message_size = <240>; tx_queue_depth = <8>; qcom,label = <1>; label = <1>;';
const SHM = 'compatible = "qcom,shared-memory"; buffer = <&shared>; memory-region = <&shared>; peer = <3>; qcom,label = <1>; label = <1>; dma_base = <0 0>;';
const VIRTIO = 'compatible = "virtio,mmio"; reg = <0 0x1000 0 0x1000>; buffer = <&shared>; memory-region = <&shared>; interrupts = <0 3 1>; qcom,label = <1>; label = <1>; dma_base = <0 0>; peer = <3>; dma-coherent;';
const IOMEM = 'compatible = "vendor,device"; #address-cells = <2>; #size-cells = <2>; reg = <0 1>; peer = <3>; qcom,rm-mem-handle = <0 5>; qcom,rm-acl = <6 6>; qcom,rm-attributes = <0 0>; qcom,label = <1>;';

/** A good node of each kind that RM writes, and what is wrong after a change. */
const GENERATED: readonly (readonly [name: string, good: string, from: string, to: string, expected: readonly string[]])[] = [
  ['rm-rpc@4', `${PAIR.replace('= "', '= "gunyah-resource-manager", "qcom,resource-manager", "qcom,resource-manager-1-0", "')} qcom,vdevice-handle = <0>;`, 'reg = <0 3 0 4>', 'reg = <0 3>', ['minItems reg']],
  ['pair@4', `${PAIR} qcom,peer-vmid = <46>; peer = "vm-name:other";`, 'qcom,is-full-duplex;', '', ['required qcom,is-full-duplex']],
  ['pair@5', `${PAIR.replace('= "', '= "vendor,first", "')}`, 'interrupts = <0 3 1>, <0 4 1>', 'interrupts = <0 3 1>', ['minItems interrupts']],
  ['pair@6', PAIR, ' label = <1>', ' label = "first"', ['type label']],
  ['queue@3', QUEUE, 'is-sender;', 'is-sender; is-receiver;', ['oneOf']],
  ['queue@4', QUEUE.replace('is-sender', 'is-receiver'), 'tx_queue_depth = <8>;', '', ['required tx_queue_depth']],
  ['bell@3', 'compatible = "qcom,gunyah-doorbell", "qcom,gunyah-capability"; reg = <0 3>; interrupts = <0 3 1>; qcom,label = <1>; label = <1>;', '<0 3 1>', '<0 3 1>, <0 4 1>', ['maxItems interrupts']],
  ['source@3', 'compatible = "qcom,gunyah-doorbell-source", "qcom,gunyah-capability"; reg = <0 3>; qcom,label = <1>; label = <1>;', 'reg = <0 3>;', 'reg = <0 3>; interrupts = <0 3 1>;', ['false interrupts']],
  ['shm', SHM, 'buffer = <&shared>;', '', ['required buffer']],
  ['shm-1', SHM, 'dma_base = <0 0>', 'dma_base = <0>', ['typeSize dma_base']],
  ['shm-bell', `${SHM.replace('qcom,shared-memory', 'qcom,gunyah-shm-doorbell')} tx-doorbell = <1>; rx-doorbell = <2>;`, 'rx-doorbell = <2>;', '', ['required rx-doorbell']],
  ['virtio@1000', VIRTIO, 'interrupts = <0 3 1>;', '', ['oneOf']],
  ['device', IOMEM, '<0 5>', '<5>', ['typeSize qcom,rm-mem-handle']],
  ['device-1', IOMEM, 'acl = <6 6>', 'acl = <6>', ['minItems qcom,rm-acl']],
  ['vrtc', 'compatible = "arm,pl031", "arm,primecell"; reg = <0 1>; clocks = <&shared>; clock-names = "apb_pclk";', 'apb_pclk', 'clock', ['const clock-names/0']],
  ['watchdog', 'compatible = "qcom,gh-watchdog"; interrupts = <0 3 1>;', 'interrupts = <0 3 1>;', '', ['oneOf']],
  ['buffer@1000', 'reg = <0 0x1000>; qcom,shared-memory; no-map; peers = <3 45>; qcom,rm-mem-handle = <5>; qcom,label = <1>;', 'no-map;', '', ['required no-map']],
  ['firmware@1000', 'compatible = "qcom,vm-firmware"; reg = <0 0x1000>; no-map;', 'no-map;', '', ['required no-map']],
  ['cpu@0', 'device_type = "cpu"; qcom,gunyah-capability = <0 9>;', '<0 9>', '<9>', ['typeSize qcom,gunyah-capability']],
];

describe('what RM generates for every kind of device', () => {
  it('passes as such', () => {
    const device = (name: string, properties: string): string => `${name} { peer-default; generate = "/hypervisor/${name}"; push-compatible = "vendor,${name}"; ${properties} };`;
    const dts = vmTree({ memory: 'base-address = <0 0x80000000>;', vdevices: [
      RPC, device('pair', 'vdevice-type = "message-queue-pair"; label = <1>;'), device('sender', 'vdevice-type = "message-queue"; label = <2>; is-sender;'),
      device('receiver', 'vdevice-type = "message-queue"; label = <3>; is-receiver;'), device('bell', 'vdevice-type = "doorbell"; label = <4>;'),
      device('source', 'vdevice-type = "doorbell-source"; label = <5>;'),
      device('shared', 'vdevice-type = "shm"; label = <0x15>; dma_base = <0 0>; memory { label = <0x15>; #address-cells = <2>; base = <0 0xa0000000>; };'),
    ].join(' ') });
    assert.deepEqual(failures(AS_RM, compileDts(dts).tree.root), []);
    const system = new SystemFixture();
    const vmid = system.request('VM_ALLOCATE', { vmid: 0 }).values?.vmid ?? 0;
    const [image, treeOffset] = [0x4040_0000n, 0x10_0000n];
    system.engine.memory.write(pa(image + treeOffset), dtb(dts));
    const parcel = { memoryType: 0, flags: 0, attributes: [] };
    const handle = system.request('MEM_LEND', { ...parcel, label: 0, acl: [{ vmid, rights: 7 }], sgl: [{ address: image, size: 0x20_0000n }] }).values?.handle ?? -1;
    system.request('VM_CONFIG_IMAGE', { vmid, auth: 0, handle, imageOffset: 0n, imageSize: 0n, dtbOffset: treeOffset, dtbSize: 0x1_0000n });
    system.request('VM_INIT', { vmid });
    system.request('MEM_SHARE', { ...parcel, label: 0x15, acl: [{ vmid: 3, rights: 6 }, { vmid, rights: 6 }], sgl: [{ address: image + 0x20_0000n, size: 0x2000n }] });
    system.request('VM_START', { vmid });
    const { root } = system.readTree(system.translate(vmid, 0x8010_0000n));
    assert.deepEqual(root.child('hypervisor')?.children.map(({ name }) => name.replace(/@.*/, '')).sort(), ['bell', 'pair', 'qcom,gunyah-vm', 'receiver', 'rm-rpc', 'sender', 'shared', 'source']);
    assert.ok(root.at('/reserved-memory/buffer@a0000000') !== undefined);
    assert.deepEqual(failures(AS_RM, root), []);
  });
});

describe('the samples', () => {
  const folder = join(FOLDER, '../../extension/samples');
  for (const path of ['two-vms/sensor.dts', 'console-loopback/left.dts', 'console-loopback/right.dts']) {
    it(`pass: ${path}`, () => {
      const file = join(folder, path);
      const { tree, diagnostics } = compileDts(readFileSync(file, 'utf8'), { file, files: { readText: (name) => readFileSync(name, 'utf8') } });
      assert.deepEqual(diagnostics, []);
      assert.deepEqual(failures(BINDING, tree.root), []);
    });
  }
});

describe('the bindings of what RM generates', () => {
  for (const [name, good, from, to, expected] of GENERATED) {
    it(`accept ${name}, and object to ${to || `it without ${from}`}`, () => {
      assert.ok(good.includes(from));
      assert.deepEqual(generated(name, good), []);
      assert.deepEqual([...new Set(generated(name, good.replace(from, to)))], expected);
    });
  }

  it('know how RM writes a capability into a name', () => {
    assert.deepEqual(generated('pair@04', PAIR), ['pattern $nodename/0']);
  });

  it('know both forms of the hypervisor node and no other', () => {
    const node = (compatible: string): string[] => check(AS_RM, `hypervisor { compatible = ${compatible}; #address-cells = <2>; #size-cells = <0>; qcom,gunyah-vm { }; };`);
    assert.deepEqual(node('"qcom,gunyah-hypervisor-1.0", "qcom,gunyah-hypervisor", "simple-bus"'), []);
    assert.deepEqual(node('"gunyah-hypervisor"'), ['/hypervisor oneOf compatible']);
  });

  it('know the identity of a VM', () => {
    const node = (properties: string): string[] => check(AS_RM, `qcom,gunyah-vm { compatible = "qcom,gunyah-vm-id-1.0", "qcom,gunyah-vm-id"; ${properties} };`);
    assert.deepEqual(node('qcom,vmid = <3>; qcom,vendor = "Qualcomm";'), []);
    assert.deepEqual(node('qcom,vmid = <70000>; qcom,vendor = "x"; qcom,vm-guid = "1";'), ['/qcom,gunyah-vm maximum qcom,vmid', '/qcom,gunyah-vm const qcom,vendor/0', '/qcom,gunyah-vm pattern qcom,vm-guid/0']);
  });
});

const RISES = 'interrupts = <0 3 1>;';
const TWO = 'interrupts = <0 3 1>, <0 4 1>;';
const MEMORY = 'memory { label = <7>; #address-cells = <2>; base = <0 0x80000000>; };';

/** A good device of each type, and what is wrong after a change. */
const VDEVICES: readonly (readonly [type: string, good: string, from: string, to: string, expected: readonly string[]])[] = [
  ['rm-rpc', `generate = "/hypervisor/rm"; console-dev; message-size = <240>; queue-depth = <8>; ${TWO} push-compatible = "a", "b", "c";`, '"c"', '"c", "d"', ['maxItems push-compatible']],
  ['doorbell', `peer-default; source-can-clear; label = <4>; generate = "/hypervisor/bell"; ${RISES}`, 'peer-default;', '', ['anyOf']],
  ['doorbell', 'peer = "vm-name:other"; qcom,label = <4>;', 'vm-name', 'name', ['pattern peer/0']],
  ['doorbell', `peer-default; ${RISES}`, RISES, TWO, ['maxItems interrupts']],
  ['doorbell-source', 'peer-default; source-can-clear;', 'source-can-clear', 'source-can-clear = <1>', ['type source-can-clear', 'const source-can-clear']],
  ['message-queue', `peer-default; is-sender; message-size = <64>; ${RISES}`, 'is-sender;', '', ['oneOf']],
  ['message-queue', 'peer-default; is-receiver;', 'peer-default;', 'peer = "vm-name:x";', ['required peer-default']],
  ['message-queue-pair', `peer = "vm-guid:1"; label = <16>; message-size = <128>; queue-depth = <4>; ${TWO}`, 'queue-depth = <4>', 'queue-depth = <0 4>', ['type queue-depth']],
  ['message-queue-pair', 'peer-default; generate = "/hypervisor/x";', '"/hypervisor', '"hypervisor', ['pattern generate/0']],
  ['shm', `peer-default; dma_base = <0 0>; ${MEMORY}`, 'base = <0 0x80000000>;', '', ['oneOf memory']],
  ['shm', `peer-default; ${MEMORY}`, 'label = <7>;', 'allocate-base; optional;', ['anyOf memory', 'oneOf memory']],
  ['shm-doorbell', `peer-default; ${MEMORY}`, MEMORY, '', ['required memory']],
  ['virtio-mmio', `peer-default; dma-coherent; vqs-num = <2>; dma_base = <0 0>; virtio,device-type = <2>; ${RISES} ${MEMORY}`, 'vqs-num = <2>', 'vqs-num = <0>', ['minimum vqs-num']],
  ['iomem', `peer-default; patch = "/soc/x"; qcom,rm_acl = <6 6>; qcom,rm_attributes = <0 0>; qcom,rm_sglist = <0 0x1000 0 0x1000 0 0x3000 0 0x1000>; ${MEMORY}`, '0 0x3000 0 0x1000>', '0>', ['minItems qcom,rm_sglist/1']],
  ['iomem', `patch = "/soc/x"; memory { label = <1>; allocate-base; qcom,mem-info-tag = <2>; };`, 'patch = "/soc/x";', '', ['required patch']],
  ['vsmmu-v2', 'smmu-handle = <1>; patch = "/smmu"; num-cbs = <8>; num-smrs = <255>;', '255', '256', ['maximum num-smrs']],
  ['vrtc-pl031', 'base = <0 0x9000000>;', 'base = <0 0x9000000>;', 'base = <0 0x9000000>; allocate-base;', ['oneOf']],
];

describe('the bindings of devices of a VM configuration', () => {
  for (const [type, good, from, to, expected] of VDEVICES) {
    it(`accept ${type}, and object to ${to || 'one'} in place of ${from}`, () => {
      assert.ok(good.includes(from));
      assert.deepEqual(checkVdevice(type, good), []);
      assert.deepEqual(checkVdevice(type, good.replace(from, to)), expected);
    });
  }

  it('know the types of older and newer Resource Managers, and no other', () => {
    assert.deepEqual(checkVdevice('minidump', ''), []);
    assert.deepEqual(checkVdevice('dorbell', ''), ['enum vdevice-type/0']);
    assert.deepEqual(checkVdevice('minidump', 'push-compatible = "a", "b", "c", "d", "e", "f", "g";'), ['maxItems push-compatible']);
  });

  it('go by the first string of the type', () => {
    assert.deepEqual(checkVdevice('message-queue", "doorbell', 'peer-default;'), ['oneOf']);
  });
});

describe('the binding of a VM configuration', () => {
  it('and those of its devices describe every property that RM reads, in words', () => {
    const texts = new Map<string, boolean>();
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, member] of Object.entries(value)) {
        if (key === 'properties' && typeof member === 'object') for (const [name, schema] of Object.entries(member ?? {})) texts.set(name, texts.get(name) === true || 'description' in Object(schema));
        visit(member);
      }
    };
    for (const [uri, schema] of BINDING.schemas) if (!uri.includes('/binding/')) visit(schema);
    const rules = Object.values(VM_CONFIG_RULES).flatMap(({ properties }) => Object.keys(properties));
    assert.deepEqual(rules.filter((name) => texts.get(name) !== true && name !== 'cpu-idle-states'), []);
  });

  const config = (properties: string, vcpus = 'affinity = "proxy";'): string[] => check(BINDING, `gunyah-vm-config { ${properties} vcpus { ${vcpus} }; };`).map((line) => line.replace('/gunyah-vm-config ', ''));
  const NAME = 'image-name = "vm";';

  it('accepts what VMMs and vendors write', () => {
    assert.deepEqual(config(`image-name = "crosvm-vm"; os-type = "linux"; memory { #address-cells = <2>; #size-cells = <2>; base-address = <0 0x80000000>; size-max = <7 0x80000000>; firmware-address = <0 0x1000>; };
      interrupts { config = <&gic>; }; vdevices { generate = "/hypervisor"; };`, 'affinity = "proxy"; no-timer-wakeups;'), []);
    assert.deepEqual(config(`image-name = "linux_vm_0"; memory { base-address = <0 0x80000000>; }; interrupts { config = "/gic"; };`, 'affinity-map = <0>; sched-priority = <(-1)>; sched-timeslice = <2000>;'), []);
    assert.deepEqual(config(`${NAME} compatible = "qcom,vm-1.0"; vm-type = "aarch64-guest"; boot-config = "fdt,unified"; qcom,pasid = <0 0x1c>; vendor = "x"; vm-uri = "vmuid/x"; vm-guid = "598085da-c516-5b25-a9c1-927a02819770"; qcom,sensitive;
      vm-attrs = "context-dump", "crash-restart"; kernel-entry-segment = "kernel"; kernel-entry-offset = <0 0>; gic-irq-ranges = <33 33 40 40>; iomemory-ranges = <0 0x1000 0 0x1000 0 0x1000 0>; segments { ramdisk = <2>; };`), []);
  });

  it('objects to each property of the wrong form', () => {
    assert.deepEqual(config(''), ['required image-name']);
    assert.deepEqual(config(`image-name = "${'x'.repeat(80)}";`), ['maxLength image-name/0']);
    assert.deepEqual(config(`${NAME} vm-guid = "598085da-c516";`), ['pattern vm-guid/0']);
    assert.deepEqual(config(`${NAME} vm-attrs = "context-dump", "crash";`), ['enum vm-attrs/1']);
    assert.deepEqual(config(`${NAME} gic-irq-ranges = <33 33 40>;`).map((line) => line.split('/')[0]), ['oneOf gic-irq-ranges']);
    assert.deepEqual(config(`${NAME} memory { is-direct = <1>; base-address = <0 0 0>; };`), ['type memory/is-direct', 'const memory/is-direct', 'maxItems memory/base-address']);
    assert.deepEqual(config(NAME, 'affinity = "static";'), ['required vcpus affinity-map']);
    assert.deepEqual(config(NAME, ''), ['required vcpus affinity-map']);
    assert.deepEqual(config(NAME, 'affinity = "roaming"; affinity-map = <0>;'), ['enum vcpus/affinity/0']);
    assert.deepEqual(config(NAME, 'affinity = "proxy"; sched-timeslice = <99>; config = "cpus";').sort(), ['minimum vcpus/sched-timeslice', 'pattern vcpus/config/0']);
  });
});

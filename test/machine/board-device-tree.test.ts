import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { decodeDtb, encodeDtb, interruptParent, nodeByPath, nodesByCompatible, phandleOf } from '../../runtime/devicetree';
import type { DeviceTree, DtNode } from '../../runtime/devicetree';
import { BOARD_VIRTIO_SLOTS } from '../../runtime/machine/board';
import { primaryDeviceTree, secondaryDeviceTree } from '../../runtime/machine/board-device-tree';

const MEMORY = [{ base: 0x4000_0000n, sizeBytes: 0x800_0000n }] as const;

function primary(): DeviceTree {
  return primaryDeviceTree({
    cpuCount: 2, cpuCompatible: 'arm,cortex-a57', memory: MEMORY, commandLine: 'console=ttyAMA0', ramdisk: { base: 0x4400_0000n, sizeBytes: 0x1234n },
    uart: true, rtc: true, virtioSlots: [1, 0], pmu: true,
  });
}

function present(tree: DeviceTree, path: string): DtNode {
  const found = nodeByPath(tree.root, path);
  assert.ok(found, path);
  return found;
}

/** Asserts the cells of properties: path and property, then the numbers. */
function checkCells(tree: DeviceTree, rows: readonly (readonly [path: string, property: string, ...cells: number[]])[]): void {
  for (const [path, property, ...expected] of rows) assert.deepEqual(present(tree, path).property(property)?.u32s, expected, `${path} ${property}`);
}

/** What dtc has to say about a tree; nothing where dtc is not installed. */
function dtcWarnings(tree: DeviceTree): string {
  const folder = mkdtempSync(join(tmpdir(), 'board-tree-'));
  try {
    const file = join(folder, 'board.dtb');
    writeFileSync(file, encodeDtb(tree));
    return execFileSync('sh', ['-c', '! command -v dtc >/dev/null || dtc -I dtb -O dts -o /dev/null "$0" 2>&1', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the primary VM\'s device tree', () => {
  it('has the board\'s addresses and interrupts', () => {
    checkCells(primary(), [
      ['/cpus/cpu@1', 'reg', 1],
      ['/memory@40000000', 'reg', 0, 0x4000_0000, 0, 0x800_0000],
      ['/timer', 'interrupts', 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4],
      ['/interrupt-controller@8000000', 'reg', 0, 0x800_0000, 0, 0x1_0000, 0, 0x80a_0000, 0, 0x4_0000],
      ['/serial@9000000', 'interrupts', 0, 1, 4],
      ['/serial@9000000', 'reg', 0, 0x900_0000, 0, 0x1000],
      ['/rtc@9010000', 'interrupts', 0, 2, 4],
      ['/virtio_mmio@a000200', 'interrupts', 0, 17, 1],
      ['/pmu', 'interrupts', 1, 7, 4],
      ['/chosen', 'linux,initrd-start', 0, 0x4400_0000],
      ['/chosen', 'linux,initrd-end', 0, 0x4400_1234],
    ]);
  });

  it('starts CPUs by PSCI calls with HVC and prints on the PL011', () => {
    const tree = primary();
    assert.equal(present(tree, '/psci').string('method'), 'hvc');
    assert.deepEqual(present(tree, '/psci').stringList('compatible'), ['arm,psci-1.0', 'arm,psci-0.2']);
    assert.equal(present(tree, '/cpus/cpu@0').string('enable-method'), 'psci');
    const path = present(tree, '/chosen').string('stdout-path') ?? '';
    assert.ok(present(tree, path).isCompatible('arm,pl011'));
    assert.equal(present(tree, '/chosen').string('bootargs'), 'console=ttyAMA0');
  });

  it('has every reference in place', () => {
    const tree = primary();
    const [gic] = nodesByCompatible(tree.root, 'arm,gic-v3');
    assert.ok(gic);
    assert.equal(interruptParent(tree.root, present(tree, '/serial@9000000')), gic);
    const clock = phandleOf(present(tree, '/apb-pclk')) ?? 0;
    assert.ok(clock > 0);
    checkCells(tree, [['/serial@9000000', 'clocks', clock, clock], ['/rtc@9010000', 'clocks', clock]]);
  });

  it('survives its blob', () => {
    const decoded = decodeDtb(encodeDtb(primary()));
    assert.ok(decoded.ok);
    assert.deepEqual(encodeDtb(decoded.value.tree), encodeDtb(primary()));
  });
});

describe('the secondary VM\'s device tree', () => {
  it('has its own GIC addresses and affinities, and no UART unless mapped', () => {
    const tree = secondaryDeviceTree({
      cpuCount: 2, mpidrOf: (cpu) => cpu << 8, memory: [{ base: 0x8000_0000n, sizeBytes: 0x10_0000n }], uart: false,
      gic: { distributorBase: 0x2000_0000n, redistributorBase: 0x2002_0000n },
    });
    checkCells(tree, [
      ['/interrupt-controller@20000000', 'reg', 0, 0x2000_0000, 0, 0x1_0000, 0, 0x2002_0000, 0, 0x4_0000],
      ['/cpus/cpu@100', 'reg', 0x100],
    ]);
    assert.equal(nodeByPath(tree.root, '/serial@9000000'), undefined);
    assert.equal(present(tree, '/chosen').has('stdout-path'), false);
  });
});

describe('dtc', () => {
  it('finds nothing to say about the board\'s trees, where it is installed', () => {
    for (const tree of [primary(), secondaryDeviceTree({ cpuCount: 1, memory: MEMORY, uart: true })]) assert.equal(dtcWarnings(tree), '');
  });
});

describe('the tree of a machine without a hypervisor', () => {
  /** What drivers look for, by compatible string: registers (the interrupt controller's second region is as long as there are CPUs) and interrupts. */
  const wanted = ['arm,pl011', 'arm,pl031', 'cfi-flash', 'qemu,fw-cfg-mmio', 'virtio,mmio', 'arm,armv8-timer', 'arm,psci-1.0', 'fixed-clock', 'arm,armv8-pmuv3', 'arm,gic-v3'];

  function described(tree: DeviceTree): string[] {
    return wanted.flatMap((compatible) => nodesByCompatible(tree.root, compatible).map((node) => {
      const registers = [...node.property('reg')?.u32s ?? []].slice(0, compatible === 'arm,gic-v3' ? 6 : undefined);
      const rest = ['bank-width', 'clock-frequency', '#interrupt-cells', '#clock-cells'].map((name) => `${name}=${node.u32(name) ?? ''}`);
      return [compatible, registers.map((cell) => cell.toString(16)).join(' '), [...node.property('interrupts')?.u32s ?? []].join(' '), node.string('method') ?? '', ...rest].join(' | ');
    })).sort();
  }

  it('has the devices of QEMU\'s board where QEMU has them', () => {
    const folder = mkdtempSync(join(tmpdir(), 'qemu-tree-'));
    try {
      const file = join(folder, 'virt.dtb');
      const made = spawnSync('qemu-system-aarch64', ['-M', `virt,gic-version=3,its=off,dumpdtb=${file}`, '-cpu', 'cortex-a57', '-nic', 'none', '-display', 'none'], { encoding: 'utf8' });
      assert.equal(made.status, 0, made.stderr);
      const theirs = decodeDtb(new Uint8Array(readFileSync(file)));
      assert.ok(theirs.ok);
      const slots = Array.from({ length: BOARD_VIRTIO_SLOTS }, (_, slot) => slot);
      const ours = primaryDeviceTree({ cpuCount: 1, memory: MEMORY, uart: true, rtc: true, virtioSlots: slots, pmu: true, flash: true, fwCfg: true });
      assert.deepEqual(described(ours), described(theirs.value.tree));
      assert.deepEqual(ours.root.property('compatible')?.bytes, theirs.value.tree.root.property('compatible')?.bytes);
      assert.equal(dtcWarnings(ours), '');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

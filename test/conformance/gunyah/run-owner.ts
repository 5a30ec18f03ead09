/**
 * Runs the owner guest (`owner/`): a VM under a bare hypervisor, without a Resource Manager, that holds capabilities to itself, a partition,
 * memory and devices, makes every other object itself and asks about all calls. What `owner/boot/` does on a real hypervisor is done here by the root VM's calls.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { capId, pa, ticks, type CapId } from '../../../runtime/base/brands';
import { createEngine } from '../../../runtime/engine/index';
import type { Engine } from '../../../runtime/engine/interface';
import { createHypervisor, type Hypervisor, type Thread } from '../../../runtime/hypervisor/hypervisor';
import { ERRORS, type RootVm } from '../../../runtime/hypervisor/interface';
import type { HypercallName } from '../../../runtime/hypervisor/hypercall-table';
import { parseElf, PT_LOAD } from '../../../runtime/images/elf';
import { gunyahFeatures, secondaryIdentification } from '../../../runtime/isa/cpu-features';
import { cacheSizes, hardwareIdentification, performanceMonitorControl, pinnedIdentification } from '../../../runtime/isa/identification-profiles';
import { TickEventQueue } from '../../../runtime/machine/event-queue';
import { RunLoop } from '../../../runtime/system/run-loop';

const REPOSITORY = resolve(__dirname, '../../..');
const BUILD = join(REPOSITORY, 'extension', 'samples', 'two-vms', 'build.mjs');
const RAM_BASE = 0x4000_0000n;
const RAM_SIZE = 0x8000_0000;
const HEAP_SIZE = 0x200_0000;
const OWN_BASE = 0x4100_0000n;
const OWN_SIZE = 0x400_0000n;
const PARTITION_BASE = 0x7000_0000n;
const PARTITION_SIZE = 0x800_0000n;
const UART = 0x0900_0000n;
const CPU_COUNT = 8;
const VCPU_COUNT = 4;
const MAP_ALL = 0xf_0077;
const MAP_DEVICE = 0x1_0066;
const DONATE_TO_PARENT = 1;
const SPI = 200;
const TICKS_PER_PART = 20_000_000;

/** Compiles the guest of a list of programs if need be; its ELF file's path. */
export function buildOwner(programs = 'owner-programs.json'): string {
  const result = spawnSync(process.execPath, [BUILD, '--programs', join(__dirname, programs)], { cwd: REPOSITORY, encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
  return resolve(REPOSITORY, result.stdout.trim().split(': ')[1] ?? '');
}

/** What a guest of a list of programs says, against the answers of the real hypervisor in a file beside this one. */
export function checkOwner(programs: string, answers: string): void {
  const lines = runOwner(buildOwner(programs));
  const expected = readFileSync(join(__dirname, answers), 'utf8').split('\n').filter((line) => line !== '');
  const wrong = expected.flatMap((answer, n) => (lines[n] === answer ? [] : [`line ${n + 1}\n  expected ${answer}\n  has      ${lines[n] ?? 'nothing'}`]));
  assert.equal(wrong.slice(0, 20).join('\n'), '', `${wrong.length} of ${expected.length} answers are wrong`);
  assert.equal(lines.length, expected.length, 'there are no questions without a known answer');
}

/** A hypervisor with the owner's VM. */
class OwnerMachine {
  readonly events = new TickEventQueue();
  readonly engine = createEngine({
    ram: [{ base: pa(RAM_BASE), sizeBytes: RAM_SIZE }], vcpuCountMax: 128, counterShift: 4, features: gunyahFeatures('max'), cacheSizes: cacheSizes('max'), highestLevel: 2, identification: hardwareIdentification('max'),
  });
  readonly hypervisor: Hypervisor;
  text = '';
  private root: RootVm | undefined;

  constructor() {
    this.hypervisor = createHypervisor({
      engine: this.engine, events: this.events, cpuCount: CPU_COUNT, trace: () => undefined, seed: 1, heap: { base: RAM_BASE + BigInt(RAM_SIZE - HEAP_SIZE), sizeBytes: BigInt(HEAP_SIZE) }, vcpuCountMax: 128,
      hardwareInterrupts: [SPI], identification: { pinned: pinnedIdentification('max'), unpinned: secondaryIdentification('max') }, monitorControl: performanceMonitorControl('max'),
      onPlatformPower: () => undefined,
      deviceAccess: (address, { isWrite, value }) => {
        if (address === UART && isWrite) this.text += String.fromCharCode(Number(value & 0xffn));
        return 0n;
      },
    });
    this.hypervisor.bootRootVm({ start: (vm) => { this.root = vm; this.makeOwner(vm); }, interrupt: () => undefined, work: () => false, save: () => null, restore: () => undefined }, {
      privateBase: RAM_BASE, privateSizeBytes: 0x10_0000n, freeRanges: [], bootCpu: 0, timerFrequencyHz: 62_500_000, vms: [],
    });
  }

  call(name: HypercallName, args: Record<string, bigint | number>): CapId {
    assert.ok(this.root);
    const hypercall = this.root.hypercall.bind(this.root) as (name: HypercallName, args: unknown) => Record<string, bigint | number>;
    const result = hypercall(name, args);
    assert.equal(result['error'], ERRORS.OK, `${name} answers ${String(result['error'])}`);
    return capId(BigInt(result['new_cap'] ?? 0));
  }

  private create(type: string): CapId {
    assert.ok(this.root);
    const { partition, cspace } = this.root.environment;
    return this.call(`partition_create_${type}` as HypercallName, { src_partition: partition, cspace });
  }

  private activate(cap: CapId): void {
    this.call('object_activate', { cap });
  }

  private makeOwner({ environment }: RootVm): void {
    const all = environment.memoryExtent;
    this.call('memextent_donate', { options: DONATE_TO_PARENT, from: all, to: environment.partition, offset: PARTITION_BASE, size: PARTITION_SIZE });
    const own = this.create('memextent');
    this.call('memextent_configure_derive', { memextent: own, parent_memextent: all, offset: OWN_BASE, size: OWN_SIZE, attributes: 0x1_0007 });
    this.activate(own);
    this.call('memextent_donate', { options: 0, from: all, to: own, offset: 0, size: OWN_SIZE });
    const [cspace, addrspace, vic, vpm] = [this.create('cspace'), this.create('addrspace'), this.create('vic'), this.create('vpm_group')];
    this.call('cspace_configure', { cspace, max_caps: 0x200 });
    this.activate(cspace);
    this.call('addrspace_configure', { addrspace, vmid: 10 });
    this.activate(addrspace);
    this.call('vic_configure', { vic, max_vcpus: VCPU_COUNT, max_virqs: 64, vic_options: 0, max_msis: 0 });
    this.activate(vic);
    this.call('vpm_group_configure', { vpm_group: vpm, flags: 0 });
    this.activate(vpm);
    const vcpus = Array.from({ length: VCPU_COUNT }, (_, index) => this.makeVcpu({ cspace, addrspace, vic, vpm }, index));
    this.call('addrspace_map', { addrspace, memextent: own, vbase: OWN_BASE, map_attrs: MAP_ALL, map_flags: 0, offset: 0, size: 0 });
    this.call('addrspace_map', { addrspace, memextent: environment.deviceExtent, vbase: UART, map_attrs: MAP_DEVICE, map_flags: 1, offset: UART, size: 0x1000 });
    const interrupt = environment.hardwareInterrupts.get(SPI);
    assert.ok(interrupt !== undefined);
    for (const cap of [cspace, environment.partition, ...vcpus, addrspace, vic, vpm, own, environment.deviceExtent, interrupt]) this.call('cspace_copy_cap_from', { src_cspace: environment.cspace, src_cap: cap, dest_cspace: cspace, rights_mask: 0xffff_ffff });
    const [first] = vcpus;
    assert.ok(first !== undefined);
    this.call('vcpu_poweron', { vcpu: first, entry_point: OWN_BASE, context: 0, flags: 0 });
  }

  private makeVcpu({ cspace, addrspace, vic, vpm }: { readonly cspace: CapId; readonly addrspace: CapId; readonly vic: CapId; readonly vpm: CapId }, index: number): CapId {
    const vcpu = this.create('thread');
    this.call('cspace_attach_thread', { cspace, thread: vcpu });
    this.call('addrspace_attach_thread', { addrspace, thread: vcpu });
    this.call('vic_attach_vcpu', { vic, vcpu, index });
    this.call('vpm_group_attach_vcpu', { vpm_group: vpm, vcpu, index });
    this.call('vcpu_configure', { vcpu, vcpu_options: 0 });
    this.call('vcpu_set_affinity', { vcpu, affinity: index });
    this.activate(vcpu);
    return vcpu;
  }
}

/** Runs the guest until it says that it ends; its machine as it is then. */
export function runOwnerMachine(elf: string, lastLine: string, ticksMax: number): { readonly text: string; readonly engine: Engine } {
  const machine = new OwnerMachine();
  const image = parseElf(readFileSync(elf));
  assert.ok(image.ok);
  for (const { type, physicalAddress, bytes } of image.value.segments) if (type === PT_LOAD) machine.engine.memory.write(pa(physicalAddress), bytes);
  const loop = new RunLoop<Thread>(machine.engine, machine.hypervisor, {
    cpuCount: CPU_COUNT, advance: (to) => { machine.events.advance(to); }, elapse: (to) => { machine.events.elapse(to); }, nextDeadline: () => machine.events.nextDeadline(), applyInputs: () => undefined, nextInput: () => undefined,
    takeStop: () => undefined, intercept: () => undefined, ran: () => undefined, handled: () => undefined,
  });
  while (loop.now < ticksMax && !machine.text.endsWith(`${lastLine}\n`)) {
    const stop = loop.run({ until: ticks(loop.now + TICKS_PER_PART) });
    if (stop.kind !== 'limit') break;
  }
  machine.hypervisor.checkInvariants();
  return machine;
}

/** Runs the owner until it says that it ends; its lines. */
export function runOwner(elf: string, ticksMax = 20_000_000_000): readonly string[] {
  return runOwnerMachine(elf, 'owner ends', ticksMax).text.replaceAll('\r', '').split('\n').filter((line) => line !== '');
}

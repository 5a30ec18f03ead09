/** Rows of vCPUs and of the scheduler. */

import assert from 'node:assert/strict';
import { type CapId, capId } from '../../../runtime/base/brands';
import { bindFailures } from './ipc';
import { fails, failsWith, type RowTests } from './cases';
import { type Arguments, EMPTY_SLOT, UNDECODABLE, World } from './world';

const ENTRY = 0x8000_0000n;
const NO_CPU = 0xffff;
const PROXY = 1n << 9n;
const PINNED = 1n;
const HALT = 0;
const WAKEUP = 1;

/** An active vCPU with options, on a CPU or none, powered off. */
function vcpuWith(world: World, { options = 0n, affinity = NO_CPU }: { readonly options?: bigint; readonly affinity?: number } = {}): CapId {
  const vcpu = world.prepared('thread');
  world.do('vcpu_configure', { vcpu, vcpu_options: options });
  if (affinity !== NO_CPU) world.do('vcpu_set_affinity', { vcpu, affinity });
  world.do('object_activate', { cap: vcpu });
  return vcpu;
}

const powerOn = (world: World, vcpu: bigint | number): void => { world.do('vcpu_poweron', { vcpu, entry_point: ENTRY, context: 0n, flags: 0n }); };
const running = (world: World, options = 0n): CapId => {
  const vcpu = vcpuWith(world, { options });
  powerOn(world, vcpu);
  return vcpu;
};
const killed = (world: World, options = 0n): CapId => {
  const vcpu = vcpuWith(world, { options });
  world.do('vcpu_kill', { vcpu });
  return vcpu;
};
/** A vCPU that a physical CPU has taken up. */
const onCpu1 = (world: World): CapId => {
  const vcpu = vcpuWith(world, { affinity: 1 });
  powerOn(world, vcpu);
  while (world.fixture.hypervisor.pick(1) !== world.newestThread()) world.fixture.hypervisor.account(world.fixture.hypervisor.pick(1) ?? world.newestThread(), 1_000_000_000);
  return vcpu;
};
const activeThread = (world: World) => world.fixture.vcpu(world.newestThread());

/** Rows whose cases leave the manager lending its time, or CPUs busy, have a world for each. */
const world = () => new World();

const LIFE_ROWS: readonly RowTests[] = [
  {
    row: 'vcpu_configure', sample: (w) => ({ vcpu: w.prepared('thread'), vcpu_options: PROXY | 0x36n }), success: 'takes every option that there is; refusals come with activation',
    check: (w, { vcpu = 0 }) => {
      w.do('vcpu_configure', { vcpu, vcpu_options: PROXY });
      w.do('object_activate', { cap: vcpu });
      assert.equal(w.do('vcpu_run', { vcpu })['vcpu_state'], 2n);
      const refused = (vcpu_options: bigint) => {
        const other = w.prepared('thread');
        w.do('vcpu_configure', { vcpu: other, vcpu_options });
        return w.call('object_activate', { cap: other }, 'native').error;
      };
      assert.deepEqual([PINNED, 1n << 3n, 1n << 63n].map(refused), ['OBJECT_CONFIG', 'OBJECT_CONFIG', 'OBJECT_CONFIG']);
    },
    failures: [
      ...[6n, 7n, 10n, 62n].map((bit) => failsWith('ARGUMENT_INVALID', `option ${String(bit)} is unknown, which comes before a bad capability`, { vcpu_options: 1n << bit, vcpu: EMPTY_SLOT })),
    ],
  },
  {
    row: 'vcpu_register_write', sample: (w) => ({ vcpu: w.prepared('thread'), register_set: 0, register_index: 30, value: 0x1234_5678_9abc_def0n }), success: 'writes X, PC and SP before and after activation',
    check: (w, args) => {
      const write = (register_set: number, register_index: number, value: bigint) => w.do('vcpu_register_write', { ...args, register_set, register_index, value });
      write(2, 0, 0x10n);
      write(1, 0, 0x8000_0004n);
      w.do('object_activate', { cap: args['vcpu'] ?? 0n });
      write(2, 1, 0x20n);
      write(0, 0, 5n);
      w.do('vcpu_poweron', { vcpu: args['vcpu'] ?? 0n, entry_point: 0n, context: 0n, flags: 3n });
      const vcpu = activeThread(w);
      assert.deepEqual([vcpu.x(30), vcpu.spEl0, vcpu.spEl1, vcpu.pc, vcpu.x(0)], [0x1234_5678_9abc_def0n, 0x10n, 0x20n, 0x8000_0004n, 5n]);
    },
    failures: [
      ...([[3, 0, 0n, 'there is no such set'], [0, 31, 0n, 'there is no X31'], [1, 1, 0n, 'there is one PC'], [1, 0, 2n, 'PC is no address of an instruction'], [2, 2, 0n, 'there are two SP'], [2, 0, 8n, 'SP is not aligned']] as const)
        .map(([register_set, register_index, value, words]) => failsWith('ARGUMENT_INVALID', words, { register_set, register_index, value })),
      fails('BUSY', 'the vCPU is on, which comes before the register', (w, sample) => ({ ...sample, vcpu: running(w), register_set: 9 })),
      fails('OBJECT_STATE', 'the vCPU is dead', (w, sample) => ({ ...sample, vcpu: killed(w) })),
      fails('OBJECT_STATE', 'the vCPU is killed and has not exited, which comes before its being on', (w, sample) => {
        const vcpu = running(w, PROXY);
        w.do('vcpu_kill', { vcpu });
        return { ...sample, vcpu };
      }),
    ],
  },
  {
    row: 'vcpu_poweron', sample: (w) => ({ vcpu: vcpuWith(w), entry_point: 0x8000_1000n, context: 77n, flags: 0n }), success: 'starts a vCPU at EL1 with interrupts masked',
    check: (w, args) => {
      const vcpu = activeThread(w);
      assert.deepEqual([vcpu.pc, vcpu.x(0), vcpu.pstate, vcpu.systemRegister('SCTLR_EL1')], [0x8000_1000n, 77n, 0x3c5n, 0x30d0_0800n]);
      const kept = vcpuWith(w);
      w.do('vcpu_poweron', { ...args, vcpu: kept, flags: 1n });
      assert.deepEqual([activeThread(w).pc, activeThread(w).x(0)], [0n, 77n]);
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'a flag is unknown, which comes before a bad capability', { flags: 4n, vcpu: EMPTY_SLOT }),
      fails('BUSY', 'the vCPU is on', (w, sample) => ({ ...sample, vcpu: running(w) })),
      fails('BUSY', 'the vCPU is on, which comes before its being killed', (w, sample) => {
        const vcpu = running(w, PROXY);
        w.do('vcpu_kill', { vcpu });
        return { ...sample, vcpu };
      }),
      fails('FAILURE', 'the vCPU is dead', (w, sample) => ({ ...sample, vcpu: killed(w) })),
    ],
  },
  {
    row: 'vcpu_kill', sample: (w) => ({ vcpu: running(w) }), success: 'ends a vCPU; again and on one that never ran it is OK too',
    check: (w, args) => {
      assert.equal(w.newestThread().state, 'exited');
      w.do('vcpu_kill', args);
      w.do('vcpu_kill', { vcpu: vcpuWith(w) });
      const proxy = running(w, PROXY);
      w.do('vcpu_kill', { vcpu: proxy });
      assert.equal(w.newestThread().state, 'killed', 'a proxy-scheduled one exits when it is run');
      assert.deepEqual([w.do('vcpu_run', { vcpu: proxy })['vcpu_state'], w.do('vcpu_run', { vcpu: proxy })['state_data_0']], [2n, 1n]);
    },
  },
];

const SCHEDULING_ROWS: readonly RowTests[] = [
  {
    row: 'vcpu_set_affinity', sample: (w) => ({ vcpu: vcpuWith(w), affinity: 1 }), success: 'moves a vCPU before and after activation, and to no CPU', world,
    check: (w, args) => {
      assert.equal(w.newestThread().affinity, 1);
      w.do('vcpu_set_affinity', { ...args, affinity: 0x1_0000 + NO_CPU });
      assert.equal(w.newestThread().affinity, undefined);
      w.do('vcpu_set_affinity', { vcpu: w.prepared('thread'), affinity: 0 });
      w.do('vcpu_set_affinity', { vcpu: vcpuWith(w, { options: PINNED, affinity: 1 }), affinity: 1 });
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'there is no such CPU, which comes before a bad capability', { affinity: 2, vcpu: EMPTY_SLOT }),
      fails('CSPACE_INSUFFICIENT_RIGHTS', 'to take all CPUs away needs another right', (w, { vcpu = 0 }) => ({ vcpu: w.copy(capId(BigInt(vcpu)), 0x8000_01ff), affinity: NO_CPU })),
      fails('DENIED', 'the vCPU is pinned', (w) => ({ vcpu: vcpuWith(w, { options: PINNED, affinity: 1 }), affinity: 0 })),
      fails('RETRY', 'the vCPU is still being moved off the CPU that runs it', (w) => {
        const vcpu = onCpu1(w);
        w.do('vcpu_set_affinity', { vcpu, affinity: 0 });
        return { vcpu, affinity: 1 };
      }),
    ],
  },
  {
    row: 'vcpu_set_priority', sample: (w) => ({ vcpu: w.create('thread'), priority: 62 }), success: 'sets the priority before activation',
    check: (w, args) => {
      w.do('vcpu_set_priority', { ...args, priority: 0 });
      assert.equal(w.newestThread().priority, 0);
    },
    failures: [
      failsWith('DENIED', 'the priority is the hypervisor’s', { priority: 63 }),
      fails('DENIED', 'the priority is too high, which comes before a vCPU that is active', (w) => ({ vcpu: vcpuWith(w), priority: 0xffff_ffff })),
    ],
  },
  {
    row: 'vcpu_set_timeslice', sample: (w) => ({ vcpu: w.create('thread'), timeslice: 100_000n }), success: 'sets the time slice before activation',
    check: (w, args) => {
      w.do('vcpu_set_timeslice', { ...args, timeslice: 100_000_000n });
      assert.equal(w.newestThread().timesliceTicks, 100_000_000);
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the slice is shorter than 100 µs', { timeslice: 99_999n }),
      failsWith('ARGUMENT_INVALID', 'the slice is longer than 100 ms', { timeslice: 100_000_001n }),
      fails('OBJECT_STATE', 'the vCPU is active, which comes before the slice', (w) => ({ vcpu: vcpuWith(w), timeslice: 0n })),
    ],
  },
  {
    row: 'scheduler_yield', sample: () => ({ control: 0, arg1: UNDECODABLE }), success: 'gives up the slice, or gives time to another vCPU that can use it', world,
    check: (w) => {
      w.do('scheduler_yield', { control: 1, arg1: w.ownVcpu });
      w.do('scheduler_yield', { control: 1, arg1: vcpuWith(w) });
      w.do('scheduler_yield', { control: 0x1_0000 });
      const target = running(w);
      const thread = w.newestThread();
      w.do('scheduler_yield', { control: 1, arg1: target });
      assert.equal(w.manager.yieldTarget, thread);
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the hint is to yield to lower priorities', { control: 2 }),
      failsWith('ARGUMENT_INVALID', 'the hint is unknown', { control: 0xffff }),
      failsWith('ARGUMENT_INVALID', 'the hint is implementation defined', { control: 0x8000_0000 }),
      failsWith('ARGUMENT_INVALID', 'the thread does not decode', { control: 1, arg1: UNDECODABLE }),
      failsWith('CSPACE_CAP_NULL', 'the thread’s slot is empty', { control: 1, arg1: EMPTY_SLOT }),
      fails('CSPACE_CAP_REVOKED', 'the thread’s capability is revoked', (w) => ({ control: 1, arg1: w.revoked() })),
      fails('CSPACE_WRONG_OBJECT_TYPE', 'it is no thread', (w) => ({ control: 1, arg1: w.active('doorbell') })),
      fails('CSPACE_INSUFFICIENT_RIGHTS', 'the right is missing', (w) => ({ control: 1, arg1: w.copy(vcpuWith(w), 0x8000_03ef) })),
      fails('OBJECT_STATE', 'the thread is not active', (w) => ({ control: 1, arg1: w.prepared('thread') })),
    ],
  },
];

/** State and data words of a run. */
const report = (values: Readonly<Record<string, bigint>>) => ['vcpu_state', 'state_data_0', 'state_data_1', 'state_data_2'].map((name) => values[name]);

const RUN_ROWS: readonly RowTests[] = [
  {
    row: 'vcpu_bind_virq', sample: (w) => ({ vcpu: vcpuWith(w), vic: w.active('vic'), virq: 32, virq_type: WAKEUP }), success: 'binds either source; the wake-up makes the vCPU proxy-scheduled for good', world,
    check: (w, args) => {
      const { vcpu = 0 } = args;
      w.do('vcpu_bind_virq', { ...args, virq: 33, virq_type: HALT });
      w.do('vcpu_unbind_virq', { vcpu, virq_type: WAKEUP });
      assert.equal(w.do('vcpu_run', { vcpu })['vcpu_state'], 2n);
    },
    failures: [
      ...bindFailures('vcpu_bind_virq'),
      failsWith('ARGUMENT_INVALID', 'there is no such source', { virq_type: 2 }),
      fails('BUSY', 'a CPU runs the vCPU, which comes before the number', (w, sample) => ({ ...sample, vcpu: onCpu1(w), virq: 5000 })),
    ],
  },
  {
    row: 'vcpu_unbind_virq', success: 'frees the number, and does nothing when there is none',
    sample: (w) => {
      const vcpu = vcpuWith(w);
      const vic = w.active('vic');
      w.stock = { vic };
      w.do('vcpu_bind_virq', { vcpu, vic, virq: 90, virq_type: HALT });
      return { vcpu, virq_type: HALT };
    },
    check: (w, args) => {
      w.do('vcpu_unbind_virq', { ...args, virq_type: WAKEUP });
      w.do('vcpu_bind_virq', { ...args, vic: w.stock['vic'] ?? 0n, virq: 90, virq_type: WAKEUP });
    },
    failures: [failsWith('ARGUMENT_INVALID', 'there is no such source', { virq_type: 2 })],
  },
  {
    row: 'vcpu_run', sample: (w) => ({ vcpu: vcpuWith(w, { options: PROXY }), resume_data_0: 1n, resume_data_1: 2n, resume_data_2: 3n }), success: 'says why a vCPU cannot run, and runs one that can', world,
    check: (w, args, { values }) => {
      assert.deepEqual(report(values), [2n, 0n, 0n, 0n]);
      const vcpu = running(w, PROXY);
      const thread = w.newestThread();
      // Preparations go by the native path, whose results are written when the manager is on its CPU again.
      w.path = 'native';
      w.fixture.native(w.manager, 'vcpu_run', vcpu);
      assert.equal(w.manager.yieldTarget, thread);
      w.fixture.hypervisor.handleExit(thread, { reason: 'wfi' });
      const { hypervisor } = w.fixture;
      for (let runs = hypervisor.pick(0); runs !== undefined && runs !== w.manager; runs = hypervisor.pick(0)) hypervisor.account(runs, runs.timesliceTicks);
      const manager = w.fixture.vcpu(w.manager);
      assert.deepEqual([0, 1, 2, 3, 4].map((n) => manager.x(n)), [0n, 1n, 0n, 1n, 0n], 'expects a wake-up from WFI');
      assert.deepEqual(report(w.do('vcpu_run', { ...args, vcpu })), [1n, 0n, 1n, 0n]);
    },
    failures: [
      fails('BUSY', 'the vCPU is not proxy-scheduled', (w, sample) => ({ ...sample, vcpu: vcpuWith(w) })),
      fails('DENIED', 'the vCPU is pinned to another CPU', (w, sample) => {
        const vcpu = vcpuWith(w, { options: PROXY | PINNED, affinity: 1 });
        powerOn(w, vcpu);
        return { ...sample, vcpu };
      }),
      fails('BUSY', 'a run that was denied has left the vCPU as if it were being run', (w, sample) => {
        const vcpu = vcpuWith(w, { options: PROXY | PINNED, affinity: 1 });
        powerOn(w, vcpu);
        assert.equal(w.call('vcpu_run', { vcpu }, 'native').error, 'DENIED');
        return { ...sample, vcpu };
      }),
    ],
  },
  {
    row: 'vcpu_run_check', sample: (w) => ({ vcpu: vcpuWith(w) }), success: 'says why a vCPU stands still, proxy-scheduled or not',
    check: (w, _args, { values }) => {
      assert.deepEqual(report(values), [2n, 0n, 0n, 0n]);
      const state = (vcpu: CapId) => report(w.do('vcpu_run_check', { vcpu }));
      const waiting = running(w);
      w.fixture.hypervisor.handleExit(w.newestThread(), { reason: 'wfi' });
      assert.deepEqual(state(waiting), [1n, 0n, 1n, 0n]);
      assert.deepEqual(state(killed(w)), [2n, 1n, 0n, 0n]);
    },
    failures: [
      fails('BUSY', 'the vCPU can run', (w) => ({ vcpu: running(w) })),
      fails('BUSY', 'the vCPU only waits for vcpu_run, with its state', (w) => ({ vcpu: running(w, PROXY) }), { results: { vcpu_state: 3n } }),
      fails('BUSY', 'the vCPU is killed and has not exited, with its state', (w): Arguments => {
        const vcpu = running(w, PROXY);
        w.do('vcpu_kill', { vcpu });
        return { vcpu };
      }, { results: { vcpu_state: 3n } }),
    ],
  },
];

const POWEROFF_ROW: RowTests = {
  row: 'vcpu_poweroff', sample: (w) => ({ vcpu: w.ownVcpu, flags: 1n }), success: 'stops the caller without an answer', world,
  check: (w) => {
    assert.ok(w.manager.isBlockedBy('VCPU_OFF'));
    assert.equal(w.manager.vpm?.group.state, 2);
  },
  answers: 'OK', unanswered: true,
  failures: [
    failsWith('ARGUMENT_INVALID', 'a flag is unknown, which comes before a bad capability', { flags: 2n, vcpu: EMPTY_SLOT }),
    fails('ARGUMENT_INVALID', 'the vCPU is another', (w, sample) => ({ ...sample, vcpu: vcpuWith(w) })),
    failsWith('DENIED', 'the caller is the last vCPU of its group and does not say so', { flags: 0n }),
  ],
};

/** Rows of this file. */
export const VCPU_ROWS: readonly RowTests[] = [...LIFE_ROWS, ...SCHEDULING_ROWS, ...RUN_ROWS, POWEROFF_ROW];

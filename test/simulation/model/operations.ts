/**
 * Random operations: calls whose arguments mostly make sense in the specification's present state, so that they reach deep, and sometimes none.
 * An operation is plain data: it means the same in any state, so that a failing sequence can be cut down.
 */

import type { Prng } from '../../../runtime/base/prng';
import { type ArgumentName, CALL_NAMES, type CallName, SIGNATURES, type Signature } from './signatures';
import { type Cspace, type Kind, idOfSlot, SLOTS_PER_TABLE, type Thing } from './things';
import type { WorldState } from './world-state';

/** A hypercall, or a VM clearing the pending state of one of its interrupts or choosing its trigger. */
export type Operation =
  | { readonly kind: 'call'; readonly vm: number; readonly path: 'native' | 'smccc'; readonly name: CallName; readonly args: readonly bigint[]; readonly fill: number }
  | { readonly kind: 'quiet'; readonly vm: number; readonly virq: number }
  | { readonly kind: 'trigger'; readonly vm: number; readonly virq: number; readonly isEdge: boolean };

/** Where things are in the world that the operations act on. */
export interface Landscape {
  readonly cspaces: readonly Cspace[];
  /** Where a VM's buffers may be; its RAM ends at `ramEnd`. */
  readonly buffer: bigint;
  readonly ramEnd: bigint;
  /** Physical pages that the partition owned at first, and their number. */
  readonly freePage: number;
  readonly freeCount: number;
  readonly vmids: readonly number[];
  /** Interrupt numbers that sources are bound to. */
  readonly firstVirq: number;
  readonly virqCount: number;
  /** First page of the addresses where extents are mapped. */
  readonly ipaPage: number;
  readonly ipaCount: number;
}

const KIND_OF: Readonly<Partial<Record<ArgumentName, Kind>>> = {
  partition: 'partition', cspace: 'cspace', src_cspace: 'cspace', dest_cspace: 'cspace', doorbell: 'doorbell', msgqueue: 'msgqueue', vic: 'vic', addrspace: 'addrspace', memextent: 'memextent',
  parent: 'memextent', from: 'memextent', to: 'memextent', thread: 'thread', vcpu: 'thread', vpm_group: 'vpm_group',
  virtio_mmio: 'virtio_mmio', hwirq: 'hwirq', vdevice: 'vic', info_area_me: 'memextent', watchdog: 'doorbell',
};
const WEIGHTS: Readonly<Partial<Record<CallName, number>>> = {
  object_activate: 20, object_activate_from: 2, cspace_copy_cap_from: 10, cspace_delete_cap_from: 7, cspace_revoke_caps_from: 4, cspace_revoke_cap_from: 1, partition_create_memextent: 4, partition_create_cspace: 2,
  msgqueue_send: 12, msgqueue_receive: 10, doorbell_send: 5, doorbell_receive: 4, doorbell_mask: 3, addrspace_map: 12, addrspace_unmap: 8, addrspace_lookup: 8, memextent_donate: 24, memextent_configure_derive: 6,
  partition_create_thread: 5, cspace_attach_thread: 6, addrspace_attach_thread: 6, vic_attach_vcpu: 7, vpm_group_attach_vcpu: 5, vcpu_poweron: 9, vcpu_run: 5, vcpu_run_check: 4, vcpu_bind_virq: 6, vpm_group_bind_virq: 5, vcpu_kill: 4, msgqueue_bind_receive_virq: 7, msgqueue_bind_send_virq: 6, msgqueue_configure_receive: 5, vcpu_configure: 4,
  partition_create_virtio_mmio: 5, virtio_mmio_configure: 14, addrspace_configure_info_area: 6, virtio_input_set_data: 10, virtio_input_configure: 5, watchdog_attach_vcpu: 1, watchdog_bind_virq: 1, watchdog_unbind_virq: 1, watchdog_configure: 1,
  watchdog_manage: 1, partition_create_watchdog: 1, memextent_configure: 4, addrspace_update_access: 30, vic_configure: 2, addrspace_configure: 2,
};
const DECK = CALL_NAMES.flatMap((name) => Array.from({ length: WEIGHTS[name] ?? 3 }, () => name));
const JUNK: readonly bigint[] = [62n, 63n, 0x100n, 0x101n, 0x13dn, 0x13en, 0xe7ffn, 0xe800n, 0xffffn, 0x1_0000n, 1n << 32n, (1n << 64n) - 1n];
const ODD_WORDS: readonly bigint[] = [0n, 1n, 0xfffn, 0x1000n, 0xc000_0000n, 0xffff_ffffn, 1n << 36n, (1n << 36n) - 0x1000n, (1n << 64n) - 0x2000n, (1n << 64n) - 1n];

/** How often, in operations, tables of capabilities are filled and emptied; and a VM's capability on its own space. */
const TABLES_EVERY = 900;
const OWN_CSPACE = 1n;

/** The calls that act on what is not active yet. */
const wantsInit = (name: CallName): boolean => /^object_activate|_configure(_derive)?$|_attach_|^vgic|info_area$|^vcpu_set_(priority|timeslice)$/.test(name) && name !== 'addrspace_configure' && name !== 'virtio_input_configure';

/** Makes operations. */
export class Generator {
  private readonly prng: Prng;
  private readonly world: WorldState;
  private readonly land: Landscape;
  private readonly planned: Operation[] = [];

  constructor(prng: Prng, world: WorldState, land: Landscape) {
    this.prng = prng;
    this.world = world;
    this.land = land;
  }

  next(): Operation {
    const planned = this.planned.shift();
    if (planned !== undefined) return planned;
    if (this.oneIn(TABLES_EVERY)) this.planTables();
    const vm = this.prng.below(this.land.cspaces.length);
    if (this.oneIn(20)) return { kind: 'quiet', vm, virq: this.virq() };
    if (this.oneIn(40)) return { kind: 'trigger', vm, virq: this.virq(), isEdge: this.oneIn(2) };
    const name = this.pick(DECK);
    const signature: Signature = SIGNATURES[name];
    const args = this.argumentsOf(vm, name, signature);
    if (signature.reserved !== undefined) args.push(this.oneIn(60) ? this.pick(ODD_WORDS) : signature.reserved);
    return { kind: 'call', vm, path: this.oneIn(2) ? 'native' : 'smccc', name, args, fill: this.prng.nextU32() };
  }

  /** Fills a capability space that has room beyond its first table, empties that table in any order, and goes on: what chance alone does too seldom. */
  private planTables(): void {
    const vm = this.prng.below(this.land.cspaces.length);
    const caller = this.land.cspaces[vm];
    const found = [...caller?.slots ?? []].find(([, { object, rights, isRevoked }]) => {
      const thing = this.world.things.get(object);
      return !isRevoked && thing?.kind === 'cspace' && thing.state === 'active' && thing !== caller && thing.limit > SLOTS_PER_TABLE + 1 && (rights & 3) === 3;
    });
    if (found === undefined) return;
    const target = idOfSlot(found[0]);
    const call = (name: CallName, args: readonly bigint[]): Operation => ({ kind: 'call', vm, path: this.oneIn(2) ? 'native' : 'smccc', name, args: [...args, 0n], fill: 0 });
    const copy = (): Operation => call('cspace_copy_cap_from', [OWN_CSPACE, BigInt(this.prng.below(8)), target, 0xffff_ffffn]);
    const slots = Array.from({ length: SLOTS_PER_TABLE }, (_, n) => n).sort(() => (this.oneIn(2) ? 1 : -1));
    for (let n = 0; n < SLOTS_PER_TABLE + 4; n++) this.planned.push(copy());
    for (const slot of slots) this.planned.push(call('cspace_delete_cap_from', [target, idOfSlot(slot)]));
    for (let n = 0; n < 4; n++) this.planned.push(copy());
    this.planned.push(call('cspace_delete_cap_from', [target, idOfSlot(SLOTS_PER_TABLE)]), copy());
  }

  private argumentsOf(vm: number, name: CallName, signature: Signature): bigint[] {
    const caller = this.land.cspaces[vm];
    const chosen: Partial<Record<ArgumentName, bigint>> = {};
    return signature.inputs.map(([argument, bits]) => {
      const value = this.argument(caller, name, argument, chosen);
      chosen[argument] = value;
      // Upper bits of narrow arguments do not count.
      return bits < 64 && this.oneIn(16) ? value | (BigInt(this.prng.nextU32()) << BigInt(Math.max(bits, 32))) & 0xffff_ffff_ffff_ffffn : value;
    });
  }

  private argument(caller: Cspace | undefined, name: CallName, argument: ArgumentName, chosen: Partial<Record<ArgumentName, bigint>>): bigint {
    const kind = name === 'memextent_donate' && (argument === 'from' || argument === 'to') && this.oneIn(4) ? 'partition' : KIND_OF[argument];
    const relative = name === 'memextent_donate' && argument === 'to' && !this.oneIn(3) ? this.relative(caller, chosen) : undefined;
    if (relative !== undefined) return relative;
    const wantsPage = name === 'virtio_mmio_configure' || argument === 'info_area_me' ? !this.oneIn(4) : argument === 'parent' && this.oneIn(8);
    if (wantsPage && kind === 'memextent') return this.page(caller) ?? this.capability(caller, kind, 'active');
    if (kind !== undefined) return this.capability(caller, kind, this.wantedState(name, argument));
    if (argument === 'cap' || argument === 'src_cap') return this.anyCapability(caller, name, chosen.cspace ?? chosen.src_cspace);
    if (argument !== 'data' && argument !== 'buffer' && argument !== 'mask' && argument !== 'mt' && this.oneIn(40)) return this.pick(ODD_WORDS);
    return this.plainValue(name, argument, chosen, caller);
  }

  /** A capability on an extent that can be a register page. */
  private page(caller: Cspace | undefined): bigint | undefined {
    const fitting = [...caller?.slots ?? []].filter(([, { object, isRevoked, rights }]) => {
      const thing = this.world.things.get(object);
      return !isRevoked && thing?.kind === 'memextent' && thing.state === 'active' && !thing.isSparse && thing.count === 1 && (rights & 4) !== 0;
    });
    return fitting.length === 0 ? undefined : idOfSlot(this.pick(fitting)[0]);
  }

  private wantedState(name: CallName, argument: ArgumentName): 'init' | 'active' {
    if (name === 'vcpu_set_affinity' || name === 'vcpu_register_write') return this.oneIn(2) ? 'init' : 'active';
    if (name === 'addrspace_attach_vdevice' || argument === 'memextent' || argument === 'info_area_me') return name.startsWith('memextent_configure') ? 'init' : 'active';
    if (name.includes('_attach_')) return argument === 'thread' || argument === 'vcpu' ? 'init' : 'active';
    return wantsInit(name) && argument !== 'parent' && argument !== 'cspace' ? 'init' : 'active';
  }

  /** A capability of a kind, mostly to an object in the state that the call wants. */
  private capability(caller: Cspace | undefined, kind: Kind, state: string): bigint {
    if (caller === undefined || this.oneIn(50)) return this.junk();
    const slots = [...caller.slots].filter(([, slot]) => this.oneIn(30) || (this.world.things.get(slot.object)?.kind === kind && !slot.isRevoked));
    const fitting = slots.filter(([, slot]) => {
      const thing = this.world.things.get(slot.object);
      // What a VM may do with its own vCPU is little, and with pages for devices too.
      const isSpecial = thing?.isPermanent === true && (thing.kind === 'thread' || (thing.kind === 'memextent' && !thing.isSparse));
      return thing?.state === state && (!isSpecial || this.oneIn(10));
    });
    const from = fitting.length > 0 && !this.oneIn(20) ? fitting : slots.length > 0 ? slots : [...caller.slots];
    return from.length === 0 ? this.junk() : idOfSlot(this.pick(from)[0]);
  }

  /** Who may be given memory by the object named as giver: its child, its parent, or a child of the same parent. */
  private relative(caller: Cspace | undefined, { from, options }: Partial<Record<ArgumentName, bigint>>): bigint | undefined {
    const thingAt = (slot: ReturnType<WorldState['slot']>): Thing | undefined => (typeof slot === 'object' ? this.world.things.get(slot.object) : undefined);
    const giver = caller === undefined || from === undefined ? undefined : thingAt(this.world.slot(caller, from));
    if (caller === undefined || giver === undefined) return undefined;
    const parent = giver.kind === 'memextent' ? giver.parent : undefined;
    const isRelative = (other: Thing | undefined): boolean => {
      if (options === 0n) return other?.kind === 'memextent' && other.parent === (giver.kind === 'partition' ? undefined : giver.id);
      if (options === 1n) return parent === undefined ? other?.kind === 'partition' : other?.id === parent;
      return other?.kind === 'memextent' && other !== giver && parent !== undefined && other.parent === parent;
    };
    const fitting = [...caller.slots].filter(([, slot]) => !slot.isRevoked && isRelative(this.world.things.get(slot.object)));
    return fitting.length === 0 ? undefined : idOfSlot(this.pick(fitting)[0]);
  }

  /** Any slot of the named cspace; for activation one that can be activated, for deletion seldom one of the first. */
  private anyCapability(caller: Cspace | undefined, name: CallName, named: bigint | undefined): bigint {
    const slot = caller === undefined || named === undefined ? undefined : this.world.slot(caller, named);
    const thing = typeof slot === 'object' ? this.world.things.get(slot.object) : undefined;
    const cspace = thing?.kind === 'cspace' ? thing : caller;
    if (cspace === undefined || this.oneIn(30)) return this.junk();
    const all = [...cspace.slots];
    const fitting = all.filter(([at, { object, isMaster }]) => {
      if (name === 'cspace_delete_cap_from') return at > 9 || this.oneIn(40);
      if (name === 'cspace_revoke_caps_from') return (isMaster && (this.hasCopies(object) || this.oneIn(4))) || this.oneIn(8);
      return name === 'cspace_copy_cap_from' || this.isReady(this.world.things.get(object));
    });
    return fitting.length === 0 ? this.junk() : idOfSlot(this.pick(fitting)[0]);
  }

  /** True if there is something to revoke. */
  private hasCopies(object: number): boolean {
    for (const space of this.world.all('cspace')) for (const slot of space.slots.values()) if (slot.object === object && !slot.isMaster && !slot.isRevoked) return true;
    return false;
  }

  /** True for what has been configured, and sometimes for what has not. */
  private isReady(thing: Thing | undefined): boolean {
    if (thing?.state !== 'init') return this.oneIn(20);
    const isConfigured = thing.kind === 'doorbell' || (thing.kind === 'cspace' && thing.limit > 0) || (thing.kind === 'msgqueue' && thing.depth > 0) || (thing.kind === 'vic' && thing.vcpuCount > 0)
      || thing.kind === 'vpm_group' || (thing.kind === 'thread' && thing.cspace !== undefined && thing.addrspace !== undefined && thing.vic !== undefined)
      || (thing.kind === 'virtio_mmio' && thing.extent !== undefined) || (thing.kind === 'addrspace' && thing.vmid > 0) || (thing.kind === 'memextent' && thing.count > 0);
    return isConfigured || this.oneIn(25);
  }

  private plainValue(name: CallName, argument: ArgumentName, chosen: Partial<Record<ArgumentName, bigint>>, caller: Cspace | undefined): bigint {
    switch (argument) {
      case 'rights_mask': return this.oneIn(3) ? 0xffff_ffffn : this.oneIn(3) ? 1n << BigInt(this.oneIn(6) ? 31 : this.prng.below(5)) : BigInt(this.oneIn(4) ? this.prng.nextU32() : this.prng.below(32)) | (this.oneIn(2) ? 0x8000_0000n : 0n);
      case 'max_caps': return this.oneIn(12) ? this.pick([0n, 14384n, 14385n, 0xffff_ffffn]) : this.oneIn(3) ? 80n : BigInt(1 + this.prng.below(8));
      case 'virq': return this.oneIn(12) ? this.pick([0n, 31n, 95n, 96n, 1019n, 1020n, 0xffff_ffffn]) : BigInt(this.virq());
      case 'new_flags': case 'clear_flags': case 'enable_mask': case 'ack_mask': return this.oneIn(8) ? this.prng.nextU64() : this.oneIn(8) ? 0xffff_ffff_ffff_ffffn : BigInt(this.prng.below(16));
      case 'data': case 'buffer': return this.oneIn(name === 'virtio_input_set_data' ? 4 : 15) ? this.pick([0x7000_0000n, this.land.ramEnd - 3n, this.land.ramEnd, 1n << 40n]) : this.land.buffer + BigInt(this.prng.below(0x4000));
      case 'send_flags': return BigInt(this.prng.below(4));
      case 'buf_size': return this.pick([1n, 8n, 16n, 64n, 1023n, 4096n, 0xffff_ffff_ffffn]);
      case 'threshold': return this.oneIn(5) ? 0xffff_ffffn : this.oneIn(6) ? 0xffff_fffen : BigInt(this.prng.below(6));
      case 'holdoff': return this.oneIn(20) ? 0n : 0xffff_ffffn;
      case 'create_info': return this.oneIn(10) ? this.pick([0n, 0x1_0000n, 1n, 0x400_0001n, 0x10_0100n, 0x3ff_00ffn]) : BigInt(((1 + this.prng.below(40)) << 16) | (1 + this.prng.below(4)));
      case 'max_vcpus': return BigInt(this.prng.below(10));
      case 'max_virqs': return this.pick([0n, 1n, 16n, 64n, 988n, 989n]);
      case 'max_msis': return BigInt(this.prng.below(2));
      case 'vmid': return BigInt(this.oneIn(3) ? this.pick([0n, 1n, 10n, 255n, 256n, 0xffffn]) : BigInt(20 + this.prng.below(4)));
      case 'index': return BigInt(this.oneIn(12) ? 0xffff_ffff : this.prng.below(this.oneIn(4) ? 10 : 3));
      case 'vcpu_options': return this.pick([0n, 0n, 0x200n, 0x200n, 1n, 0x200n, 0x200n, 0x201n, 8n, 1n << 63n, (1n << 63n) | 8n, 0x33fn, 0x40n, 0x80n]);
      case 'affinity': return BigInt(this.oneIn(8) ? this.pick([2, 0xfffe]) : this.pick([0, 1, 0xffff]));
      case 'priority': return BigInt(this.oneIn(4) ? this.pick([62, 63, 64, 0xffff_ffff]) : this.prng.below(64));
      case 'timeslice': return this.pick([100_000n, 99_999n, 5_000_000n, 100_000_000n, 100_000_001n, 1_234_567n, 0n]);
      case 'virq_type': return BigInt(this.prng.below(this.oneIn(6) ? 4 : 2));
      case 'register_set': return BigInt(this.prng.below(4));
      case 'register_index': return BigInt(this.oneIn(3) ? this.prng.below(33) : this.prng.below(2));
      case 'value': return this.prng.nextU64() & this.pick([0xffff_ffff_ffff_ffffn, 0xffff_fff0n, 0xffff_fffcn, 0xffff_fff8n]);
      case 'set_flags': return this.prng.nextU64();
      case 'resume': return BigInt(this.prng.below(3));
      case 'entry_point': case 'context': return this.prng.nextU64();
      case 'op': return BigInt(this.prng.below(this.oneIn(10) ? 4 : 2));
      default: return this.deviceValue(argument) ?? this.memoryValue(name, argument, chosen, caller);
    }
  }

  private deviceValue(argument: ArgumentName): bigint | undefined {
    switch (argument) {
      case 'vqs_num': return this.oneIn(10) ? this.pick([16n, 17n, 0n]) : BigInt(1 + this.prng.below(3));
      case 'device_type': return this.oneIn(6) ? BigInt(this.prng.below(20)) : 18n;
      case 'sel': return this.pick([0n, 0n, 1n, 1n, 1n, 2n, 2n, 3n, 0x10n, 0x11n, 0x11n, 0x12n, 0x12n, 0x13n]);
      case 'subsel': return this.oneIn(8) ? this.pick([31n, 32n, 63n, 64n]) : BigInt(this.prng.below(this.oneIn(2) ? 4 : 1));
      case 'dev_feat': return this.oneIn(4) ? BigInt(this.prng.nextU32()) : BigInt(this.prng.below(128)) | 3n;
      case 'interrupt_status': return BigInt(this.prng.below(4));
      case 'queue_num_max': case 'prop_bits': return BigInt(this.prng.nextU32());
      case 'devids': return this.prng.nextU64();
      case 'num_evtypes': return this.oneIn(8) ? this.pick([32n, 33n]) : BigInt(this.prng.below(3));
      case 'num_absaxes': return this.oneIn(8) ? this.pick([64n, 65n]) : BigInt(this.prng.below(3));
      case 'ipa': return this.oneIn(5) ? this.pick([0xfffn, 1n << 36n, (1n << 36n) - 0x1000n]) : BigInt(this.prng.below(64)) << 12n;
      case 'mask': return this.pick([7n, 7n, 3n, 0x103n, 0x101n, 0x1_0103n, 0xff_00ff_ffffn, 0xffn, 0n, 5n]);
      case 'aff0': case 'aff1': case 'aff2': case 'aff3': return BigInt(this.oneIn(12) ? this.pick([32, 31, 0xffff_ffff]) : this.prng.below(4));
      case 'mt': return BigInt(this.prng.below(2));
      default: return undefined;
    }
  }

  private memoryValue(name: CallName, argument: ArgumentName, chosen: Partial<Record<ArgumentName, bigint>>, caller: Cspace | undefined): bigint {
    const page = (limit: number) => BigInt(this.prng.below(limit)) << 12n;
    switch (argument) {
      case 'size': return name === 'virtio_input_set_data' ? this.pick([0n, 4n, 4n, 8n, 8n, 20n, 21n, 64n, 128n, 129n]) : name === 'addrspace_attach_vdevice' ? this.pick([0x1_0000n, 0x2_0000n, 0x2_0000n, 0x1000n, 0n]) : name === 'msgqueue_send' ? BigInt(this.prng.below(this.oneIn(12) ? 1100 : 42)) : this.oneIn(3) ? 0x1000n : page(12);
      case 'offset': return this.recordedOffset(name, chosen, caller) ?? page(this.oneIn(3) ? 64 : 8);
      case 'base': return BigInt(this.land.freePage + this.prng.below(this.land.freeCount)) << 12n;
      case 'vbase': return this.vbase(name, chosen, caller);
      case 'attrs': return this.attributes(name);
      case 'attributes': return this.pick([0x1_0007n, 0x1_0007n, 7n, 7n, 6n, 0x1_0006n, 4n, 0x1_0004n, 5n, 0x107n, 0x1_0107n, 0x1_0207n, 0x207n, 0x307n, 0x2_0007n, 0n, 3n, 0x8000_0007n]);
      case 'flags': return name === 'virtio_mmio_configure' ? this.pick([0n, 0x40n, 0x40n, 0x41n]) : name === 'addrspace_attach_vdevice' ? this.pick([0n, 0n, 0n, 1n, 3n, 4n]) : name === 'vcpu_poweron' || name === 'vcpu_poweroff' || name === 'vpm_group_configure' ? BigInt(this.prng.below(this.oneIn(6) ? 6 : 2)) : name === 'memextent_modify' ? this.pick([0n, 0n, 0x8000_0001n, 0x8000_0001n, 0x8000_0002n, 0x8000_0003n, 0xffn, 0x8000_00ffn, 1n, 4n, 0x8000_0000n, 0x100n]) : this.pick([0n, 0n, 0n, 1n, 1n, 1n, 0x8000_0000n, 0x8000_0001n, 2n]);
      case 'options': return name === 'vic_configure' ? this.pick([0n, 2n, 2n, 3n, 1n, 4n]) : this.pick([0n, 0n, 1n, 1n, 2n, 2n, 0x8000_0000n, 3n, 0x100n]);
      default: return this.pick(ODD_WORDS);
    }
  }

  /** For calls on existing mappings mostly an address where something is recorded. */
  private vbase(name: CallName, chosen: Partial<Record<ArgumentName, bigint>>, caller: Cspace | undefined): bigint {
    if (name === 'addrspace_attach_vdevice') return BigInt(0x3000 + this.prng.below(64)) << 17n;
    if (name === 'addrspace_configure_vmmio') return BigInt(this.prng.below(8)) << 20n;
    const slot = caller === undefined || chosen.memextent === undefined ? undefined : this.world.slot(caller, chosen.memextent);
    const extent = typeof slot === 'object' ? this.world.things.get(slot.object) : undefined;
    if (name !== 'addrspace_map' && extent?.kind === 'memextent' && !this.oneIn(6)) {
      const recorded = extent.groups.flatMap(({ pages }) => [...pages.values()]);
      if (recorded.length > 0) return BigInt(this.pick(this.oneIn(2) ? recorded.slice(0, 1) : recorded).ipa) << 12n;
    }
    return BigInt(this.land.ipaPage + this.prng.below(this.land.ipaCount)) << 12n;
  }

  /** For removing a part of a mapping mostly the offset at which the address shows the extent. */
  private recordedOffset(name: CallName, chosen: Partial<Record<ArgumentName, bigint>>, caller: Cspace | undefined): bigint | undefined {
    if (name !== 'addrspace_unmap' || caller === undefined || chosen.memextent === undefined || this.oneIn(5)) return undefined;
    const slot = this.world.slot(caller, chosen.memextent);
    const extent = typeof slot === 'object' ? this.world.things.get(slot.object) : undefined;
    if (extent?.kind !== 'memextent') return undefined;
    const found = extent.groups.flatMap(({ pages }) => [...pages]).find(([, { ipa }]) => BigInt(ipa) << 12n === chosen.vbase);
    return found === undefined ? undefined : BigInt(found[0]) << 12n;
  }

  /** Read and write are equal for both levels: a debug build of the hypervisor insists on it. */
  private attributes(name: CallName): bigint {
    const readWrite = this.pick([4, 6, 6, 6]);
    const user = readWrite | this.prng.below(2);
    const kernel = readWrite | this.prng.below(2);
    const type = name === 'addrspace_map' ? this.pick([0xf, 0xf, 0xf, 5, 0, 3, 4]) : 0;
    return BigInt((type << 16) | (kernel << 4) | user | (this.oneIn(40) ? 8 : 0));
  }

  private virq(): number {
    return this.land.firstVirq + this.prng.below(this.land.virqCount);
  }

  private junk(): bigint {
    return this.oneIn(2) ? this.pick(JUNK) : BigInt(this.prng.below(64));
  }

  private oneIn(count: number): boolean {
    return this.prng.below(count) === 0;
  }

  private pick<T>(items: readonly T[]): T {
    return items[this.prng.below(items.length)] as T;
  }
}

/** Compares all state of the two worlds that calls can reach: capabilities, objects, wires and their levels, page owners, stage-2 entries, page contents. */

import { pa } from '../../../runtime/base/brands';
import type { SavedObject } from '../../../runtime/hypervisor/snapshot';
import type { Pair } from './pair';
import { SLOTS_PER_TABLE, type Cspace, type Doorbell, type Queue, type Thing, type Thread, type Vic, type VirtioMmio, type Wire } from './things';

type Saved<T extends SavedObject['type']> = Extract<SavedObject, { readonly type: T }>;

/** Throws at the first difference. */
export function compareStates(pair: Pair): void {
  new Comparison(pair).run();
}

/** The same for stage-2 tables. */
export function compareTables(pair: Pair): void {
  new Comparison(pair).compareTables();
}

const hexOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

class Comparison {
  private readonly pair: Pair;
  private readonly objects: ReadonlyMap<number, SavedObject>;
  private readonly originals = new Map<number, number>();

  constructor(pair: Pair) {
    this.pair = pair;
    this.objects = new Map(pair.fixture.hypervisor.save().kernel.objects.map((object) => [object.header.id, object]));
    for (const [model, real] of pair.counterparts) this.originals.set(real, model);
  }

  run(): void {
    const { world, guests } = this.pair;
    const spaces: Cspace[] = [];
    for (const { real, cspace, addrspace, vic } of guests) {
      this.same(cspace.id, real.thread.cspace?.header.id ?? -1);
      this.same(addrspace.id, real.thread.addrspace?.header.id ?? -1);
      this.same(vic.id, real.thread.vic?.object.header.id ?? -1);
      spaces.push(cspace);
    }
    for (let n = 0; n < spaces.length; n++) {
      const space = spaces[n];
      if (space === undefined) continue;
      this.compareCspace(space);
      // Spaces that spaces hold are compared in turn.
      for (const { object } of space.slots.values()) {
        const inner = world.things.get(object);
        if (inner?.kind === 'cspace' && !spaces.includes(inner)) spaces.push(inner);
      }
    }
    for (const thing of world.things.values()) this.compareThing(thing);
    this.comparePages();
  }

  /** The two are one object from now on. */
  private same(model: number, real: number): void {
    const known = this.pair.counterparts.get(model);
    const original = this.originals.get(real);
    this.equal(known ?? real, real, `object ${String(model)} of the specification`);
    this.equal(original ?? model, model, `object ${String(real)} of the implementation`);
    this.pair.counterparts.set(model, real);
    this.originals.set(real, model);
  }

  private compareCspace(space: Cspace): void {
    const saved = this.real(space, 'cspace');
    const what = `capability space ${String(space.id)}`;
    this.equal(saved.body.slots.map(({ flat }) => flat).join(), [...space.slots.keys()].sort((a, b) => a - b).join(), `${what}: occupied slots`);
    this.equal(saved.body.capabilitiesMax, space.limit, `${what}: limit`);
    for (const slot of saved.body.slots) {
      const wanted = space.slots.get(slot.flat);
      const name = `${what}, slot ${String(slot.flat)} (table ${String(Math.floor(slot.flat / SLOTS_PER_TABLE))})`;
      if (wanted === undefined) continue;
      this.same(wanted.object, slot.object);
      this.equal(slot.rights >>> 0, wanted.rights >>> 0, `${name}: rights`);
      this.equal(slot.master, wanted.isMaster, `${name}: master`);
      this.equal(slot.state, wanted.isRevoked ? 'revoked' : 'valid', `${name}: state`);
    }
  }

  private compareThing(thing: Thing): void {
    if (!this.pair.counterparts.has(thing.id) || thing.kind === 'partition') return;
    const name = `${thing.kind} ${String(thing.id)}`;
    const saved = this.real(thing, thing.kind);
    this.equal(saved.header.state, thing.state, `${name}: state`);
    if (saved.type === 'doorbell' && thing.kind === 'doorbell') this.compareDoorbell(saved, thing);
    else if (saved.type === 'msgqueue' && thing.kind === 'msgqueue') this.compareQueue(saved, thing);
    else if (saved.type === 'addrspace' && thing.kind === 'addrspace') {
      this.equal(saved.body.vmid, thing.vmid, `${name}: VMID`);
      this.equal(saved.body.vmmio.map(({ base, sizeBytes }) => `${String(base)}+${String(sizeBytes)}`).join(), thing.emulated.map(({ base, size }) => `${String(base)}+${String(size)}`).join(), `${name}: emulated ranges`);
      this.equal(saved.body.frames.map(({ base, sizeBytes, index }) => `${String(index)}:${String(base)}+${String(sizeBytes)}`).join(), thing.frames.map(({ base, size, index }) => `${String(index)}:${String(base)}+${String(size)}`).join(), `${name}: frames`);
      this.link(thing.info, saved.body.infoArea?.extent, `${name}: information page`);
    } else if (saved.type === 'virtio_mmio' && thing.kind === 'virtio_mmio') this.compareVirtio(saved, thing, name);
    else if (saved.type === 'hwirq' && thing.kind === 'hwirq') this.compareWire(saved.sources[0], thing.wire, name);
    else if (saved.type === 'memextent' && thing.kind === 'memextent') {
      const { firstPage, pageCount, access, kind, parent } = saved.body;
      if (this.pair.counterparts.has(thing.parent ?? -1) || thing.parent === undefined) this.equal(parent, thing.parent === undefined ? undefined : this.pair.counterparts.get(thing.parent), `${name}: parent`);
      this.equal(saved.body.attachmentCount, thing.attachments, `${name}: devices and address spaces that use it`);
      this.equal(`${String(firstPage)} ${String(pageCount)} ${String(access)} ${kind}`, `${String(thing.first)} ${String(thing.count)} ${String(thing.access)} ${thing.isSparse ? 'sparse' : 'basic'}`, `${name}: window`);
    } else if (saved.type === 'thread' && thing.kind === 'thread') this.compareThread(saved, thing, name);
    else if (saved.type === 'vpm_group' && thing.kind === 'vpm_group') {
      this.equal(saved.body.noAggregation, thing.noAggregation, `${name}: aggregation`);
      this.compareWire(saved.sources[0], thing.wire, name);
    } else if (saved.type === 'vic' && thing.kind === 'vic') this.compareVic(saved, thing, name);
  }

  private compareDoorbell({ body, sources }: Saved<'doorbell'>, bell: Doorbell): void {
    const name = `doorbell ${String(bell.id)}`;
    this.equal(`${String(body.flags)} ${String(body.enableMask)} ${String(body.ackMask)}`, `${String(bell.flags)} ${String(bell.enable)} ${String(bell.ack)}`, `${name}: flags, enabled, acknowledged`);
    this.compareWire(sources[0], bell.wire, name);
  }

  private compareQueue({ body, sources }: Saved<'msgqueue'>, queue: Queue): void {
    const name = `message queue ${String(queue.id)}`;
    this.equal(`${String(body.depth)} ${String(body.messageSizeMax)} ${String(body.notFullThreshold)} ${String(body.notEmptyThreshold)}`, `${String(queue.depth)} ${String(queue.sizeMax)} ${String(queue.notFull)} ${String(queue.notEmpty)}`, `${name}: geometry`);
    this.equal(body.messages.map(({ bytes }) => Buffer.from(bytes).toString('hex')).join(), queue.messages.map((bytes) => Buffer.from(bytes).toString('hex')).join(), `${name}: messages`);
    this.compareWire(sources[0], queue.sendWire, `${name}, sender`);
    this.compareWire(sources[1], queue.receiveWire, `${name}, receiver`);
  }

  private compareThread({ body, sources }: Saved<'thread'>, thread: Thread, name: string): void {
    if (thread.isPermanent) return;
    const links = [['capability space', thread.cspace, body.cspace], ['address space', thread.addrspace, body.addrspace], ['interrupt controller', thread.vic?.id, body.vic?.object], ['power group', thread.vpm?.group, body.vpm?.group]] as const;
    for (const [what, wanted, seen] of links) {
      this.link(wanted, seen, `${name}: ${what}`);
    }
    this.equal(`${String(body.vic?.index)} ${String(body.vpm?.index)}`, `${String(thread.vic?.index)} ${String(thread.vpm?.index)}`, `${name}: indexes`);
    this.equal(`${String(body.options)} ${String(body.affinity)} ${String(body.priority)} ${String(body.timesliceTicks)}`, `${String(thread.options)} ${String(thread.affinity)} ${String(thread.priority)} ${String(thread.timeslice)}`, `${name}: options, CPU, priority, slice`);
    if (thread.state === 'active') this.equal(`${body.state} ${String(body.isProxy)} ${String((body.blocks & 1) !== 0)}`, `${thread.life} ${String(thread.isProxy)} ${String(thread.isOff)}`, `${name}: life, proxy, off`);
    this.compareWire(sources[0], thread.haltWire, `${name}, halt`);
    this.compareWire(sources[1], thread.wakeWire, `${name}, wake-up`);
  }

  private compareVirtio({ body, sources }: Saved<'virtio_mmio'>, device: VirtioMmio, name: string): void {
    this.link(device.extent, body.extent, `${name}: register page`);
    const { input } = body;
    const items = (table: readonly { readonly subselect: number }[], bytes: (n: number) => Uint8Array | undefined) => table.map(({ subselect }, n) => `${String(subselect)}=${hexOf(bytes(n))}`).join();
    this.equal(`${String(body.isAttached)} ${String(body.deviceType)} ${body.queues.map(({ sizeMax, size, ready }) => `${String(sizeMax >>> 0)}:${String(size)}:${String(ready)}`).join()} ${body.deviceFeatures.map((one) => one >>> 0).join()}`,
      `${String(device.state === 'active')} ${device.isInput ? '18' : '0'} ${device.queueSizes.map((size) => `${String(size)}:0:0`).join()} ${device.features.join()}`, `${name}: attached, type, queues, features`);
    this.equal(`${String(input.devids)} ${String(input.properties >>> 0)} ${hexOf(input.name)} ${hexOf(input.serial)} ${String(input.eventLimit)} ${String(input.axisLimit)} ${items(input.events, (n) => input.events[n]?.data)} ${items(input.axes, (n) => input.axes[n]?.data)}`,
      `${String(device.input.ids)} ${String(device.input.properties)} ${device.input.texts.map(hexOf).join(' ')} ${String(device.input.events.limit)} ${String(device.input.axes.limit)} ${items(device.input.events.items, (n) => device.input.events.items[n]?.bytes)} ${items(device.input.axes.items, (n) => device.input.axes.items[n]?.bytes)}`, `${name}: input`);
    this.compareWire(sources[0], device.backendWire, `${name}, backend`);
    this.compareWire(sources[1], device.frontendWire, `${name}, frontend`);
    const extent = device.extent === undefined || device.state !== 'active' ? undefined : this.pair.world.get('memextent', device.extent);
    if (extent === undefined) return;
    const register = (offset: number): number => this.pair.fixture.engine.memory.readU32(pa((BigInt(extent.first) << 12n) + BigInt(offset))) >>> 0;
    this.equal(`${String(register(0x60))} ${String(register(0x70))}`, `${String(device.interrupts)} ${String(device.status)}`, `${name}: interrupt status, status`);
  }

  /** The two refer to the same object, or to none. */
  private link(wanted: number | undefined, seen: number | undefined, name: string): void {
    if (wanted === undefined || seen === undefined) this.equal(seen, wanted, name);
    else this.same(wanted, seen);
  }

  private compareWire(saved: { readonly virq: number; readonly vic: number } | undefined, wire: Wire | undefined, name: string): void {
    this.equal(saved?.virq, wire?.virq, `${name}: interrupt`);
    if (saved !== undefined && wire !== undefined) this.same(wire.vic, saved.vic);
  }

  private compareVic({ body }: Saved<'vic'>, vic: Vic, name: string): void {
    const { mask, shifts, mt } = body.mapping;
    if (vic.mpidr !== undefined) this.equal(`${String(mask)} ${shifts.join()} ${String(mt)}`, vic.mpidr, `${name}: MPIDR`);
    const guest = this.pair.guests.find((one) => one.vic === vic);
    if (guest === undefined) return;
    for (const [virq, line] of vic.lines) {
      const view = guest.real.thread.vic?.object.vic.inspect(virq);
      this.equal(view?.pending, line.isEdge ? line.latch : line.level, `${name}, interrupt ${String(virq)}: pending`);
      if (view !== undefined) this.equal(view.trigger, line.isEdge ? 'edge' : 'level', `${name}, interrupt ${String(virq)}: trigger`);
    }
  }

  private comparePages(): void {
    const { world, fixture } = this.pair;
    const runs = fixture.hypervisor.inspect.ownership();
    for (const [page, owner] of world.owners) {
      const at = BigInt(page) << 12n;
      const run = runs.filter(({ base, sizeBytes }) => at >= base && at < base + sizeBytes);
      this.equal(run.length, 1, `page ${page.toString(16)}: owners`);
      if (owner !== world.partition) this.same(owner, run[0]?.owner ?? -1);
      else this.equal(this.objects.get(run[0]?.owner ?? -1)?.type, 'partition', `page ${page.toString(16)}: owner`);
      this.equal(Number(fixture.engine.memory.readU64(pa(at))), world.contents.get(page), `page ${page.toString(16)}: contents`);
    }
  }

  /** Stage-2 tables of every address space. */
  compareTables(): void {
    for (const space of this.pair.world.all('addrspace')) if (space.state === 'active') this.compareTable(space.vmid, space.table);
  }

  private compareTable(vmid: number, table: ReadonlyMap<number, { readonly page: number; readonly attributes: number }>): void {
    const seen = new Map<number, string>();
    for (const { ipa, pa: base, sizeBytes, attributes } of this.pair.fixture.hypervisor.inspect.mappings(vmid)) {
      if (ipa >= 0x8000_0000n && ipa < this.pair.land.ramEnd) continue;
      for (let n = 0n; n < sizeBytes; n += 4096n) seen.set(Number((ipa + n) >> 12n), `${String((base + n) >> 12n)}:${String((attributes.memoryType << 16) | (attributes.kernel << 4) | attributes.user)}`);
    }
    const name = `stage 2 of VMID ${String(vmid)}`;
    for (const [ipa, entry] of table) this.equal(seen.get(ipa), `${String(entry.page)}:${String(entry.attributes)}`, `${name}, page ${ipa.toString(16)}`);
    this.equal(seen.size, table.size, `${name}: pages`);
  }

  private real<T extends SavedObject['type']>(thing: Thing, type: T): Saved<T> {
    const saved = this.objects.get(this.pair.counterparts.get(thing.id) ?? -1);
    this.equal(saved?.type, type, `${thing.kind} ${String(thing.id)}`);
    return saved as Saved<T>;
  }

  private equal(seen: unknown, wanted: unknown, what: string): void {
    if (seen !== wanted) throw new Error(`${what}: ${String(seen)}, ${String(wanted)} by the specification`);
  }
}

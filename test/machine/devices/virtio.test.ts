/** The virtio transport and its rings, the disk, the entropy source, the console and the network card, driven as a guest's driver does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ticks } from '../../../runtime/base/brands';
import { Prng } from '../../../runtime/base/prng';
import { DiskContents, imageOf } from '../../../runtime/machine/devices/disk-contents';
import { EthernetSwitch } from '../../../runtime/machine/devices/ethernet-switch';
import { VirtioBlock } from '../../../runtime/machine/devices/virtio-block';
import { VirtioConsole } from '../../../runtime/machine/devices/virtio-console';
import { VirtioEntropy } from '../../../runtime/machine/devices/virtio-entropy';
import { VirtioNet } from '../../../runtime/machine/devices/virtio-net';
import type { VirtioFunction } from '../../../runtime/machine/devices/virtio-mmio';
import { TickEventQueue } from '../../../runtime/machine/event-queue';
import { Driver, MEMORY_BASE, MEMORY_SIZE, REGISTER, RING_SIZE, type Part } from './virtio-driver';

const SECTORS = 64;
const NEEDS_RESET = 0x40;
const INDIRECT = 1 << 28;
const EVENT_INDEX = 1 << 29;

const original = (): Uint8Array => Uint8Array.from({ length: SECTORS * 512 }, (_, n) => (n >> 9) & 0xff);

function disk(options: { readonly isReadOnly?: boolean; readonly image?: Uint8Array } = {}): VirtioBlock {
  return new VirtioBlock({ contents: new DiskContents(imageOf(options.image ?? original())), isReadOnly: options.isReadOnly ?? false, identifier: 'disk0' });
}

function header(type: number, sector = 0): Part {
  const out = new Uint8Array(16);
  new DataView(out.buffer).setUint32(0, type, true);
  new DataView(out.buffer).setBigUint64(8, BigInt(sector), true);
  return { out };
}

function range(sector: number, count: number, flags = 0): Uint8Array {
  const out = new Uint8Array(16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(sector), true);
  view.setUint32(8, count, true);
  view.setUint32(12, flags, true);
  return out;
}

/** Status byte of a disk request. */
function checkStatus(driver: Driver, parts: readonly Part[], status: number): Uint8Array {
  const answer = driver.exchange(0, parts);
  assert.ok(answer, 'the request comes back');
  assert.equal(answer.bytes[answer.bytes.length - 1], status);
  return answer.bytes.subarray(0, -1);
}

describe('the virtio transport', () => {
  it('identifies itself, and an empty slot has no device', () => {
    const driver = new Driver(disk());
    assert.deepEqual([REGISTER.magic, REGISTER.version, REGISTER.device, REGISTER.vendor].map((offset) => driver.get(offset)), [0x7472_6976, 2, 2, 0x554d_4551]);
    const empty = new Driver();
    assert.deepEqual([REGISTER.magic, REGISTER.version, REGISTER.device].map((offset) => empty.get(offset)), [0x7472_6976, 2, 0]);
    empty.set(REGISTER.status, 0xf);
    for (let offset = 0x10; offset < 0x200; offset += 4) assert.equal(empty.get(offset), 0);
  });

  it('accepts offered features only, and only with VERSION_1', () => {
    const driver = new Driver(disk());
    driver.set(REGISTER.deviceFeaturesSel, 1);
    assert.equal(driver.get(REGISTER.deviceFeatures), 1);
    assert.equal(driver.start(1, { high: 0 }).get(REGISTER.status) & 8, 0);
    assert.equal(driver.start(1, { low: 1 }).get(REGISTER.status) & 8, 0);
    assert.equal(driver.start(1, { low: EVENT_INDEX | INDIRECT | 0x40 }).get(REGISTER.status), 0xf);
    driver.set(REGISTER.deviceFeaturesSel, 2);
    assert.equal(driver.get(REGISTER.deviceFeatures), 0);
  });

  it('has one queue of 256 for a disk and no second one', () => {
    const driver = new Driver(disk());
    assert.equal(driver.get(REGISTER.queueNumMax), 256);
    driver.set(REGISTER.queueSel, 1);
    assert.deepEqual([driver.get(REGISTER.queueNumMax), driver.get(REGISTER.queueReady)], [0, 0]);
  });

  it('answers after its latency, raises the interrupt, and lowers it when acknowledged', () => {
    const driver = new Driver(disk()).start(1);
    driver.request(0, [header(0), { room: 512 }, { room: 1 }]);
    driver.set(REGISTER.notify, 0);
    assert.equal(driver.queue.nextDeadline(), 20_000);
    driver.queue.advance(ticks(19_999));
    assert.equal(driver.level, false);
    driver.queue.advance(ticks(20_000));
    assert.deepEqual([driver.level, driver.get(REGISTER.interruptStatus)], [true, 1]);
    driver.set(REGISTER.interruptAck, 1);
    assert.deepEqual([driver.level, driver.get(REGISTER.interruptStatus)], [false, 0]);
  });

  it('does not interrupt a driver that wants no interrupts', () => {
    const driver = new Driver(disk()).start(1);
    driver.put16(0x400, 1);
    driver.exchange(0, [header(4), { room: 1 }]);
    assert.equal(driver.level, false);
  });

  it('keeps to the event index in both directions', () => {
    const driver = new Driver(disk()).start(1, { low: EVENT_INDEX });
    const usedEvent = 0x404 + 2 * RING_SIZE;
    const availableEvent = 0x804 + 8 * RING_SIZE;
    driver.put16(usedEvent, 1);
    driver.exchange(0, [header(4), { room: 1 }]);
    assert.equal(driver.level, false, 'the first used buffer is not the one waited for');
    assert.equal(driver.memory.bytes[availableEvent], 1);
    driver.exchange(0, [header(4), { room: 1 }]);
    assert.equal(driver.level, true);
    assert.equal(driver.memory.bytes[availableEvent], 2);
  });

  it('reads its configuration in pieces of 1, 2 and 4 bytes, and refuses 8', () => {
    const driver = new Driver(disk());
    assert.deepEqual([driver.get(0x100, 4), driver.get(0x100, 1), driver.get(0x114, 2), driver.get(0x1fc)], [SECTORS, SECTORS, 512, 0]);
    assert.equal(driver.slot.read(0x100, 8), undefined);
    assert.equal(driver.get(REGISTER.magic, 2), 0);
  });

  it('forgets queues and what is under way when it is reset', () => {
    const driver = new Driver(disk()).start(1);
    driver.request(0, [header(4), { room: 1 }]);
    driver.set(REGISTER.notify, 0);
    driver.set(REGISTER.status, 0);
    driver.pass();
    assert.deepEqual([driver.get(REGISTER.status), driver.get(REGISTER.queueReady), driver.takeUsed(0)], [0, 0, undefined]);
  });
});

describe('a driver that breaks the rules takes its device out of service', () => {
  const OUT = MEMORY_BASE + 0x8_0000;
  const plain = { address: OUT, length: 16, flags: 0, next: 0 };

  function checkBroken(prepare: (driver: Driver) => void, features = INDIRECT): void {
    const driver = new Driver(disk()).start(1, { low: features });
    prepare(driver);
    driver.notify(0);
    assert.equal(driver.get(REGISTER.status) & NEEDS_RESET, NEEDS_RESET);
    assert.equal(driver.get(REGISTER.interruptStatus), 2);
    driver.exchange(0, [header(4), { room: 1 }]);
    assert.equal(driver.takeUsed(0), undefined, 'nothing works any more');
    driver.start(1);
    assert.equal(driver.exchange(0, [header(4), { room: 1 }])?.written, 1, 'a reset repairs it');
  }

  it('by a chain that loops', () => { checkBroken((driver) => { driver.putDescriptor(0, 0, { ...plain, flags: 1, next: 0 }); driver.offer(0, 0); }); });
  it('by a chain that leaves the table', () => { checkBroken((driver) => { driver.putDescriptor(0, 0, { ...plain, flags: 1, next: RING_SIZE }); driver.offer(0, 0); }); });
  it('by a head outside the table', () => { checkBroken((driver) => { driver.offer(0, 999); }); });
  it('by offering more than the ring holds', () => { checkBroken((driver) => { driver.put16(0x402, RING_SIZE + 1); }); });
  it('by buffers outside memory', () => { checkBroken((driver) => { driver.putDescriptor(0, 0, { ...plain, address: 0x1000 }); driver.offer(0, 0); }); });
  it('by addresses of 64 bits', () => { checkBroken((driver) => { driver.putDescriptor(0, 0, { ...plain, address: 0xffff_ffff_ffff_fff0n }); driver.offer(0, 0); }); });
  it('by something readable behind something writable', () => {
    checkBroken((driver) => { driver.putDescriptor(0, 0, { ...plain, flags: 3, next: 1 }); driver.putDescriptor(0, 1, plain); driver.offer(0, 0); });
  });
  it('by an indirect table of odd length', () => { checkBroken((driver) => { driver.putDescriptor(0, 0, { ...plain, length: 24, flags: 4 }); driver.offer(0, 0); }); });
  it('by an indirect table inside an indirect table', () => {
    checkBroken((driver) => { driver.putDescriptorAt(0x8_0000, { ...plain, flags: 4 }); driver.putDescriptor(0, 0, { ...plain, flags: 4 }); driver.offer(0, 0); });
  });
  it('by an indirect table that loops', () => {
    checkBroken((driver) => { driver.putDescriptorAt(0x8_0000, { ...plain, flags: 1, next: 0 }); driver.putDescriptor(0, 0, { ...plain, flags: 4 }); driver.offer(0, 0); });
  });
  it('by indirect tables that were not negotiated', () => { checkBroken((driver) => { driver.putDescriptor(0, 0, { ...plain, flags: 4 }); driver.offer(0, 0); }, 0); });
  it('by lengths that no memory has', () => {
    checkBroken((driver) => {
      driver.putDescriptor(0, 0, { ...plain, flags: 1, next: 1 });
      driver.putDescriptor(0, 1, { ...plain, length: 0xffff_ffff, flags: 2 });
      driver.offer(0, 0);
    });
  });
  it('by a used ring outside memory', () => {
    checkBroken((driver) => {
      driver.set(REGISTER.queueReady, 0);
      driver.set(REGISTER.queueNum, RING_SIZE);
      for (const [register, address] of [[REGISTER.descriptors, MEMORY_BASE], [REGISTER.driver, MEMORY_BASE + 0x400], [REGISTER.deviceRing, 0x1000]] as const) driver.set(register, address);
      driver.set(REGISTER.queueReady, 1);
      driver.request(0, [header(4), { room: 1 }]);
    });
  });
});

describe('a virtio disk', () => {
  it('reads and writes sectors, directly and by indirect tables, and never touches the image', () => {
    const image = original();
    const driver = new Driver(disk({ image })).start(1, { low: INDIRECT });
    assert.deepEqual(driver.exchange(0, [header(0, 5), { room: 512 }, { room: 1 }], true)?.bytes, Uint8Array.from([...Array<number>(512).fill(5), 0]));
    checkStatus(driver, [header(1, 5), { out: new Uint8Array(1024).fill(0xab) }, { room: 1 }], 0);
    assert.deepEqual([4, 5, 6, 7].map((sector) => checkStatus(driver, [header(0, sector), { room: 512 }, { room: 1 }], 0)[511]), [4, 0xab, 0xab, 7]);
    assert.deepEqual(image, original());
  });

  it('answers requests outside it and of odd lengths with an I/O error, and unknown ones as unsupported', () => {
    const driver = new Driver(disk()).start(1);
    checkStatus(driver, [header(0, SECTORS), { room: 512 }, { room: 1 }], 1);
    checkStatus(driver, [header(0, 0xffff_ffff), { room: 512 }, { room: 1 }], 1);
    checkStatus(driver, [header(0), { room: 100 }, { room: 1 }], 1);
    checkStatus(driver, [header(1, SECTORS - 1), { out: new Uint8Array(1024) }, { room: 1 }], 1);
    checkStatus(driver, [header(77), { room: 1 }], 2);
  });

  it('flushes and tells its identifier', () => {
    const driver = new Driver(disk()).start(1);
    checkStatus(driver, [header(4), { room: 1 }], 0);
    assert.equal(Buffer.from(checkStatus(driver, [header(8), { room: 20 }, { room: 1 }], 0)).toString('latin1').replaceAll('\0', ''), 'disk0');
  });

  it('discards and writes zeroes, with the flags that exist', () => {
    const driver = new Driver(disk()).start(1);
    checkStatus(driver, [header(11), { out: range(8, 3) }, { room: 1 }], 0);
    checkStatus(driver, [header(13), { out: Uint8Array.from([...range(1, 1, 1), ...range(20, 1)]) }, { room: 1 }], 0);
    assert.deepEqual([1, 2, 8, 10, 11, 20].map((sector) => checkStatus(driver, [header(0, sector), { room: 512 }, { room: 1 }], 0)[0]), [0, 2, 0, 0, 11, 0]);
    checkStatus(driver, [header(11), { out: range(8, 3, 1) }, { room: 1 }], 2);
    checkStatus(driver, [header(13), { out: range(SECTORS, 1) }, { room: 1 }], 1);
    checkStatus(driver, [header(13), { out: new Uint8Array(15) }, { room: 1 }], 1);
  });

  it('refuses writes if it is read-only', () => {
    const driver = new Driver(disk({ isReadOnly: true })).start(1);
    driver.set(REGISTER.deviceFeaturesSel, 0);
    assert.equal(driver.get(REGISTER.deviceFeatures) & (0x20 | 0x2000), 0x20);
    checkStatus(driver, [header(1), { out: new Uint8Array(512) }, { room: 1 }], 1);
    checkStatus(driver, [header(13), { out: range(0, 1) }, { room: 1 }], 1);
  });

  it('goes back to what it held when it was saved', () => {
    const driver = new Driver(disk()).start(1);
    const write = (value: number) => checkStatus(driver, [header(1), { out: new Uint8Array(512).fill(value) }, { room: 1 }], 0);
    write(1);
    const saved = driver.slot.save();
    write(2);
    driver.slot.restore(saved);
    assert.deepEqual(driver.slot.save(), saved);
    const again = new Driver(disk()).start(1);
    again.slot.restore({ ...saved, queues: again.slot.save().queues });
    assert.equal(checkStatus(again, [header(0), { room: 512 }, { room: 1 }], 0)[0], 1);
  });

  it('holds any sequence of writes and clears as plain memory would', () => {
    const step = fc.record({ offset: fc.nat(16_000), sizeBytes: fc.nat(9000), value: fc.nat(255), kind: fc.constantFrom('write', 'clear', 'save') });
    fc.assert(fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const image = Uint8Array.from({ length: 10_000 }, (_, n) => n & 0xff);
      const model = new Uint8Array(20_000);
      model.set(image);
      let contents = new DiskContents(imageOf(image), model.length);
      for (const { offset, sizeBytes, value, kind } of steps) {
        const size = Math.min(sizeBytes, model.length - offset);
        if (kind === 'write') contents.write(offset, new Uint8Array(size).fill(value));
        else if (kind === 'clear') contents.clear(offset, size);
        if (kind !== 'save') model.fill(kind === 'write' ? value : 0, offset, offset + size);
        const copy = new DiskContents(imageOf(image), model.length);
        copy.restore(contents.save());
        if (kind === 'save') contents = copy;
        assert.deepEqual(copy.read(0, model.length), model);
      }
    }), { numRuns: 50, seed: 11 });
  });
});

describe('the other virtio devices', () => {
  it('give random bytes that follow from the seed', () => {
    const read = (seed: number) => new Driver(new VirtioEntropy(seed)).start(1).exchange(0, [{ room: 32 }]);
    assert.deepEqual(read(1), read(1));
    assert.notDeepEqual(read(1)?.bytes, read(2)?.bytes);
    assert.equal(read(1)?.written, 32);
  });

  it('print what the driver transmits and deliver what is typed', () => {
    const printed: number[] = [];
    const console = new VirtioConsole((byte) => { printed.push(byte); });
    const driver = new Driver(console);
    console.receive(Buffer.from('early '));
    driver.start(2);
    driver.exchange(1, [{ out: Buffer.from('hello ') }, { out: Buffer.from('world') }]);
    assert.equal(Buffer.from(printed).toString(), 'hello world');
    const { rooms } = driver.request(0, [{ room: 64 }]);
    driver.notify(0);
    assert.deepEqual(driver.takeUsed(0), { head: 2, written: 6 });
    const [at = 0] = rooms;
    assert.equal(Buffer.from(driver.memory.bytes.subarray(at, at + 6)).toString(), 'early ');
    driver.request(0, [{ room: 2 }]);
    driver.notify(0);
    assert.equal(driver.takeUsed(0), undefined, 'nothing typed, nothing delivered');
    console.receive(Buffer.from('abc'));
    driver.pass();
    assert.equal(driver.takeUsed(0)?.written, 2);
    assert.equal(console.waitingInputCount, 1);
    driver.set(REGISTER.configuration + 8, 0x21);
    assert.equal(Buffer.from(printed).toString(), 'hello world!');
  });

  it('carry frames between cards on one switch, to the one that is meant once it is known', () => {
    const queue = new TickEventQueue();
    const wire = new EthernetSwitch(queue, 'switch');
    const received: string[][] = [[], [], []];
    const ports = received.map((list) => wire.addPort((frame) => { list.push(Buffer.from(frame.subarray(12)).toString()); }));
    const send = (from: number, to: number, text: string): void => {
      wire.send(ports[from] ?? 0, Uint8Array.from([0x52, 0, 0, 0, 0, to, 0x52, 0, 0, 0, 0, from, ...Buffer.from(text)]));
      queue.advance(ticks(queue.now + 20_000));
    };
    send(0, 1, 'flooded');
    send(1, 0, 'known');
    send(2, 1, 'known too');
    assert.deepEqual(received, [['known'], ['flooded', 'known too'], ['flooded']]);
    wire.send(0, new Uint8Array(3));
    assert.equal(queue.nextDeadline(), undefined);
  });

  it('send and receive frames with their headers, and drop what does not fit', () => {
    const sent: Uint8Array[] = [];
    const card = new VirtioNet({ address: Uint8Array.of(0x52, 0x54, 0, 0x12, 0, 7), send: (frame) => { sent.push(frame); } });
    const driver = new Driver(card).start(2, { low: 0x20 });
    assert.deepEqual([driver.get(0x100), driver.get(0x104, 2), driver.get(0x106, 2)], [0x1200_5452, 0x0700, 1]);
    driver.exchange(1, [{ out: new Uint8Array(12) }, { out: new Uint8Array(60).fill(9) }]);
    driver.exchange(1, [{ out: new Uint8Array(12 + 4000) }]);
    assert.deepEqual(sent, [new Uint8Array(60).fill(9)]);
    driver.start(2);
    driver.request(0, [{ room: 1526 }]);
    card.receive(new Uint8Array(64).fill(3));
    driver.pass();
    assert.equal(driver.takeUsed(0)?.written, 76);
    driver.request(0, [{ room: 20 }]);
    card.receive(new Uint8Array(64));
    driver.pass();
    assert.equal(driver.takeUsed(0)?.written, 0);
  });
});

describe('every virtio device', () => {
  const makers: readonly (() => VirtioFunction)[] = [
    () => disk(), () => new VirtioEntropy(3), () => new VirtioConsole(() => undefined),
    () => new VirtioNet({ address: new Uint8Array(6), send: () => undefined }),
  ];

  /** Random descriptors that often point where something is, random rings, random registers. */
  function scramble(driver: Driver, random: Prng): void {
    for (let n = 0; n < 24; n++) {
      const at = random.below(4) === 0 ? random.below(MEMORY_SIZE / 16) * 16 : random.below(2) * 0x1000 + random.below(RING_SIZE) * 16;
      const address = random.below(8) === 0 ? random.nextU64() : BigInt(MEMORY_BASE + random.below(MEMORY_SIZE + 0x100));
      driver.putDescriptorAt(at, { address, length: random.below(3) === 0 ? random.nextU32() : random.below(2048), flags: random.below(8), next: random.below(RING_SIZE + 2) });
    }
    for (let n = 0; n < 3; n++) driver.offer(random.below(2), random.below(RING_SIZE + 1));
    for (let n = 0; n < 4; n++) driver.set(random.below(3) === 0 ? random.below(0x80) * 4 : REGISTER.notify, random.below(4) === 0 ? random.nextU32() : random.below(3), [1, 2, 4, 4][random.below(4)]);
  }

  it('survives hostile rings and registers, and a restored copy goes on alike', () => {
    for (let seed = 1; seed <= 400; seed++) {
      const make = makers[seed % makers.length] ?? makers[0];
      if (make === undefined) continue;
      const random = new Prng(seed);
      const driver = new Driver(make()).start(seed % 4 < 2 ? 1 : 2, { low: random.below(2) === 0 ? INDIRECT | EVENT_INDEX : 0 });
      for (let round = 0; round < 4; round++) {
        scramble(driver, random);
        driver.queue.advance(ticks(driver.queue.now + random.below(30_000)));
      }
      const copy = new Driver(make());
      copy.continueFrom(driver);
      copy.queue.restart(driver.queue.now);
      const saved = driver.slot.save();
      copy.slot.restore(saved);
      assert.deepEqual(copy.slot.save(), saved, `seed ${seed}`);
      for (const one of [driver, copy]) {
        scramble(one, new Prng(seed + 1000));
        one.pass();
      }
      assert.deepEqual(copy.slot.save(), driver.slot.save(), `seed ${seed}`);
      assert.deepEqual(copy.memory.bytes, driver.memory.bytes, `seed ${seed}`);
    }
  });
});

/** The firmware configuration device, by its registers and by DMA. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Prng } from '../../../runtime/base/prng';
import { FW_CFG_KEY, FwCfg, fwCfgItems } from '../../../runtime/machine/devices/fw-cfg';
import { MEMORY_BASE, MEMORY_SIZE, TestMemory } from './virtio-driver';

const KERNEL = Uint8Array.from({ length: 1000 }, (_, n) => n & 0xff);
const CONTROL = 0x100;

interface Bench { readonly memory: TestMemory; readonly device: FwCfg }

function bench(): Bench {
  const memory = new TestMemory();
  const files = [{ name: 'opt/b', bytes: Uint8Array.of(1, 2, 3) }, { name: 'opt/a', bytes: Uint8Array.of(4) }];
  return { memory, device: new FwCfg(fwCfgItems({ cpuCount: 4, kernel: KERNEL, ramdisk: undefined, commandLine: 'console=ttyAMA0', files }), memory) };
}

const select = ({ device }: Bench, key: number): void => { device.write(8, 2, BigInt(((key & 0xff) << 8) | (key >> 8))); };
const take = ({ device }: Bench, count: number): number[] => Array.from({ length: count }, () => Number(device.read(0, 1)));

/** A transfer by DMA; the control word afterwards. */
function transfer({ memory, device }: Bench, control: number, sizeBytes: number, address: bigint): number {
  const view = new DataView(memory.bytes.buffer);
  view.setUint32(CONTROL, control);
  view.setUint32(CONTROL + 4, sizeBytes);
  view.setBigUint64(CONTROL + 8, address);
  device.write(0x10, 4, 0n);
  const low = new DataView(new ArrayBuffer(4));
  low.setUint32(0, MEMORY_BASE + CONTROL);
  device.write(0x14, 4, BigInt(low.getUint32(0, true)));
  return view.getUint32(CONTROL);
}

describe('the configuration device', () => {
  it('gives its signature, its abilities and the number of processors', () => {
    const all = bench();
    assert.equal(Buffer.from(take(all, 4)).toString(), 'QEMU');
    select(all, FW_CFG_KEY.id);
    assert.deepEqual(take(all, 4), [3, 0, 0, 0]);
    select(all, FW_CFG_KEY.cpuCount);
    assert.deepEqual(take(all, 4), [4, 0, 0, 0], 'zeros follow an item');
    assert.equal(all.device.read(0x10, 8), BigInt(`0x${Buffer.from('QEMU CFG').reverse().toString('hex')}`));
  });

  it('keeps the order of bytes in wide reads', () => {
    const all = bench();
    select(all, FW_CFG_KEY.kernelData);
    assert.deepEqual([all.device.read(0, 2), all.device.read(0, 4), all.device.read(0, 8)], [0x0100n, 0x0504_0302n, 0x0d0c_0b0a_0908_0706n]);
  });

  it('has kernel, command line, and a directory of files in order of their names', () => {
    const all = bench();
    select(all, FW_CFG_KEY.kernelSize);
    assert.deepEqual(take(all, 4), [0xe8, 3, 0, 0]);
    select(all, FW_CFG_KEY.commandLineData);
    assert.equal(Buffer.from(take(all, 16)).toString(), 'console=ttyAMA0\0');
    select(all, FW_CFG_KEY.initrdSize);
    assert.deepEqual(take(all, 4), [0, 0, 0, 0]);
    select(all, FW_CFG_KEY.fileDirectory);
    const directory = Buffer.from(take(all, 4 + 128));
    assert.deepEqual([directory.readUInt32BE(0), directory.readUInt32BE(4), directory.readUInt16BE(8), directory.toString('latin1', 12, 17)], [2, 1, 0x20, 'opt/a']);
    select(all, 0x21);
    assert.deepEqual(take(all, 3), [1, 2, 3]);
  });

  it('transfers by DMA: select, skip, read', () => {
    const all = bench();
    assert.equal(transfer(all, (FW_CFG_KEY.kernelData << 16) | 8 | 4, 10, 0n), 0);
    assert.equal(transfer(all, 2, 20, BigInt(MEMORY_BASE + 0x1000)), 0);
    assert.deepEqual(all.memory.bytes.subarray(0x1000, 0x1014), KERNEL.subarray(10, 30));
  });

  it('reports transfers that it cannot make', () => {
    const all = bench();
    assert.equal(transfer(all, (FW_CFG_KEY.kernelData << 16) | 8 | 2, 16, 0x1000n), 1);
    assert.equal(transfer(all, 2, 0xffff_ffff, BigInt(MEMORY_BASE)), 1);
    assert.equal(transfer(all, 16, 4, BigInt(MEMORY_BASE)), 1);
    assert.equal(transfer(all, 2, 16, 0xffff_ffff_ffff_fff8n), 1);
  });

  it('never throws, and goes on alike after save and restore', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const [original, copy] = [bench(), bench()];
      const step = ({ device, memory }: Bench, random: Prng): unknown => {
        const offset = random.below(0x18);
        const sizeBytes = [1, 2, 4, 8][random.below(4)] ?? 1;
        memory.write(MEMORY_BASE + random.below(MEMORY_SIZE - 4), Uint8Array.of(random.below(256), random.below(8)));
        return random.below(2) === 0 ? device.read(offset, sizeBytes) : device.write(offset, sizeBytes, random.nextU64());
      };
      const before = new Prng(seed);
      for (let n = 0; n < 30; n++) step(original, before);
      copy.memory.bytes.set(original.memory.bytes);
      copy.device.restore(original.device.save());
      const [left, right] = [new Prng(seed + 500), new Prng(seed + 500)];
      for (let n = 0; n < 30; n++) assert.deepEqual(step(copy, left), step(original, right), `seed ${seed}`);
      assert.deepEqual(copy.device.save(), original.device.save());
    }
  });
});

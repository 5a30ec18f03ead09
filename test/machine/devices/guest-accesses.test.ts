import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TickEventQueue } from '../../../runtime/machine/event-queue';
import { Gic } from '../../../runtime/machine/devices/gic';
import { Pl011 } from '../../../runtime/machine/devices/pl011';
import { Pl031 } from '../../../runtime/machine/devices/pl031';

/** Reads and writes of one frame. */
interface Target { read(offset: number, sizeBytes: number): bigint | undefined; write(offset: number, sizeBytes: number, value: bigint): boolean }

/**
 * Register accesses that Linux, EDK2, U-Boot and bare-metal guests were seen to make on QEMU's `virt` machine without an
 * ITS: `OFFSET:SIZES:DIRECTIONS`, `A+B*N` for N registers B bytes apart.
 */
const SEEN: readonly (readonly [device: string, accesses: string])[] = [
  ['GICD', '0x0:4:RW 0x4:4:R 0x8:4:R 0xc:4:R 0xffe8:4:R 0x380+4*32:4:W 0x180+4*32:4:W 0xc00+4*64:4:RW 0x80+4*32:4:W 0x400+4*255:4:RW 0x400+1*1020:1:W 0x6100+8*988:8:W 0x100+4*32:4:RW 0x200+4*32:4:R'],
  ['GICR', '0x0:4:RW 0x8:8:R 0x14:4:RW 0x70:8:R 0x78:8:R 0xffe8:4:R 0x10080:4:W 0x10100:4:W 0x10180:4:W 0x10200:4:R 0x10300:4:R 0x10380:4:W 0x10400+4*8:4:RW 0x10c04:4:R'],
  ['PL011', '0x0:1:RW 0x0:2:W 0x0:4:RW 0x4:4:W 0x18:24:R 0x24:2:W 0x24:4:RW 0x28:2:W 0x28:4:RW 0x2c:2:W 0x2c:4:RW 0x30:24:RW 0x34:2:W 0x38:2:RW 0x44:2:W 0xfe0+4*8:4:R'],
  ['PL031', '0x0:4:R 0x4:4:RW 0xc:4:RW 0x10:4:RW 0x14:124:RW 0x18:124:RW 0x1c:4:W 0xfe0+4*8:124:RW'],
];

function targets(): Readonly<Record<string, Target>> {
  const line = { setLevel: (): void => undefined };
  const gic = new Gic({ cpuCount: 8, spiCount: 988 }, { setSignals: () => undefined, checkPending: () => false });
  return {
    GICD: {
      read: (offset, sizeBytes) => gic.readDistributor(1, offset, sizeBytes),
      write: (offset, sizeBytes, value) => gic.writeDistributor(1, { offset, sizeBytes, value }),
    },
    GICR: {
      read: (offset, sizeBytes) => gic.readRedistributor(1, offset, sizeBytes),
      write: (offset, sizeBytes, value) => gic.writeRedistributor(1, { offset, sizeBytes, value }),
    },
    PL011: new Pl011({ line, transmit: () => undefined }),
    PL031: new Pl031({ line, queue: new TickEventQueue(), key: 'rtc', ticksPerSecond: 1e9, startSeconds: 0 }),
  };
}

function checkAccepted(target: Target, access: string): void {
  const [place = '', sizes = '', directions = ''] = access.split(':');
  const [, base = '', stride = '0', count = '1'] = /^(0x[0-9a-f]+)(?:\+(\d+)\*(\d+))?$/.exec(place) ?? [];
  for (let i = 0; i < Number(count); i++) {
    const offset = Number(base) + i * Number(stride);
    for (const size of sizes) {
      if (directions.includes('R')) assert.notEqual(target.read(offset, Number(size)), undefined, `read ${offset.toString(16)} of ${access}`);
      if (directions.includes('W')) assert.equal(target.write(offset, Number(size), 0n), true, `write ${offset.toString(16)} of ${access}`);
    }
  }
}

describe('accesses that common guests make', () => {
  for (const [device, accesses] of SEEN) {
    it(`are all taken by the ${device}`, () => {
      const target = targets()[device];
      assert.ok(target);
      for (const access of accesses.split(' ')) checkAccepted(target, access);
    });
  }
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { pa } from '../../runtime/base/brands';
import { BOARD_RTC, BOARD_UART } from '../../runtime/machine/board';
import { Bus } from '../../runtime/machine/bus';
import { Pl011 } from '../../runtime/machine/devices/pl011';
import { Pl031 } from '../../runtime/machine/devices/pl031';
import { TickEventQueue } from '../../runtime/machine/event-queue';

const silent = { setLevel: (): void => undefined };

function board(): Bus {
  const bus = new Bus();
  const queue = new TickEventQueue();
  bus.add({ ...BOARD_RTC, device: new Pl031({ line: silent, queue, key: 'rtc', ticksPerSecond: 1e9, startSeconds: 7 }) });
  bus.add({ ...BOARD_UART, device: new Pl011({ line: silent, transmit: () => undefined }) });
  return bus;
}

describe('the bus', () => {
  const rows: readonly [address: bigint, sizeBytes: number, result: bigint | 'unmapped' | 'refused'][] = [
    [0x0900_0018n, 4, 0x90n], [0x0900_0018n, 1, 0x90n], [0x0901_0000n, 4, 7n], [0x0900_0fe0n, 4, 0x11n],
    [0x0900_0018n, 8, 0x90n], [0x0900_0019n, 2, 'refused'], [0x0900_0ffcn, 8, 'refused'],
    [0x0900_1000n, 4, 'unmapped'], [0x08ff_fffcn, 4, 'unmapped'], [0n, 1, 'unmapped'], [0xff_ffff_ffffn, 1, 'unmapped'],
  ];
  for (const [address, sizeBytes, result] of rows) {
    it(`answers ${String(result)} to a load of ${sizeBytes} at 0x${address.toString(16)}`, () => {
      const answer = board().read(pa(address), sizeBytes);
      assert.equal(answer.outcome === 'done' ? answer.value : answer.outcome, result);
    });
  }

  it('lists devices by address and finds them by name', () => {
    assert.deepEqual(board().devices.map(({ name }) => name), ['pl011', 'pl031']);
    assert.equal(board().find(pa(0x0901_0ffcn))?.name, 'pl031');
  });

  it('refuses overlapping devices and equal names as our own mistake', () => {
    const device = new Pl011({ line: silent, transmit: () => undefined });
    assert.throws(() => { board().add({ name: 'other', base: 0x0900_0ff0, sizeBytes: 0x20, device }); }, /collides with pl011/);
    assert.throws(() => { board().add({ name: 'pl011', base: 0x1000, sizeBytes: 0x1000, device }); }, /collides/);
  });

  it('never throws on an access, and restores every device', () => {
    const access = fc.record({ write: fc.boolean(), address: fc.oneof(fc.bigInt({ min: 0x0900_0000n, max: 0x0901_1fffn }), fc.bigInt({ min: 0n, max: (1n << 40n) - 1n })), sizeBytes: fc.constantFrom(1, 2, 4, 8), value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }) });
    fc.assert(fc.property(fc.array(access, { maxLength: 40 }), (accesses) => {
      const bus = board();
      for (const { write, address, sizeBytes, value } of accesses) {
        if (write) bus.write(pa(address), sizeBytes, value);
        else bus.read(pa(address), sizeBytes);
      }
      const copy = board();
      copy.restore(bus.save());
      assert.deepEqual(copy.save(), bus.save());
    }), { numRuns: 200 });
  });
});

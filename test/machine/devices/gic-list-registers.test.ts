/** List registers by themselves: which one is chosen, what stays, what comes back. What they make of a whole GIC is held by the conformance probe. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ListedState, ListRegisters } from '../../../runtime/machine/devices/gic-list-registers';

/** Lists of CPU 0 in which slots 0..3 are listed with these priorities and in these states; the place chosen for a priority. */
function checkChoice(listed: readonly (readonly [number, ListedState])[], priority: number, expected: number | undefined): void {
  const lists = new ListRegisters(1, 8);
  listed.forEach(([held], slot) => { lists.put(slot, slot, held, true); });
  assert.equal(lists.choose(0, priority, (slot) => listed[slot]?.[1] ?? 'idle'), expected);
}

describe('list registers', () => {
  it('take an empty place before one whose interrupt has ended', () => {
    checkChoice([[0x80, 'idle'], [0x80, 'idle'], [0x80, 'idle']], 0x80, 3);
  });

  it('take the first place whose interrupt has ended', () => {
    checkChoice([[0x80, 'pending'], [0x80, 'idle'], [0x80, 'idle'], [0x80, 'active']], 0x80, 1);
  });

  it('displace the last active one of lowest priority', () => {
    checkChoice([[0x80, 'active'], [0xa0, 'active'], [0xa0, 'active'], [0xc0, 'pending']], 0xf0, 2);
  });

  it('displace a pending one only for something more urgent, and an active one of priority 0 never', () => {
    checkChoice([[0x40, 'pending'], [0x60, 'pending'], [0x60, 'pending'], [0x50, 'pending']], 0x50, 2);
    checkChoice([[0x40, 'pending'], [0x60, 'pending'], [0x60, 'pending'], [0x50, 'pending']], 0x60, undefined);
    checkChoice([[0, 'active'], [0, 'active'], [0, 'active'], [0, 'active']], 0x60, undefined);
  });

  it('recall displaced interrupts, the last one first, and 0 when there is none', () => {
    const lists = new ListRegisters(2, 8);
    lists.displace(1, 5);
    lists.displace(1, 110);
    assert.deepEqual([lists.recall(1), lists.recall(1), lists.recall(1), lists.recall(0)], [110, 5, 0, 0]);
  });

  it('come back as they were saved', () => {
    const lists = new ListRegisters(1, 8);
    lists.put(2, 7, 0xa0, false);
    lists.displace(0, 9);
    const other = new ListRegisters(1, 8);
    other.put(0, 3, 0x10, true);
    other.restore(lists.save());
    assert.deepEqual([other.placeOf(7), other.placeOf(3), other.priorityAt(2), other.isGroup1At(2), other.recall(0)], [2, undefined, 0xa0, false, 9]);
  });
});

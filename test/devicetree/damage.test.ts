/**
 * What one missing token does to the trees of VMs: nearly always one or two errors, where the token was, and an outline that keeps its nodes. And what a
 * folder of a vendor's trees says as it is: no error. `npm run figures -- device-trees --only vm-trees` deletes every token in turn, here it is one of three.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Figure } from './figures/figure';
import { damageFigures, vendorFigures } from './figures/vm-trees';

function checkFigures(figures: readonly Figure[]): void {
  for (const { what, misses } of figures) assert.deepEqual(misses, [], what);
}

describe('trees of VMs', () => {
  it('with one token missing have at most two errors, within two lines, in 95 of 100 cases, and keep 95 of 100 nodes in their outline', () => {
    const figures = damageFigures(3);
    assert.ok(Number(/ of (\d+)/.exec(figures[0]?.seen ?? '')?.[1]) > 1000);
    checkFigures(figures);
  });

  it('in the forms of phone vendors open without an error', async () => { checkFigures(await vendorFigures()); });
});

/**
 * A spread sample of Linux's device trees, compiled by dtc and by us: the same bytes, the same warnings, a preview that compiles to the same;
 * overlays as fdtoverlay merges them; the formatter changes no tree. `npm run figures -- device-trees` takes every file.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { combinationFigures, formatFigures, rootFigures } from '../figures/trees';
import type { Figure } from '../figures/figure';

function checkFigures(figures: readonly Figure[]): void {
  for (const { what, misses } of figures) assert.deepEqual(misses, [], what);
}

describe('Linux\'s device trees', () => {
  it('compile to the bytes of dtc, with the warnings of dtc, and so do their previews', () => { checkFigures(rootFigures(16)); });

  it('combine with their overlays as fdtoverlay combines them, and the previews of what comes out compile to it', () => { checkFigures(combinationFigures(7)); });

  it('are formatted without a change to what they mean, mostly without any', () => { checkFigures(formatFigures(24)); });
});

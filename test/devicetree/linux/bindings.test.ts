/**
 * Linux's bindings with our own types and standard properties: all of them are read, boards fail where dt-schema 2025.08 says and nowhere else, and
 * the examples in bindings compile to the bytes of dtc and fail no binding. Samples; `npm run figures -- device-trees` takes everything.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { boardFigures, exampleFigures, readingFigure } from '../figures/bindings';
import type { Figure } from '../figures/figure';

function checkFigures(figures: readonly Figure[]): void {
  for (const { what, misses } of figures) assert.deepEqual(misses, [], what);
}

describe('Linux\'s bindings', () => {
  it('are all read', () => {
    const figure = readingFigure();
    assert.ok(Number(figure.seen.split(' ')[0]) > 4300, figure.seen);
    checkFigures([figure]);
  });

  it('fail where dt-schema says so, and nowhere else', () => { checkFigures(boardFigures(6)); });

  it('have examples that compile to the bytes of dtc and fail no binding', () => { checkFigures(exampleFigures(24)); });
});

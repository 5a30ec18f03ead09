/** Debian's `dt-validate` and our checks on a spread of bindings, with their examples damaged: the same nodes fail by the same bindings. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dtValidateFigure } from '../figures/dt-validate';

/** Of the bindings in the sample, how many may be left out because that dt-schema is older. */
const EXCEPTIONS_MAX = 6;

describe('examples of Linux\'s bindings, damaged', () => {
  it('fail as Debian\'s dt-validate says', () => {
    const { seen, misses, exceptions = [] } = dtValidateFigure(100);
    assert.deepEqual(misses, []);
    assert.ok(Number(seen.split(' ')[0]) > 100, seen);
    assert.ok(exceptions.length <= EXCEPTIONS_MAX, exceptions.join('\n'));
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Host } from '../../debug-adapter/host';
import { LongWork, type Pieces } from '../../debug-adapter/long-work';

/** A host whose clock goes on by a millisecond at each look, and `between`, which is called whenever others have their turn. */
function hostOf(between: () => void): Host {
  let now = 0;
  const unused = (): never => { throw new Error('not needed'); };
  return { readFile: unused, exists: unused, writeFile: unused, appendFile: unused, resolvePath: unused, folderOf: unused, now: () => now++, defer: (callback) => { setImmediate(() => { between(); callback(); }); } };
}

function* counting(count: number): Pieces<string> {
  for (let i = 0; i < count; i++) yield i / count;
  return `${count} pieces`;
}

interface Seen { readonly events: string[]; turns: number; readonly work: LongWork }

function working(between: (seen: Seen) => void = () => undefined): Seen {
  const seen: Seen = {
    events: [],
    turns: 0,
    work: new LongWork(hostOf(() => {
      seen.turns++;
      between(seen);
    }), {
      begin: (title) => { seen.events.push(`begin ${title}`); return 'p1'; },
      update: (id) => { seen.events.push(`update ${id}`); },
      end: (id) => { seen.events.push(`end ${id}`); },
    }),
  };
  return seen;
}

test('short work ends in one turn and shows nothing', async () => {
  const seen = working();
  assert.equal(await seen.work.run('Counting', counting(10)), '10 pieces');
  assert.deepEqual([seen.turns, seen.events], [0, []]);
});

test('long work lets others have their turn and shows that it goes on', async () => {
  const seen = working();
  assert.equal(await seen.work.run('Counting', counting(2000)), '2000 pieces');
  assert.ok(seen.turns > 10);
  assert.deepEqual([seen.events[0], seen.events.at(-1)], ['begin Counting', 'end p1']);
  assert.ok(seen.events.slice(1, -1).length > 10 && seen.events.slice(1, -1).every((event) => event === 'update p1'));
});

test('work is given up when it is asked to, by the progress that is shown or without a name', async () => {
  for (const name of ['p1', undefined]) {
    const seen = working(({ work, events }) => { if (events.length === 3) assert.ok(work.cancel(name)); });
    await assert.rejects(seen.work.run('Counting', counting(1e9)), /^Error: cancelled$/);
    assert.equal(seen.events.at(-1), 'end p1');
    assert.equal(await seen.work.run('Counting', counting(5)), '5 pieces', 'what comes after is not concerned');
  }
});

test('another progress than the one shown does not concern it, and with nothing under way there is nothing to give up', async () => {
  const seen = working(({ work }) => { assert.equal(work.cancel('p77'), false); });
  assert.equal(await seen.work.run('Counting', counting(2000)), '2000 pieces');
  assert.equal(seen.work.cancel(undefined), false);
});

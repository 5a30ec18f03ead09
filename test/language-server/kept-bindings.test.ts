import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';

import { BindingStore } from '../../language-server/binding-store';
import type { BindingSet } from '../../runtime/devicetree/bindings/binding-set';
import { linkTree, parseDts } from '../../runtime/devicetree/index';

const COUNT = 220;

const bindingText = (index: number, limit = index): string => [
  `$id: http://devicetree.org/schemas/test/device${String(index)}.yaml#`, '$schema: http://devicetree.org/meta-schemas/core.yaml#', `title: Device ${String(index)}`,
  'properties:', '  compatible:', `    const: test-maker,device${String(index)}`, '  level:', '    $ref: /schemas/types.yaml#/definitions/uint32', `    maximum: ${String(limit)}`,
  'required:', '  - compatible', 'additionalProperties: false', '',
].join('\n');

/** A folder of bindings and one for what is kept, gone after the test. */
function inFolders(work: (folders: { readonly bindings: string; readonly cache: string }) => void): void {
  const root = mkdtempSync(join(tmpdir(), 'kept-bindings-'));
  const folders = { bindings: join(root, 'bindings'), cache: join(root, 'cache') };
  mkdirSync(folders.bindings);
  for (let index = 0; index < COUNT; index++) writeFileSync(join(folders.bindings, `device${String(index)}.yaml`), bindingText(index));
  try {
    work(folders);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const TREE = linkTree(parseDts('/dts-v1/; / { a { compatible = "test-maker,device7"; level = <8>; }; b { compatible = "test-maker,device9"; level = <9>; }; };').tree).tree.root;

/** The failures of a tree in which one of two devices has too high a level. */
function failuresOf(set: BindingSet): readonly string[] {
  return set.checkTree(TREE).filter(({ schemaId }) => schemaId.includes('/test/')).map(({ node, keyword, path }) => `${node.path} ${keyword} ${path.join('/')}`);
}

const EXPECTED = ['/a maximum level'];

function checkLoads({ bindings, cache }: { readonly bindings: string; readonly cache: string }, expected: readonly string[]): void {
  assert.deepEqual(failuresOf(new BindingStore(cache).setFor('documented', [bindings])), expected);
}

const keptFile = (cache: string): string => join(cache, readdirSync(cache)[0] ?? '');

test('a large collection is kept, and says the same when it is read again', () => {
  inFolders((folders) => {
    checkLoads(folders, EXPECTED);
    assert.equal(readdirSync(folders.cache).length, 1);
    const before = readFileSync(keptFile(folders.cache));
    checkLoads(folders, EXPECTED);
    assert.deepEqual(readFileSync(keptFile(folders.cache)), before, 'it is not written again');
  });
});

test('what a killed process left unfinished is removed, what another one is at is not', () => {
  inFolders((folders) => {
    mkdirSync(folders.cache);
    const [old, young] = [join(folders.cache, '0.bindings.1-0'), join(folders.cache, '0.bindings.2-0')];
    for (const path of [old, young]) writeFileSync(path, 'begun');
    utimesSync(old, 1, 1);
    checkLoads(folders, EXPECTED);
    assert.deepEqual([old, young].map((path) => existsSync(path)), [false, true]);
  });
});

test('a changed, a new and a removed binding are noticed', () => {
  inFolders((folders) => {
    checkLoads(folders, EXPECTED);
    writeFileSync(join(folders.bindings, 'device9.yaml'), bindingText(9, 1));
    checkLoads(folders, [...EXPECTED, '/b maximum level']);
    rmSync(join(folders.bindings, 'device7.yaml'));
    checkLoads(folders, ['/b maximum level']);
    writeFileSync(join(folders.bindings, 'new.yaml'), bindingText(7));
    checkLoads(folders, [...EXPECTED, '/b maximum level']);
  });
});

test('whatever damage is done to what is kept, the verdicts stay', () => {
  inFolders((folders) => {
    checkLoads(folders, EXPECTED);
    const path = keptFile(folders.cache);
    const whole = readFileSync(path);
    const damage = fc.oneof(
      fc.nat(whole.length).map((length) => whole.subarray(0, length)),
      fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, bits]) => Buffer.from(whole).fill((whole[at] ?? 0) ^ bits, at, at + 1)),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.concat([whole, bytes])),
    );
    fc.assert(fc.property(damage, (bytes) => {
      writeFileSync(path, bytes);
      checkLoads(folders, EXPECTED);
    }), { numRuns: 30 });
  });
});

test('where nothing can be written, bindings are used all the same', () => {
  inFolders((folders) => {
    writeFileSync(folders.cache, 'a file, not a folder');
    checkLoads(folders, EXPECTED);
  });
});

test('read in the background, bindings come in steps, with progress, and are given up once forgotten', () => {
  inFolders(({ bindings, cache }) => {
    const waiting: (() => void)[] = [];
    const seen: number[] = [];
    let readyCount = 0;
    const store = new BindingStore(cache);
    store.background = { soon: (run) => { waiting.push(run); }, notice: assert.fail, ready: () => { readyCount++; }, progress: (done) => { seen.push(done); } };
    const early = store.setFor('documented', [bindings]);
    assert.deepEqual(failuresOf(early), [], 'until then, our own bindings are what there is');
    store.forget();
    store.setFor('documented', [bindings]);
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) run();
    assert.equal(readyCount, 1, 'what was forgotten is not announced');
    assert.deepEqual(failuresOf(store.setFor('documented', [bindings])), EXPECTED);
    assert.equal(seen.at(-1), Math.max(...seen));
    assert.ok((seen.at(-1) ?? 0) > COUNT);
    assert.equal(readdirSync(cache).length, 1, 'what was begun in vain leaves nothing');
    store.forget();
    assert.deepEqual(failuresOf(store.setFor('documented', [bindings])), EXPECTED);
  });
});

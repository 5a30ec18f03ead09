import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { build, type BuildOptions } from 'esbuild';

import { keepInThreads, type PoolOptions } from '../../language-server/binding-pool';
import { BindingStore } from '../../language-server/binding-store';
import { keepBindings, readKept } from '../../language-server/kept-bindings';
import { linkTree, parseDts } from '../../runtime/devicetree/index';
import { filesBelow, linuxSources } from '../devicetree/linux/sources';

const folder = mkdtempSync(join(tmpdir(), 'binding-pool-'));
/** The program as it is shipped, and one whose reader never comes back from files of a certain name, or takes all memory. */
const PROGRAM = join(folder, 'binding-reader.js');
const WEAK_PROGRAM = join(folder, 'weak-reader.js');
const ROOT = resolve(__dirname, '..', '..');
const WEAK_READING = `
export * from './kept-bindings.ts';
import { readForKeeping as read } from './kept-bindings.ts';
const hoard = [];
export function readForKeeping(path) {
  while (path.endsWith('endless.yaml'));
  while (path.endsWith('huge.yaml')) hoard.push(new Array(1000).fill(path.length + hoard.length));
  return read(path);
}`;

before(async () => {
  const common: BuildOptions = { absWorkingDir: ROOT, entryPoints: ['language-server/binding-reader.ts'], bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'], logLevel: 'error' };
  await build({ ...common, outfile: PROGRAM });
  await build({
    ...common, outfile: WEAK_PROGRAM,
    plugins: [{ name: 'weak', setup: (made) => {
      made.onResolve({ filter: /^\.\/kept-bindings$/ }, ({ resolveDir }) => ({ path: 'weak', namespace: 'weak', pluginData: resolveDir }));
      made.onLoad({ filter: /.*/, namespace: 'weak' }, () => ({ contents: WEAK_READING, resolveDir: join(ROOT, 'language-server'), loader: 'js' }));
    } }],
  });
});
after(() => { rmSync(folder, { recursive: true, force: true }); });

interface Ending {
  readonly how: string;
  readonly left: readonly string[];
  readonly progress: readonly number[];
}

/** Reads in threads and waits for the end. */
async function ending(path: string, files: readonly string[], options: PoolOptions = {}): Promise<Ending> {
  const progress: number[] = [];
  const { promise, resolve: end } = withResolvers<Ending>();
  // The threads do not keep the process alive.
  const alive = setInterval(() => undefined, 1000);
  const stop = keepInThreads(path, files, { progress: (done) => { progress.push(done); }, ended: (how, left) => { end({ how, left, progress }); } }, { program: PROGRAM, ...options });
  assert.ok(stop !== undefined);
  const seen = await promise;
  clearInterval(alive);
  return seen;
}

function withResolvers<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let settle: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => { settle = done; });
  return { promise, resolve: settle };
}

function keptInProcess(path: string, files: readonly string[]): Buffer {
  for (const step of keepBindings(path, files)) assert.equal(step, undefined);
  return readFileSync(path);
}

const bindingText = (index: number): string => [
  `$id: http://devicetree.org/schemas/test/device${String(index)}.yaml#`, `title: Device ${String(index)}`,
  'properties:', '  compatible:', `    const: test-maker,device${String(index)}`, '  level:', '    $ref: /schemas/types.yaml#/definitions/uint32', `    maximum: ${String(index)}`,
  'required:', '  - compatible', 'additionalProperties: false', 'examples:', '  - |', '    a { };', '',
].join('\n');

let collectionCount = 0;

/** A folder with bindings and other files. */
function collection(count: number, others: Readonly<Record<string, string | Buffer>> = {}): readonly string[] {
  const at = join(folder, `collection-${String(collectionCount++)}`);
  mkdirSync(at);
  for (let index = 0; index < count; index++) writeFileSync(join(at, `device${String(index)}.yaml`), bindingText(index));
  for (const [name, content] of Object.entries(others)) writeFileSync(join(at, name), content);
  return readdirSync(at).sort().map((name) => join(at, name));
}

const TREE = linkTree(parseDts('/dts-v1/; / { a { compatible = "test-maker,device7"; level = <8>; }; b { compatible = "test-maker,device9"; level = <9>; }; };').tree).tree.root;

describe('Reading bindings in threads', () => {
  it('comes to the same bytes as reading them one after the other: all of Linux\'s', async () => {
    const files = filesBelow('Documentation/devicetree/bindings', ['.yaml']).map((name) => join(linuxSources(), name));
    const path = join(folder, 'linux.bindings');
    const { how, left, progress } = await ending(path, files);
    assert.deepEqual([how, left], ['kept', []]);
    assert.deepEqual([...progress].sort((a, b) => a - b), progress);
    assert.ok(progress.length > 100);
    assert.ok(keptInProcess(join(folder, 'alone.bindings'), files).equals(readFileSync(path)));
    assert.equal(readKept(path)?.schemas.size, files.length);
  });

  it('comes to the same bytes over files that are no bindings, malformed, twice there, bombs, no text, or gone', async () => {
    const bomb = `a: &a [x, x]\n${Array.from({ length: 30 }, (_, level) => `k${String(level)}: &b${String(level)} [*${level === 0 ? 'a' : `b${String(level - 1)}`}, *${level === 0 ? 'a' : `b${String(level - 1)}`}]\n`).join('')}$id: x\n`;
    const files = [...collection(100, {
      'bomb.yaml': bomb, 'broken.yaml': 'a: [', 'bytes.yaml': Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]), 'empty.yaml': '', 'list.yaml': '- a', 'twice.yaml': bindingText(3),
      'deep.yaml': `a: ${'['.repeat(500)}`, 'wide.yaml': `a: [${'x,'.repeat(1 << 18)}x]\n`, 'late.yaml': `a: "\nexamples:\n - b"\n$id: x\n`, 'loop.yaml': '$id: loop\nallOf: [{ $ref: "#" }]\na: &a [*a]\n',
    }), join(folder, 'none.yaml')];
    const path = join(folder, 'others.bindings');
    const { how, left } = await ending(path, files);
    assert.deepEqual([how, left], ['kept', []]);
    assert.ok(keptInProcess(join(folder, 'others-alone.bindings'), files).equals(readFileSync(path)));
  });

  it('leaves out a file that takes a thread too long or too much memory, and names it', async () => {
    const files = collection(150, { 'endless.yaml': 'a: b', 'huge.yaml': 'a: b' });
    const path = join(folder, 'weak.bindings');
    const { how, left } = await ending(path, files, { program: WEAK_PROGRAM, patienceMs: 5000 });
    assert.equal(how, 'kept');
    assert.deepEqual([...left].sort(), files.filter((file) => /endless|huge/.test(file)).sort());
    const rest = files.filter((file) => !left.includes(file));
    assert.ok(keptInProcess(join(folder, 'rest.bindings'), rest).equals(readFileSync(path)));
  });

  it('says so where nothing can be written, and where there is no program', async () => {
    writeFileSync(join(folder, 'file'), '');
    const { how } = await ending(join(folder, 'file', 'x.bindings'), collection(3));
    assert.equal(how, 'unwritable');
    assert.equal(keepInThreads('x', [], { progress: () => undefined, ended: () => undefined }, { program: join(folder, 'none.js') }), undefined);
  });

  it('leaves nothing behind when it is stopped', async () => {
    const path = join(folder, 'stopped', 'x.bindings');
    const { promise, resolve: begun } = withResolvers<undefined>();
    const stop = keepInThreads(path, collection(2000), { progress: () => { begun(undefined); }, ended: () => { assert.fail('it was stopped'); } }, { program: PROGRAM });
    const alive = setInterval(() => undefined, 1000);
    await promise;
    stop?.();
    for (let waited = 0; readdirSync(join(folder, 'stopped')).length > 0; waited++) {
      assert.ok(waited < 500, 'the file that was begun is gone');
      await new Promise((done) => { setTimeout(done, 20); });
    }
    clearInterval(alive);
  });

  /** A store that reads a collection in threads. */
  function storeOver(events: { readonly ready?: () => void; readonly progress?: (done: number, total: number, giveUp: () => void) => void; readonly notices?: string[]; readonly threads?: PoolOptions }): BindingStore {
    const store = new BindingStore(join(folder, `cache-${String(collectionCount)}`));
    store.background = {
      soon: (run) => { setImmediate(run); }, ready: events.ready ?? (() => undefined), progress: events.progress ?? (() => undefined),
      notice: (text) => { events.notices?.push(text); }, threads: events.threads ?? { program: PROGRAM },
    };
    return store;
  }

  const failuresFrom = (store: BindingStore, at: string): readonly string[] => store.setFor('documented', [at]).checkTree(TREE).filter(({ schemaId }) => schemaId.includes('/test/')).map(({ node, keyword }) => `${node.path} ${keyword}`);

  it('gives a store its bindings, with progress, and tells what was left out', async () => {
    const [first = ''] = collection(220, { 'endless.yaml': 'a: b' });
    const { promise, resolve: ready } = withResolvers<undefined>();
    const seen: number[] = [];
    const notices: string[] = [];
    const alive = setInterval(() => undefined, 1000);
    const store = storeOver({ ready: () => { ready(undefined); }, progress: (done) => { seen.push(done); }, notices, threads: { program: WEAK_PROGRAM, patienceMs: 3000 } });
    const at = resolve(first, '..');
    assert.deepEqual(failuresFrom(store, at), [], 'until then, our own bindings are what there is');
    await promise;
    clearInterval(alive);
    assert.deepEqual(failuresFrom(store, at), ['/a maximum']);
    assert.ok(seen.length > 3);
    assert.equal(seen.at(-1), Math.max(...seen));
    assert.equal(notices.length, 1);
    assert.match(notices[0] ?? '', /endless\.yaml/);
  });

  it('does with what is at hand once the user gives up, until bindings change', async () => {
    const at = resolve(collection(300)[0] ?? '', '..');
    let giveUp: (() => void) | undefined;
    const totals: [number, number][] = [];
    const { promise, resolve: ready } = withResolvers<undefined>();
    const store = storeOver({ ready: () => { ready(undefined); }, progress: (done, total, end) => { giveUp ??= end; totals.push([done, total]); } });
    assert.deepEqual(failuresFrom(store, at), []);
    giveUp?.();
    assert.deepEqual(totals.at(-1)?.[0], totals.at(-1)?.[1], 'the progress ends');
    assert.deepEqual(failuresFrom(store, at), []);
    store.forget();
    const alive = setInterval(() => undefined, 1000);
    assert.deepEqual(failuresFrom(store, at), []);
    await promise;
    clearInterval(alive);
    assert.deepEqual(failuresFrom(store, at), ['/a maximum']);
  });
});

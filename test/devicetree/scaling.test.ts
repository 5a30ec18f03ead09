/** Large trees take time that grows with their size: four times as much of anything takes about four times as long, from source to blob and through the checks. */
import assert from 'node:assert/strict';
import { cpuUsage } from 'node:process';
import { describe, it } from 'node:test';
import { applyOverlay, compileDts, decodeDtb, printDts } from '../../runtime/devicetree';
import { checkTree } from '../../runtime/devicetree/checks/check-table';

const COUNT = 5000;
/** Four times the time, and room for garbage collection and others on the machine; what grows with the square takes sixteen times as long. */
const RATIO_MAX = 9;
const ROUNDS = 3;

const many = (count: number, one: (index: number) => string): string => Array.from({ length: count }, (_, index) => one(index)).join('\n');
const tree = (body: string): string => `/dts-v1/;\n/ {\n${body}\n};\n`;

/** Sources with so many of something. */
const SOURCES: Readonly<Record<string, (count: number) => string>> = {
  'properties in one node': (count) => tree(many(count, (index) => `\tp${String(index)} = <${String(index)}>;`)),
  'cells in one property': (count) => tree(`\tp = <${many(count * 4, (index) => `(${String(index)} + 1)`)}>;`),
  'strings in one property': (count) => tree(`\tp = ${many(count, (index) => `"s${String(index)}",`)} "end";`),
  'nodes in one node': (count) => tree(many(count, (index) => `\tn${String(index)} { a = <1>; };`)),
  'labels with references to them': (count) => tree(`${many(count, (index) => `\tl${String(index)}: n${String(index)} { };`)}\n\tr { x = <${many(count, (index) => `&l${String(index)}`)}>; };`),
  'labels of one node': (count) => tree(`${many(count, (index) => `l${String(index)}:`)} n { };`),
  'bodies of other nodes': (count) => tree(many(count, (index) => `\tl${String(index)}: n${String(index)} { };`)) + many(count, (index) => `&l${String(index)} { x; };`),
  'bodies of the same node': (count) => tree('\tl: n { };') + many(count, (index) => `&l { x${String(index)}; y = <${String(index)}>; };`),
  'fixups': (count) => `/dts-v1/;\n/plugin/;\n&a { x = <${many(count, (index) => `&l${String(index)}`)}>; };\n`,
  'fragments': (count) => `/dts-v1/;\n/plugin/;\n${many(count, (index) => `&l${String(index)} { x; };`)}\n`,
  'deleted nodes': (count) => tree(many(count, (index) => `\tl${String(index)}: n${String(index)} { };`)) + many(count, (index) => `/delete-node/ &l${String(index)};`),
  'macros': (count) => `${many(count, (index) => `#define M${String(index)} ${String(index)}`)}\n${tree(many(count, (index) => `\tp${String(index)} = <M${String(index)}>;`))}`,
  'memory reservations': (count) => `/dts-v1/;\n${many(count, (index) => `/memreserve/ ${String(index)} 1;`)}\n/ { };\n`,
  'things that are wrong': (count) => tree(many(count, (index) => `\tp${String(index)} = <&none>`)),
};

/** Milliseconds of processor time. */
function timeOf(run: () => void): number {
  const before = cpuUsage();
  run();
  const { user, system } = cpuUsage(before);
  return (user + system) / 1000;
}

/** The whole way of a tree. */
function process(source: string): void {
  const { tree: linked, bytes } = compileDts(source, { symbols: true });
  checkTree(linked, {});
  const decoded = decodeDtb(bytes);
  if (decoded.ok) printDts(decoded.value.tree);
  printDts(linked);
}

/** Four times as much must not take much more than four times as long; the best of some rounds counts. */
function checkScaling(run: (count: number) => () => void): void {
  const [small, large] = [run(COUNT), run(4 * COUNT)];
  small();
  let [least, most] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    least = Math.min(least, timeOf(small));
    most = Math.min(most, timeOf(large));
    if (most < RATIO_MAX * least) break;
  }
  assert.ok(most < RATIO_MAX * Math.max(least, 2), `${String(COUNT)}: ${least.toFixed(1)} ms, four times as many: ${most.toFixed(1)} ms`);
}

void describe('the time that a tree takes grows with its size', () => {
  for (const [name, source] of Object.entries(SOURCES)) void it(`in ${name}`, () => { checkScaling((count) => { const text = source(count); return () => { process(text); }; }); });

  void it('in overlays that are applied', () => {
    checkScaling((count) => {
      const base = compileDts(tree(many(count, (index) => `\tl${String(index)}: n${String(index)} { };`)), { symbols: true }).tree;
      const overlay = compileDts(`/dts-v1/;\n/plugin/;\n${many(count, (index) => `&l${String(index)} { x = <&l${String(count - 1 - index)}>; };`)}\n`).tree;
      return () => { assert.ok(applyOverlay(base, overlay).ok); };
    });
  });
});

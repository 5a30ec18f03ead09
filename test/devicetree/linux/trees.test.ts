/**
 * Linux's device trees, compiled by dtc and by us: the same bytes, the same warnings; overlays as fdtoverlay merges them; the formatter changes
 * no tree. A sample on ordinary days; FIGURES=all takes every file.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CHECK_NAMES, checkTree } from '../../../runtime/devicetree/checks/check-table';
import { applyOverlay, compileDts, encodeDtb, hasErrors, type DeviceTree } from '../../../runtime/devicetree/index';
import { formatDts } from '../../../runtime/devicetree/syntax/format';
import { combinations, compileHere, compileWithDtc, filesBelow, inFolder, linuxFiles, linuxRoots, sample, type Combination } from './sources';

/** dtc 1.6.1 does not know `&{label/path}`, with which these trees name a node. */
const REFUSED = /\/(?:stm32mp151a-prtt1[acs]|stm32mp151c-mecio1r0|stm32mp151c-mect1s|stm32mp153c-mecio1r1)\.dts$/;

function sortedSource(blob: string): string {
  return spawnSync('dtc', ['-q', '-s', '-I', 'dtb', '-O', 'dts', blob], { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout;
}

/** The tree of a base or overlay, by the name of its blob; a base may be a combination itself. */
function treeOf(part: string, all: readonly Combination[]): DeviceTree {
  const inner = all.find(({ name }) => `${name}.dtb` === part);
  if (inner !== undefined) return combine(inner, all);
  return compileHere(part.replace(/\.dtbo$/, '.dtso').replace(/\.dtb$/, '.dts'), { symbols: true }).tree;
}

function combine({ name, parts }: Combination, all: readonly Combination[]): DeviceTree {
  const [base, ...overlays] = parts.map((part) => treeOf(part, all));
  assert.ok(base !== undefined, name);
  return overlays.reduce((merged, overlay) => {
    const applied = applyOverlay(merged, overlay);
    assert.ok(applied.ok, `${name}: ${applied.ok ? '' : applied.error.message}`);
    return applied.value;
  }, base);
}

function checkCombination(combination: Combination, all: readonly Combination[]): void {
  inFolder((folder) => {
    const files = combination.parts.map((part, index) => {
      const file = join(folder, `${String(index)}.dtb`);
      writeFileSync(file, encodeDtb(treeOf(part, all)));
      return file;
    });
    const [base = '', ...overlays] = files;
    const [theirs, ours] = [join(folder, 'theirs.dtb'), join(folder, 'ours.dtb')];
    assert.equal(spawnSync('fdtoverlay', ['-i', base, '-o', theirs, ...overlays]).status, 0, combination.name);
    writeFileSync(ours, encodeDtb(combine(combination, all)));
    assert.equal(sortedSource(ours), sortedSource(theirs), combination.name);
  });
}

/** What only one of the two says of which node. dtc counts deleted children where it looks for unnecessary cells. */
function differences(tree: DeviceTree, warnings: readonly string[]): string[] {
  const known = new Set(CHECK_NAMES);
  const theirs = new Set(warnings.filter((warning) => known.has(warning.split(' ')[0] ?? '')).map((warning) => warning.replace(/:[^ /]*$/, '')));
  const ours = new Set(checkTree(tree).map(({ code, node }) => `${code} ${node.path}`));
  const isDeletedChild = (warning: string): boolean => warning.startsWith('avoid_unnecessary_addr_size ') && tree.root.at(warning.split(' ')[1] ?? '')?.children.length === 0;
  return [
    ...[...theirs].filter((warning) => !ours.has(warning) && !isDeletedChild(warning)).map((warning) => `only dtc says ${warning}`),
    ...[...ours].filter((warning) => !theirs.has(warning)).map((warning) => `only we say ${warning}`),
  ];
}

describe('Linux\'s device trees', () => {
  it('compile to the bytes of dtc, with the warnings of dtc', () => {
    const wrongBytes: string[] = [];
    const wrongWarnings: string[] = [];
    for (const file of sample(linuxRoots(), 12)) {
      const { blob, warnings, message } = compileWithDtc(file);
      const { tree, bytes, diagnostics } = compileHere(file);
      assert.ok(!hasErrors(diagnostics), `${file}: ${diagnostics[0]?.message ?? ''}`);
      if (blob === undefined) {
        assert.match(file, REFUSED, message);
        continue;
      }
      if (Buffer.compare(blob, bytes) !== 0) wrongBytes.push(file);
      wrongWarnings.push(...differences(tree, warnings).map((line) => `${file}: ${line}`));
    }
    assert.deepEqual(wrongBytes, []);
    assert.deepEqual(wrongWarnings.slice(0, 20), []);
  });

  it('combine with their overlays as fdtoverlay combines them', () => {
    const all = combinations('arm64');
    assert.ok(all.length > 100);
    for (const combination of sample(all, 6)) checkCombination(combination, all);
  });

  it('are formatted without a change to what they mean, mostly without any', () => {
    const files = sample(filesBelow('arch/arm64/boot/dts', ['.dts', '.dtsi', '.dtso']), 12);
    let lines = 0;
    let changed = 0;
    let untouched = 0;
    for (const file of files) {
      const text = linuxFiles.readText(file) ?? '';
      const formatted = formatDts(text);
      assert.equal(formatDts(formatted), formatted, `${file} is done after one pass`);
      assert.equal(formatted.replace(/\s/g, ''), text.replace(/\s/g, ''), file);
      if (formatted === text) untouched++;
      const kept = new Set(formatted.split('\n'));
      lines += text.split('\n').length;
      changed += text.split('\n').filter((line) => !kept.has(line)).length;
      if (file.endsWith('.dts')) assert.deepEqual(compileFormatted(file, formatted), compileHere(file).bytes, file);
    }
    assert.ok(changed / lines < 0.01, `${String(changed)} of ${String(lines)} lines change`);
    assert.ok(untouched / files.length >= 0.9, `${String(untouched)} of ${String(files.length)} files stay as they are`);
  });
});

function compileFormatted(file: string, text: string): Uint8Array {
  return compileDts(text, { file, files: linuxFiles, bootCpu: 0, includePaths: ['include', 'scripts/dtc/include-prefixes'] }).bytes;
}

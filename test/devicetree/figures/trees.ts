/**
 * Linux's device trees, compiled by dtc and by us, figure by figure: bytes, warnings, what the merged preview compiles to, overlays as fdtoverlay
 * merges them, and the formatter. Each takes every `step`th file.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECK_NAMES, checkTree } from '../../../runtime/devicetree/checks/check-table';
import { applyOverlay, encodeDtb, hasErrors, printDts, type DeviceTree, type DtsFiles } from '../../../runtime/devicetree/index';
import { formatDts } from '../../../runtime/devicetree/syntax/format';
import { ARCHITECTURES, OTHER_ARCHITECTURES, combinations, compileHere, compileText, compileWithDtc, dtcOf, filesBelow, inFolder, linuxFiles, rootsOf, type Combination } from '../linux/sources';
import { judgeAll, ratio, share, type Figure } from './figure';

/** dtc 1.6.1 does not know `&{label/path}`, with which these trees name a node. */
const REFUSED = /\/(?:stm32mp151a-prtt1[acs]|stm32mp151c-mecio1r0|stm32mp151c-mect1s|stm32mp153c-mecio1r1)\.dts$/;
const REFUSED_WHY = 'dtc 1.6.1 refuses it: it does not know &{label/path}';

/** Every `step`th element, the first always. */
export function spread<T>(all: readonly T[], step: number): readonly T[] {
  return all.filter((_, index) => index % step === 0);
}

/** What we make of a root, beside dtc. */
interface RootVerdict {
  readonly file: string;
  readonly refused: boolean;
  readonly bytes: string | undefined;
  readonly warnings: readonly string[];
  readonly preview: string | undefined;
}

function judgeRoot(file: string): RootVerdict {
  const { tree, bytes, diagnostics } = compileHere(file);
  const preview = previewMiss(file, tree, bytes);
  const { blob, warnings, message } = compileWithDtc(file);
  const found = { file, refused: blob === undefined && REFUSED.test(file), preview, warnings: [], bytes: undefined };
  if (hasErrors(diagnostics)) return { ...found, bytes: `${file}: we say ${diagnostics[0]?.message ?? ''}` };
  if (blob === undefined) return found.refused ? found : { ...found, bytes: `${file}: only dtc refuses it: ${message}` };
  return { ...found, bytes: Buffer.compare(blob, bytes) === 0 ? undefined : `${file}: other bytes`, warnings: differences(tree, warnings).map((line) => `${file}: ${line}`) };
}

/** What is wrong with the preview of a tree: it must compile to the tree's bytes, by us and by dtc. */
function previewMiss(name: string, tree: DeviceTree, bytes: Uint8Array): string | undefined {
  const text = printDts(tree);
  const ours = compileText(text, tree.plugin);
  if (hasErrors(ours.diagnostics)) return `${name}: we say ${ours.diagnostics[0]?.message ?? ''}`;
  if (Buffer.compare(ours.bytes, bytes) !== 0) return `${name}: the preview compiles to other bytes`;
  const { blob, message } = dtcOf(text, tree.plugin);
  if (blob === undefined) return `${name}: dtc refuses the preview: ${message}`;
  return Buffer.compare(blob, bytes) === 0 ? undefined : `${name}: dtc compiles the preview to other bytes`;
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

/** Bytes, warnings and previews of roots of all architectures. */
export function rootFigures(step: number): readonly Figure[] {
  return figuresOfRoots(spread([...ARCHITECTURES, ...OTHER_ARCHITECTURES].flatMap(rootsOf), step));
}

/** The same of some roots. */
export function figuresOfRoots(files: readonly string[]): readonly Figure[] {
  const verdicts = files.map(judgeRoot);
  const judged = verdicts.filter(({ refused }) => !refused);
  const exceptions = verdicts.filter(({ refused }) => refused).map(({ file }) => `${file}: ${REFUSED_WHY}`);
  const warnings = judged.flatMap((one) => one.warnings);
  const silent = judged.filter((one) => one.warnings.length > 0).length;
  return [
    { what: 'trees and overlays of the 7 architectures and a few of others, bytes as dtc\'s', bar: 'all', exceptions, ...judgeAll(judged, ({ bytes }) => bytes) },
    { what: 'the same, warnings as dtc\'s', bar: 'all', exceptions, seen: ratio(judged.length - silent, judged.length), misses: warnings },
    { what: 'the same, the merged preview compiles to the same bytes, by us and by dtc', bar: 'all', ...judgeAll(verdicts, ({ preview }) => preview) },
  ];
}

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
  if (base === undefined) throw new Error(`${name} is made of nothing`);
  return overlays.reduce((merged, overlay) => {
    const applied = applyOverlay(merged, overlay);
    if (!applied.ok) throw new Error(`${name}: ${applied.error.message}`);
    return applied.value;
  }, base);
}

function judgeCombination(combination: Combination, all: readonly Combination[]): { readonly merged: string | undefined; readonly preview: string | undefined } {
  const { name } = combination;
  return inFolder((folder) => {
    const [base = '', ...overlays] = combination.parts.map((part, index) => {
      const file = join(folder, `${String(index)}.dtb`);
      writeFileSync(file, encodeDtb(treeOf(part, all)));
      return file;
    });
    const [theirs, ours] = [join(folder, 'theirs.dtb'), join(folder, 'ours.dtb')];
    const { status } = spawnSync('fdtoverlay', ['-i', base, '-o', theirs, ...overlays]);
    const merged = combine(combination, all);
    const bytes = encodeDtb(merged);
    writeFileSync(ours, bytes);
    const isSame = status === 0 && sortedSource(ours) === sortedSource(theirs);
    return { merged: isSame ? undefined : `${name}: ${status === 0 ? 'another tree' : 'fdtoverlay refuses it'}`, preview: previewMiss(name, merged, bytes) };
  });
}

/** Base and overlays of arm64's Makefiles. */
export function combinationFigures(step: number): readonly Figure[] {
  const all = combinations('arm64');
  const verdicts = spread(all, step).map((one) => judgeCombination(one, all));
  return [
    { what: 'base and overlays of arm64\'s Makefiles merged as fdtoverlay does (sorted trees)', bar: 'all', ...judgeAll(verdicts, ({ merged }) => merged) },
    { what: 'the same, the merged preview compiles to the same bytes, by us and by dtc', bar: 'all', ...judgeAll(verdicts, ({ preview }) => preview) },
  ];
}

/** Share of arm64's files that the formatter must leave as they are. */
const UNTOUCHED_MIN = 0.9;

/** What formatting does to a file: what is wrong with the result, and whether it is the file as it was. */
function judgeFormatting(file: string): { readonly miss: string | undefined; readonly untouched: boolean } {
  const text = linuxFiles.readText(file) ?? '';
  const formatted = formatDts(text);
  const untouched = formatted === text;
  if (untouched) return { miss: undefined, untouched };
  if (formatDts(formatted) !== formatted) return { miss: `${file}: a second pass changes it again`, untouched };
  if (formatted.replace(/\s/g, '') !== text.replace(/\s/g, '')) return { miss: `${file}: more than white space changes`, untouched };
  return { miss: undefined, untouched };
}

const formattedTexts = new Map<string, string | undefined>();

/** Linux's sources with every source of a tree formatted. */
const formattedFiles: DtsFiles = {
  ...linuxFiles,
  readText(path) {
    const text = linuxFiles.readText(path);
    if (text === undefined || !/\.dts[io]?$/.test(path)) return text;
    if (!formattedTexts.has(path)) formattedTexts.set(path, formatDts(text));
    return formattedTexts.get(path);
  },
};

/** What formatting a root and all that it includes does to its blob. */
function judgeFormatted(file: string): string | undefined {
  const { bytes, diagnostics } = compileHere(file, { files: formattedFiles });
  if (hasErrors(diagnostics)) return `${file}: ${diagnostics[0]?.message ?? ''}`;
  return Buffer.compare(bytes, compileHere(file).bytes) === 0 ? undefined : `${file}: other bytes`;
}

/** The formatter on files of all architectures; all of arm64's, because a share has to be reached there. */
export function formatFigures(step: number): readonly Figure[] {
  let safe = 0;
  let whole = 0;
  const misses: string[] = [];
  const rates = ARCHITECTURES.map((architecture): Figure => {
    const isBound = architecture === 'arm64';
    const files = spread(filesBelow(`arch/${architecture}/boot/dts`, ['.dts', '.dtsi', '.dtso']), isBound ? 1 : step);
    const verdicts = files.map(judgeFormatting);
    misses.push(...verdicts.flatMap(({ miss }) => miss ?? []));
    safe += verdicts.filter(({ miss }) => miss === undefined).length;
    whole += files.length;
    const untouched = verdicts.filter((one) => one.untouched).length;
    return { what: `files of ${architecture} that the formatter leaves as they are`, bar: isBound ? '90 %' : 'none', seen: share(untouched, files.length), misses: isBound && untouched < UNTOUCHED_MIN * files.length ? ['too few'] : [] };
  });
  return [
    { what: 'files of all architectures: formatting changes white space only, and a second time nothing', bar: 'all', seen: ratio(safe, whole), misses },
    { what: 'trees and overlays of all architectures: the same bytes once all their files are formatted', bar: 'all', ...judgeAll(spread(ARCHITECTURES.flatMap(rootsOf), step), judgeFormatted) },
    ...rates,
  ];
}

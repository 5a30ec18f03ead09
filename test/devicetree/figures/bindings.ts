/**
 * Linux's bindings with our own types and standard properties, figure by figure: all are read, their examples compile to dtc's bytes and fail no
 * binding, as in Linux's `dt_binding_check`, and boards fail where dt-schema 2025.08 says (`verdicts.json`, taken from its output: node, binding,
 * keyword, path to the value). Each takes every `step`th file.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBindings } from '../../../cli/dt-bindings';
import type { BindingFailure, BindingSet } from '../../../runtime/devicetree/bindings/binding-set';
import { failureWords } from '../../../runtime/devicetree/bindings/failure-words';
import { compileDts, hasErrors, type CompiledDts } from '../../../runtime/devicetree/index';
import { BINDINGS, examplesOf, linuxBindings } from '../linux/examples';
import { compileHere, compileTextWithDtc, INCLUDES, linuxFiles, linuxSources } from '../linux/sources';
import { judgeAll, ratio, type Figure } from './figure';
import { spread } from './trees';

const SCHEMAS = 'http://devicetree.org/schemas/';

/** `schemaId` as the files of Linux call it: the path of the binding. One has a slash too many. */
export function bindingName(schemaId: string): string {
  return schemaId.replace(SCHEMAS, '').replace(/^\/+|#$/g, '');
}

let linux: { readonly bindings: BindingSet; readonly problems: readonly string[] } | undefined;

/** Linux's bindings, read once. */
export function linuxBindingSet(): { readonly bindings: BindingSet; readonly problems: readonly string[] } {
  if (linux !== undefined) return linux;
  const loaded = loadBindings([join(linuxSources(), BINDINGS)]);
  if (!loaded.ok) throw new Error(loaded.error);
  const { bindings, diagnostics } = loaded.value;
  linux = { bindings, problems: diagnostics.map(({ file, message }) => `${file ?? ''}: ${message}`) };
  return linux;
}

/** All bindings, read. */
export function readingFigure(): Figure {
  const { bindings, problems } = linuxBindingSet();
  const all = linuxBindings();
  const read = new Set([...bindings.paths.values()].map((path) => path.slice(path.indexOf(BINDINGS))));
  const { seen, misses } = judgeAll(all, (file) => (read.has(file) ? undefined : `${file} is not read`));
  return { what: 'bindings read', bar: 'all', seen, misses: [...misses, ...problems] };
}

/** What we make of an example's source. */
export function compileExample(text: string): CompiledDts {
  return compileDts(text, { file: 'example.dts', files: linuxFiles, bootCpu: 0, includePaths: INCLUDES });
}

/** True of the nodes that an example stands in, which `dt_binding_check` passes over. */
function isFrame({ node }: BindingFailure): boolean {
  return node.path === '/' || /^\/example-\d+$/.test(node.path);
}

/** Examples of bindings: bytes, and failures of all bindings, undocumented compatible strings among them. */
export function exampleFigures(step: number): readonly Figure[] {
  const { bindings } = linuxBindingSet();
  const files = spread(linuxBindings(), step);
  const failures: string[] = [];
  let failing = 0;
  const bytes = judgeAll(files, (file) => {
    const text = examplesOf(file);
    const ours = compileExample(text);
    const found = hasErrors(ours.diagnostics) ? [] : bindings.checkTree(ours.tree.root).filter((failure) => !failure.isForgiven && !isFrame(failure));
    failures.push(...found.map((failure) => `${file}: ${failure.node.path} ${bindingName(failure.schemaId)} ${failure.keyword}: ${failureWords(failure)}`));
    if (found.length > 0) failing++;
    if (hasErrors(ours.diagnostics)) return `${file}: we say ${ours.diagnostics[0]?.message ?? ''}`;
    const { blob, message } = compileTextWithDtc(text);
    if (blob === undefined) return `${file}: only dtc refuses it: ${message}`;
    return Buffer.compare(blob, ours.bytes) === 0 ? undefined : `${file}: other bytes`;
  });
  return [
    { what: 'examples of bindings, bytes as dtc\'s', bar: 'all', ...bytes },
    { what: 'the same, none fails a binding', bar: 'all', seen: ratio(files.length - failing, files.length), misses: failures },
  ];
}

/** A failure as `verdicts.json` writes it: node, binding, keyword, path to the guilty value. */
function asVerdict({ node, schemaId, keyword, path }: BindingFailure): string {
  return `${node.path} ${bindingName(schemaId)} ${keyword} ${path.join('/')}`.trimEnd();
}

/** The board that dt-schema was asked about, and what it said. */
function verdicts(): ReadonlyMap<string, readonly string[]> {
  const content: unknown = JSON.parse(readFileSync(join(__dirname, '..', 'linux', 'verdicts.json'), 'utf8'));
  const strings = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []);
  return new Map(Object.entries(content ?? {}).map(([board, lines]) => [board, strings(lines)]));
}

/** Boards against dt-schema's verdicts, those that a node that is switched off forgives among them: none missing, none besides. */
export function boardFigures(step: number): readonly Figure[] {
  const { bindings } = linuxBindingSet();
  const missing: string[] = [];
  const extra: string[] = [];
  let count = 0;
  for (const [board, theirs] of spread([...verdicts()], step)) {
    const { tree } = compileHere(`arch/arm64/boot/dts/${board}`, { symbols: false });
    const ours = new Set(bindings.checkTree(tree.root).map(asVerdict));
    count += theirs.length;
    missing.push(...theirs.filter((line) => !ours.has(line)).map((line) => `${board}: only dt-schema says ${line}`));
    const known = new Set(theirs);
    extra.push(...[...ours].filter((line) => !known.has(line)).map((line) => `${board}: only we say ${line}`));
  }
  return [
    { what: 'failures of boards that dt-schema 2025.08 finds (node, binding, keyword, value)', bar: 'all', seen: ratio(count - missing.length, count), misses: missing },
    { what: 'failures of boards that it does not find', bar: '0', seen: String(extra.length), misses: extra },
  ];
}

/**
 * Debian's dt-schema (2022.08) as a second opinion: a spread of Linux's bindings with all that they refer to, their examples as they are and damaged, judged by
 * `dt-validate` and by us. Both must fail the same nodes by the same bindings. That version is older than Linux 6.12: where it judges an undamaged
 * example otherwise or refuses to read a binding, the two are not compared, and that is said. Its own core files are not compared: ours stand in their place.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { loadBindings } from '../../../cli/dt-bindings';
import { UNDOCUMENTED, type BindingSet } from '../../../runtime/devicetree/bindings/binding-set';
import { cloneTree, encodeDtb, hasErrors, type DeviceTree } from '../../../runtime/devicetree/index';
import { BINDINGS, examplesOf, linuxBindings } from '../linux/examples';
import { inFolder, linuxFiles, linuxSources } from '../linux/sources';
import { bindingName, compileExample } from './bindings';
import { ratio, type Figure } from './figure';

/** How often an example is damaged; the first copy stays whole. */
const COPIES = 6;
/** The first binding that is taken: the one at 0 is no device's. */
const OFFSET = 3;
const MAX_BUFFER = 1 << 28;

/** Adds a binding and what it refers to. */
function addWithReferences(file: string, found: Set<string>): void {
  const text = linuxFiles.readText(file);
  if (text === undefined || found.has(file)) return;
  found.add(file);
  for (const [, reference = ''] of text.replace(/^examples:[^]*/m, '').matchAll(/\$ref:\s*['"]?([^\s'"#]+\.yaml)/g)) {
    const name = reference.replace(/^(https?:\/\/[^/]+)?\/schemas\//, '');
    addWithReferences(normalize(name === reference ? join(dirname(file), reference) : join(BINDINGS, name)), found);
  }
}

/** A copy of an example's tree with one thing wrong; `undefined` if there is nothing to damage. Which thing depends on the numbers alone. */
function damaged(tree: DeviceTree, example: number, copy: number): DeviceTree | undefined {
  const made = cloneTree(tree);
  if (copy === 0) return made;
  const nodes = [...made.root.walk()].filter((node) => node.has('compatible') && node.parent !== undefined && !node.path.startsWith('/__'));
  const node = nodes[(copy * 7 + example) % Math.max(1, nodes.length)];
  const properties = node?.properties.filter(({ name }) => name !== 'phandle' && name !== 'compatible' && name !== 'status' && !name.endsWith('cells')) ?? [];
  const property = properties[(copy * 5 + example) % Math.max(1, properties.length)];
  if (node === undefined || property === undefined) return undefined;
  if (copy % 3 === 2) node.set('vendor,unknown', 1);
  else if (copy % 3 === 0 && property.value.length > 0 && property.value.every(({ type }) => type === 'string')) node.set(property.name, 'neither this nor that');
  else node.remove(property.name);
  return made;
}

/** Failing nodes with the binding, by copy: what we say. */
function ourVerdicts(bindings: BindingSet, tree: DeviceTree): ReadonlySet<string> {
  const failures = bindings.checkTree(tree.root).filter(({ isForgiven, schemaId, node }) => !isForgiven && schemaId !== UNDOCUMENTED && node.parent !== undefined && !/^\/example-\d+$/.test(node.path));
  return new Set(failures.map(({ node, schemaId }) => `${node.name} ${bindingName(schemaId)}`));
}

/** The same by dt-validate, from what it prints: the file and the node at the head of each failure, the binding's file at its end. */
function theirVerdicts(output: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  let head: readonly string[] = [];
  for (const line of output.split('\n')) {
    head = /^(?:\S+\/)?([\w-]+\.dtb):(?:\d+:\d+:)? (\S+): /.exec(line)?.slice(1) ?? head;
    const [, file] = /From schema: (.*)$/.exec(line) ?? [];
    const [copy = '', node = ''] = head;
    if (file === undefined || !file.includes(`${BINDINGS}/`)) continue;
    const verdicts = found.get(copy) ?? new Set<string>();
    found.set(copy, verdicts.add(`${node} ${file.slice(file.indexOf(BINDINGS) + BINDINGS.length + 1)}`));
  }
  return found;
}

interface Sample { readonly chosen: readonly string[]; readonly all: ReadonlySet<string> }

function sampleOf(step: number): Sample {
  const chosen = linuxBindings().filter((_, index) => index % step === OFFSET);
  const all = new Set<string>();
  for (const file of chosen) addWithReferences(file, all);
  return { chosen, all };
}

function run(command: string, words: readonly string[], cwd: string): { readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8', maxBuffer: MAX_BUFFER });
  if (status !== 0) throw new Error(`${command}: ${stderr.slice(-2000)}`);
  return { stdout, stderr };
}

/** Every `step`th binding's examples, whole and damaged. */
export function dtValidateFigure(step: number): Figure {
  const { chosen, all } = sampleOf(step);
  const paths = [...all].map((file) => join(linuxSources(), file));
  const loaded = loadBindings(paths);
  if (!loaded.ok) throw new Error(loaded.error);
  const { bindings } = loaded.value;
  const ours = new Map<string, ReadonlySet<string>>();
  const { theirs, refused } = inFolder((folder) => {
    for (const [example, file] of chosen.entries()) {
      const { tree, diagnostics } = compileExample(examplesOf(file));
      if (hasErrors(diagnostics)) continue;
      for (let copy = 0; copy < COPIES; copy++) {
        const made = damaged(tree, example, copy);
        if (made === undefined) break;
        const name = `${String(example)}-${String(copy)}.dtb`;
        writeFileSync(join(folder, name), encodeDtb(made));
        ours.set(name, new Set([...ourVerdicts(bindings, made)].filter((line) => all.has(`${BINDINGS}/${line.split(' ')[1] ?? ''}`))));
      }
    }
    const processed = run('dt-mk-schema', ['-j', ...paths], folder);
    writeFileSync(join(folder, 'processed.json'), processed.stdout);
    return { theirs: theirVerdicts(run('dt-validate', ['-s', 'processed.json', ...ours.keys()], folder).stderr), refused: processed.stderr };
  });
  return compare(chosen, { ours, theirs, refused });
}

function compare(chosen: readonly string[], { ours, theirs, refused }: { readonly ours: ReadonlyMap<string, ReadonlySet<string>>; readonly theirs: ReadonlyMap<string, ReadonlySet<string>>; readonly refused: string }): Figure {
  const none: ReadonlySet<string> = new Set();
  let agreed = 0;
  const misses: string[] = [];
  const exceptions: string[] = [];
  for (const [example, file] of chosen.entries()) {
    const copies = Array.from({ length: COPIES }, (_, copy) => `${String(example)}-${String(copy)}.dtb`).filter((name) => ours.has(name));
    const differences = copies.map((name) => differencesOf(ours.get(name) ?? none, theirs.get(name) ?? none));
    if (refused.includes(`${file}: ignoring`)) exceptions.push(`${file}: dt-schema 2022.08 refuses the binding`);
    else if (differences[0] !== undefined && differences[0].length > 0) exceptions.push(`${file}: the example as it is, with these few bindings: ${differences[0].join('; ')}`);
    else {
      misses.push(...differences.flatMap((lines, copy) => lines.map((line) => `${file}, copy ${String(copy)}: ${line}`)));
      for (const name of copies) agreed += [...theirs.get(name) ?? none].filter((line) => ours.get(name)?.has(line)).length;
    }
  }
  return { what: 'failures of damaged examples (node, binding) that Debian\'s dt-validate finds', bar: 'all, none besides', seen: ratio(agreed, agreed + misses.length), misses, exceptions };
}

function differencesOf(ours: ReadonlySet<string>, theirs: ReadonlySet<string>): readonly string[] {
  return [...[...theirs].filter((line) => !ours.has(line)).map((line) => `only dt-validate says ${line}`), ...[...ours].filter((line) => !theirs.has(line)).map((line) => `only we say ${line}`)];
}

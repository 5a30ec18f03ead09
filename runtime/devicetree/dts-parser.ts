/**
 * Parses device tree source. There is always a tree: what is wrong is reported with its place, and parsing goes on at
 * the next property or node. The tree is not linked: references keep their names until `linkTree`.
 */

import { DtsLexer, type DtsToken, type LexerState } from './dts-lexer';
import { WorkNode, WorkTree, type TreeUse, type WorkLabel } from './dts-merge';
import { DtsOrder, ORDER_OF, type OrderState } from './dts-order';
import { ValueParser } from './dts-values';
import { encodeDtb } from './dtb';
import { linkTree, type LinkOptions } from './link';
import { Preprocessor, type PreprocessedText, type PreprocessOptions } from './preprocessor';
import type { MissingFiles } from './preprocessor-state';
import { KnownBodies } from './known-bodies';
import { DiagnosticList, findLastIndex, type DtDiagnostic, type SourceOrigin } from './source';
import { NODE_DEPTH_MAX, type DeviceTree, type DtNode, type MemoryReservation } from './tree';
import { cells, stringList, type DtChunk } from './value';

/** How to parse. */
export interface ParseOptions extends PreprocessOptions {
  /** Name of the file for diagnostics, and the start for relative includes. */
  readonly file?: string;
  /** The physical id of the boot CPU in the blob's header (dtc -b); by default the `reg` of the first node in /cpus. */
  readonly bootCpu?: number;
  /** True for a text that is appended to a tree which is not at hand: what it refers to counts as there, what it says of labels and paths that it does not define becomes fragments, as in an overlay. */
  readonly isAppended?: boolean;
}

/** A parsed source. */
export interface ParsedDts {
  readonly tree: DeviceTree;
  readonly diagnostics: readonly DtDiagnostic[];
  /** Paths of all files that were read, the main one first. */
  readonly files: readonly string[];
  /** Which included files were not found, or that all that is appended to is not there. What they may define is not reported as missing too. */
  readonly missing: MissingFiles;
}

/** Parses the text of a `.dts`, `.dtso` or included file, with its preprocessor directives. */
export function parseDts(text: string, options: ParseOptions = {}): ParsedDts {
  return new DtsReader('once').read(text, options);
}

/**
 * Parses a source again and again as it changes. What stands before the first change, in all files, is not read twice: preprocessor and
 * parser go back to their last safe place before it. The outcome is the same as that of `parseDts`, but the tree shares with the one before, which is of no more use,
 * all nodes and properties that say the same: whoever works with one after the other can go by that.
 */
export class DtsReader {
  private state: { readonly key: string; readonly problems: DiagnosticList; readonly preprocessor: Preprocessor; readonly parser: Parser; readonly missing: MissingFiles } | undefined;
  private root: DtNode | undefined;
  private readonly use: TreeUse;

  /** A reader that is used once keeps nothing for a second time. */
  constructor(use: TreeUse = 'again') {
    this.use = use;
  }

  /** Parses the text as it is now, with all files as they are now. */
  read(text: string, options: ParseOptions = {}): ParsedDts {
    const file = options.file ?? 'input.dts';
    const key = JSON.stringify([file, options.includePaths, options.defines, options.bootCpu, options.isAppended]);
    const known = this.use === 'again' && this.state?.key === key && !this.state.parser.usesFiles ? this.state : undefined;
    const kept = known?.preprocessor.goBack(text, options);
    if (known !== undefined && kept !== undefined) {
      const input = known.preprocessor.run();
      if (input.missing === known.missing) {
        known.parser.goBack(input, { size: kept, options });
        return this.outcome(known.parser, known.problems, { input, isAppended: options.isAppended });
      }
    }
    const problems = new DiagnosticList();
    const preprocessor = new Preprocessor(text, file, { ...options, problems });
    const input = preprocessor.run();
    const parser = new Parser(input, options, this.use);
    this.state = { key, problems, preprocessor, parser, missing: input.missing };
    return this.outcome(parser, problems, { input, isAppended: options.isAppended });
  }

  private outcome(parser: Parser, problems: DiagnosticList, { input: { files, missing }, isAppended = false }: { readonly input: PreprocessedText; readonly isAppended: boolean | undefined }): ParsedDts {
    const tree = parser.run(this.root);
    this.root = tree.root;
    return { tree, diagnostics: parser.problemsBehind(problems), files, missing: isAppended ? 'base' : missing };
  }
}

/** A blob made from source. */
export interface CompiledDts {
  readonly tree: DeviceTree;
  /** Present even if there are errors: the best that can be made. Check `hasErrors` before use. */
  readonly bytes: Uint8Array;
  readonly diagnostics: readonly DtDiagnostic[];
  /** Paths of all files that were read, the main one first. */
  readonly files: readonly string[];
}

/** Parses, links and writes in one step, as `dtc` does. */
export function compileDts(text: string, options: ParseOptions & LinkOptions = {}): CompiledDts {
  const parsed = parseDts(text, options);
  const linked = linkTree(parsed.tree, { ...options, missing: parsed.missing });
  return { tree: linked.tree, bytes: encodeDtb(linked.tree), diagnostics: [...parsed.diagnostics, ...linked.diagnostics], files: parsed.files };
}

/** A place between two statements of the file, to which parsing can go back. */
interface ParserMark {
  readonly lexer: LexerState;
  readonly changeCount: number;
  readonly problemCount: number;
  readonly reservationCount: number;
  readonly fragmentCount: number;
  readonly bodyCount: number;
  readonly plugin: boolean;
  readonly version: boolean;
  readonly order: OrderState;
}

/** What can only be a macro: a name with arguments, or one in capitals that ends its line. */
const UNKNOWN_STATEMENT = /[A-Za-z_]\w*\(|[A-Z_][A-Z0-9_]*[ \t]*(?:\r?\n|$)/y;
/** What a file that was not found may hold. */
const IN_SOURCES = ['dts-label-not-found', 'dts-delete-not-found', 'dts-reference-not-found', 'dts-no-version', 'dts-late-plugin', 'dts-versions-differ', 'dts-no-root', 'dts-property-after-node'] as const;
/** What the tree that a text is appended to may hold. */
const IN_BASE = ['dts-label-not-found', 'dts-delete-not-found', 'dts-reference-not-found', 'dts-no-version', 'dts-no-root'] as const;

class Parser {
  private readonly lexer: DtsLexer;
  private readonly problems = new DiagnosticList();
  private readonly marks: ParserMark[] = [];
  private readonly values: ValueParser;
  private readonly bootCpu: number | undefined;
  private readonly use: TreeUse;
  private readonly tree: WorkTree;
  private readonly reservations: MemoryReservation[] = [];
  /** Bodies of statements, and those that were read before. */
  private readonly bodies = new KnownBodies();
  private plugin = false;
  private version = false;
  private fragmentCount = 0;
  private readonly order: DtsOrder;

  constructor(input: PreprocessedText, options: ParseOptions, use: TreeUse) {
    this.use = use;
    this.tree = new WorkTree(use);
    if (input.missing === 'sources') this.problems.silence(IN_SOURCES);
    else if (options.isAppended === true) this.problems.silence(IN_BASE);
    this.plugin = options.isAppended === true;
    this.lexer = new DtsLexer(input, this.problems);
    this.order = new DtsOrder(ORDER_OF[options.isAppended === true ? 'appended' : 'whole'], (code, token, blanks) => { this.lexer.problem(code, token, blanks); });
    this.values = new ValueParser(this.lexer, options);
    this.bootCpu = options.bootCpu;
  }

  /** True if the outcome depends on files that are not text. */
  get usesFiles(): boolean {
    return this.values.usesFiles;
  }

  /** The problems found, behind those that another step found before. */
  problemsBehind(others: DiagnosticList): readonly DtDiagnostic[] {
    return others.joinedWith(this.problems);
  }

  /** Goes back to the last place that depends only on the first `size` characters, and takes what follows from `input`. */
  goBack(input: PreprocessedText, { size, options }: { readonly size: number; readonly options: ParseOptions }): void {
    const index = Math.max(0, findLastIndex(this.marks, ({ lexer }) => lexer.seen <= size));
    const mark = this.marks[index];
    if (mark === undefined) return;
    this.marks.length = index;
    this.bodies.goBack(mark.bodyCount, size, input.rejoined);
    this.values.useFiles(options);
    this.lexer.restore(input, mark.lexer);
    this.tree.goBack(mark.changeCount);
    this.problems.cut(mark.problemCount);
    this.reservations.length = mark.reservationCount;
    this.fragmentCount = mark.fragmentCount;
    this.plugin = mark.plugin;
    this.version = mark.version;
    this.order.state = mark.order;
  }

  private mark(): void {
    if (this.use === 'once') return;
    this.marks.push({
      lexer: this.lexer.save(), changeCount: this.tree.changeCount, problemCount: this.problems.count, reservationCount: this.reservations.length, fragmentCount: this.fragmentCount,
      bodyCount: this.bodies.count, plugin: this.plugin, version: this.version, order: this.order.state,
    });
  }

  /** Reads on to the end. The tree shares with the one read before what says the same in both. */
  run(before?: DtNode): DeviceTree {
    let labels: DtsToken[] = [];
    this.mark();
    for (let token = this.lexer.peek('name'); token.kind !== 'end'; token = this.lexer.peek('name')) {
      if (token.kind === 'label') labels.push(this.lexer.take('name'));
      else {
        if (labels.length > 0) this.order.labels(labels, token);
        this.statement(token, labels.map((label) => this.labelOf(label)));
        labels = [];
        this.mark();
      }
    }
    if (labels.length > 0) this.order.labels(labels, this.lexer.peek('name'));
    this.order.end();
    if (this.tree.root === undefined) this.problems.add('dts-no-root', this.lexer.originOfGap());
    return { root: this.tree.finish(this.problems, before), reservations: [...this.reservations], bootCpu: this.bootCpu ?? this.tree.bootCpu(), plugin: this.plugin };
  }

  private statement(token: DtsToken, labels: WorkLabel[]): void {
    if (this.skipUnknownStatement()) return;
    if (token.kind === 'keyword') this.directive(this.lexer.take('name'));
    else if (token.kind === 'ref') this.referencedNode(this.lexer.take('name'), labels);
    else if (token.kind === 'other' && (token.text === '/' || token.text === '{')) {
      // A brace alone can only be the root's.
      if (token.text === '/') this.lexer.take('name');
      else this.values.expected('/', token);
      this.needVersion(token);
      this.order.node();
      const body = this.body('', { origin: this.lexer.origin(token), depth: 0, labels });
      if (body !== undefined) this.tree.mergeRoot(body);
    } else {
      this.values.expected('/ { … };, &label { … }; or a /directive/', token);
      this.skipStatement();
    }
  }

  private needVersion(token: DtsToken): void {
    if (!this.version) this.problems.add('dts-no-version', this.lexer.origin(token));
    this.version = true;
  }

  private directive(keyword: DtsToken): void {
    switch (keyword.text) {
      case 'dts-v1':
        this.order.version(keyword);
        this.version = true;
        break;
      case 'plugin':
        this.order.plugin(keyword);
        this.plugin = true;
        break;
      case 'memreserve':
        this.order.reservation(keyword);
        this.memreserve();
        break;
      case 'delete-node': this.withTarget((node) => { this.tree.delete(node); }, 'dts-delete-not-found'); break;
      case 'omit-if-no-ref': this.withTarget((node) => { this.tree.omitIfNoRef(node); }, 'dts-label-not-found'); break;
      default:
        this.values.expected('a node', keyword);
        this.skipStatement();
        return;
    }
    this.semicolon();
  }

  private memreserve(): void {
    while (this.lexer.peek('value').kind === 'label') this.lexer.take('value');
    const address = this.values.integer();
    const size = address === undefined ? undefined : this.values.integer();
    if (address === undefined || size === undefined) this.values.expected('an address and a size', this.lexer.peek('value'));
    else this.reservations.push({ address, size });
  }

  private withTarget(apply: (node: WorkNode) => void, code: 'dts-delete-not-found' | 'dts-label-not-found'): void {
    const token = this.lexer.peek('name');
    if (token.kind !== 'ref') {
      this.values.expected('&label or &{/path}', token);
      return;
    }
    this.lexer.take('name');
    const node = this.tree.find(token.text);
    if (node === undefined) this.lexer.problem(code, token, { name: token.text });
    else apply(node);
  }

  /** `&label { … };`: merged into its node, or in an overlay without that node, a fragment of its own. */
  private referencedNode(ref: DtsToken, labels: WorkLabel[]): void {
    this.needVersion(ref);
    this.order.node();
    const origin = this.lexer.origin(ref);
    const target = this.tree.find(ref.text);
    // An overlay only looks labels up in itself; its paths are always those of the base. What gets another label is always its own.
    const external = this.plugin && labels.length === 0 && (target === undefined || ref.text.startsWith('/'));
    if (target === undefined && !external) this.lexer.problem('dts-label-not-found', ref, { name: ref.text });
    const body = this.body(external ? '__overlay__' : (target?.name ?? ''), { origin, depth: external ? 2 : depthOf(target), labels });
    if (body === undefined) return;
    if (external) this.addFragment(body, ref.text);
    else if (target !== undefined) {
      this.tree.merge(target, body);
      this.tree.setOrigin(target, body.origin);
    }
  }

  private addFragment(body: WorkNode, reference: string): void {
    const fragment = new WorkNode(`fragment@${String(this.fragmentCount++)}`, body.origin);
    const path = reference.startsWith('/');
    const value = path ? stringList(reference) : [{ ...(cells({ reference })[0] ?? { type: 'u32', bytes: new Uint8Array(4), labels: [] }), references: [{ offset: 0, name: reference, origin: body.origin }] } satisfies DtChunk];
    fragment.addProperty({ name: path ? 'target-path' : 'target', value, labels: [], deleted: false, origin: body.origin });
    fragment.addChild(body);
    const root = this.tree.root ?? new WorkNode('', body.origin);
    if (this.tree.root === undefined) this.tree.setRoot(root);
    this.tree.attach(root, fragment);
  }

  /** `{ … };` of a node whose name was read. `undefined` if there is no brace, which is reported. */
  private body(name: string, head: { readonly origin: SourceOrigin; readonly depth: number; readonly labels: readonly WorkLabel[] }): WorkNode | undefined {
    const brace = this.lexer.peek('value');
    if (brace.text !== '{') {
      this.values.expected('{', brace);
      if (!this.opensWithoutBrace(head.labels[0]?.origin ?? head.origin, name) && !this.lacksBrace(brace)) {
        this.skipStatement();
        return undefined;
      }
    }
    if (head.depth >= NODE_DEPTH_MAX) {
      this.lexer.problem('dts-too-deep', brace, { limit: NODE_DEPTH_MAX });
      this.skipStatement();
      return undefined;
    }
    if (brace.text === '{') this.lexer.take('value');
    const known = brace.text === '{' ? this.bodies.find(brace.start, NODE_DEPTH_MAX - 1 - head.depth) : undefined;
    const node = known?.node ?? new WorkNode(name, head.origin);
    // dtc puts each label in front of those it has.
    node.head(name, distinct(head.labels), head.origin);
    if (known !== undefined) this.lexer.skipTo(known.end, known.seen);
    else this.newBody(node, head.depth, brace);
    return node;
  }

  private newBody(node: WorkNode, depth: number, brace: DtsToken): void {
    if (this.use === 'once') {
      this.members(node, depth, brace);
      return;
    }
    const { count } = this.problems;
    const place = this.bodies.enter(brace.start);
    this.members(node, depth, brace);
    this.bodies.leave(node, place, { end: this.lexer.lastEnd, seen: brace.text !== '{' || this.problems.count > count ? undefined : this.lexer.seenEnd });
  }

  /** True if a brace must have been forgotten on the line, before what comes next on it: the line closes more than it opens. */
  private lacksBrace(next: DtsToken): boolean {
    return !this.lexer.onNewLine && next.kind !== 'end' && this.lexer.lineBalance(next) < 0;
  }

  /** True if what comes next looks like the inside of a node whose brace was forgotten: further right, or after a unit address. */
  private opensWithoutBrace(head: SourceOrigin, name: string): boolean {
    const next = this.lexer.peek('name');
    const origin = this.lexer.origin(next);
    const begins = next.kind === 'name' || next.kind === 'label' || next.kind === 'keyword';
    if (!begins || origin.file !== head.file) return false;
    return name.includes('@') || name === '' || (origin.line > head.line && origin.column > head.column);
  }

  private members(node: WorkNode, depth: number, brace: DtsToken): void {
    let labels: WorkLabel[] = [];
    for (;;) {
      const token = this.lexer.peek('name');
      if (token.kind === 'end') {
        this.lexer.problem('dts-unterminated', brace, { what: 'node' });
        return;
      }
      if (token.kind === 'other' && token.text === '}') {
        this.lexer.take('name');
        this.semicolon();
        return;
      }
      if (token.text === ';' && token.kind === 'other' && this.lexer.onNewLine && this.isLeftOfBrace(token, node)) {
        this.values.expected('}', this.lexer.take('name'));
        return;
      }
      if (token.text === ';' && token.kind === 'other' && this.lexer.isOneLine(brace, token) && this.lexer.lineBalance(token) > 0) {
        this.values.expected('}', this.lexer.take('name'));
        return;
      }
      if (token.kind === 'label') labels.push(this.takeLabel());
      else {
        this.member(node, token, { depth, labels });
        if (labels.length > 0) labels = [];
      }
    }
  }

  /** True for a semicolon that begins a line where the node began, or a blank behind that: it is what is left of `};`. */
  private isLeftOfBrace(token: DtsToken, node: WorkNode): boolean {
    const behind = this.lexer.origin(token).column - (node.labels[0]?.origin ?? node.origin).column;
    return behind <= 0 || (behind === 1 && this.lexer.followsBlank(token));
  }

  private member(node: WorkNode, token: DtsToken, context: { readonly depth: number; readonly labels: WorkLabel[] }): void {
    if (this.skipUnknownStatement()) return;
    if (token.kind === 'name') this.named(node, this.lexer.take('name'), { depth: context.depth, labels: context.labels, omit: false });
    else if (token.kind === 'keyword' && token.text.startsWith('delete-')) this.deletion(node, this.lexer.take('name'));
    else if (token.kind === 'keyword' && token.text === 'omit-if-no-ref') {
      this.lexer.take('name');
      while (this.lexer.peek('name').kind === 'label') context.labels.push(this.takeLabel());
      const name = this.lexer.peek('name');
      if (name.kind === 'name') this.named(node, this.lexer.take('name'), { ...context, omit: true });
      else this.values.expected('a node', name);
    } else {
      this.values.expected('a property, a node or }', token);
      // Not even a stray token may stop the loop: `;` alone is passed over, all else up to it.
      if (token.text === ';') this.lexer.take('name');
      else this.skipStatement();
    }
  }

  /** A property or a child node, told apart by what follows the name. */
  private named(node: WorkNode, name: DtsToken, context: { readonly depth: number; readonly labels: WorkLabel[]; readonly omit: boolean }): void {
    const origin = this.lexer.origin(name);
    const { labels } = context;
    const next = this.lexer.peek('value');
    if (this.isNode(next, labels[0]?.origin ?? origin, name.text)) {
      const child = this.body(name.text, { origin, depth: context.depth + 1, labels });
      if (child === undefined) return;
      if (child.omitIfNoRef !== context.omit) child.touch();
      child.omitIfNoRef = context.omit;
      node.addChild(child);
      return;
    }
    if (node.children.length > 0) this.lexer.problem('dts-property-after-node', name, { name: name.text });
    let value: readonly DtChunk[] = [];
    let failed = false;
    if (next.text === '=' && next.kind === 'other') {
      this.lexer.take('value');
      value = this.values.parse();
      ({ failed } = this.values);
    }
    node.addProperty({ name: name.text, value, labels: distinct(labels), deleted: false, origin });
    if (failed) this.recover();
    else this.semicolon(next.text === '=' && next.kind === 'other' ? 'value' : 'name');
  }

  /** True if a name begins a node, by what comes `next`: a brace, or something that none of a property is. */
  private isNode(next: DtsToken, head: SourceOrigin, name: string): boolean {
    if (next.text === '{') return true;
    if (next.text === '=' || next.text === ';') return false;
    return (next.text !== '}' && this.opensWithoutBrace(head, name)) || (/^[^=;<["]/.test(next.text) && this.lacksBrace(next));
  }

  /** Passes over `NAME(…)` or a `NAME` alone on its line where a missing file may define it; false if it is none. */
  private skipUnknownStatement(): boolean {
    if (this.lexer.input.missing === 'none') return false;
    const { text } = this.lexer.input;
    const { start } = this.lexer.peek('name');
    UNKNOWN_STATEMENT.lastIndex = start;
    if (!UNKNOWN_STATEMENT.test(text)) return false;
    this.values.skipUnknownMacro();
    if (this.lexer.peek('value').text === '{') this.skipStatement();
    else if (this.lexer.peek('value').text === ';') this.lexer.take('value');
    return true;
  }

  private deletion(node: WorkNode, keyword: DtsToken): void {
    const name = this.lexer.peek('name');
    if (name.kind !== 'name') {
      this.values.expected('a name', name);
      if (name.kind === 'ref') this.lexer.take('name');
    } else {
      this.lexer.take('name');
      const origin = this.lexer.origin(name);
      if (keyword.text === 'delete-property') node.addProperty({ name: name.text, value: [], labels: [], deleted: true, origin });
      else {
        const mark = new WorkNode(name.text, origin);
        mark.deleted = true;
        if (this.use === 'again') this.bodies.pass(mark, name.start);
        node.addChild(mark);
      }
    }
    this.semicolon();
  }

  private takeLabel(): WorkLabel {
    return this.labelOf(this.lexer.take('name'));
  }

  private labelOf(token: DtsToken): WorkLabel {
    return { name: token.text, origin: this.lexer.origin(token) };
  }

  /** What ends a statement. Behind the name or value of a property, a value in its place tells what was forgotten. */
  private semicolon(behind?: 'name' | 'value'): void {
    const token = this.lexer.peek('value');
    if (token.text === ';') {
      this.lexer.take('value');
      return;
    }
    // Most often it was just forgotten at the end of a line; then what follows is fine.
    const isValue = behind !== undefined && !this.lexer.onNewLine && (token.kind === 'string' || (token.kind === 'other' && /^[<[]$/.test(token.text)));
    this.problems.add(!isValue ? 'dts-missing-semicolon' : behind === 'name' ? 'dts-missing-equals' : 'dts-missing-comma', this.lexer.originOfGap());
    if (token.text !== '}' && token.kind !== 'end' && !this.lexer.onNewLine && !this.lexer.beginsMember(token)) this.skipStatement();
  }

  /** After a broken value: goes to its semicolon, or to a line that begins like the next property or node. */
  private recover(): void {
    for (;;) {
      const token = this.lexer.peek('value');
      if (token.kind === 'end' || token.text === '}') return;
      if (this.lexer.onNewLine && (token.kind === 'label' || token.kind === 'keyword' || this.lexer.peek('name').kind === 'name')) return;
      if (token.text === '{') {
        this.skipStatement();
        return;
      }
      this.lexer.take('value');
      if (token.text === ';') return;
    }
  }

  /** Passes over what cannot be understood: up to and with the next `;` or whole `{ … }`, or up to a `}`. */
  private skipStatement(): void {
    let depth = 0;
    for (let first = true; ; first = false) {
      const token = this.lexer.peek('value');
      if (token.kind === 'end' || (token.text === '}' && depth === 0 && !first)) return;
      this.lexer.take('value');
      if (token.text === '{') depth++;
      if (token.text === '}') depth--;
      if (token.text === '}' && depth <= 0) {
        if (this.lexer.peek('value').text === ';') this.lexer.take('value');
        return;
      }
      if (token.text === ';' && depth <= 0) return;
    }
  }
}

const NO_LABELS: readonly WorkLabel[] = [];

/** Reopening nodes by label must not add up to more depth than plain nesting may have. */
function depthOf(node: WorkNode | undefined): number {
  let depth = 0;
  for (let walk = node?.parent; walk !== undefined; walk = walk.parent) depth++;
  return depth;
}

/** Each label once; a list of its own. */
function distinct(labels: readonly WorkLabel[]): readonly WorkLabel[] {
  if (labels.length === 0) return NO_LABELS;
  if (labels.length === 1) return [...labels];
  const seen = new Set<string>();
  return labels.filter(({ name }) => !seen.has(name) && seen.add(name).size > 0);
}

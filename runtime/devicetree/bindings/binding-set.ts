/**
 * A set of bindings: processed schemas by `$id`, the types of all properties, and which schemas answer for a node. Texts come in as
 * parsed YAML; no file is read here.
 */

import type { Diagnostic } from '../../base/result';
import type { DtNode } from '../tree';
import { decodeTree } from './decode';
import type { Failure } from './check';
import { Evaluator, type CommonSchemas } from './evaluate';
import { NodeInstance, isValueList } from './instance';
import { copyJson, elementsOf, entriesOf, isList, isObject, type Json, type JsonObject } from './json';
import { compilePattern, type Pattern } from './pattern';
import { mentionsIn, type PropertyMention } from './property-mentions';
import { collectTypes, TypeCollector, type PropertyTypes } from './property-types';
import { fixSchema } from './schema-fixups';
import { Selection } from './selection';
import { valuePlace, type ValuePlace } from './value-place';

/** A binding file after YAML has been read. */
export interface BindingFile {
  readonly path: string;
  /** What the YAML reader returned. */
  readonly content: unknown;
}

/** A failure with the node and the binding it concerns. */
export interface BindingFailure extends Failure {
  readonly node: DtNode;
  /** `$id` of the binding that was chosen for the node, without fragment; `UNDOCUMENTED` if none knows a compatible string. */
  readonly schemaId: string;
  /** True if the node is switched off and the failure is one that only matters in a node at work. */
  readonly isForgiven: boolean;
  /** Where the guilty value stands in its property, if it is only a part of that. */
  readonly place?: ValuePlace;
}

/** The `schemaId` of failures about compatible strings that no binding documents; the path leads to the string. */
export const UNDOCUMENTED = 'generated-compatibles';

/** Bindings that answer for many devices and say nothing about each, when a device has a binding of its own. */
const GENERIC_COMPATIBLES = new Set(['syscon', 'simple-mfd', 'simple-bus']);
/** Missing and unknown members do not matter in a node that is switched off. */
const LENIENT_KEYWORDS = new Set(['required', 'unevaluatedProperties']);

/** Reads bindings into a set; what cannot be used is reported and left out. */
export function readBindings(files: Iterable<BindingFile>): { readonly bindings: BindingSet; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const schemas = new Map<string, JsonObject>();
  const paths = new Map<string, string>();
  for (const file of files) {
    const read = readBinding(file, schemas);
    if ('problem' in read) diagnostics.push(read.problem);
    else {
      schemas.set(read.uri, read.schema);
      paths.set(read.uri, file.path);
    }
  }
  return { bindings: new BindingSet(schemas, paths), diagnostics };
}

/** One binding as the schema that is meant, with its `$id` without fragment; or why it cannot be used, as when its `$id` is taken. */
export function readBinding({ path, content }: BindingFile, taken: { has(uri: string): boolean }): { readonly uri: string; readonly schema: JsonObject } | { readonly problem: Diagnostic } {
  const json = copyJson(content);
  const problem = problemOf(json, taken);
  if (problem !== undefined || !isObject(json) || typeof json['$id'] !== 'string') {
    return { problem: { severity: 'warning', code: 'binding-unusable', message: problem ?? 'The file is not a binding.', file: path } };
  }
  fixSchema(json);
  return { uri: json['$id'].replace(/#.*$/s, ''), schema: json };
}

function problemOf(json: Json | undefined, taken: { has(uri: string): boolean }): string | undefined {
  if (json === undefined) return 'The binding is nested too deep or is too large once its anchors are expanded.';
  if (!isObject(json)) return 'The file does not hold a mapping. A binding is one.';
  const { $id: id } = json;
  if (typeof id !== 'string') return 'The binding has no $id. Add one, such as http://devicetree.org/schemas/vendor,device.yaml#.';
  if (taken.has(id.replace(/#.*$/s, ''))) return `Another binding has the same $id, ${id}. The first one counts.`;
  return undefined;
}

/** A schema with a `select`; one that asks for certain compatible strings is tried only on nodes that have one. */
export interface SelectedSchema {
  readonly uri: string;
  readonly select: Json;
  readonly compatibles: ReadonlySet<string> | undefined;
}

/** What a set knows of all its schemas together. */
export interface BindingKnowledge {
  /** `$id` of the schema that answers for each compatible string. */
  readonly byCompatible: ReadonlyMap<string, string>;
  readonly selected: readonly SelectedSchema[];
  readonly types: PropertyTypes;
  readonly documented: { readonly names: ReadonlySet<string>; readonly patterns: readonly Pattern[] };
}

/** Processed bindings, ready to check nodes. */
export class BindingSet {
  /** By `$id` without fragment. */
  readonly schemas: ReadonlyMap<string, JsonObject>;
  /** The file of each schema. */
  readonly paths: ReadonlyMap<string, string>;
  private readonly evaluator: Evaluator;
  private readonly byCompatible: ReadonlyMap<string, string>;
  private readonly selected: readonly SelectedSchema[];
  private selection: Selection | undefined;
  private common: CommonSchemas | undefined;
  private collected: PropertyTypes | undefined;
  private documented: BindingKnowledge['documented'] | undefined;

  /** With `known`, schemas are looked at only when a node asks for them. */
  constructor(schemas: ReadonlyMap<string, JsonObject>, paths: ReadonlyMap<string, string>, known?: BindingKnowledge) {
    this.schemas = schemas;
    this.paths = paths;
    this.evaluator = new Evaluator((uri) => schemas.get(uri));
    const { byCompatible, selected } = known ?? choiceAmong(schemas);
    this.byCompatible = byCompatible;
    this.selected = selected;
    this.collected = known?.types;
    this.documented = known?.documented;
  }

  /** Finds now what every tree needs, so that the first need not wait for it. */
  prepare(): void {
    this.collected = this.types;
    this.selection ??= new Selection(this.selected);
    this.common = this.commonSchemas;
  }

  private get commonSchemas(): CommonSchemas {
    return this.common ??= this.evaluator.common(this.selected.flatMap(({ uri, select }) => (select === true ? [{ uri, schema: this.schemas.get(uri) }] : [])));
  }

  /** The types of all properties. */
  get types(): PropertyTypes {
    return this.collected ??= collectTypes(this.schemas.values());
  }

  /** What is known of all schemas together, so that it need not be found again. */
  get knowledge(): BindingKnowledge {
    const { byCompatible, selected, types } = this;
    this.documented ??= documentedIn(this.schemas.values());
    return { byCompatible, selected, types, documented: this.documented };
  }

  /** Compatible strings that a binding answers for, each with the binding's `$id`. */
  get compatibles(): ReadonlyMap<string, string> {
    return this.byCompatible;
  }

  /** The schemas that apply to a node, most specific first. The node must know its `$nodename`. */
  schemasFor(instance: NodeInstance): readonly string[] {
    const chosen: string[] = [];
    const compatible = instance.members.get('compatible');
    const names = isValueList(compatible) ? compatible : [];
    for (const name of names) {
      const uri = typeof name === 'string' ? this.byCompatible.get(name) : undefined;
      if (uri === undefined) continue;
      chosen.push(uri);
      break;
    }
    this.selection ??= new Selection(this.selected);
    this.selection.candidates(instance, names).forEach(({ uri, select }) => {
      if (select === true || this.evaluator.check(select, uri).test(instance)) chosen.push(uri);
    });
    return chosen;
  }

  /** Checks all nodes of a linked tree. */
  checkTree(root: DtNode): readonly BindingFailure[] {
    const failures: BindingFailure[] = [];
    const visit = (instance: NodeInstance, inherited: boolean): void => {
      const disabled = instance.members.has('status') ? instance.disabled : inherited;
      for (const failure of this.checkNode(instance, disabled)) failures.push(failure);
      for (const failure of this.undocumented(instance)) failures.push(failure);
      for (const child of instance.children) visit(child, disabled);
    };
    visit(decodeTree(root, this.types), false);
    return failures;
  }

  /** Checks one node; in one that is disabled, missing and unknown members are forgiven. */
  checkNode(instance: NodeInstance, disabled: boolean): readonly BindingFailure[] {
    const { node, members } = instance;
    // Only the node that is being checked knows its name; bindings of parents rely on children having none.
    members.set('$nodename', [node.parent === undefined ? '/' : node.name]);
    const failures: BindingFailure[] = [];
    this.evaluator.refill();
    const common = this.commonSchemas;
    const isUsual = common.test(instance);
    for (const uri of this.schemasFor(instance)) {
      if (isUsual && common.uris.has(uri)) continue;
      const check = this.evaluator.check(this.schemas.get(uri), uri);
      if (check.test(instance)) continue;
      const found: Failure[] = [];
      check.explain(instance, [], found);
      for (const failure of found) failures.push({ ...failure, node, schemaId: uri, isForgiven: isForgiven(failure, disabled), ...placed(instance, failure) });
    }
    members.delete('$nodename');
    return failures;
  }

  /** The compatible strings of a node that no binding documents. */
  undocumented({ node, members }: NodeInstance): readonly BindingFailure[] {
    const failures: BindingFailure[] = [];
    const compatible = members.get('compatible');
    for (const [index, name] of (isValueList(compatible) ? compatible : []).entries()) {
      if (typeof name !== 'string' || this.isDocumented(name)) continue;
      failures.push({ node, schemaId: UNDOCUMENTED, isForgiven: false, keyword: 'anyOf', path: ['compatible', index], schema: false, value: name });
    }
    return failures;
  }

  /** True if some binding documents the compatible string, or it is one of an example. */
  isDocumented(compatible: string): boolean {
    this.documented ??= documentedIn(this.schemas.values());
    return this.documented.names.has(compatible) || this.documented.patterns.some((pattern) => pattern.test(compatible));
  }
}

/** Which schemas answer for which nodes. */
function choiceAmong(schemas: ReadonlyMap<string, JsonObject>): Choice {
  const choice: Choice = { byCompatible: new Map(), selected: [] };
  for (const [uri, schema] of schemas) addChoice(choice, uri, choiceOf(schema));
  return choice;
}

interface Choice {
  readonly byCompatible: Map<string, string>;
  readonly selected: SelectedSchema[];
}

/** When one schema answers: what its `select` asks for, else for which compatible strings. */
type SchemaChoice = Pick<BindingGist, 'select' | 'compatibles'>;

function choiceOf({ select, properties }: JsonObject): SchemaChoice {
  if (select !== undefined) return { select, compatibles: [] };
  const compatible = isObject(properties) ? properties['compatible'] : undefined;
  const names = compatible === undefined ? [] : [...compatiblesIn(compatible)];
  return { compatibles: names.filter((name) => names.length === 1 || !GENERIC_COMPATIBLES.has(name)) };
}

function addChoice({ byCompatible, selected }: Choice, uri: string, { select, compatibles }: SchemaChoice): void {
  if (select !== undefined && select !== false) selected.push({ uri, select, compatibles: compatiblesAsked(select) });
  for (const name of compatibles) byCompatible.set(name, uri);
}

/** What a set must know of a processed schema before a node asks for it. Plain data. */
export interface BindingGist {
  readonly select?: Json;
  /** The compatible strings that it answers for. */
  readonly compatibles: readonly string[];
  /** Compatible strings and patterns of them that it names anywhere. */
  readonly documented: readonly string[];
  readonly mentions: readonly PropertyMention[];
}

/** The gist of a processed schema. */
export function gistOf(schema: JsonObject): BindingGist {
  const documented = new Set<string>();
  addDocumented(schema, documented);
  return { ...choiceOf(schema), documented: [...documented], mentions: mentionsIn(schema) };
}

/** Puts together what a set knows of all its schemas, one after the other, so that none has to stay in memory. */
export class KnowledgeCollector {
  private readonly choice: Choice = { byCompatible: new Map(), selected: [] };
  private readonly types = new TypeCollector();
  private readonly documented = new Set<string>();

  /** Adds the gist of a schema. */
  add(uri: string, gist: BindingGist): void {
    addChoice(this.choice, uri, gist);
    this.types.add(gist.mentions);
    for (const name of gist.documented) this.documented.add(name);
  }

  /** What is known once all were added. */
  finish(): BindingKnowledge {
    return { ...this.choice, types: this.types.finish(), documented: sortDocumented(this.documented) };
  }
}

function placed(instance: NodeInstance, { path }: Failure): Pick<BindingFailure, 'place'> {
  const place = path.length < 2 ? undefined : valuePlace(instance, path);
  return place === undefined ? {} : { place };
}

function isForgiven(failure: Failure, disabled: boolean): boolean {
  if (!disabled && !(failure.value instanceof NodeInstance && failure.value.disabled)) return false;
  return LENIENT_KEYWORDS.has(failure.keyword) || (failure.branches?.some((branch) => branch.some(({ keyword }) => LENIENT_KEYWORDS.has(keyword))) ?? false);
}

/** The strings of which a node must have one for the `select` to hold; `undefined` if it does not say so plainly. */
function compatiblesAsked(select: Json): ReadonlySet<string> | undefined {
  const properties = isObject(select) ? select['properties'] : undefined;
  const compatible = isObject(properties) ? properties['compatible'] : undefined;
  const contains = isObject(compatible) ? compatible['contains'] : undefined;
  if (!isObject(select) || !isObject(contains) || !elementsOf(select['required'] ?? null).includes('compatible')) return undefined;
  const { const: only, enum: several } = contains;
  const names = only === undefined ? elementsOf(several) : [only];
  return names.length > 0 && names.every((name) => typeof name === 'string') ? new Set(names) : undefined;
}

/** All strings that a schema of `compatible` names, patterns as they are. */
function compatiblesIn(schema: Json, found = new Set<string>()): Set<string> {
  if (isList(schema)) for (const element of schema) compatiblesIn(element, found);
  if (!isObject(schema)) return found;
  for (const [key, value] of Object.entries(schema)) {
    if ((key === 'const' || key === 'pattern') && typeof value === 'string') found.add(value);
    else if (key === 'enum') for (const one of elementsOf(value)) if (typeof one === 'string') found.add(one);
    if (key !== 'const' && key !== 'pattern' && key !== 'enum') compatiblesIn(value, found);
  }
  return found;
}

/** What all bindings together say about compatible strings, wherever they say it. */
function documentedIn(schemas: Iterable<JsonObject>): BindingKnowledge['documented'] {
  const all = new Set<string>();
  for (const schema of schemas) addDocumented(schema, all);
  return sortDocumented(all);
}

function addDocumented(value: Json, all: Set<string>): void {
  for (const element of elementsOf(value)) addDocumented(element, all);
  for (const [key, member] of entriesOf(value)) {
    if (key === 'compatible') compatiblesIn(member, all);
    else addDocumented(member, all);
  }
}

function sortDocumented(all: ReadonlySet<string>): BindingKnowledge['documented'] {
  const isPattern = (name: string): boolean => /[\^[{($]/.test(name);
  const patterns = [...all].filter((name) => isPattern(name) && isSpecific(name)).flatMap((name) => compilePattern(name) ?? []);
  return { names: new Set([...all].filter((name) => !isPattern(name))), patterns: [/^foo/, /^test,/, ...patterns] };
}

/** A pattern that any vendor's string matches documents nothing. */
function isSpecific(pattern: string): boolean {
  return pattern !== '^[a-zA-Z0-9][a-zA-Z0-9,+\\-._/]+$' && !/\.[+*]/.test(pattern) && pattern.startsWith('^') && pattern.endsWith('$');
}

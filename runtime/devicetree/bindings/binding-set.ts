/**
 * A set of bindings: processed schemas by `$id`, the types of all properties, and which schemas answer for a node. Texts come in as
 * parsed YAML; no file is read here.
 */

import type { Diagnostic } from '../../base/result';
import type { DtNode } from '../tree';
import { decodeTree } from './decode';
import type { Failure } from './check';
import { Evaluator } from './evaluate';
import { NodeInstance, isValueList } from './instance';
import { copyJson, elementsOf, entriesOf, isList, isObject, type Json, type JsonObject } from './json';
import { collectTypes, safeRegExp, type PropertyTypes } from './property-types';
import { fixSchema } from './schema-fixups';

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
  for (const { path, content } of files) {
    const json = copyJson(content);
    const problem = problemOf(json, schemas);
    if (problem !== undefined || !isObject(json) || typeof json['$id'] !== 'string') {
      diagnostics.push({ severity: 'warning', code: 'binding-unusable', message: problem ?? 'The file is not a binding.', file: path });
      continue;
    }
    fixSchema(json);
    const uri = json['$id'].replace(/#.*$/s, '');
    schemas.set(uri, json);
    paths.set(uri, path);
  }
  return { bindings: new BindingSet(schemas, paths), diagnostics };
}

function problemOf(json: Json | undefined, schemas: ReadonlyMap<string, JsonObject>): string | undefined {
  if (json === undefined) return 'The binding is nested too deep or is too large once its anchors are expanded.';
  if (!isObject(json)) return 'The file does not hold a mapping. A binding is one.';
  const { $id: id } = json;
  if (typeof id !== 'string') return 'The binding has no $id. Add one, such as http://devicetree.org/schemas/vendor,device.yaml#.';
  if (schemas.has(id.replace(/#.*$/s, ''))) return `Another binding has the same $id, ${id}. The first one counts.`;
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
  readonly documented: { readonly names: ReadonlySet<string>; readonly patterns: readonly RegExp[] };
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
    for (const name of isValueList(compatible) ? compatible : []) {
      const uri = typeof name === 'string' ? this.byCompatible.get(name) : undefined;
      if (uri === undefined) continue;
      chosen.push(uri);
      break;
    }
    const names = isValueList(compatible) ? compatible : [];
    for (const { uri, select, compatibles } of this.selected) {
      if (compatibles !== undefined && !names.some((name) => typeof name === 'string' && compatibles.has(name))) continue;
      if (select === true || this.evaluator.check(select, uri).test(instance)) chosen.push(uri);
    }
    return chosen;
  }

  /** Checks all nodes of a linked tree. */
  checkTree(root: DtNode): readonly BindingFailure[] {
    const failures: BindingFailure[] = [];
    const visit = (instance: NodeInstance, inherited: boolean): void => {
      const disabled = instance.members.has('status') ? instance.disabled : inherited;
      for (const failure of this.checkNode(instance, disabled)) failures.push(failure);
      for (const child of instance.children()) visit(child, disabled);
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
    for (const uri of this.schemasFor(instance)) {
      const check = this.evaluator.check(this.schemas.get(uri), uri);
      if (check.test(instance)) continue;
      const found: Failure[] = [];
      check.explain(instance, [], found);
      for (const failure of found) failures.push({ ...failure, node, schemaId: uri, isForgiven: isForgiven(failure, disabled) });
    }
    members.delete('$nodename');
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
function choiceAmong(schemas: ReadonlyMap<string, JsonObject>): Pick<BindingKnowledge, 'byCompatible' | 'selected'> {
  const byCompatible = new Map<string, string>();
  const selected: SelectedSchema[] = [];
  for (const [uri, { select, properties }] of schemas) {
    if (select !== undefined) {
      if (select !== false) selected.push({ uri, select, compatibles: compatiblesAsked(select) });
      continue;
    }
    const compatible = isObject(properties) ? properties['compatible'] : undefined;
    const names = compatible === undefined ? [] : [...compatiblesIn(compatible)];
    for (const name of names) if (names.length === 1 || !GENERIC_COMPATIBLES.has(name)) byCompatible.set(name, uri);
  }
  return { byCompatible, selected };
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
function documentedIn(schemas: Iterable<JsonObject>): { readonly names: ReadonlySet<string>; readonly patterns: readonly RegExp[] } {
  const all = new Set<string>();
  const search = (value: Json): void => {
    for (const element of elementsOf(value)) search(element);
    for (const [key, member] of entriesOf(value)) {
      if (key === 'compatible') compatiblesIn(member, all);
      else search(member);
    }
  };
  for (const schema of schemas) search(schema);
  const isPattern = (name: string): boolean => /[\^[{($]/.test(name);
  const patterns = [...all].filter((name) => isPattern(name) && isSpecific(name)).flatMap((name) => safeRegExp(name) ?? []);
  return { names: new Set([...all].filter((name) => !isPattern(name))), patterns: [/^foo/, /^test,/, ...patterns] };
}

/** A pattern that any vendor's string matches documents nothing. */
function isSpecific(pattern: string): boolean {
  return pattern !== '^[a-zA-Z0-9][a-zA-Z0-9,+\\-._/]+$' && !/\.[+*]/.test(pattern) && pattern.startsWith('^') && pattern.endsWith('$');
}

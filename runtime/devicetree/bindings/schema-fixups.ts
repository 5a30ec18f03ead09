/**
 * Makes of a binding as people write it the JSON schema that decoded nodes are checked against. Authors leave out what every
 * device tree has (`phandle`, `status`, …) and write the constraints of single cells on whole properties; this puts both right.
 * The rules are those of dt-schema 2025.08, whose verdicts ours are compared with. Descriptions stay, for messages.
 */

import { cloneJson, elementsOf, emptyObject, entriesOf, has, hasAny, isList, isObject, objectOf, type Json, type JsonObject } from './json';

/** Where the description of each element is kept when a list of empty items becomes a mere length. */
export const ITEM_TEXTS = '$itemDescriptions';

const SCALAR_KEYWORDS = ['const', 'enum', 'pattern', 'minimum', 'maximum', 'multipleOf'];
const BRANCHES = ['allOf', 'oneOf', 'anyOf'];
const SUBSCHEMAS = ['select', 'if', 'then', 'else', 'not', 'additionalProperties'];
const NAMED_SUBSCHEMAS = ['dependentRequired', 'dependentSchemas', 'dependencies', 'properties', 'patternProperties', '$defs'];
const LENGTHS = ['items', 'minItems', 'maxItems'];

/** Units whose numbers stand in a plain array. */
const ARRAY_UNITS = /-(kBps|bits|percent|bp|db|mhz|sec|ms|us|ns|ps|mm|nanoamp|(micro-)?ohms|micro(amp|watt)(-hours)?|milliwatt|(femto|pico)farads|(milli)?celsius|kelvin|k?pascal)$/;
/** Units whose numbers stand in a matrix. */
const MATRIX_UNITS = /-(hz|microvolt)$/;

/** Properties that hold matrices of varying width; no rule about sizes can be kept for them. */
const FREE_MATRICES = new Set(['fsl,pins', 'qcom,board-id']);

/** Where nodes are described deeper than so many keys, interrupts do not stand for others: each copy holds all that is below, so copies within copies double at each level. */
const INTERRUPTS_DEPTH_MAX = 12;

const ALWAYS_ALLOWED = [
  'phandle', 'status', 'secure-status', '$nodename', 'bootph-pre-sram', 'bootph-verify', 'bootph-pre-ram', 'bootph-some-ram', 'bootph-all',
];
const ALLOWED_WITH_CLOCKS = ['assigned-clocks', 'assigned-clock-rates-u64', 'assigned-clock-rates', 'assigned-clock-parents', 'assigned-clock-sscs'];

/** Rewrites `schema`, a binding's own copy, in place. */
export function fixSchema(schema: JsonObject): void {
  for (const key of ['examples', 'maintainers', 'historical']) Reflect.deleteProperty(schema, key);
  addSelect(schema);
  fixNode(schema, []);
  schema['type'] = 'object';
}

/** A binding without `compatible` is chosen by the name of the node, if it says one. */
function addSelect(schema: JsonObject): void {
  const { properties } = schema;
  if (has(schema, 'select') || !isObject(properties) || has(properties, 'compatible')) return;
  const name = properties['$nodename'];
  if (name === undefined || name === true) return;
  schema['select'] = objectOf({ required: ['$nodename'], properties: objectOf({ $nodename: cloneJson(name) }) });
}

/** A sub-schema that describes a node, and everything below it. `path` holds the keys that lead to it. */
function fixNode(schema: Json | undefined, path: readonly string[]): void {
  if (!isObject(schema)) return;
  fixInterrupts(schema, path);
  allowImplicitProperties(schema);
  if (schema['additionalProperties'] === true) delete schema['additionalProperties'];
  for (const [key, value] of Object.entries(schema)) {
    if (SUBSCHEMAS.includes(key)) fixNode(value, [...path, key]);
    if (BRANCHES.includes(key)) for (const branch of elementsOf(value)) fixNode(branch, [...path, key]);
    if (NAMED_SUBSCHEMAS.includes(key) && isObject(value)) fixNamed(value, [...path, key]);
  }
  splitDependencies(schema);
}

function fixNamed(members: JsonObject, path: readonly string[]): void {
  for (const [name, member] of Object.entries(members)) {
    if (FREE_MATRICES.has(name) && isObject(member)) {
      members[name] = member['$ref'] === undefined ? emptyObject() : objectOf({ $ref: member['$ref'] });
      continue;
    }
    fixProperty(member, [...path, name]);
    fixNode(member, [...path, name]);
  }
}

/** `interrupts` stands for `interrupts-extended` too, and neither needs `interrupt-parent` spelt out. */
function fixInterrupts(schema: JsonObject, path: readonly string[]): void {
  const { properties, required } = schema;
  if (isObject(properties)) {
    if (hasAny(properties, ['interrupts', 'interrupt-controller']) && !has(properties, 'interrupt-parent')) properties['interrupt-parent'] = true;
    const { interrupts } = properties;
    if (interrupts === undefined || has(properties, 'interrupts-extended') || path.length > INTERRUPTS_DEPTH_MAX) return;
    properties['interrupts-extended'] = cloneJson(interrupts);
  }
  if (!isList(required) || !required.includes('interrupts') || path.at(-1) === 'oneOf') return;
  const oneOf = [objectOf({ required: ['interrupts'] }), objectOf({ required: ['interrupts-extended'] })];
  if (has(schema, 'oneOf')) schema['allOf'] = [...elementsOf(schema['allOf']), objectOf({ oneOf })];
  else schema['oneOf'] = oneOf;
  const rest = required.filter((name) => name !== 'interrupts');
  if (rest.length > 0) schema['required'] = rest;
  else delete schema['required'];
}

/** Where a binding closes the list of properties, what every node may have is added to it. */
function allowImplicitProperties(schema: JsonObject): void {
  if (!hasAny(schema, ['unevaluatedProperties', 'additionalProperties'])) return;
  const named = entriesOf(schema['properties']).map(([key]) => key);
  const keys = [...named, ...entriesOf(schema['patternProperties']).map(([key]) => key)];
  const allow = (names: readonly string[]): void => {
    const properties = isObject(schema['properties']) ? schema['properties'] : emptyObject();
    for (const name of names) if (!has(properties, name)) properties[name] = true;
    schema['properties'] = properties;
  };
  if (keys.includes('clocks') && !keys.includes('assigned-clocks')) allow(ALLOWED_WITH_CLOCKS);
  if (keys.includes('ranges')) allow(['dma-ranges']);
  if (schema['additionalProperties'] === true || schema['unevaluatedProperties'] === true) return;
  allow(ALWAYS_ALLOWED);
  if (keys.some((key) => /^pinctrl-[0-9]/.test(key))) return;
  allow(['pinctrl-names']);
  const patterns = isObject(schema['patternProperties']) ? schema['patternProperties'] : emptyObject();
  patterns['^pinctrl-[0-9]+$'] = true;
  schema['patternProperties'] = patterns;
}

/** The schema of a property, through its conditions first. */
function fixProperty(schema: Json | undefined, path: readonly string[]): void {
  if (!isObject(schema)) return;
  constantsToEnum(schema);
  for (const key of BRANCHES) for (const branch of elementsOf(schema[key])) fixProperty(branch, [...path, key]);
  if (has(schema, 'then')) fixProperty(schema['then'], [...path, 'then']);
  if (path.includes('reg')) deepenReg(schema);
  shortenEmptyItems(schema);
  deepenUnits(schema, path);
  if (isStringSchema(schema)) schema['items'] = [takeScalar(schema)];
  fixLengths(schema, path);
  splitDependencies(schema);
}

/** A choice among described constants is an enumeration, which fails with one message instead of many. */
function constantsToEnum(schema: JsonObject): void {
  const key = has(schema, 'anyOf') ? 'anyOf' : 'oneOf';
  const branches = schema[key];
  if (branches === undefined) {
    if (isObject(schema['items'])) constantsToEnum(schema['items']);
    return;
  }
  const values: Json[] = [];
  for (const branch of elementsOf(branches)) {
    if (!isObject(branch) || branch['const'] === undefined) return;
    if (has(branch, 'description') && Object.keys(branch).length > 2) return;
    values.push(branch['const']);
  }
  delete schema['anyOf'];
  delete schema['oneOf'];
  schema['enum'] = values;
}

/** `reg` is a matrix: a constraint on its cells belongs two levels down. */
function deepenReg(schema: JsonObject): void {
  const { items } = schema;
  const target = isList(items) ? items[0] : (items ?? schema);
  if (isObject(target) && isIntegerSchema(target)) schema['items'] = [objectOf({ items: [takeScalar(target)] })];
}

/** A list of items that say nothing but what they are is a length. */
function shortenEmptyItems(schema: JsonObject): void {
  const { items } = schema;
  if (isObject(items)) {
    shortenEmptyItems(items);
    return;
  }
  if (!isList(items)) return;
  for (const item of items) {
    if (!isObject(item)) continue;
    shortenEmptyItems(item);
    if (Object.keys(item).some((key) => key !== 'description')) return;
  }
  const texts = items.map((item) => (isObject(item) && typeof item['description'] === 'string' ? item['description'] : ''));
  if (texts.some((text) => text !== '')) schema[ITEM_TEXTS] = texts;
  if (!has(schema, 'type')) schema['type'] = 'array';
  if (!has(schema, 'maxItems')) schema['maxItems'] = items.length;
  if (!has(schema, 'minItems')) schema['minItems'] = items.length;
  delete schema['items'];
}

/** Numbers with a unit suffix are arrays or matrices, whatever the binding says of the single number. */
function deepenUnits(schema: JsonObject, path: readonly string[]): void {
  const at = Math.max(path.lastIndexOf('properties'), path.lastIndexOf('$defs'));
  const name = at < 0 ? undefined : path[at + 1];
  if (name === undefined) return;
  if (ARRAY_UNITS.test(name) && isIntegerSchema(schema)) schema['items'] = [takeScalar(schema)];
  else if (MATRIX_UNITS.test(name) && !isMatrixSchema(schema)) {
    if (hasAny(schema, LENGTHS)) {
      schema['items'] = [cloneJson(schema)];
      delete schema['minItems'];
      delete schema['maxItems'];
    } else if (isIntegerSchema(schema)) schema['items'] = [objectOf({ items: [takeScalar(schema)] })];
  }
}

function isMatrixSchema(schema: JsonObject): boolean {
  const { items } = schema;
  return (isList(items) ? items : [items]).some((item) => isObject(item) && hasAny(item, LENGTHS));
}

/** Lists have the length they show; one bound alone means both, except in conditions. */
function fixLengths(schema: Json | undefined, path: readonly string[]): void {
  if (isList(schema)) for (const element of schema) fixLengths(element, path);
  if (!isObject(schema)) return;
  const { items } = schema;
  if (items !== undefined) {
    schema['type'] = 'array';
    if (isList(items)) {
      if (!has(schema, 'minItems')) schema['minItems'] = items.length;
      if (!has(schema, 'maxItems')) schema['maxItems'] = items.length;
    }
    fixLengths(items, [...path, 'items']);
  } else if (!path.includes('then') && !path.includes('else')) {
    const { minItems, maxItems } = schema;
    if (maxItems !== undefined && minItems === undefined) schema['minItems'] = maxItems;
    else if (minItems !== undefined && maxItems === undefined) schema['maxItems'] = minItems;
  }
}

/** The older `dependencies` is two keywords by now. */
function splitDependencies(schema: JsonObject): void {
  const { dependencies } = schema;
  if (!isObject(dependencies)) return;
  delete schema['dependencies'];
  for (const [name, value] of Object.entries(dependencies)) {
    const key = isList(value) ? 'dependentRequired' : 'dependentSchemas';
    const target = isObject(schema[key]) ? schema[key] : emptyObject();
    target[name] = value;
    schema[key] = target;
  }
}

/** Moves the constraints on a single value out of a schema into one of their own. */
function takeScalar(schema: JsonObject): JsonObject {
  const scalar = emptyObject();
  for (const key of SCALAR_KEYWORDS) {
    const value = schema[key];
    if (value === undefined) continue;
    scalar[key] = value;
    Reflect.deleteProperty(schema, key);
  }
  return scalar;
}

/** True if the constraint is on an integer. A boolean counts as one, and of an enumeration only the first value counts: bindings rely on both. */
export function isIntegerSchema(schema: Json | undefined): boolean {
  return isObject(schema) && ['const', 'enum', 'minimum', 'maximum'].some((key) => {
    const value = first(schema[key]);
    return typeof value === 'boolean' || Number.isInteger(value);
  });
}

/** True if the constraint is on a string. */
export function isStringSchema(schema: Json | undefined): boolean {
  return isObject(schema) && ['const', 'enum', 'pattern'].some((key) => typeof first(schema[key]) === 'string');
}

function first(value: Json | undefined): Json | undefined {
  return isList(value) ? value[0] : value;
}

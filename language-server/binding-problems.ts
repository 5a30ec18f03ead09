/** What bindings object to, as problems: in words, at the guilty value, property or node, and with what a quick fix needs. */

import type { BindingFailure, BindingSet } from '../runtime/devicetree/bindings/binding-set';
import { failureWords, requiredChoices, rivalNames } from '../runtime/devicetree/bindings/failure-words';
import type { DtNode, DtProperty } from '../runtime/devicetree/tree';
import { placeOf, placeOfCell, placeOfEntry, placeOfValue, placeOfValues, type Problem } from './problem';

/** A failure about several names is told at each of them, but what is missing is told once. */
export function bindingProblems(failure: BindingFailure, bindings: BindingSet): Problem[] {
  const { keyword, names = [], schemaId, node } = failure;
  const isMissing = keyword === 'required';
  const each = isMissing || names.length === 0 ? [undefined] : names;
  const binding = bindings.paths.get(schemaId);
  const choices = requiredChoices(failure);
  const rivals = rivalNames(failure);
  const allowed = allowedValues(failure);
  return each.map((name): Problem => {
    const guilty = guiltyPart(failure, name);
    const about = guilty.property?.name;
    return {
      severity: 'error',
      code: schemaId.replace(/^https?:\/\/[^/]+\/(schemas\/)?/, ''),
      message: `${node.path}: ${failureWords(failure, name)}`,
      nodePath: guilty.node.path,
      ...(about === undefined ? {} : { about }),
      ...(binding === undefined ? {} : { binding }),
      ...(choices.length === 0 ? {} : { choices }),
      ...(rivals.length === 0 ? {} : { rivals }),
      ...(allowed.length === 0 || about === undefined ? {} : { allowed }),
      ...(isMissing ? { missing: names } : name !== undefined && /Properties$/.test(keyword) ? { surplus: [name] } : {}),
      ...placeWithin(guilty, failure, rivals),
    };
  });
}

/** What the binding says that a value may be; nothing for other failures. */
function allowedValues({ keyword, schema }: BindingFailure): readonly (string | number)[] {
  if (typeof schema === 'boolean' || (keyword !== 'const' && keyword !== 'enum')) return [];
  const stated: unknown = schema[keyword];
  return (Array.isArray(stated) ? stated : [stated]).filter((value) => typeof value === 'string' || typeof value === 'number');
}

interface Guilty {
  readonly node: DtNode;
  readonly property?: DtProperty;
  /** Numbers of the entry, and of what is within. */
  readonly indexes: readonly number[];
}

/** The value, property or else node that a failure's path and name lead to. */
function guiltyPart({ node, path, keyword }: BindingFailure, name: string | undefined): Guilty {
  let at = node;
  const steps = [...path, ...(name === undefined || keyword === 'dependentRequired' ? [] : [name])];
  for (const [index, step] of steps.entries()) {
    const property = typeof step === 'string' ? at.property(step) : undefined;
    if (property !== undefined) return { node: at, property, indexes: steps.slice(index + 1).filter((one) => typeof one === 'number') };
    at = (typeof step === 'string' ? at.child(step) : undefined) ?? at;
  }
  return { node: at, indexes: [] };
}

/** Keywords whose failures are about what a value is, not about how much of it there is. */
const OF_VALUES: ReadonlySet<string> = new Set(['const', 'enum', 'pattern', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength']);

function placeWithin({ node, property, indexes }: Guilty, { keyword, place }: BindingFailure, rivals: readonly string[]): ReturnType<typeof placeOfValue> {
  const rival = rivals.map((name) => node.property(name)).filter((one) => one !== undefined).at(-1);
  if (property === undefined) return placeOf(rival?.origin ?? node.origin);
  const exact = place === undefined || indexes.length === 0 ? undefined : placeOfValues(property, place);
  if (exact !== undefined) return exact;
  const [entry, inner] = indexes;
  if (!OF_VALUES.has(keyword)) return entry === undefined || property.value.length < 2 ? placeOf(property.origin) : placeOfEntry(property, entry);
  if (entry === undefined) return placeOfValue(property);
  if (inner !== undefined && property.value.length === 1) return entry === 0 ? placeOfCell(property, inner) : placeOf(property.origin);
  return placeOfEntry(property, entry);
}

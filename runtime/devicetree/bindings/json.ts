/** JSON as it comes out of a YAML reader: the raw material of bindings. Nothing here knows device trees. */

/** Any JSON value. Integers beyond 53 bits arrive as the nearest number. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** An object whose keys come from a file. Always without prototype when made by `copyJson`. */
export interface JsonObject { [key: string]: Json }

/** Deepest nesting that is read from a binding. */
export const JSON_DEPTH_MAX = 64;
/** Most values that one binding may hold once its YAML anchors are expanded. */
export const JSON_VALUES_MAX = 200_000;

/** True for an object (not a list, not null). */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}

/** True for a list. */
export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** The members of an object, or none. */
export function entriesOf(value: Json | undefined): readonly (readonly [string, Json])[] {
  return isObject(value) ? Object.entries(value) : [];
}

/** The elements of a list, or none. */
export function elementsOf(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : [];
}

/** True if the key is the object's own. */
export function has(object: JsonObject, key: string): boolean {
  return Object.hasOwn(object, key);
}

/** True if the object has one of the keys. */
export function hasAny(object: JsonObject, keys: readonly string[]): boolean {
  return keys.some((key) => has(object, key));
}

/**
 * A deep copy of what a YAML reader returned, as JSON. Shared parts (YAML anchors) become separate; what is no JSON becomes null.
 * `undefined` if it is nested too deep or too large, as a YAML bomb is.
 */
export function copyJson(value: unknown): Json | undefined {
  let budget = JSON_VALUES_MAX;
  const copy = (from: unknown, depth: number): Json | undefined => {
    if (depth > JSON_DEPTH_MAX || budget-- <= 0) return undefined;
    if (Array.isArray(from)) return all(from.map((item) => copy(item, depth + 1)));
    if (typeof from === 'object' && from !== null) {
      const object = emptyObject();
      for (const [key, member] of Object.entries(from)) {
        const copied = copy(member, depth + 1);
        if (copied === undefined) return undefined;
        object[key] = copied;
      }
      return object;
    }
    if (typeof from === 'bigint') return Number(from);
    return typeof from === 'string' || typeof from === 'number' || typeof from === 'boolean' ? from : null;
  };
  return copy(value, 0);
}

function all(items: readonly (Json | undefined)[]): readonly Json[] | undefined {
  return items.every((item): item is Json => item !== undefined) ? items : undefined;
}

/** An object without prototype, so that a binding's `constructor` or `__proto__` is a key like any other. */
export function emptyObject(): JsonObject {
  const object: JsonObject = {};
  Object.setPrototypeOf(object, null);
  return object;
}

/** The object made of the given members. */
export function objectOf(members: Readonly<Record<string, Json>>): JsonObject {
  return Object.assign(emptyObject(), members);
}

/** A deep copy of a value that is JSON already. */
export function cloneJson(value: Json): Json {
  if (isList(value)) return value.map(cloneJson);
  if (!isObject(value)) return value;
  const object = emptyObject();
  for (const [key, member] of Object.entries(value)) object[key] = cloneJson(member);
  return object;
}

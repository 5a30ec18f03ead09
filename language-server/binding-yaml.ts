/** Bindings as files say them: YAML, read by a library, within limits. What a binding means is `runtime/devicetree/bindings`. */

import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import type { BindingFile } from '../runtime/devicetree/bindings/binding-set';

/** Deepest nesting of a document; anchors are limited where they are expanded (`json.ts`). */
const NESTING_MAX = 100;
/** dt-schema's descriptions of bindings themselves, which lie beside its bindings. */
const META_SCHEMAS = 'http://devicetree.org/meta-schemas/';
/** A hyphen alone in a list between brackets is no YAML, but other readers take it for the word, and one of Linux's bindings has it. */
const LONE_HYPHEN = /([[,][ \t\r\n]*)-(?=[ \t\r\n]*[,\]])/g;

/** The document; throws what the library throws. */
export function readYaml(text: string): unknown {
  try {
    return load(text, { maxDepth: NESTING_MAX });
  } catch (problem) {
    const mended = text.replace(LONE_HYPHEN, "$1'-'");
    if (mended === text) throw problem;
    return load(mended, { maxDepth: NESTING_MAX });
  }
}

/** The `$id` of a document, or nothing. */
export function idOf(content: unknown): string {
  return typeof content === 'object' && content !== null && '$id' in content ? String(content.$id) : '';
}

/** True for a description of bindings, which is none itself. */
export function isMetaSchema(content: unknown): boolean {
  return idOf(content).startsWith(META_SCHEMAS);
}

/** The examples of a binding, a quarter of its text: a key without indentation, up to the next one. */
const EXAMPLES = /^examples:[ ]*\n(?:(?:[ #].*|-(?: .*)?)?\n)*/m;

/** The document without its examples, of which nothing is used. */
function readWithoutExamples(text: string): unknown {
  const rest = text.replace(EXAMPLES, '');
  try {
    return readYaml(rest);
  } catch (problem) {
    // What looked like examples may have been something else.
    if (rest === text) throw problem;
    return readYaml(text);
  }
}

/** A binding as a file says it, examples left out, or nothing: what is wrong with bindings is not for who edits trees. */
export function readBindingFile(path: string): BindingFile | undefined {
  try {
    const content = readWithoutExamples(readFileSync(path, 'utf8'));
    return isMetaSchema(content) ? undefined : { path, content };
  } catch {
    return undefined;
  }
}

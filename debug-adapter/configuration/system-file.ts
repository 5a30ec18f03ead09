/**
 * Reads a system file (`*.gunyah.json`, JSON with comments) into a checked configuration. Every problem becomes a
 * diagnostic with the place in the file. The schema beside this file is the one that the editor uses too.
 */

import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import { createScanner, findNodeAtLocation, parse, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { err, ok, type Diagnostic, type Result } from '../../runtime/index';
import type { SystemConfiguration } from '../protocol/launch';
import schema from './system-file.schema.json';

/** Longest system file read, in characters. */
export const SYSTEM_FILE_SIZE_MAX = 1_000_000;
/** Deepest nesting of brackets: the parser recurses. */
const NESTING_MAX = 100;
/** Tokens by jsonc-parser's `SyntaxKind`, a constant enumeration that is not there at run time: opening and closing brackets, and the end. */
const TOKEN = { opening: [1, 3], closing: [2, 4], end: 17 } as const;

const compileSchema = (): ValidateFunction<SystemConfiguration> => new Ajv({ allErrors: true, allowUnionTypes: true, meta: false, validateSchema: false }).compile<SystemConfiguration>(schema);
let compiled: ValidateFunction<SystemConfiguration> | undefined;

/** Parses and checks the text of a system file. `file` is for messages only. */
export function parseSystemFile(text: string, file: string): Result<SystemConfiguration, readonly Diagnostic[]> {
  if (text.length > SYSTEM_FILE_SIZE_MAX) return err([{ severity: 'error', code: 'system-file-too-large', file, message: `The system file is longer than ${SYSTEM_FILE_SIZE_MAX} characters.` }]);
  const deep = tooDeepAt(text);
  if (deep !== undefined) return err([{ severity: 'error', code: 'system-file-too-deep', file, message: `Brackets are nested more than ${NESTING_MAX} deep.`, ...position(text, deep) }]);
  const errors: ParseError[] = [];
  const options = { allowTrailingComma: true };
  const value: unknown = parse(text, errors, options);
  if (errors.length > 0) return err(errors.map(({ error, offset }) => ({ severity: 'error', code: 'system-file-syntax', file, message: `This is not JSON: ${printParseErrorCode(error)}.`, ...position(text, offset) })));
  const checked = checkSystem(value);
  if (checked.ok) return checked;
  const tree = parseTree(text, [], options);
  return err(checked.error.map(({ path, diagnostic }) => ({ ...diagnostic, file, ...position(text, offsetOf(tree, path)) })));
}

/** Where brackets go too deep; undefined if nowhere. */
function tooDeepAt(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (let token: number = scanner.scan(); token !== TOKEN.end; token = scanner.scan()) {
    if (TOKEN.opening.some((one) => one === token)) depth++;
    else if (TOKEN.closing.some((one) => one === token)) depth--;
    if (depth > NESTING_MAX) return scanner.getTokenOffset();
  }
  return undefined;
}

/** A problem and where in the value it is. */
interface Problem { readonly path: readonly (string | number)[]; readonly diagnostic: Diagnostic }

/** Checks a value that is already parsed, such as an inline `system` of a launch configuration. */
export function checkSystem(value: unknown): Result<SystemConfiguration, readonly Problem[]> {
  // Compiled at the first use: a single program needs no schema and should start at once.
  const validate = (compiled ??= compileSchema());
  if (validate(value)) return ok(value);
  return err((validate.errors ?? []).filter(isTelling).map((error) => ({
    path: pathOf(error),
    diagnostic: { severity: 'error', code: 'system-file-invalid', message: describe(error) },
  })));
}

/** Of the alternatives of an `anyOf` only the summary is worth telling, of a condition only what it demands. */
function isTelling(error: ErrorObject): boolean {
  return !error.schemaPath.includes('/anyOf/') && error.keyword !== 'if';
}

function pathOf(error: ErrorObject): (string | number)[] {
  const steps = error.instancePath.split('/').slice(1).map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  const extra: unknown = error.params['additionalProperty'];
  return typeof extra === 'string' ? [...steps, extra] : steps;
}

function describe(error: ErrorObject): string {
  const where = error.instancePath === '' ? 'The system' : `"${error.instancePath.slice(1).replaceAll('/', '.')}"`;
  const { params } = error;
  switch (error.keyword) {
    case 'additionalProperties': return `${where} has an unknown property "${String(params['additionalProperty'])}".`;
    case 'required': return `${where} needs the property "${String(params['missingProperty'])}".`;
    case 'enum': return `${where} must be one of ${JSON.stringify(params['allowedValues'])}.`;
    case 'anyOf': return `${where} does not have the expected form; see the description of the property.`;
    default: return `${where} ${error.message ?? 'is not valid'}.`;
  }
}

function offsetOf(tree: Node | undefined, path: readonly (string | number)[]): number {
  for (let length = path.length; tree !== undefined && length >= 0; length--) {
    const node = findNodeAtLocation(tree, path.slice(0, length));
    if (node !== undefined) return node.parent?.type === 'property' ? node.parent.offset : node.offset;
  }
  return 0;
}

function position(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

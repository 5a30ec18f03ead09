/** Checks of what clients send: anything malformed is refused with a sentence instead of failing deep inside. */

import { ErrorCodes, ResponseError, type Position, type Range } from 'vscode-languageserver';
import { field } from './settings';

/** The refusal of parameters that lack something. */
export function invalid(what: string): ResponseError {
  return new ResponseError(ErrorCodes.InvalidParams, `The parameters need ${what}.`);
}

/** The URI of the document that a request is about. */
export function checkedDocumentUri(params: unknown): string {
  const uri = field(field(params, 'textDocument'), 'uri');
  if (typeof uri !== 'string') throw invalid('a textDocument with a uri');
  return uri;
}

/** True for a position of the protocol. */
export function isPosition(given: unknown): given is Position {
  const [line, character] = [field(given, 'line'), field(given, 'character')];
  return Number.isSafeInteger(line) && Number.isSafeInteger(character) && Number(line) >= 0 && Number(character) >= 0;
}

/** True for a range of the protocol. */
export function isRange(given: unknown): given is Range {
  return isPosition(field(given, 'start')) && isPosition(field(given, 'end'));
}

/** A position, or a refusal. */
export function checkedPosition(given: unknown): Position {
  if (!isPosition(given)) throw invalid('a position');
  return given;
}

/** A list of positions, or a refusal. */
export function checkedPositions(given: unknown): readonly Position[] {
  if (!Array.isArray(given)) throw invalid('a list of positions');
  return given.map(checkedPosition);
}

/** A range, or a refusal. */
export function checkedRange(given: unknown): Range {
  if (!isRange(given)) throw invalid('a range');
  return given;
}

/** Tokenises text with a grammar as editors and viewers do, by the engine that they use. */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createOnigScanner, createOnigString, loadWASM } from 'vscode-oniguruma';
import { INITIAL, parseRawGrammar, Registry, type IGrammar } from 'vscode-textmate';

const ROOT = resolve(__dirname, '..', '..');

/** One piece of a line with its scopes, innermost last, without that of the file. */
export interface Piece {
  readonly text: string;
  readonly scopes: readonly string[];
}

/** The device tree grammar. */
export async function deviceTreeGrammar(): Promise<IGrammar> {
  const wasm = readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'));
  await loadWASM({ data: wasm });
  const path = join(ROOT, 'syntaxes', 'devicetree.grammar.json');
  const registry = new Registry({
    onigLib: Promise.resolve({ createOnigScanner, createOnigString }),
    loadGrammar: (scope) => Promise.resolve(scope === 'source.dts' ? parseRawGrammar(readFileSync(path, 'utf8'), path) : null),
  });
  const grammar = await registry.loadGrammar('source.dts');
  if (grammar === null) throw new Error('There is no grammar for source.dts.');
  return grammar;
}

/** The pieces of each line. */
export function tokenizeText(grammar: IGrammar, text: string): readonly (readonly Piece[])[] {
  let state = INITIAL;
  return text.split('\n').map((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
    state = ruleStack;
    return tokens.map(({ startIndex, endIndex, scopes }) => ({ text: line.slice(startIndex, endIndex), scopes: scopes.slice(1) }));
  });
}

/** Conditions of #if and #elif: `defined`, macros, then an integer expression (C11 6.10.1). */

import { evaluateExpression, type ExpressionReader, type ExpressionToken } from './expression';
import { tokenize, type Expander, type PpToken } from './macros';
import { dtMessages, type DtBlanks, type DtDiagnosticCode } from './source';

/** True if the condition holds; a malformed one is reported and does not hold. */
export function conditionHolds(text: string, expander: Expander, report: (reason: string) => void): boolean {
  const tokens = expander.expand(replaceDefined(tokenize(text), expander));
  const reader = new ConditionReader(tokens);
  const value = tokens.length === 0 ? undefined : evaluateExpression(reader);
  const reason = tokens.length === 0 ? 'it is empty' : (reader.reason ?? (reader.peek().kind === 'end' ? undefined : `${reader.peek().text} is unexpected`));
  if (reason === undefined) return value !== undefined && value !== 0n;
  report(reason);
  return false;
}

function replaceDefined(tokens: readonly PpToken[], expander: Expander): PpToken[] {
  const out: PpToken[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (token === undefined) break;
    const parenthesis = tokens[index + 1]?.text === '(' && tokens[index + 3]?.text === ')';
    const name = tokens[index + (parenthesis ? 2 : 1)];
    if (token.text !== 'defined' || name?.kind !== 'identifier') out.push(token);
    else {
      out.push({ kind: 'number', text: expander.macros.has(name.text) ? '1' : '0', space: token.space });
      index += parenthesis ? 3 : 1;
    }
  }
  return out;
}

class ConditionReader implements ExpressionReader {
  readonly arithmetic = 'signed';
  reason: string | undefined;
  private readonly tokens: readonly PpToken[];
  private index = 0;

  constructor(tokens: readonly PpToken[]) {
    this.tokens = tokens;
  }

  peek(): ExpressionToken {
    const token = this.tokens[this.index];
    if (token === undefined) return { kind: 'end', text: '' };
    return { kind: token.kind === 'string' ? (token.text.startsWith("'") ? 'char' : 'other') : token.kind, text: token.text };
  }

  take(): void {
    this.index++;
  }

  problem(code: DtDiagnosticCode, blanks: DtBlanks = {}): void {
    this.reason ??= dtMessages[code].replace(/\{(\w+)\}/g, (_, key: string) => String(blanks[key] ?? '')).replace(/\.$/, '');
  }
}

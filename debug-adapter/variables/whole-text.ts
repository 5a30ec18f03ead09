/** A value with everything inside it, for copying to the clipboard: structures and arrays in full, pointers as addresses. */

import { childrenOf, fullText, showValue, type EvaluationContext, type Value } from '../expressions/index';

const TEXT_LENGTH_MAX = 100_000;
const DEPTH_MAX = 12;

/** The text of a value; ends with `…` where it grows longer than anybody wants to paste. */
export function wholeText(value: Value, expression: string, context: EvaluationContext): string {
  const text = fullText(value, context) ?? partText(value, expression, { context, depth: 0, left: { length: TEXT_LENGTH_MAX } });
  return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : text;
}

interface Part { readonly context: EvaluationContext; readonly depth: number; readonly left: { length: number } }

function partText(value: Value, expression: string, { context, depth, left }: Part): string {
  const shown = showValue(value, context);
  const isPointer = !shown.value.startsWith('{');
  if (isPointer || shown.namedCount + shown.indexedCount === 0 || depth >= DEPTH_MAX) {
    left.length -= shown.value.length;
    return shown.value;
  }
  const parts: string[] = [];
  for (const child of childrenOf(value, expression, context)) {
    if (left.length <= 0) {
      parts.push('…');
      break;
    }
    const text = partText(child.value, child.evaluateName, { context, depth: depth + 1, left });
    parts.push(child.name.startsWith('[') ? text : `${child.name} = ${text}`);
  }
  return `{${parts.join(', ')}}`;
}

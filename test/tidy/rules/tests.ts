/** Rules for test files: every test runs, and its name says what is true. */
import * as ts from 'typescript';
import { treeRule } from '../project';

const RUNNERS = new Set(['describe', 'it', 'suite', 'test', 'xit', 'xdescribe', 'fit', 'fdescribe']);
const SELECTORS = new Set(['only', 'skip', 'todo']);

/** No `.only`, `.skip`, `.todo`, no options that do the same, no name that switches a test off. */
export const everyTestRunsRule = treeRule((node) => {
  if (ts.isPropertyAccessExpression(node) && SELECTORS.has(node.name.text) && isRunner(node.expression)) return `${node.expression.getText()}.${node.name.text}`;
  if (!ts.isCallExpression(node)) return undefined;
  if (ts.isIdentifier(node.expression) && /^(x|f)(it|describe)$/.test(node.expression.text)) return node.expression.text;
  return isRunner(node.expression) ? optionIn(node) : undefined;
});

function isRunner(node: ts.Expression): boolean {
  return ts.isIdentifier(node) && (RUNNERS.has(node.text) || node.text === 't' || node.text === 'context');
}

/** `skip: false` and the like are refused too: a test does not decide whether it runs. */
function optionIn(call: ts.CallExpression): string | undefined {
  const options = call.arguments.find(ts.isObjectLiteralExpression);
  const name = options?.properties.find((property) => property.name !== undefined && ts.isIdentifier(property.name) && SELECTORS.has(property.name.text))?.name;
  return name === undefined ? undefined : `option ${name.getText()}`;
}

/** A sentence of behaviour has at least three words, those of the groups around it included, and does not begin with `should` or `test`. */
export const testNameRule = treeRule((node) => {
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression) || !['it', 'test'].includes(node.expression.text)) return undefined;
  const [name] = node.arguments;
  if (name === undefined || !(ts.isStringLiteralLike(name) || ts.isTemplateExpression(name))) return undefined;
  const text = ts.isStringLiteralLike(name) ? name.text : name.getText().slice(1, -1);
  if (/^(should|test|tests|works)\b/i.test(text)) return `test name "${text}" does not say what is true`;
  return `${groupNames(node)} ${text}`.trim().split(/\s+/).length >= 3 ? undefined : `test name "${text}" is no sentence`;
});

/** Names of the groups (`describe`) that hold a test, outermost first. */
function groupNames(node: ts.Node): string {
  const { parent } = node;
  if (ts.isSourceFile(parent)) return '';
  const outer = groupNames(parent);
  if (!ts.isCallExpression(parent) || !ts.isIdentifier(parent.expression) || !['describe', 'suite'].includes(parent.expression.text)) return outer;
  const [name] = parent.arguments;
  return name !== undefined && ts.isStringLiteralLike(name) ? `${outer} ${name.text}` : outer;
}

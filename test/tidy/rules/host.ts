/** The runtime has no clock, no chance and no host. The compiler refuses most of these names already; this rule says why and knows the rest. */
import * as ts from 'typescript';
import { treeRule } from '../project';

const BANNED = new Set([
  'AbortController', 'Buffer', 'Date', 'FinalizationRegistry', 'Intl', 'Promise', 'SharedArrayBuffer', 'TextDecoder', 'TextEncoder', 'URL', 'WeakRef', 'Worker',
  '__dirname', '__filename', 'clearImmediate', 'clearInterval', 'clearTimeout', 'console', 'crypto', 'fetch', 'globalThis', 'navigator', 'performance', 'process',
  'queueMicrotask', 'require', 'setImmediate', 'setInterval', 'setTimeout', 'structuredClone',
]);

/** Methods whose answer depends on the host's language or on chance. */
const BANNED_METHODS = new Set(['localeCompare', 'random', 'toLocaleDateString', 'toLocaleLowerCase', 'toLocaleString', 'toLocaleTimeString', 'toLocaleUpperCase']);

/** Names of the host, waiting, and `Math.random`, for modules of `runtime/`. */
export const hostRule = treeRule((node) => {
  if (ts.isAwaitExpression(node)) return 'the runtime is synchronous: no await';
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return 'the runtime is synchronous: no async';
  if (!ts.isIdentifier(node)) return undefined;
  if (isMemberName(node)) return isBannedMethod(node) ? `${node.text} depends on the host or on chance` : undefined;
  return BANNED.has(node.text) && !isPropertyName(node) ? `the runtime does not know ${node.text}` : undefined;
});

function isMemberName(node: ts.Identifier): boolean {
  return ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
}

function isBannedMethod(node: ts.Identifier): boolean {
  if (!BANNED_METHODS.has(node.text) || !ts.isPropertyAccessExpression(node.parent)) return false;
  const owner = node.parent.expression;
  return node.text !== 'random' || (ts.isIdentifier(owner) && owner.text === 'Math');
}

/** Names of our own members may be what they like. */
function isPropertyName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent) || ts.isMethodSignature(parent) || ts.isPropertyDeclaration(parent)
    || ts.isEnumMember(parent)) && parent.name === node;
}

/** Comments that must be there (module headers, exported names) and comments that must not (work left undone). */
import * as ts from 'typescript';
import { textRule, treeRule } from '../project';
import type { Rule } from '../project';

/** Each module begins with a doc comment: what it is, and what it is not. */
export const headerRule: Rule = ({ path, text }) => (/^(#!.*\n)?\/\*\*/.test(text) ? [] : [{ path, line: 1, message: 'the module does not begin with a doc comment' }]);

/** Each exported declaration has a doc comment. */
export const exportedDocRule = treeRule((node, file) => {
  if (!ts.canHaveModifiers(node) || !ts.isSourceFile(node.parent) || !isDeclaration(node)) return undefined;
  if (!(ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return undefined;
  return hasDocComment(node, file) || sharesComment(node, file) ? undefined : `exported ${nameOf(node)} has no doc comment`;
});

type Declaration = ts.FunctionDeclaration | ts.ClassDeclaration | ts.InterfaceDeclaration | ts.TypeAliasDeclaration | ts.EnumDeclaration | ts.VariableStatement;

function isDeclaration(node: ts.Node): node is Declaration {
  return ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isEnumDeclaration(node) || ts.isVariableStatement(node);
}

/** The doc comment must touch the declaration: a module header, with an empty line after it, is none. */
function hasDocComment(node: ts.Node, file: ts.SourceFile): boolean {
  const last = ts.getLeadingCommentRanges(file.text, node.getFullStart())?.at(-1);
  if (last === undefined || !file.text.startsWith('/**', last.pos)) return false;
  return !/\n\s*\n/.test(file.text.slice(last.end, node.getStart(file)));
}

/** Overloads after the first share its comment; so do constants and types of one line in the lines right after a documented one. */
function sharesComment(node: Declaration, file: ts.SourceFile): boolean {
  const previous = file.statements[file.statements.findIndex((statement) => statement === node) - 1];
  if (previous === undefined || !isDeclaration(previous) || previous.kind !== node.kind) return false;
  if (ts.isFunctionDeclaration(node) && nameOf(previous) === nameOf(node)) return true;
  const isOneLine = !previous.getText(file).includes('\n') && /^\s*$/.test(file.text.slice(previous.end, node.getStart(file)));
  const isNextLine = file.text.slice(previous.end, node.getStart(file)).split('\n').length === 2;
  return isOneLine && isNextLine && (hasDocComment(previous, file) || sharesComment(previous, file));
}

function nameOf(node: Declaration): string {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.map(({ name }) => name.getText()).join(', ');
  return node.name?.text ?? 'declaration';
}

const UNFINISHED = ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK', 'not ' + 'implemented'];

/** Words that announce unfinished work. What is missing stands in the ledger; what is wrong is a test. */
export const unfinishedRule = textRule(new RegExp(`\\b(?:${UNFINISHED.join('|')})\\b`, 'g'), (word) => `"${word}": finish it, or let the ledger say that it is missing`);

/** File names, file sizes and the ways a module exports. */
import * as ts from 'typescript';
import { treeRule } from '../project';
import type { Rule } from '../project';

const LINES_MAX = 600;
/** Files and folders that tools or GitHub want to be spelt so. */
const CONVENTIONAL = /(^|\/)(README|CONTRIBUTING|CHANGELOG|LICENSE|Makefile|vscode)(\.|$)/;

/** Lower-case words with hyphens, in every part of the path. */
export const fileNameRule: Rule = ({ path }) => {
  const isGood = path.split('/').every((part) => CONVENTIONAL.test(part) || /^\.?[a-z0-9]+([-.][a-z0-9]+)*$/.test(part) || /^[a-z0-9]+(-[a-z0-9]+)*\.S$/.test(part));
  return isGood ? [] : [{ path, line: 1, message: 'file names are kebab-case' }];
};

/** At most 600 lines in a file. */
export const fileLengthRule: Rule = ({ path, text }) => {
  const lines = text.split('\n').length - 1;
  return lines <= LINES_MAX ? [] : [{ path, line: LINES_MAX, message: `${String(lines)} lines; at most ${String(LINES_MAX)}` }];
};

/** Named exports only. */
export const defaultExportRule = treeRule((node) => {
  if (ts.isExportAssignment(node)) return 'default export';
  const isDefault = ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword);
  return isDefault ? 'default export' : undefined;
});

/** Only a folder's face, `index.ts` or `interface.ts`, hands on what other modules export. */
export const reExportRule: Rule = (source) => (/\/(index|interface)\.ts$/.test(source.path) ? [] : reExports(source));

const reExports = treeRule((node) => (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined ? 're-export outside a folder\'s index.ts or interface.ts' : undefined));

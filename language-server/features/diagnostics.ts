/** Diagnostics of an analysis as the protocol has them, sorted to the files they are about. */

import { DiagnosticSeverity, type Diagnostic } from 'vscode-languageserver';
import type { Analysis } from '../analysis';
import { uriOfPath } from '../files';
import type { Problem } from '../problem';
import { documentOf, rangeOfPlace } from '../positions';

/** What the editor names as the origin of our diagnostics. */
export const DIAGNOSTIC_SOURCE = 'gunyah dt';

const SEVERITIES = {
  error: DiagnosticSeverity.Error, warning: DiagnosticSeverity.Warning, information: DiagnosticSeverity.Information, hint: DiagnosticSeverity.Hint,
} as const;

/** The diagnostics of every file that has some, by path; those without a place go to the root. */
export function diagnosticsByFile(analysis: Analysis): ReadonlyMap<string, readonly Diagnostic[]> {
  const documents = new Map<string, ReturnType<typeof documentOf>>();
  const documentAt = (path: string): ReturnType<typeof documentOf> => {
    const known = documents.get(path) ?? documentOf(uriOfPath(path), analysis.textOf(path) ?? '');
    documents.set(path, known);
    return known;
  };
  const byFile = new Map<string, Diagnostic[]>();
  for (const problem of analysis.diagnostics) {
    const isKnown = problem.file !== undefined && analysis.textOf(problem.file) !== undefined;
    const path = isKnown && problem.file !== undefined ? problem.file : analysis.root;
    const list = byFile.get(path) ?? [];
    list.push(diagnosticOf(problem, isKnown, documentAt));
    byFile.set(path, list);
  }
  return byFile;
}

/** One problem as the protocol has it, as it was published. */
export function diagnosticOfProblem(problem: Problem, analysis: Analysis): Diagnostic {
  return diagnosticOf(problem, problem.file !== undefined && analysis.textOf(problem.file) !== undefined, (path) => documentOf(uriOfPath(path), analysis.textOf(path) ?? ''));
}

function diagnosticOf(problem: Problem, isKnown: boolean, documentAt: (path: string) => ReturnType<typeof documentOf>): Diagnostic {
  const { definition, file = '' } = problem;
  const start = { line: 0, character: 0 };
  const range = isKnown && problem.line !== undefined ? rangeOfPlace(documentAt(file), problem) : { start, end: start };
  const related = definition === undefined ? [] : [{ location: { uri: uriOfPath(definition.file), range: rangeOfPlace(documentAt(definition.file), definition) }, message: 'The macro is defined here.' }];
  const { nodePath, about, missing, surplus } = problem;
  const data = nodePath === undefined ? undefined : { node: nodePath, ...(about === undefined ? {} : { property: about }), ...(missing === undefined ? {} : { missing }), ...(surplus === undefined ? {} : { surplus }) };
  return {
    range, severity: SEVERITIES[problem.severity], code: problem.code, source: DIAGNOSTIC_SOURCE, message: problem.message, ...(related.length === 0 ? {} : { relatedInformation: related }), ...(problem.binding === undefined ? {} : { codeDescription: { href: uriOfPath(problem.binding) } }),
    ...(data === undefined ? {} : { data }),
  };
}

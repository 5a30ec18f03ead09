/** Sends the diagnostics of all analyses to the files they are about, and empty lists to files that had some before. */

import { posix } from 'node:path';
import { DiagnosticSeverity, type Diagnostic, type PublishDiagnosticsParams } from 'vscode-languageserver';
import { DIAGNOSTIC_SOURCE, diagnosticsByFile } from './features/diagnostics';
import { FILE_SIZE_MAX, uriOfPath } from './files';
import type { Workspace } from './workspace';

/** Remembers what the client shows. */
export class Publisher {
  private readonly workspace: Workspace;
  private readonly send: (params: PublishDiagnosticsParams) => void;
  private readonly shown = new Map<string, string>();

  constructor(workspace: Workspace, send: (params: PublishDiagnosticsParams) => void) {
    this.workspace = workspace;
    this.send = send;
  }

  /** Tells the client the state of all files; what it knows already is not sent again. */
  publish(): void {
    const byPath = new Map<string, Map<string, Diagnostic>>();
    const open = this.workspace.documents.paths;
    for (const path of open) byPath.set(path, new Map());
    const analyses = this.workspace.analyse();
    const contexts = new Set(open.flatMap((path) => this.workspace.contextOf(path) ?? []));
    for (const analysis of analyses) {
      for (const [path, list] of diagnosticsByFile(analysis)) {
        // Nobody asked about the other files of a tree that was only found because it includes an open one.
        if (contexts.has(analysis.root) && !open.includes(path)) continue;
        const known = byPath.get(path) ?? new Map<string, Diagnostic>();
        // Two roots often say the same about a file that both include.
        for (const one of list) known.set(JSON.stringify([one.range, one.code, one.message]), one);
        byPath.set(path, known);
      }
    }
    for (const path of open) {
      const context = this.workspace.contextOf(path);
      if (context !== undefined) byPath.get(path)?.set('context', contextHint(context));
    }
    for (const path of this.workspace.documents.unread) byPath.set(path, new Map([['size', TOO_LARGE]]));
    const sent = new Set<string>();
    for (const [path, list] of byPath) sent.add(this.tell(path, [...list.values()]));
    for (const uri of [...this.shown.keys()]) {
      if (sent.has(uri)) continue;
      this.shown.delete(uri);
      this.send({ uri, diagnostics: [] });
    }
  }

  private tell(path: string, diagnostics: Diagnostic[]): string {
    const document = this.workspace.documents.byPath(path);
    const uri = document?.uri ?? uriOfPath(path);
    const params = { uri, diagnostics, ...(document === undefined ? {} : { version: document.version }) };
    const text = JSON.stringify(params);
    if (this.shown.get(uri) !== text) this.send(params);
    this.shown.set(uri, text);
    return uri;
  }
}

const START = { line: 0, character: 0 };

const TOO_LARGE: Diagnostic = {
  range: { start: START, end: START }, severity: DiagnosticSeverity.Error, code: 'dts-too-large', source: DIAGNOSTIC_SOURCE,
  message: `This file is longer than ${String(FILE_SIZE_MAX >> 20)} MiB and is not read.`,
};

/** Says in which tree a file that is open without one was read. */
function contextHint(root: string): Diagnostic {
  return {
    range: { start: START, end: START }, severity: DiagnosticSeverity.Hint, code: 'read-in-context', source: DIAGNOSTIC_SOURCE,
    message: `Read as part of ${posix.basename(root)}, which includes it. For another tree, open that, or name it in a comment: // dts-context: other.dts`,
    relatedInformation: [{ location: { uri: uriOfPath(root), range: { start: START, end: START } }, message: 'The tree that includes this file.' }],
  };
}

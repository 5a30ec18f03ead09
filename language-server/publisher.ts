/** Sends the diagnostics of all analyses to the files they are about, and empty lists to files that had some before. */

import type { Diagnostic, PublishDiagnosticsParams } from 'vscode-languageserver';
import { diagnosticsByFile } from './features/diagnostics';
import { uriOfPath } from './files';
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
    for (const path of this.workspace.documents.paths) byPath.set(path, new Map());
    for (const analysis of this.workspace.analyse()) {
      for (const [path, list] of diagnosticsByFile(analysis)) {
        const known = byPath.get(path) ?? new Map<string, Diagnostic>();
        // Two roots often say the same about a file that both include.
        for (const one of list) known.set(JSON.stringify([one.range, one.code, one.message]), one);
        byPath.set(path, known);
      }
    }
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

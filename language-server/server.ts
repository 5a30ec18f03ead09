/**
 * The language server of device trees on a connection, whatever carries it. Requests are answered from the documents as they are when
 * the request is handled; diagnostics follow edits after a pause. Not a place for features: those are pure functions in `features/`.
 */

import { TextDocuments, TextDocumentSyncKind, type Connection, type DefinitionParams, type InitializeParams, type InitializeResult, type Location, type WorkDoneProgressServerReporter } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Analysis } from './analysis';
import { Answering } from './answering';
import type { Background } from './binding-store';
import { completion, COMPLETION_TRIGGERS } from './features/completion';
import { foldingRanges } from './features/folding';
import { formatting } from './features/formatting';
import { hover } from './features/hover';
import { definitions, references } from './features/navigation';
import { documentSymbols } from './features/outline';
import { selectionRanges } from './features/selection';
import { SEMANTIC_TOKENS_LEGEND } from './features/semantic-tokens';
import { pathOfUri } from './files';
import { checkedPositions, checkedRange, isRange } from './parameters';
import { Publisher } from './publisher';
import { answerTreeRequests } from './requests';
import { field, NO_SETTINGS, readSettings, type ServerSettings } from './settings';
import { answerSymbolRequests, SYMBOL_CAPABILITIES } from './symbol-requests';
import { Workspace } from './workspace';

/** What the surroundings give to the server. */
export interface ServerOptions {
  /** Calls back once after a pause in milliseconds; calling what it returns gives that up. */
  readonly later: (run: () => void, milliseconds: number) => () => void;
  /** Runs something once messages that wait have been handled; with it, large collections of bindings are read aside. */
  readonly soon?: (run: () => void) => void;
  /** Include paths from the command line, before any settings. */
  readonly includePaths?: readonly string[];
}

/** Pause after the last edit before diagnostics are made, in milliseconds. */
export const DIAGNOSTICS_PAUSE = 150;

/** Serves a connection, which begins to listen. */
export function serve(connection: Connection, options: ServerOptions): void {
  const list = new TextDocuments<TextDocument>({ create: createDocument, update: updateDocument });
  const workspace = new Workspace(list);
  const publisher = new Publisher(workspace, (params) => { void connection.sendDiagnostics(params); });
  let giveUp: (() => void) | undefined;
  const changed = (): void => {
    giveUp?.();
    giveUp = options.later(() => {
      giveUp = undefined;
      try {
        publisher.publish();
      } catch (problem) {
        connection.console.error(`Diagnostics failed: ${problem instanceof Error ? (problem.stack ?? problem.message) : String(problem)}`);
      }
    }, DIAGNOSTICS_PAUSE);
  };
  const { soon } = options;
  if (soon !== undefined) workspace.bindings.background = { soon, ready: changed, progress: progressOn(connection), notice: (text) => { connection.window.showWarningMessage(text); } };
  list.onDidOpen(() => { workspace.allowFolders(); });
  list.onDidClose(({ document }) => {
    workspace.documents.forget(document.uri);
    workspace.allowFolders();
    changed();
  });
  list.onDidChangeContent(changed);
  configureWith(connection, { workspace, changed, settings: readSettings({ includePaths: options.includePaths }, NO_SETTINGS) });
  answerRequests(connection, workspace);
  answerSymbolRequests(connection, workspace);
  answerTreeRequests(connection, workspace);
  list.listen(connection);
  connection.onShutdown(() => { giveUp?.(); });
  connection.listen();
}

function createDocument(uri: unknown, languageId: unknown, version: unknown, text: unknown): TextDocument {
  if (typeof uri !== 'string' || typeof text !== 'string') throw new Error('A document needs a uri and a text.');
  return TextDocument.create(uri, typeof languageId === 'string' ? languageId : 'dts', typeof version === 'number' ? version : 0, text);
}

/**
 * Applies edits as whole texts: the library's own way of patching its table of lines goes wrong with ranges behind the last line, and between
 * a carriage return and its line feed.
 */
function updateDocument(document: TextDocument, changes: readonly unknown[], version: number): TextDocument {
  const edits = changes.map((change) => ({ range: field(change, 'range'), text: field(change, 'text') }));
  for (const { range, text } of edits) if (typeof text !== 'string' || (range !== undefined && !isRange(range))) throw new Error(`A change of ${document.uri} is malformed.`);
  let updated = document;
  for (const { range, text } of edits) {
    const before = updated.getText();
    const [start = 0, end = before.length] = isRange(range) ? [updated.offsetAt(range.start), updated.offsetAt(range.end)].sort((a, b) => a - b) : [];
    updated = TextDocument.update(updated, [{ text: before.slice(0, start) + String(text) + before.slice(end) }], version);
  }
  return updated;
}

function configureWith(connection: Connection, state: { readonly workspace: Workspace; readonly changed: () => void; readonly settings: ServerSettings }): void {
  const { workspace, changed } = state;
  let { settings } = state;
  let folders: readonly string[] = [];
  connection.onInitialize((params): InitializeResult => {
    folders = foldersOf(params);
    settings = readSettings(params.initializationOptions, settings);
    workspace.configure(folders, settings);
    workspace.hasSnippets = field(field(field(params.capabilities.textDocument, 'completion'), 'completionItem'), 'snippetSupport') === true;
    return { capabilities: CAPABILITIES, serverInfo: { name: 'gunyah dt lsp' } };
  });
  connection.onInitialized(() => { workspace.prepare(); });
  connection.onNotification('workspace/didChangeWorkspaceFolders', (params: unknown) => {
    const removed = uris(field(field(params, 'event'), 'removed'));
    folders = [...folders.filter((folder) => !removed.includes(folder)), ...uris(field(field(params, 'event'), 'added'))];
    workspace.configure(folders, settings);
    changed();
  });
  connection.onDidChangeConfiguration((params: unknown) => {
    settings = readSettings(field(field(field(params, 'settings'), 'gunyah'), 'deviceTree'), settings);
    workspace.configure(folders, settings);
    changed();
  });
  connection.onDidChangeWatchedFiles(({ changes }) => {
    if (changes.some(({ uri }) => uri.endsWith('.yaml'))) workspace.bindings.forget();
    workspace.noteFiles();
    changed();
  });
}

/** Shows in the client how far reading bindings has come, if the client can. */
function progressOn(connection: Connection): Background['progress'] {
  let shown: Promise<WorkDoneProgressServerReporter> | undefined;
  let percent = 0;
  return (done, total, giveUp) => {
    if (shown === undefined && done < total) {
      shown = connection.window.createWorkDoneProgress();
      void shown.then((reporter) => {
        reporter.begin('Reading device tree bindings', 0, undefined, true);
        reporter.token.onCancellationRequested(giveUp);
      });
    }
    const now = Math.floor((100 * done) / total);
    if (done < total && now === percent) return;
    percent = now;
    void shown?.then((reporter) => {
      if (done < total) reporter.report(now);
      else reporter.done();
    });
    if (done >= total) shown = undefined;
  };
}

const CAPABILITIES: InitializeResult['capabilities'] = {
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
  completionProvider: { triggerCharacters: COMPLETION_TRIGGERS },
  documentSymbolProvider: true, foldingRangeProvider: true, selectionRangeProvider: true,
  documentFormattingProvider: true, documentRangeFormattingProvider: true,
  definitionProvider: true, declarationProvider: true, referencesProvider: true, hoverProvider: true,
  semanticTokensProvider: { legend: SEMANTIC_TOKENS_LEGEND, full: { delta: true }, range: true },
  ...SYMBOL_CAPABILITIES,
  workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
};

function foldersOf(params: InitializeParams): readonly string[] {
  const folders = uris(params.workspaceFolders);
  const root = field(params, 'rootUri');
  return folders.length === 0 && typeof root === 'string' ? [pathOfUri(root)] : folders;
}

function uris(folders: unknown): readonly string[] {
  return Array.isArray(folders) ? folders.map((folder) => field(folder, 'uri')).filter((uri) => typeof uri === 'string').map(pathOfUri) : [];
}

function answerRequests(connection: Connection, workspace: Workspace): void {
  const answering = new Answering(workspace);
  const baseOf = (analysis: Analysis): Analysis | undefined => workspace.baseBehind(analysis);
  connection.onDocumentSymbol(answering.about([], documentSymbols));
  connection.onFoldingRanges(answering.about([], foldingRanges));
  connection.onSelectionRanges(answering.about([], (source, { positions }) => selectionRanges(source, checkedPositions(positions))));
  connection.onDocumentFormatting(answering.about([], (source) => formatting(source)));
  connection.onDocumentRangeFormatting(answering.about([], (source, { range }) => formatting(source, checkedRange(range))));
  connection.onCompletion(answering.meaning([], (at) => completion(at, {
    base: baseOf(at.analysis), includePaths: workspace.includePathsFor(at.analysis.root), hasSnippets: workspace.hasSnippets,
    namesIn: (folder) => workspace.files.namesIn(folder).map((name) => (workspace.files.hasFolder(`${folder}/${name}`) ? `${name}/` : name)),
  })));
  connection.onHover(answering.meaning(null, (at) => hover(at, baseOf(at.analysis))));
  const define = answering.meaning<DefinitionParams, Location[]>([], (at) => definitions(at, workspace.includePathsFor(at.analysis.root), baseOf(at.analysis)));
  connection.onDefinition(define);
  // A label, macro or property is declared where it is defined.
  connection.onDeclaration(define);
  connection.onReferences(answering.meaning([], ({ source, offset }, params) => references(source, offset, workspace.familyOf(source.path), field(field(params, 'context'), 'includeDeclaration') === true ? 'uses and declarations' : 'uses')));
}

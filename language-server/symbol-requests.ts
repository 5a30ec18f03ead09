/** Requests about names and references: tokens, links, hints, lenses, hierarchy, renaming, quick fixes. Parameters are checked here; the answers are made in `features/`. */

import { CodeActionKind, type Connection, type ServerCapabilities } from 'vscode-languageserver';
import { Answering } from './answering';
import { incomingCalls, outgoingCalls, prepareCallHierarchy } from './features/call-hierarchy';
import { codeLenses } from './features/code-lens';
import { inlayHints } from './features/inlay-hints';
import { linkedEditing } from './features/linked-editing';
import { documentLinks } from './features/links';
import { FIRST_TRIGGER, MORE_TRIGGERS, onTypeFormatting } from './features/on-type-formatting';
import { quickFixes } from './features/quick-fixes';
import { refactorings } from './features/refactorings';
import { prepareRename, rename } from './features/rename';
import { semanticTokens, SemanticTokensHistory } from './features/semantic-tokens';
import { workspaceSymbols } from './features/workspace-symbols';
import { checkedPosition, checkedRange, invalid } from './parameters';
import { field } from './settings';
import type { Workspace } from './workspace';

/** What the requests here need in the answer to `initialize`. */
export const SYMBOL_CAPABILITIES: Partial<ServerCapabilities> = {
  renameProvider: { prepareProvider: true }, workspaceSymbolProvider: true, documentLinkProvider: { resolveProvider: false }, linkedEditingRangeProvider: true,
  codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix, CodeActionKind.RefactorRewrite] },
  callHierarchyProvider: true, codeLensProvider: { resolveProvider: false }, inlayHintProvider: { resolveProvider: false },
  documentOnTypeFormattingProvider: { firstTriggerCharacter: FIRST_TRIGGER, moreTriggerCharacter: [...MORE_TRIGGERS] },
};

/** Answers them. */
export function answerSymbolRequests(connection: Connection, workspace: Workspace): void {
  const answering = new Answering(workspace);
  const history = new SemanticTokensHistory();
  connection.languages.semanticTokens.on(answering.about({ data: [] }, (source) => history.full(source)));
  connection.languages.semanticTokens.onDelta(answering.about({ data: [] }, (source, params) => history.delta(source, params.previousResultId)));
  connection.languages.semanticTokens.onRange(answering.about({ data: [] }, (source, params) => semanticTokens(source, checkedRange(params.range))));
  connection.onDocumentLinks(answering.analysed([], ({ source, analysis }) => documentLinks(source, analysis, workspace.includePathsFor(analysis.root))));
  connection.onWorkspaceSymbol(({ query }) => workspaceSymbols(workspace.analyse(), checkedText(query)));
  connection.languages.onLinkedEditingRange(answering.about(null, (source, { position }) => linkedEditing(source, source.document.offsetAt(checkedPosition(position)))));
  connection.languages.inlayHint.on(answering.analysed([], ({ source, analysis }, { range }) => inlayHints(source, { analysis, base: workspace.baseBehind(analysis) }, checkedRange(range))));
  connection.onCodeLens(answering.analysed([], ({ source, analysis }) => codeLenses(source, { analysis, base: workspace.baseBehind(analysis), showPlaces: workspace.showPlacesCommand })));
  connection.onCodeAction(answering.analysed([], ({ source, analysis }, { range }) => [...quickFixes(source, analysis, checkedRange(range), workspace.baseBehind(analysis)), ...refactorings(source, checkedRange(range))]));
  connection.onPrepareRename(answering.meaning(null, (at) => prepareRename(at, workspace.baseBehind(at.analysis))));
  connection.onRenameRequest(answering.meaning(null, (at, { newName }) => rename(at, checkedText(newName), workspace.familyOf(at.source.path))));
  connection.onDocumentOnTypeFormatting(answering.about([], (source, { position, ch }) => onTypeFormatting(source, checkedPosition(position), checkedText(ch))));
  answerHierarchy(connection, answering);
}

function answerHierarchy(connection: Connection, answering: Answering): void {
  const { workspace } = answering;
  connection.languages.callHierarchy.onPrepare(answering.meaning(null, prepareCallHierarchy));
  /** The analysis and node that an item of ours stands for; a node that is gone by now has no calls. */
  const follow = <R>(item: unknown, answer: (analysis: NonNullable<ReturnType<Workspace['analysisOfAny']>>, node: string) => R): R | null => {
    const data = field(item, 'data');
    const analysis = workspace.analysisOfAny(checkedText(field(data, 'root')));
    return analysis === undefined ? null : answer(analysis, checkedText(field(data, 'node')));
  };
  connection.languages.callHierarchy.onIncomingCalls(({ item }) => follow(item, incomingCalls));
  connection.languages.callHierarchy.onOutgoingCalls(({ item }) => follow(item, outgoingCalls));
}

function checkedText(given: unknown): string {
  if (typeof given !== 'string') throw invalid('a text');
  return given;
}

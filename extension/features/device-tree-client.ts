/** Starts the language server of device trees for the editor, and stops it again. Not what the server answers: that is `language-server/`. */

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { messageOf } from '../command';
import type { FeatureContext } from '../feature';

/** The editor's name of the language, whatever the extension of the file. */
export const DEVICE_TREE_LANGUAGE = 'dts';
const SECTION = 'gunyah.deviceTree';

/** Registers the client: it starts with the first device tree that is opened. */
export function register({ extension }: FeatureContext): void {
  let client: Promise<LanguageClient> | undefined;
  const startFor = (document: vscode.TextDocument): void => {
    if (client !== undefined || document.languageId !== DEVICE_TREE_LANGUAGE) return;
    client = start(extension);
    client.catch((problem: unknown) => void vscode.window.showErrorMessage(`The language server of device trees did not start: ${messageOf(problem)}`));
  };
  extension.subscriptions.push(vscode.workspace.onDidOpenTextDocument(startFor));
  for (const document of vscode.workspace.textDocuments) startFor(document);
}

/** Loads the client library only now, so that a session without device trees does not pay for it. */
async function start(extension: vscode.ExtensionContext): Promise<LanguageClient> {
  const { LanguageClient, RevealOutputChannelOn, TransportKind } = await import('vscode-languageclient/node');
  const watcher = vscode.workspace.createFileSystemWatcher('**/*.{dts,dtsi,dtso,overlay,h,yaml}');
  // The same bundle as the command `gunyah dt lsp`, in a process of its own.
  const server = { module: vscode.Uri.joinPath(extension.extensionUri, 'dist', 'cli.js').fsPath, args: ['dt', 'lsp'], transport: TransportKind.stdio };
  const client = new LanguageClient('gunyah.deviceTree', 'Gunyah Device Trees', server, {
    documentSelector: [{ scheme: 'file', language: DEVICE_TREE_LANGUAGE }, { scheme: 'untitled', language: DEVICE_TREE_LANGUAGE }],
    initializationOptions: vscode.workspace.getConfiguration('gunyah').get('deviceTree'),
    synchronize: { configurationSection: SECTION, fileEvents: watcher },
    revealOutputChannelOn: RevealOutputChannelOn.Never,
  });
  extension.subscriptions.push(watcher, { dispose: () => { void client.dispose(); } });
  await client.start();
  return client;
}

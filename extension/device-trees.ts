/** The language server of device trees as the editor's client sees it: started with the first tree, asked by features. Not what it answers: that is `language-server/`. */

import * as vscode from 'vscode';
import type { LanguageClient, Location as ProtocolLocation, Position as ProtocolPosition, Range as ProtocolRange } from 'vscode-languageclient/node';
import { messageOf } from './model/messages';
import type {
  CompareParams, CompiledTree, CompileParams, MemoryMap, MergedTree, MergedTreeParams, PrintedTree, RmOverlay, RmOverlayParams, TreeComparison, TreeInput,
} from '../language-server/protocol';

/** The editor's name of the language, whatever the extension of the file. */
export const DEVICE_TREE_LANGUAGE = 'dts';
const SECTION = 'gunyah.deviceTree';
/** What lenses of the server call: a URI, a position and places, all as the protocol has them. */
const SHOW_PLACES = 'gunyah.showDeviceTreePlaces';

/** Our requests beside those of the protocol, with what they take and give. */
interface TreeRequests {
  readonly 'gunyah/dt/mergedTree': readonly [MergedTreeParams, MergedTree];
  readonly 'gunyah/dt/compile': readonly [CompileParams, CompiledTree];
  readonly 'gunyah/dt/decompile': readonly [TreeInput, PrintedTree];
  readonly 'gunyah/dt/rmOverlay': readonly [RmOverlayParams, RmOverlay];
  readonly 'gunyah/dt/memoryMap': readonly [TreeInput, MemoryMap];
  readonly 'gunyah/dt/compare': readonly [CompareParams, TreeComparison];
}

/** Owns the client. */
export class DeviceTrees implements vscode.Disposable {
  private readonly extension: vscode.ExtensionContext;
  private readonly watch: vscode.Disposable;
  private client: Promise<LanguageClient> | undefined;

  constructor(extension: vscode.ExtensionContext) {
    this.extension = extension;
    this.watch = vscode.workspace.onDidOpenTextDocument((document) => { this.startFor(document); });
    for (const document of vscode.workspace.textDocuments) this.startFor(document);
  }

  /** Asks the server, which is started if need be. `undefined` if it cannot read the tree; rejects with the server's words. */
  async request<N extends keyof TreeRequests>(name: N, params: TreeRequests[N][0]): Promise<TreeRequests[N][1] | undefined> {
    this.client ??= this.start();
    const answer: TreeRequests[N][1] | null = await (await this.client).sendRequest(name, params);
    return answer ?? undefined;
  }

  dispose(): void {
    this.watch.dispose();
    void this.client?.then((client) => client.dispose()).catch(() => undefined);
  }

  private startFor(document: vscode.TextDocument): void {
    if (this.client !== undefined || document.languageId !== DEVICE_TREE_LANGUAGE) return;
    this.client = this.start();
    this.client.catch((problem: unknown) => void vscode.window.showErrorMessage(`The language server of device trees did not start: ${messageOf(problem)}`));
  }

  /** Loads the client library only now, so that a session without device trees does not pay for it. */
  private async start(): Promise<LanguageClient> {
    const { LanguageClient, RevealOutputChannelOn, TransportKind } = await import('vscode-languageclient/node');
    const watcher = vscode.workspace.createFileSystemWatcher('**/{*.dts,*.dtsi,*.dtso,*.overlay,*.h,*.yaml,Makefile}');
    this.extension.subscriptions.push(watcher);
    // The same bundle as the command `gunyah dt lsp`, in a process of its own.
    const server = { module: vscode.Uri.joinPath(this.extension.extensionUri, 'dist', 'cli.js').fsPath, args: ['dt', 'lsp'], transport: TransportKind.stdio };
    this.extension.subscriptions.push(vscode.commands.registerCommand(SHOW_PLACES, async (uri: string, position: ProtocolPosition, places: readonly ProtocolLocation[]) => {
      const locations = places.map((place) => new vscode.Location(vscode.Uri.parse(place.uri), rangeOf(place.range)));
      await vscode.commands.executeCommand('editor.action.showReferences', vscode.Uri.parse(uri), new vscode.Position(position.line, position.character), locations);
    }));
    const client = new LanguageClient('gunyah.deviceTree', 'Gunyah Device Trees', server, {
      documentSelector: ['file', 'untitled'].map((scheme) => ({ scheme, language: DEVICE_TREE_LANGUAGE })),
      initializationOptions: { ...vscode.workspace.getConfiguration('gunyah').get<object>('deviceTree'), showPlacesCommand: SHOW_PLACES },
      synchronize: { configurationSection: SECTION, fileEvents: watcher },
      revealOutputChannelOn: RevealOutputChannelOn.Never,
    });
    await client.start();
    return client;
  }
}

function rangeOf({ start, end }: ProtocolRange): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}

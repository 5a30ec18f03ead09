/** Dropping a device tree with a VM configuration (from the explorer, or its node from the outline) into a system file adds the VM. */

import { posix } from 'node:path';
import * as vscode from 'vscode';
import type { FeatureContext } from '../feature';
import { configuredName, withConfiguredVm } from '../model/system-file-edit';

const KIND = vscode.DocumentDropOrPasteEditKind.Empty.append('gunyah', 'vm');
const URI_LIST = 'text/uri-list';

/** Registers the provider. */
export function register({ extension }: FeatureContext): void {
  extension.subscriptions.push(vscode.languages.registerDocumentDropEditProvider({ pattern: '**/*.gunyah.json' }, { provideDocumentDropEdits: dropEdit }, {
    providedDropEditKinds: [KIND], dropMimeTypes: [URI_LIST],
  }));
}

async function dropEdit(document: vscode.TextDocument, _position: vscode.Position, data: vscode.DataTransfer): Promise<vscode.DocumentDropEdit | undefined> {
  const list = await data.get(URI_LIST)?.asString();
  const uris = (list ?? '').split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#')).map((line) => vscode.Uri.parse(line).with({ fragment: '' }));
  const before = document.getText();
  let text = before;
  for (const uri of uris.filter(({ path }) => /\.dtsi?$/.test(path))) {
    const name = configuredName(new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)));
    const config = posix.relative(posix.dirname(document.uri.path), uri.path);
    if (name !== undefined) text = withConfiguredVm(text, { name, config }) ?? text;
  }
  if (text === before) return undefined;
  const edit = new vscode.DocumentDropEdit('', 'Add the VM that this device tree configures', KIND);
  // The VM goes to the end of the list, wherever in the file it was dropped.
  edit.additionalEdit = new vscode.WorkspaceEdit();
  edit.additionalEdit.replace(document.uri, new vscode.Range(document.positionAt(0), document.positionAt(before.length)), text);
  return edit;
}

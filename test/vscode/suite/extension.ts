/** What the extension contributes, seen from inside the extension host. */

import assert from 'node:assert/strict';
import { suite, test } from 'mocha';
import * as vscode from 'vscode';
import { eventually, folder } from './session';

const ID = 'gunyah-debug.gunyah-debug';

/** Problems that the editor reports for a file of the workspace, once it has looked at it. */
async function checkDiagnostics(text: string, expected: RegExp | undefined): Promise<void> {
  const uri = vscode.Uri.joinPath(folder().uri, `check-${Math.abs(text.length)}.gunyah.json`);
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document);
  assert.equal(document.languageId, 'jsonc');
  const messages = (): string => vscode.languages.getDiagnostics(uri).map(({ message }) => message).join('\n');
  if (expected === undefined) {
    // That there is no problem shows only once there would be one: a mistake at the end is found, and goes away again.
    const end = document.lineAt(document.lineCount - 1).range.end;
    await replace(uri, new vscode.Range(end, end), '!');
    await eventually('the mistake is found', () => (messages() === '' ? undefined : true));
    await replace(uri, new vscode.Range(end, end.translate(0, 1)), '');
    await eventually('the file has no problem', () => (messages() === '' ? true : undefined));
  } else {
    await eventually(`a problem ${String(expected)}`, () => (expected.test(messages()) ? true : undefined));
  }
  await vscode.commands.executeCommand('workbench.action.files.revert');
  await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  await vscode.workspace.fs.delete(uri);
}

async function replace(uri: vscode.Uri, range: vscode.Range, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  edit.replace(uri, range, text);
  assert.ok(await vscode.workspace.applyEdit(edit));
}

/** Registers the suite. */
export function extensionSuite(): void {
  suite('extension', () => {
    test('the extension activates in a workspace with a system file', async () => {
      const extension = vscode.extensions.getExtension(ID);
      assert.ok(extension, `${ID} is installed`);
      await extension.activate();
      assert.ok(extension.isActive);
    });

    test('every command of package.json is registered', async () => {
      const manifest: { contributes: { commands: { command: string }[] } } = vscode.extensions.getExtension(ID)?.packageJSON;
      const registered = new Set(await vscode.commands.getCommands(true));
      const missing = manifest.contributes.commands.map(({ command }) => command).filter((command) => !registered.has(command));
      assert.deepEqual(missing, []);
    });

    test('the sample\'s system file fits the schema', async () => {
      const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder().uri, 'two-vms.gunyah.json')));
      await checkDiagnostics(text, undefined);
    });

    test('a mistake in a system file is underlined', async () => {
      await checkDiagnostics('{ "vms": [{ "name": "no image" }] }', /image/);
    });

    test('device tree and assembly files have their languages', async () => {
      const sensor = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder().uri, 'sensor.dts'));
      const start = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder().uri, 'sdk', 'start.S'));
      assert.deepEqual([sensor.languageId, start.languageId], ['dts', 'arm64']);
    });

    test('a system whose images are not built does not start, and says so', async () => {
      const uri = vscode.Uri.joinPath(folder().uri, 'unbuilt.gunyah.json');
      await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode('{ "vms": [{ "image": "build/nowhere.elf" }] }'));
      assert.equal(await vscode.debug.startDebugging(folder(), { type: 'gunyah', request: 'launch', name: 'unbuilt', system: uri.fsPath }), false);
      await vscode.commands.executeCommand('notifications.clearAll');
      await vscode.workspace.fs.delete(uri);
    });
  });
}

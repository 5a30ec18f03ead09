/** Device trees in the editor: the language server's answers as the editor's own commands give them. */

import assert from 'node:assert/strict';
import { suite, test } from 'mocha';
import * as vscode from 'vscode';
import { eventually, folder } from './session';

/** A new device tree in the workspace, shown; the caller closes and deletes it. */
async function withTree(name: string, text: string, use: (document: vscode.TextDocument) => Promise<void>): Promise<void> {
  const uri = vscode.Uri.joinPath(folder().uri, name);
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document);
  try {
    await use(document);
  } finally {
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await vscode.workspace.fs.delete(uri);
  }
}

/** Waits until the problems of a file satisfy a condition. */
async function problemsOf(uri: vscode.Uri, isGood: (problems: readonly vscode.Diagnostic[]) => boolean): Promise<readonly vscode.Diagnostic[]> {
  return await eventually('the problems expected', () => {
    const problems = vscode.languages.getDiagnostics(uri);
    return isGood(problems) ? problems : undefined;
  });
}

/** The shown document of a scheme. */
async function shownTree(scheme: string): Promise<vscode.TextDocument> {
  return await eventually(`a document of ${scheme}`, () => vscode.window.visibleTextEditors.find(({ document }) => document.uri.scheme === scheme)?.document);
}

async function readIfThere(uri: vscode.Uri): Promise<string | undefined> {
  try {
    return new TextDecoder('latin1').decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    return undefined;
  }
}

/** Registers the suite. */
export function deviceTreesSuite(): void {
  suite('device trees', () => {
    test('a mistake is underlined where it is, and the mark goes when it is mended', async () => {
      await withTree('broken.dts', '/dts-v1/;\n\n/ {\n\tchosen {\n\t\tlinux,initrd-start = <&nobody>;\n\t};\n};\n', async (document) => {
        const [problem] = await problemsOf(document.uri, (problems) => problems.length > 0);
        assert.match(problem?.message ?? '', /nobody/);
        assert.deepEqual([problem?.range.start.line, document.getText(problem?.range)], [4, '&nobody']);
        const edit = new vscode.WorkspaceEdit();
        edit.replace(document.uri, problem?.range ?? new vscode.Range(0, 0, 0, 0), '1');
        await vscode.workspace.applyEdit(edit);
        await problemsOf(document.uri, (problems) => problems.length === 0);
      });
    });

    test('the outline, hover and formatting of a tree come from the server', async () => {
      await withTree('outline.dts', '/dts-v1/;\n/ {\nmemory@40000000 {\n\tdevice_type = "memory";\n\treg = <0x0 0x40000000 0x0 0x8000000>;\n};\n};\n', async (document) => {
        const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[]>('vscode.executeDocumentSymbolProvider', document.uri);
        assert.deepEqual(symbols.map(({ name, children }) => [name, children.map((child) => child.name)]), [['/', ['memory@40000000']]]);
        const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, new vscode.Position(4, 3));
        assert.ok(hovers.length > 0);
        const edits = await vscode.commands.executeCommand<vscode.TextEdit[]>('vscode.executeFormatDocumentProvider', document.uri, { tabSize: 8, insertSpaces: false });
        assert.ok(edits.length > 0);
      });
    });

    test('the merged tree and RM\'s overlay open beside the source and follow it', async () => {
      const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder().uri, 'sensor.dts'));
      await vscode.window.showTextDocument(document);
      await vscode.commands.executeCommand('gunyah.previewMergedTree');
      const merged = await shownTree('gunyah-merged-tree');
      assert.ok(merged.getText().includes('image-name = "sensor";'));
      await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
      await vscode.commands.executeCommand('gunyah.previewRmOverlay');
      const overlay = await shownTree('gunyah-rm-overlay');
      assert.match(overlay.getText(), /qcom,image-name = "sensor"/);

      const line = merged.getText().split('\n').findIndex((text) => text.includes('image-name'));
      const places = await vscode.commands.executeCommand<vscode.Location[]>('vscode.executeDefinitionProvider', merged.uri, new vscode.Position(line, 4));
      assert.deepEqual(places.map(({ uri }) => uri.toString()), [document.uri.toString()]);

      const name = document.getText().indexOf('"sensor"', document.getText().indexOf('image-name')) + 1;
      const edit = new vscode.WorkspaceEdit();
      edit.replace(document.uri, new vscode.Range(document.positionAt(name), document.positionAt(name + 'sensor'.length)), 'renamed');
      await vscode.workspace.applyEdit(edit);
      await eventually('both follow', () => (merged.getText().includes('"renamed"') && overlay.getText().includes('"renamed"') ? true : undefined));
      await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
      await vscode.commands.executeCommand('workbench.action.files.revert');
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    });

    test('a tree is compiled to a blob, the blob opens as source and is written back when saved', async () => {
      await withTree('blob.dts', '/dts-v1/;\n\n/ {\n\tmodel = "one";\n};\n', async () => {
        const blob = vscode.Uri.joinPath(folder().uri, 'blob.dtb');
        void vscode.commands.executeCommand('gunyah.compileDeviceTree');
        const first = await eventually('the blob', async () => await readIfThere(blob));
        await vscode.commands.executeCommand('vscode.open', blob);
        const source = await shownTree('gunyah-dtb');
        assert.ok(source.getText().includes('model = "one";'));
        const edit = new vscode.WorkspaceEdit();
        edit.replace(source.uri, new vscode.Range(0, 0, source.lineCount, 0), source.getText().replace('"one"', '"two"'));
        await vscode.workspace.applyEdit(edit);
        assert.ok(await source.save());
        const second = await readIfThere(blob);
        assert.deepEqual([first.includes('one'), second?.includes('two')], [true, true]);
        await vscode.workspace.fs.delete(blob);
      });
    });
  });
}

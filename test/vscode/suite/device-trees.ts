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
  });
}

/**
 * The HTML around a page of ours: one style sheet and one script of the extension, and nothing from anywhere else.
 *
 * The content security policy names the script by a nonce; there are no inline scripts or styles.
 */

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** A page: the name of its script in `dist/webviews` and its title. */
export interface Page { readonly script: string; readonly title: string }

/** Folders that pages may load from. */
export function pageRoots(extension: vscode.Uri): vscode.Uri[] {
  return [vscode.Uri.joinPath(extension, 'dist', 'webviews'), vscode.Uri.joinPath(extension, 'extension', 'media', 'webviews')];
}

/** Lets a webview show a page. */
export function showPage(webview: vscode.Webview, extension: vscode.Uri, { script, title }: Page): void {
  const [scripts = extension, media = extension] = pageRoots(extension);
  webview.options = { enableScripts: true, localResourceRoots: [scripts, media] };
  const nonce = randomBytes(16).toString('base64');
  const scriptUri = webview.asWebviewUri(vscode.Uri.joinPath(scripts, `${script}.js`)).toString();
  const styleUri = webview.asWebviewUri(vscode.Uri.joinPath(media, 'page.css')).toString();
  webview.html = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${styleUri}">
<title>${title}</title>
</head>
<body class="${script}">
<script nonce="${nonce}" src="${scriptUri}"></script>
</body>
</html>`;
}

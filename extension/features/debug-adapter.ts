/** Starts the debug adapter for a session, or connects to one that listens on a port. */

import * as vscode from 'vscode';
import type { FeatureContext } from '../feature';
import { DEBUG_TYPE } from '../sessions';

/** Registers the factory. */
export function register({ extension }: FeatureContext): void {
  extension.subscriptions.push(vscode.debug.registerDebugAdapterDescriptorFactory(DEBUG_TYPE, {
    createDebugAdapterDescriptor: (session) => descriptorOf(session.configuration, extension.extensionUri),
  }));
}

function descriptorOf(config: vscode.DebugConfiguration, extensionUri: vscode.Uri): vscode.DebugAdapterDescriptor {
  const port: unknown = config['port'];
  const host: unknown = config['host'];
  if (config.request === 'attach' && typeof port === 'number') return new vscode.DebugAdapterServer(port, typeof host === 'string' ? host : '127.0.0.1');
  const cli = vscode.Uri.joinPath(extensionUri, 'dist', 'cli.js').fsPath;
  const node = vscode.workspace.getConfiguration('gunyah').get<string>('node', '').trim();
  // The desktop editor's own executable behaves as Node when this variable is set; a real Node ignores it.
  return new vscode.DebugAdapterExecutable(node === '' ? process.execPath : node, [cli, 'dap'], { env: { ELECTRON_RUN_AS_NODE: '1' } });
}

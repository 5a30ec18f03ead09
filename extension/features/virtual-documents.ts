/** Read-only documents made from the session: a VM's device tree as it stands now, and memory as a hex dump. */

import * as vscode from 'vscode';
import type { FeatureContext } from '../feature';
import { hexDump } from '../model/format';
import { isRecord, messageOf } from '../model/messages';
import type { Sessions } from '../sessions';

const DEVICE_TREE = 'gunyah-device-tree';
const MEMORY = 'gunyah-memory';
/** Bytes that a dump shows. */
const DUMP_BYTES = 4096;

/** Document of a VM's device tree. */
export function deviceTreeUri(vmid: number, name: string): vscode.Uri {
  return vscode.Uri.from({ scheme: DEVICE_TREE, path: `/${name}.dts`, query: String(vmid) });
}

/** Document of memory at a memory reference such as `primary:ipa:0x40000000`. */
export function memoryUri(reference: string): vscode.Uri {
  return vscode.Uri.from({ scheme: MEMORY, path: `/${reference.replace(/:/g, ' ')}`, query: reference });
}

/** Registers the providers; open documents follow each stop. */
export function register({ extension, sessions }: FeatureContext): void {
  const changed = new vscode.EventEmitter<vscode.Uri>();
  extension.subscriptions.push(
    changed,
    vscode.workspace.registerTextDocumentContentProvider(DEVICE_TREE, { onDidChange: changed.event, provideTextDocumentContent: (uri) => deviceTree(uri, sessions) }),
    vscode.workspace.registerTextDocumentContentProvider(MEMORY, { onDidChange: changed.event, provideTextDocumentContent: (uri) => memoryDump(uri, sessions) }),
    sessions.onDidChange((state) => {
      if (state !== 'stopped') return;
      for (const { uri } of vscode.workspace.textDocuments) if (uri.scheme === DEVICE_TREE || uri.scheme === MEMORY) changed.fire(uri);
    }),
  );
}

async function deviceTree(uri: vscode.Uri, sessions: Sessions): Promise<string> {
  try {
    const body = await sessions.request('gunyah/deviceTree', { vmid: Number(uri.query) });
    return body?.source ?? '// The debug session has ended.\n';
  } catch (problem) {
    return `// ${messageOf(problem)}\n`;
  }
}

async function memoryDump(uri: vscode.Uri, sessions: Sessions): Promise<string> {
  const { current } = sessions;
  if (current === undefined) return 'The debug session has ended.\n';
  try {
    const body: unknown = await current.customRequest('readMemory', { memoryReference: uri.query, offset: 0, count: DUMP_BYTES });
    return `${dumpOf(uri.query, body)}\n`;
  } catch (problem) {
    return `${messageOf(problem)}\n`;
  }
}

function dumpOf(reference: string, body: unknown): string {
  const data = isRecord(body) && typeof body['data'] === 'string' ? body['data'] : '';
  if (data === '') return `No memory at ${reference}.`;
  const bytes = [...Buffer.from(data, 'base64')];
  const base = /0x[0-9a-f]+$/i.exec(reference)?.[0] ?? '0x0';
  return hexDump(bytes, BigInt(base));
}

/** "Open Sample Workspace" and "Open Walkthrough": the first steps of a new user. */

import * as vscode from 'vscode';
import type { FeatureContext } from '../feature';
import { messageOf } from '../model/messages';

/** The sample to begin with. The others use its guest SDK, so it comes along with each. */
const BASE_SAMPLE = 'two-vms';
const SAMPLES = [
  { sample: BASE_SAMPLE, label: '$(mail) Two VMs', description: 'a primary VM and a sensor exchange messages over a queue' },
  { sample: 'vm-manager', label: '$(layers) VM manager', description: 'a primary VM lends memory and CPU time to VMs that it makes itself' },
  { sample: 'console-loopback', label: '$(terminal) Console loopback', description: 'two VMs talk through their consoles at the Resource Manager' },
  { sample: 'rtos', label: '$(pulse) Kernel with tasks', description: 'a small preemptive kernel on four vCPUs: nested interrupts, time slices, floating point' },
] as const;

/** Registers the commands. */
export function register({ extension }: FeatureContext): void {
  extension.subscriptions.push(
    vscode.commands.registerCommand('gunyah.openSampleWorkspace', () => openSample(extension)),
    vscode.commands.registerCommand('gunyah.openWalkthrough', () =>
      vscode.commands.executeCommand('workbench.action.openWalkthrough', `${extension.extension.id}#gunyah.firstSession`, false)),
  );
}

/** Copies a sample, so that the user may change it, and opens the copy. */
async function openSample(extension: vscode.ExtensionContext): Promise<void> {
  const sample = (await vscode.window.showQuickPick(SAMPLES, { title: 'Which sample?' }))?.sample;
  const parent = sample === undefined ? undefined : await chooseParent(extension, sample);
  if (sample === undefined || parent === undefined) return;
  const target = vscode.Uri.joinPath(parent, sample);
  try {
    for (const name of new Set([BASE_SAMPLE, sample])) {
      await copySample(vscode.Uri.joinPath(extension.extensionUri, 'extension', 'samples', name), vscode.Uri.joinPath(parent, name));
    }
  } catch (problem) {
    void vscode.window.showErrorMessage(`The sample could not be copied to ${target.fsPath}: ${messageOf(problem)}`);
    return;
  }
  await vscode.commands.executeCommand('vscode.openFolder', target, { forceNewWindow: false });
}

async function chooseParent(extension: vscode.ExtensionContext, sample: string): Promise<vscode.Uri | undefined> {
  const own = { label: '$(folder) Choose a folder…', description: `a folder "${sample}" is made in it`, choose: true };
  const storage = { label: '$(archive) Keep it with the extension', description: 'in the extension\'s own storage', choose: false };
  const picked = await vscode.window.showQuickPick([own, storage], { title: 'Where shall the sample workspace go?' });
  if (picked === undefined) return undefined;
  if (!picked.choose) return extension.globalStorageUri;
  const folders = await vscode.window.showOpenDialog({ canSelectFiles: false, canSelectFolders: true, openLabel: 'Copy Sample Here' });
  return folders?.[0];
}

/** Copies all but compiler leftovers. What the user has already changed in an earlier copy is not overwritten. */
async function copySample(from: vscode.Uri, to: vscode.Uri): Promise<void> {
  await vscode.workspace.fs.createDirectory(to);
  for (const [name, type] of await vscode.workspace.fs.readDirectory(from)) {
    if (name === 'objects') continue;
    const [source, target] = [vscode.Uri.joinPath(from, name), vscode.Uri.joinPath(to, name)];
    if (type === vscode.FileType.Directory) await copySample(source, target);
    else await copyIfMissing(source, target);
  }
}

async function copyIfMissing(source: vscode.Uri, target: vscode.Uri): Promise<void> {
  try {
    await vscode.workspace.fs.copy(source, target, { overwrite: false });
  } catch (problem) {
    if (!(problem instanceof vscode.FileSystemError && problem.code === 'FileExists')) throw problem;
  }
}

/**
 * Debug configurations: F5 without launch.json, configurations offered by the editor, defaults from settings, and a clear answer
 * when the guests are not built yet.
 */

import * as vscode from 'vscode';
import type { FeatureContext } from '../feature';
import { chooseTarget, imagesOf, isSystemFile, missingImagesText, namesTarget, withDefaults, type Configuration, type LaunchSurroundings } from '../model/launch-defaults';
import { DEBUG_TYPE } from '../sessions';

/** Registers the providers and "Debug This File". */
export function register({ extension }: FeatureContext): void {
  const provider = new ConfigurationProvider();
  extension.subscriptions.push(
    vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, provider),
    vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, provider, vscode.DebugConfigurationProviderTriggerKind.Dynamic),
    vscode.commands.registerCommand('gunyah.debugFile', (uri?: vscode.Uri) => debugFile(uri)),
  );
}

class ConfigurationProvider implements vscode.DebugConfigurationProvider {
  async provideDebugConfigurations(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration[]> {
    const files = await findSystemFiles(folder);
    return files.map((uri) => launchOf(uri, folder));
  }

  async resolveDebugConfiguration(folder: vscode.WorkspaceFolder | undefined, config: vscode.DebugConfiguration): Promise<vscode.DebugConfiguration | undefined> {
    const named = namesTarget(config) ? config : await completed(folder, config);
    if (named === undefined) return undefined;
    const settings = vscode.workspace.getConfiguration('gunyah', folder);
    const { type, name, request } = named;
    const configuration: Configuration = { ...named, type: type || DEBUG_TYPE, name: name || 'Gunyah', request: request || 'launch' };
    return { ...withDefaults(configuration, {
      history: settings.get<boolean | string>('history', true),
      consoles: settings.get<'terminal' | 'debugConsole'>('consoles', 'terminal'),
    }) };
  }

  async resolveDebugConfigurationWithSubstitutedVariables(folder: vscode.WorkspaceFolder | undefined, config: vscode.DebugConfiguration): Promise<vscode.DebugConfiguration | undefined> {
    const absolute = withAbsolutePaths(folder, config);
    const system: unknown = absolute['system'];
    const ready = config.request !== 'launch' || typeof system !== 'string' || await imagesExist(vscode.Uri.file(system));
    return ready ? absolute : undefined;
  }
}

const IGNORED_FOLDERS = '**/{node_modules,.git,dist,out}/**';
const SYSTEM_FILES_MAX = 50;

async function findSystemFiles(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.Uri[]> {
  const pattern = folder === undefined ? '**/*.gunyah.json' : new vscode.RelativePattern(folder, '**/*.gunyah.json');
  const files = await vscode.workspace.findFiles(pattern, IGNORED_FOLDERS, SYSTEM_FILES_MAX);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function launchOf(system: vscode.Uri, folder: vscode.WorkspaceFolder | undefined): vscode.DebugConfiguration {
  const relative = vscode.workspace.asRelativePath(system, false);
  const path = folder === undefined || relative === system.fsPath ? system.fsPath : `\${workspaceFolder}/${relative}`;
  return { type: DEBUG_TYPE, request: 'launch', name: `Debug ${relative}`, system: path };
}

/** F5 without launch.json, or a configuration that names nothing to run. */
async function completed(folder: vscode.WorkspaceFolder | undefined, config: vscode.DebugConfiguration): Promise<vscode.DebugConfiguration | undefined> {
  const systemFiles = (await findSystemFiles(folder)).map((uri) => uri.fsPath);
  const choice = chooseTarget(await surroundings(systemFiles));
  if ('problem' in choice) {
    void offerSample(choice.problem);
    return undefined;
  }
  if ('target' in choice) return { ...config, ...choice.target };
  const picked = await vscode.window.showQuickPick([...choice.ask], { title: 'Debug which system?', placeHolder: 'A system file describes the machine and its virtual machines' });
  return picked === undefined ? undefined : { ...config, system: picked };
}

async function surroundings(systemFiles: readonly string[]): Promise<LaunchSurroundings> {
  const uri = activeUri();
  return { activeFile: uri?.fsPath, activeFileIsElf: uri !== undefined && await isElf(uri), systemFiles };
}

/** The file in the active tab, also when it is no text (an ELF file opens in a binary or custom editor). */
function activeUri(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const uri = input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom ? input.uri : vscode.window.activeTextEditor?.document.uri;
  return uri?.scheme === 'file' ? uri : undefined;
}

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
/** Larger files are not read only to look at their first bytes; nobody has such an image open in an editor. */
const ELF_PROBE_BYTES_MAX = 64 * 1024 * 1024;

async function isElf(uri: vscode.Uri): Promise<boolean> {
  try {
    if (/\.(c|h|cpp|json|md|dts|txt)$/i.test(uri.path) || (await vscode.workspace.fs.stat(uri)).size > ELF_PROBE_BYTES_MAX) return false;
    const bytes = await vscode.workspace.fs.readFile(uri);
    return ELF_MAGIC.every((byte, index) => bytes[index] === byte);
  } catch {
    return false;
  }
}

async function offerSample(problem: string): Promise<void> {
  const open = 'Open Sample Workspace';
  if (await vscode.window.showErrorMessage(problem, open) === open) await vscode.commands.executeCommand('gunyah.openSampleWorkspace');
}

/** Paths of the configuration made absolute against the workspace folder, so that the adapter's own folder does not matter. */
function withAbsolutePaths(folder: vscode.WorkspaceFolder | undefined, config: vscode.DebugConfiguration): vscode.DebugConfiguration {
  const absolute: vscode.DebugConfiguration = { ...config };
  for (const key of ['program', 'system', 'trace', 'cwd']) {
    const value: unknown = config[key];
    if (typeof value === 'string' && folder !== undefined && !/^(\/|[A-Za-z]:[\\/])/.test(value)) absolute[key] = vscode.Uri.joinPath(folder.uri, value).fsPath;
  }
  if (absolute['cwd'] === undefined && folder !== undefined) absolute['cwd'] = folder.uri.fsPath;
  return absolute;
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}

/** True if the images of a system file exist, or if the adapter had better say what is wrong with it. */
async function imagesExist(system: vscode.Uri): Promise<boolean> {
  let text: string;
  try {
    text = new TextDecoder().decode(await vscode.workspace.fs.readFile(system));
  } catch {
    return true;
  }
  const folder = vscode.Uri.joinPath(system, '..');
  const images = imagesOf(text);
  const found = await Promise.all(images.map((image) => exists(/^(\/|[A-Za-z]:[\\/])/.test(image) ? vscode.Uri.file(image) : vscode.Uri.joinPath(folder, image))));
  const missing = images.filter((_, index) => found[index] === false);
  if (missing.length === 0) return true;
  void reportMissing(system, folder, missing);
  return false;
}

async function reportMissing(system: vscode.Uri, folder: vscode.Uri, missing: readonly string[]): Promise<void> {
  const script = await exists(vscode.Uri.joinPath(folder, 'build.mjs'));
  const makefile = !script && await exists(vscode.Uri.joinPath(folder, 'Makefile'));
  const [build, open] = ['Build', 'Open System File'];
  const answer = await vscode.window.showErrorMessage(missingImagesText(missing, script || makefile), ...(script || makefile ? [build, open] : [open]));
  if (answer === open) await vscode.window.showTextDocument(system);
  if (answer === build) buildIn(folder, script ? 'node build.mjs' : 'make');
}

function buildIn(folder: vscode.Uri, command: string): void {
  const terminal = vscode.window.createTerminal({ name: 'Build guests', cwd: folder });
  terminal.show();
  terminal.sendText(command);
}

/** "Debug This File" on a system file or an ELF file. */
async function debugFile(given: vscode.Uri | undefined): Promise<void> {
  const uri = given ?? activeUri();
  if (uri === undefined) return;
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  const target = isSystemFile(uri.path) ? { system: uri.fsPath } : { program: uri.fsPath };
  await vscode.debug.startDebugging(folder, { type: DEBUG_TYPE, request: 'launch', name: `Debug ${vscode.workspace.asRelativePath(uri, false)}`, ...target });
}

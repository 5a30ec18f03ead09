/** The "Add …" commands for device trees: a few questions, then a node in its place, selected and open for change. */

import * as vscode from 'vscode';
import { registerCommand } from '../command';
import type { FeatureContext } from '../feature';
import { cpusNode, freeLabel, freeName, hasMemory, hypervisorNode, vdeviceNode, type VdeviceKind, vmConfigNode } from '../model/device-tree-nodes';
import { appendRoot, findNode, insertInto, type Insertion, type OutlineNode } from '../model/device-tree-places';
import { checkAddress, checkCount, checkName, checkNumber, checkPeer, checkSize, parseAddress, parseSize } from '../model/device-tree-answers';

/** Names of the configuration node that RM knows. */
const CONFIG_NODES = ['gunyah-vm-config', 'qcom,vm-config'];

const VDEVICES: Readonly<Record<string, { readonly kind: VdeviceKind; readonly title: string; readonly name: string }>> = {
  'gunyah.addMessageQueuePair': { kind: 'message-queue-pair', title: 'Add Message Queue Pair', name: 'queues' },
  'gunyah.addDoorbell': { kind: 'doorbell', title: 'Add Doorbell', name: 'bell' },
  'gunyah.addSharedMemory': { kind: 'shm', title: 'Add Shared Memory', name: 'shm' },
  'gunyah.addVirtio': { kind: 'virtio-mmio', title: 'Add Virtio Device', name: 'virtio' },
};

/** Registers the commands. */
export function register(context: FeatureContext): void {
  registerCommand(context, 'gunyah.addHypervisorNode', addHypervisorNode);
  registerCommand(context, 'gunyah.addVmConfiguration', addVmConfiguration);
  for (const [command, device] of Object.entries(VDEVICES)) registerCommand(context, command, () => addVdevice(device.title, device.kind, device.name));
}

/** Thrown out of a wizard when the user presses Escape. */
class Cancelled extends Error {}

/** Questions of one wizard, counted. */
class Wizard {
  private readonly title: string;
  private readonly steps: number;
  private step = 0;

  constructor(title: string, steps: number) {
    this.title = title;
    this.steps = steps;
  }

  /** A line of text that passes `check`, which returns what is wrong with it or an empty string. */
  async text(prompt: string, value: string, check: (text: string) => string): Promise<string> {
    const given = await vscode.window.showInputBox({ title: this.nextTitle(), prompt, value, ignoreFocusOut: true, validateInput: (text) => check(text.trim()) });
    if (given === undefined) throw new Cancelled();
    return given.trim();
  }

  /** One of several choices. */
  async choice<T extends vscode.QuickPickItem>(placeHolder: string, items: readonly T[]): Promise<T> {
    const picked = await vscode.window.showQuickPick([...items], { title: this.nextTitle(), placeHolder, ignoreFocusOut: true });
    if (picked === undefined) throw new Cancelled();
    return picked;
  }

  private nextTitle(): string {
    this.step++;
    return `${this.title} (${this.step}/${this.steps})`;
  }
}

async function addHypervisorNode(): Promise<void> {
  const editor = deviceTreeEditor();
  await untilCancelled(async () => {
    const outline = await outlineOf(editor.document);
    if (CONFIG_NODES.some((name) => findNode(outline, [name]) !== undefined)) throw new Error('This tree has a VM configuration: the Resource Manager adds the hypervisor node itself, and refuses a tree that has one.');
    const wizard = new Wizard('Add Hypervisor Node', 4);
    const transmitCapability = parseAddress(await wizard.text('Capability id of the queue that sends to the Resource Manager', '0x0', checkNumber));
    const receiveCapability = parseAddress(await wizard.text('Capability id of the queue that receives from the Resource Manager', '0x1', checkNumber));
    const transmitSpi = Number(await wizard.text('SPI of the sending queue, as in an interrupts property (INTID less 32)', '3', checkCount(0, 987)));
    const receiveSpi = Number(await wizard.text('SPI of the receiving queue', '4', checkCount(0, 987)));
    await insert(editor, ['/'], hypervisorNode({ transmitCapability, receiveCapability, transmitSpi, receiveSpi }));
  });
}

async function addVmConfiguration(): Promise<void> {
  const editor = deviceTreeEditor();
  await untilCancelled(async () => {
    const outline = await outlineOf(editor.document);
    if (CONFIG_NODES.some((name) => findNode(outline, [name]) !== undefined)) throw new Error('This tree has a VM configuration already; a VM has one.');
    const wizard = new Wizard('Add VM Configuration', 5);
    const imageName = await wizard.text('Name of the VM, at most 79 bytes', 'guest', checkName);
    const osType = (await wizard.choice('Operating system', [{ label: 'linux' }, { label: 'bare-metal', description: 'anything else' }])).label;
    const base = parseAddress(await wizard.text('Where its memory begins in the guest, on a border of 2 MiB', '0x80000000', checkAddress(0x20_0000n)));
    const size = parseSize(await wizard.text('How much memory it may have, such as 128M', '128M', checkSize));
    const cpus = findNode(outline, ['/', 'cpus']);
    // RM wants as many entries as the tree has CPUs.
    const map = [...Array(Math.max(1, cpus === undefined ? 1 : cpus.children.filter(({ name }) => /^(?:.*:\s*)?cpu@/.test(name)).length)).keys()];
    const { affinity, affinityMap } = await wizard.choice('Who schedules its vCPUs', [
      { label: map.length === 1 ? 'The hypervisor, on CPU 0' : 'The hypervisor, each on the CPU of its number', description: 'static', affinity: 'static' as const, affinityMap: map },
      { label: 'The VM that starts it, with vcpu_run', description: 'proxy', affinity: 'proxy' as const, affinityMap: [] },
    ]);
    const interruptController = pathOfInterruptController(outline);
    const configuration = vmConfigNode({ imageName, osType, base, size, affinity, affinityMap, interruptController });
    await insert(editor, ['/'], cpus === undefined ? `${cpusNode()}\n\n${configuration}` : configuration);
  });
}

async function addVdevice(title: string, kind: VdeviceKind, defaultName: string): Promise<void> {
  const editor = deviceTreeEditor();
  const outline = await outlineOf(editor.document);
  const config = CONFIG_NODES.map((name) => findNode(outline, [name])).find((found) => found !== undefined);
  if (config === undefined) {
    const add = 'Add VM Configuration';
    if (await vscode.window.showInformationMessage('Virtual devices belong to a VM configuration, and this tree has none.', add) === add) await addVmConfiguration();
    return;
  }
  await untilCancelled(async () => {
    const wizard = new Wizard(title, 3);
    const taken = (findNode(config.children, ['vdevices'])?.children ?? []).map((child) => child.name.slice(child.name.lastIndexOf(':') + 1).trim());
    const name = await wizard.text('Name of the node', freeName(defaultName, taken), (text) => (taken.includes(text) ? 'There is a device of this name already.' : checkName(text)));
    const label = Number(await wizard.text('Label: how both sides name it', `0x${freeLabel(editor.document.getText()).toString(16)}`, checkCount(0, 0xffff_ffff)));
    const isShared = hasMemory(kind);
    const peer = isShared ? '' : await wizard.text('Name of the VM at the other end; empty for the VM that owns this one', '', checkPeer);
    const base = isShared ? await wizard.text('Guest address of the memory; empty lets the Resource Manager choose', '', (text) => (text === '' ? '' : checkAddress(0x1000n)(text))) : '';
    const block = vdeviceNode({ kind, name, label, peer, ...(base === '' ? {} : { base: parseAddress(base) }) });
    const vdevices = findNode(config.children, ['vdevices']);
    if (vdevices === undefined) await insertAt(editor, insertInto(editor.document.getText(), config, `vdevices {\n${block.replace(/^(?=.)/gm, '\t')}\n};`));
    else await insertAt(editor, insertInto(editor.document.getText(), vdevices, block));
  });
}

async function untilCancelled(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (problem) {
    if (!(problem instanceof Cancelled)) throw problem;
  }
}

function deviceTreeEditor(): vscode.TextEditor {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== 'dts') throw new Error('Open a device tree (.dts, .dtsi, .dtso) first; the node goes into the editor that is active.');
  return editor;
}

/** The nodes of a document as the language server sees them; none if it is not ready. */
async function outlineOf(document: vscode.TextDocument): Promise<readonly OutlineNode[]> {
  const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[] | undefined>('vscode.executeDocumentSymbolProvider', document.uri);
  const convert = (symbol: vscode.DocumentSymbol): OutlineNode => ({ name: symbol.name, start: document.offsetAt(symbol.range.start), end: document.offsetAt(symbol.range.end), children: symbol.children.map(convert) });
  return (symbols ?? []).map(convert);
}

function pathOfInterruptController(outline: readonly OutlineNode[]): string {
  const root = findNode(outline, ['/']);
  const found = (root?.children ?? []).find(({ name }) => /^(?:.*:\s*)?(?:interrupt-controller|intc|gic)@/.test(name));
  return found === undefined ? '' : `/${found.name.slice(found.name.lastIndexOf(':') + 1).trim()}`;
}

async function insert(editor: vscode.TextEditor, path: readonly string[], block: string): Promise<void> {
  const text = editor.document.getText();
  const node = findNode(await outlineOf(editor.document), path);
  await insertAt(editor, (node === undefined ? undefined : insertInto(text, node, block)) ?? appendRoot(text, block));
}

async function insertAt(editor: vscode.TextEditor, insertion: Insertion | undefined): Promise<void> {
  if (insertion === undefined) throw new Error('The node has no closing brace yet; complete it first.');
  const position = editor.document.positionAt(insertion.offset);
  await editor.edit((edit) => { edit.insert(position, insertion.text); });
  const end = editor.document.positionAt(insertion.offset + insertion.text.length);
  editor.selection = new vscode.Selection(position, end);
  editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

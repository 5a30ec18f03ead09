/** Context commands of the views' rows: copy, break on sends, reveal memory, travel to a message, open a device tree. */

import * as vscode from 'vscode';
import { registerCommand } from '../command';
import type { FeatureContext } from '../feature';
import { isRecord } from '../model/messages';
import { sendCondition, type SendingCapability } from '../model/send-condition';
import type { Row, Subject } from '../model/row';
import type { Sessions } from '../sessions';
import { deviceTreeUri, memoryUri } from './virtual-documents';

type Handler = (subject: Subject, sessions: Sessions) => Promise<void>;

const COMMANDS: Readonly<Record<string, Handler>> = {
  'gunyah.copyCapabilityId': copyCapabilityId,
  'gunyah.copyMessageBytes': copyMessageBytes,
  'gunyah.breakOnSends': breakOnSends,
  'gunyah.revealMemory': revealMemory,
  'gunyah.goToMessage': goToMessage,
  'gunyah.openDeviceTree': openDeviceTree,
  'gunyah.breakOnInterrupt': breakOnInterrupt,
  'gunyah.copyAddress': copyAddress,
};

/** Registers the commands; each takes the row it was called on. */
export function register(context: FeatureContext): void {
  for (const [name, handler] of Object.entries(COMMANDS)) {
    registerCommand(context, name, async (argument) => {
      await handler(isRow(argument) ? argument.subject : await pickVm(context.sessions), context.sessions);
    });
  }
}

/** Menus of our views hand over the row itself. */
export function isRow(argument: unknown): argument is Row {
  return isRecord(argument) && isRecord(argument['subject']) && typeof argument['subject']['kind'] === 'string';
}

/** From the command palette there is no row: the commands that make sense there act on a VM. */
export async function pickVm(sessions: Sessions): Promise<Subject> {
  const vms = (await sessions.request('gunyah/vms', {}))?.vms ?? [];
  const picked = await vscode.window.showQuickPick(vms.map((vm) => ({ label: vm.name, description: `${vm.state} · VMID ${vm.vmid}`, vm })), { title: 'Which virtual machine?' });
  if (picked === undefined) return { kind: 'none' };
  const { vmid, name, memoryBase, memorySizeBytes } = picked.vm;
  return { kind: 'vm', vmid, name, memoryBase, memorySizeBytes };
}

async function copyCapabilityId(subject: Subject): Promise<void> {
  if (subject.kind === 'capability') await vscode.env.clipboard.writeText(subject.capId);
}

async function copyMessageBytes(subject: Subject): Promise<void> {
  if (subject.kind === 'message') await vscode.env.clipboard.writeText(subject.bytes);
}

/** Adds a function breakpoint on `msgqueue_send` that stops only for this queue: by the capabilities that may send to it. */
async function breakOnSends(subject: Subject, sessions: Sessions): Promise<void> {
  if (subject.kind !== 'queue') return;
  const vms = (await sessions.request('gunyah/vms', {}))?.vms ?? [];
  const spaces = await Promise.all(vms.map(async ({ vmid, name }) => ({ vm: name, rows: (await sessions.request('gunyah/capabilities', { vmid }))?.capabilities ?? [] })));
  const senders: SendingCapability[] = spaces.flatMap(({ vm, rows }) =>
    rows.filter((row) => row.objectType === 'msgqueue' && row.objectId === subject.objectId && row.state === 'valid').map(({ capId, rights }) => ({ vm, capId, rights })));
  const condition = sendCondition(senders);
  if (condition === undefined) throw new Error(`No virtual machine holds a capability that may send to ${subject.from} → ${subject.to} now.`);
  vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint('hvc:msgqueue_send', true, condition)]);
  vscode.window.setStatusBarMessage(`Breakpoint on sends ${subject.from} → ${subject.to}`, 4000);
}

const HEX_EDITOR = 'ms-vscode.hexeditor';

async function revealMemory(subject: Subject, sessions: Sessions): Promise<void> {
  const reference = referenceOf(subject);
  if (reference !== undefined) await openMemory(sessions, reference);
}

/** Where a row's memory begins, as a memory reference. */
function referenceOf(subject: Subject): string | undefined {
  switch (subject.kind) {
    case 'vm': return `${subject.name}:ipa:${subject.memoryBase}`;
    case 'vcpu': return `${subject.vm}:va:${subject.pc}`;
    case 'range': return `${subject.vm}:ipa:${subject.ipa}`;
    default: return undefined;
  }
}

/** Opens memory at a reference such as `primary:ipa:0x40000000`, in the Hex Editor if it is installed. */
export async function openMemory(sessions: Sessions, reference: string): Promise<void> {
  const session = sessions.current;
  if (session === undefined) return;
  if (vscode.extensions.getExtension(HEX_EDITOR) === undefined) {
    await vscode.window.showTextDocument(memoryUri(reference), { preview: true });
    return;
  }
  // The editor's own file system over readMemory and writeMemory of a session.
  const uri = vscode.Uri.from({ scheme: 'vscode-debug-memory', authority: session.id, path: `/${encodeURIComponent(reference)}/memory.bin` });
  await vscode.commands.executeCommand('vscode.openWith', uri, 'hexEditor.hexedit');
}

async function breakOnInterrupt(subject: Subject): Promise<void> {
  if (subject.kind !== 'interrupt') return;
  vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(`virq:${subject.virq}`, true, `vm == "${subject.vm}"`)]);
  vscode.window.setStatusBarMessage(`Breakpoint on interrupt ${subject.virq} of ${subject.vm}`, 4000);
  await Promise.resolve();
}

async function copyAddress(subject: Subject): Promise<void> {
  if (subject.kind === 'range' || subject.kind === 'window') await vscode.env.clipboard.writeText(subject.ipa);
}

async function goToMessage(subject: Subject, sessions: Sessions): Promise<void> {
  if (subject.kind === 'message') await sessions.request('gunyah/seek', { tick: subject.tick });
}

async function openDeviceTree(subject: Subject): Promise<void> {
  if (subject.kind === 'vm') await vscode.window.showTextDocument(deviceTreeUri(subject.vmid, subject.name), { preview: true });
}

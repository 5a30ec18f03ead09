/** "Hypercall Services…": shows the services that a VM is offered and changes them while that is possible. */

import * as vscode from 'vscode';
import type { ServiceRegisterRow, ServiceSelection } from '../../debug-adapter/protocol';
import { registerCommand } from '../command';
import type { FeatureContext } from '../feature';
import { bitmapOf, editableServiceValue, parseServiceValue, serviceLockText, serviceValueText, shortServiceName } from '../model/services';
import type { Sessions } from '../sessions';
import { isRow, pickVm } from './panel-commands';

/** Registers the command. */
export function register(context: FeatureContext): void {
  const { sessions } = context;
  registerCommand(context, 'gunyah.hypercallServices', async (argument) => {
    const subject = isRow(argument) ? argument.subject : await pickVm(sessions);
    if (subject.kind === 'vm' || subject.kind === 'services') await chooseServices(sessions, subject);
  });
}

/** Registers of a VM, one after the other, until the user has enough. */
async function chooseServices(sessions: Sessions, { vmid, name }: { readonly vmid: number; readonly name: string }): Promise<void> {
  for (;;) {
    const selection = await sessions.request('gunyah/serviceRegisters', { vmid });
    if (selection === undefined) return;
    const register = await pickRegister(selection, name);
    const value = register === undefined ? undefined : register.kind === 'bitmap' ? await pickBits(register) : await askValue(register);
    if (register === undefined || value === undefined) return;
    await sessions.request('gunyah/setServiceRegister', { vmid, register: register.id, value });
    await vscode.commands.executeCommand('gunyah.refreshViews');
  }
}

async function pickRegister(selection: ServiceSelection, vm: string): Promise<ServiceRegisterRow | undefined> {
  const picked = await vscode.window.showQuickPick(selection.registers.map((register) => ({ label: shortServiceName(register), description: serviceValueText(register), detail: `${register.name} ${register.id}`, register })), {
    title: `Hypercall services of ${vm}`, placeHolder: serviceLockText(selection) || 'Choose what to change', matchOnDescription: true, matchOnDetail: true,
  });
  return picked?.register;
}

async function pickBits(register: ServiceRegisterRow): Promise<string | undefined> {
  const supported = BigInt(register.supported);
  const items = register.bits.filter(({ bit }) => ((supported >> BigInt(bit)) & 1n) === 1n).map(({ bit, name, services, isSet }) => ({ label: name, description: `bit ${bit}`, detail: services, picked: isSet, bit }));
  const picked = await vscode.window.showQuickPick(items, { title: register.name, placeHolder: 'Services that the VM is offered', canPickMany: true });
  return picked === undefined ? undefined : bitmapOf(picked.map(({ bit }) => bit));
}

async function askValue(register: ServiceRegisterRow): Promise<string | undefined> {
  const text = await vscode.window.showInputBox({
    title: register.name, value: editableServiceValue(register), prompt: register.kind === 'version' ? 'Version that the VM sees, such as 1.1' : `Level; now ${serviceValueText(register)}`,
    validateInput: (input) => {
      const answer = parseServiceValue(register.kind, input);
      return 'problem' in answer ? answer.problem : undefined;
    },
  });
  const answer = text === undefined ? undefined : parseServiceValue(register.kind, text);
  return answer !== undefined && 'value' in answer ? answer.value : undefined;
}

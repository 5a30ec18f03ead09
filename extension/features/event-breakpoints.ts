/** "Add Hypercall Breakpoint…": a function breakpoint on an event, chosen from a list. */

import * as vscode from 'vscode';
import type { FeatureContext } from '../feature';
import { EVENT_GROUPS } from '../model/event-names';

/** Registers the command. */
export function register({ extension }: FeatureContext): void {
  extension.subscriptions.push(vscode.commands.registerCommand('gunyah.addHypercallBreakpoint', () => addEventBreakpoint()));
}

async function addEventBreakpoint(): Promise<void> {
  const name = await pickEvent();
  if (name === undefined || name === '') return;
  const condition = await vscode.window.showInputBox({
    title: `Break on ${name}`,
    prompt: 'Condition, or empty to stop always. Names of the call\'s arguments, vm, vcpu and $x0… can be used.',
    placeHolder: 'size > 16 && vm == "primary"',
  });
  if (condition === undefined) return;
  vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(name, true, condition.trim() === '' ? undefined : condition.trim())]);
}

/** The chosen event; a name or pattern typed that is in no line is taken as typed. */
function pickEvent(): Promise<string | undefined> {
  const pick = vscode.window.createQuickPick();
  pick.title = 'Break on which event?';
  pick.placeholder = 'A hypercall, Resource Manager message, interrupt or life-cycle event; patterns (hvc:doorbell_*) and one VM (sensor!rm:*) work too';
  pick.matchOnDescription = true;
  const known = EVENT_GROUPS.flatMap(({ title, choices }) => [
    { label: title, kind: vscode.QuickPickItemKind.Separator },
    ...choices.map(({ name, description }) => ({ label: name, description })),
  ]);
  pick.items = known;
  return new Promise((resolve) => {
    pick.onDidChangeValue((value) => {
      const typed = value.trim();
      const isOwn = /^[\w.-]+[:!]\S+$/.test(typed) && !known.some(({ label }) => label === typed);
      pick.items = isOwn ? [...known, { label: typed, description: 'as typed', alwaysShow: true }] : known;
    });
    pick.onDidAccept(() => {
      resolve(pick.selectedItems[0]?.label);
      pick.dispose();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

/** The views in the Run and Debug side bar. */

import * as vscode from 'vscode';
import type { FeatureContext } from '../feature';
import { capabilitiesPanel } from '../panels/capabilities/panel';
import { doorbellsPanel } from '../panels/doorbells/panel';
import { interruptsPanel } from '../panels/interrupts/panel';
import { memoryPanel } from '../panels/memory/panel';
import { messageQueuesPanel } from '../panels/message-queues/panel';
import { Panel } from '../panels/panel';
import { resourceManagerPanel } from '../panels/resource-manager/panel';
import { schedulerPanel } from '../panels/scheduler/panel';
import { rowDecorations } from '../panels/tree-view';
import { virtualMachinesPanel } from '../panels/virtual-machines/panel';

/** Registers the views and their refresh command. */
export function register({ extension, sessions }: FeatureContext): void {
  const panels = [
    new Panel(virtualMachinesPanel, sessions),
    new Panel(capabilitiesPanel, sessions),
    new Panel(messageQueuesPanel, sessions),
    new Panel(doorbellsPanel, sessions),
    new Panel(memoryPanel, sessions),
    new Panel(interruptsPanel, sessions),
    new Panel(schedulerPanel, sessions),
    new Panel(resourceManagerPanel, sessions),
  ];
  void vscode.commands.executeCommand('setContext', 'gunyah.active', true);
  extension.subscriptions.push(
    ...panels,
    vscode.window.registerFileDecorationProvider(rowDecorations),
    vscode.commands.registerCommand('gunyah.refreshViews', () => { for (const panel of panels) panel.schedule(); }),
    sessions.onDidChange((state) => void vscode.commands.executeCommand('setContext', 'gunyah.sessionState', state)),
  );
}

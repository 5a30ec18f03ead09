/** Registering commands so that a failure reaches the user in the adapter's own words. */

import * as vscode from 'vscode';
import type { FeatureContext } from './feature';
import { messageOf } from './model/messages';

/** Registers a command; what it throws is shown as a notification. */
export function registerCommand({ extension }: FeatureContext, name: string, run: (argument: unknown) => Promise<void>): void {
  extension.subscriptions.push(vscode.commands.registerCommand(name, async (argument: unknown) => {
    try {
      await run(argument);
    } catch (problem) {
      void vscode.window.showErrorMessage(messageOf(problem));
    }
  }));
}

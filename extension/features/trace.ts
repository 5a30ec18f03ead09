/** The Hypercall Trace view and its commands: filter, find, travel, break on an event of the same name. */

import * as vscode from 'vscode';
import { registerCommand } from '../command';
import type { FeatureContext } from '../feature';
import { isRecord } from '../model/messages';
import { isRow } from './panel-commands';
import { registerTraceExport } from './trace-export';
import { TRACE_VIEW, TraceView } from '../panels/trace/view';

/** Registers the view. */
export function register(context: FeatureContext): void {
  const { extension, sessions } = context;
  const view = new TraceView(context);
  extension.subscriptions.push(view, vscode.window.registerWebviewViewProvider(TRACE_VIEW, view));
  registerTraceExport(context, () => ({ filter: view.filter }));
  registerCommand(context, 'gunyah.showTrace', async () => { await vscode.commands.executeCommand(`${TRACE_VIEW}.focus`); });
  registerCommand(context, 'gunyah.filterTrace', () => view.focus('filter'));
  registerCommand(context, 'gunyah.findInTrace', () => view.focus('search'));
  registerCommand(context, 'gunyah.goToEvent', async (argument) => {
    const event = isRow(argument) && argument.subject.kind === 'event' ? argument.subject.number : field(argument, 'number');
    if (typeof event === 'number') await sessions.request('gunyah/seek', { event });
  });
  registerCommand(context, 'gunyah.copyEvents', async () => {
    view.copySelection();
    await Promise.resolve();
  });
  registerCommand(context, 'gunyah.filterEventsLikeThis', async (argument) => {
    const filter = eventPattern(argument);
    if (filter !== undefined) view.setFilter(filter);
    await Promise.resolve();
  });
  registerCommand(context, 'gunyah.breakOnEventsLikeThis', async (argument) => {
    const name = eventPattern(argument);
    if (name === undefined) throw new Error('There are no breakpoints on events of this kind.');
    vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(name, true)]);
    vscode.window.setStatusBarMessage(`Breakpoint on ${name}`, 4000);
    await Promise.resolve();
  });
}

function field(argument: unknown, name: string): unknown {
  return isRecord(argument) ? argument[name] : undefined;
}

/** Families of events that breakpoints and filters can name. */
const FAMILIES = new Set(['hvc', 'hvc-return', 'psci', 'smccc', 'rm', 'rm-notify', 'virq']);

/** An event of the table as breakpoints name it. */
function eventPattern(argument: unknown): string | undefined {
  const family = field(argument, 'event');
  const name = field(argument, 'name');
  if (typeof family !== 'string' || typeof name !== 'string' || !FAMILIES.has(family)) return undefined;
  return `${family}:${family === 'virq' ? name.replace(/ .*/, '') : name}`;
}

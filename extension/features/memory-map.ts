/** The Memory Map and its commands: opening it on a VM or a range, walking an address, a variable or a register. */

import { registerCommand } from '../command';
import type { FeatureContext } from '../feature';
import { MemoryMapView, type MapHelpers } from '../panels/memory-map/view';
import { parseWalkAddress } from '../panels/memory-map/walk-address';
import type { Sessions } from '../sessions';
import { evaluate, variableOf } from '../variable-context';
import { isRow, openMemory } from './panel-commands';

/** Registers the map. */
export function register(context: FeatureContext): void {
  const { extension, sessions } = context;
  const helpers: MapHelpers = { reveal: (vm, ipa) => openMemory(sessions, `${vm}:ipa:${ipa}`), addressOf: (expression) => addressOf(sessions, expression) };
  const view = new MemoryMapView(context, helpers);
  extension.subscriptions.push(view);
  registerCommand(context, 'gunyah.openMemoryMap', async (argument) => {
    openOn(view, argument);
    await Promise.resolve();
  });
  registerCommand(context, 'gunyah.walkAddress', (argument) => walk(view, argument));
}

function openOn(view: MemoryMapView, argument: unknown): void {
  if (!isRow(argument)) {
    view.open();
    return;
  }
  const { subject } = argument;
  if (subject.kind === 'range') view.open(subject.vmid, subject.ipa);
  else view.open(subject.kind === 'vm' || subject.kind === 'vmMemory' ? subject.vmid : undefined);
}

/** Walks what the command was called on: a range's first address, a variable's or register's address; otherwise the tab asks. */
async function walk(view: MemoryMapView, argument: unknown): Promise<void> {
  const variable = variableOf(argument);
  const text = variable?.memoryReference ?? variable?.expression;
  if (text !== undefined) return await view.openWalk({ text, space: 'va' });
  if (!isRow(argument)) return await view.openWalk();
  const { subject } = argument;
  if (subject.kind !== 'range' && subject.kind !== 'window') {
    openOn(view, argument);
    return await view.openWalk();
  }
  view.open(subject.vmid, subject.kind === 'range' ? subject.ipa : undefined);
  await view.openWalk({ text: `${subject.vm}:ipa:${subject.ipa}`, space: 'ipa', vm: subject.vm });
}

/** Where an expression's value points or lies. */
async function addressOf(sessions: Sessions, expression: string): ReturnType<MapHelpers['addressOf']> {
  const reference = await evaluate(sessions, expression, 'memoryReference');
  if (reference !== undefined) return parseWalkAddress(reference, 'va');
  const result = await evaluate(sessions, `(unsigned long)(${expression})`, 'result');
  return result === undefined ? undefined : parseWalkAddress(result, 'va');
}

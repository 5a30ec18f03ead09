/**
 * Which objects the capabilities of a call name at the moment of the call, for the trace: identifiers are given out again, and their cspace may be
 * gone when somebody reads the trace. Whether the caller may use them is no matter here.
 */

import { capId } from '../base/brands';
import type { EventObject, EventObjects } from '../base/trace-event';
import type { AnyArguments } from './hypercall-checks';
import { Cspace } from './cspace';
import type { Hypercall } from './hypercall-table';
import { isError } from './hypercall-types';

const NOTHING: EventObjects = {};

/** Names of a call's arguments and results that are capabilities. */
export interface CapabilityNames { readonly inputs: readonly string[]; readonly outputs: readonly string[]; /** The argument that says in whose cspace the results are. */ readonly target: string | undefined }

/** Those of a row of the table. */
export function capabilityNames({ inputs, outputs }: Hypercall): CapabilityNames {
  const named = (values: readonly { readonly name: string; readonly type: string }[]): string[] => values.filter(({ type }) => type === 'cap_id_t').map(({ name }) => name);
  const names = named(inputs);
  return { inputs: names, outputs: named(outputs), target: names.find((name) => name === 'dest_cspace') ?? names.find((name) => name === 'cspace') };
}

/** What the arguments name in the caller's cspace. */
export function argumentObjects(cspace: Cspace | undefined, { inputs }: CapabilityNames, args: AnyArguments): EventObjects {
  if (cspace === undefined || inputs.length === 0) return NOTHING;
  const objects: Record<string, EventObject> = {};
  for (const name of inputs) add(objects, { name, cspace, id: args[name] });
  return objects;
}

/** The same with what the results of a call that succeeded name. */
export function resultObjects(cspace: Cspace | undefined, { outputs, target }: CapabilityNames, call: { readonly args: AnyArguments; readonly values: AnyArguments; readonly objects: EventObjects }): EventObjects {
  if (cspace === undefined || outputs.length === 0) return call.objects;
  const found = target === undefined ? undefined : cspace.find(capId(BigInt(call.args[target] ?? 0)));
  const owner = found === undefined || isError(found) ? cspace : found.object;
  const objects: Record<string, EventObject> = { ...call.objects };
  if (owner instanceof Cspace) for (const name of outputs) add(objects, { name, cspace: owner, id: call.values[name] });
  return objects;
}

function add(objects: Record<string, EventObject>, { name, cspace, id }: { readonly name: string; readonly cspace: Cspace; readonly id: bigint | number | undefined }): void {
  if (id === undefined) return;
  const capability = cspace.find(capId(BigInt(id)));
  if (isError(capability)) return;
  const { reference } = capability.object.header;
  objects[name] = capability.state === 'valid' ? reference : { ...reference, revoked: true };
}

/** The `smccc` command of the debug console: shows and chooses the hypercall services of a VM. */

import { getServiceRegister, hex, servicesOf, type VmServices } from '../../runtime/index';
import { AdapterError } from '../errors';
import { chooseFilter, chooseRegister, refusal, serviceRegisters, vmidOfName } from '../requests/services';
import { readRegister, readValue, valuesText, wordsOfRegister } from '../services-text';
import type { Session } from '../session';
import type { Command } from './command';

const USAGE = 'smccc list VM | smccc get VM REGISTER | smccc set VM REGISTER VALUE | smccc filter VM BASE COUNT handle|deny|forward';

/** The command. */
export const SMCCC_COMMAND: Command = {
  name: 'smccc', verbs: ['list', 'get', 'set', 'filter'], usage: USAGE, summary: 'Shows and chooses the hypercall services of a VM, until its first vCPU has run.',
  run: (session, [verb = '', vm = '', ...rest]) => {
    const { system } = session.debuggee.target;
    const vmid = vmidOfName(system, vm);
    if (vmid === undefined) throw new AdapterError('unknownVm', { vm: vm === '' ? `""; write ${USAGE}` : vm });
    switch (verb) {
      case 'list': return list(session, vmid);
      case 'get': return get(session, vmid, rest);
      case 'set': return set(session, vmid, rest);
      default: return filter(session, vmid, rest);
    }
  },
};

function list(session: Session, vmid: number): string {
  const services = servicesOf(session.debuggee.target.system, vmid);
  const { personality, flavour, hasRun, registers, filter: ranges, stolenTime } = serviceRegisters(session.debuggee.target.system, vmid);
  return [
    `personality ${personality}, flavour ${flavour}, ${hasRun ? 'has run' : 'has not run'}${stolenTime === null ? '' : `, stolen time at ${stolenTime}`}`,
    ...registers.map(({ id, name, value, bits }) => `${id} ${name} = ${bits.length === 0 ? worded(services, BigInt(id), BigInt(value)) : `${value} (${bits.map((bit) => `${bit.isSet ? '+' : '-'}${bit.name}`).join(' ')})`}`),
    ...ranges.map(({ base, count, action }) => `filter ${base} ${count} ${action}`),
  ].join('\n');
}

function get(session: Session, vmid: number, [register = '']: readonly string[]): string {
  const { system } = session.debuggee.target;
  const id = readRegister(servicesOf(system, vmid), register);
  const value = id === undefined ? undefined : getServiceRegister(system, vmid, id);
  if (value?.ok !== true) throw refusal('ENOENT');
  return hex(value.value);
}

/** A value with what it says. */
function worded(services: VmServices, id: bigint, value: bigint): string {
  const words = wordsOfRegister(services, id, value);
  return words === undefined ? hex(value) : `${hex(value)} (${words})`;
}

/** What else bitmaps take. */
function hint(name: string | undefined): string {
  return name?.endsWith('BMAP') === true || name?.endsWith('BMAP_2') === true ? ' Write a number, names joined by |, "none" or "all".' : '';
}

function set(session: Session, vmid: number, [register = '', ...words]: readonly string[]): string {
  const { system } = session.debuggee.target;
  const services = servicesOf(system, vmid);
  const id = readRegister(services, register);
  if (id === undefined) throw refusal('ENOENT');
  const value = readValue(services, id, words.join(''));
  if (value === undefined) throw new AdapterError('badArguments', { command: 'smccc set', problem: `${words.length === 0 ? 'nothing' : words.join(' ')} is no value of ${services.nameOf(id) ?? hex(id)}: ${valuesText(services, id)}.${hint(services.nameOf(id))}` });
  chooseRegister(system, vmid, { id, value });
  return `${services.nameOf(id) ?? hex(id)} = ${worded(services, id, value)}`;
}

function filter(session: Session, vmid: number, [base = '', count = '1', action = '']: readonly string[]): string {
  chooseFilter(session.debuggee.target.system, vmid, { base: Number(base), count: Number(count), action });
  return list(session, vmid);
}

/** Commands that a user gives us through GDB: `monitor …`. What GDB itself cannot ask for, such as stops on events of the hypervisor. */

import { EVENT_NAMES } from '../../debug-adapter/event-names';
import { hex, parseEventPattern } from '../../runtime/index';
import type { GdbSession } from './session';

/** One command. */
interface MonitorRow { readonly usage: string; readonly summary: string; run(session: GdbSession, words: readonly string[]): string }

const COMMANDS: Readonly<Record<string, MonitorRow>> = {
  help: { usage: 'help', summary: 'this list', run: () => Object.values(COMMANDS).map(({ usage, summary }) => `${usage.padEnd(20)} ${summary}\n`).join('') },
  vms: { usage: 'vms', summary: 'virtual machines, their state and vCPUs', run: listVms },
  break: { usage: 'break EVENT [VM]', summary: 'stops on an event: hvc:msgqueue_send, rm:VM_START, psci:*, virq:27 …', run: addBreak },
  delete: { usage: 'delete N', summary: 'removes such a stop', run: removeBreak },
  tick: { usage: 'tick', summary: 'virtual time, in nanoseconds since power-on', run: ({ target }) => `${target.system.now}\n` },
};

/** Carries a command out; what the user reads, whole lines. */
export function runMonitorCommand(session: GdbSession, text: string): string {
  const [name = 'help', ...words] = text.trim().split(/\s+/).filter((word) => word !== '');
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  return command === undefined ? `There is no command "${name}". Try "monitor help".\n` : command.run(session, words);
}

function listVms({ target }: GdbSession): string {
  const { system } = target;
  const vcpus = system.vcpus();
  return system.rmView().vms.map(({ vmid, state }) => {
    const own = vcpus.filter((one) => one.vmid === vmid).map(({ index, vcpu }) => `  thread ${index + 1}: cpu${vcpu}, EL${system.engine.vcpu(index).el}, pc ${hex(system.pcOf(index))}\n`);
    return `${system.vmName(vmid)} (VMID ${vmid}): ${state}\n${own.join('')}`;
  }).join('');
}

function addBreak(session: GdbSession, [event = '', vm]: readonly string[]): string {
  const pattern = parseEventPattern(event, EVENT_NAMES);
  if (!pattern.ok) return `${pattern.error.message}\n`;
  return `Stop ${session.addEventBreakpoint({ kind: 'event', vm: vm ?? null, pattern: pattern.value })} at ${event}.\n`;
}

function removeBreak(session: GdbSession, [number = '']: readonly string[]): string {
  return session.removeEventBreakpoint(Number(number)) ? `Stop ${number} is gone.\n` : `There is no stop "${number}".\n`;
}

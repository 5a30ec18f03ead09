/** Names of events that breakpoints can be set on, from the tables. */

import { EVENT_KINDS, HYPERCALLS, KVM_PSCI_NAMES, KVM_SERVICE_NAMES, SMCCC_NAMES, PSCI_NAMES, RM_NOTIFICATIONS, RM_REQUESTS, type EventNames } from '../runtime/index';

/** All of them, for checking what users write. */
export const EVENT_NAMES: EventNames = {
  hypercalls: new Map(Object.entries(HYPERCALLS).map(([name, { number }]) => [name, number])),
  psci: [...new Set([...PSCI_NAMES, ...KVM_PSCI_NAMES])],
  smccc: [...new Set([...SMCCC_NAMES, ...KVM_SERVICE_NAMES])],
  rmMessages: Object.keys(RM_REQUESTS),
  rmNotifications: Object.keys(RM_NOTIFICATIONS),
};

/** What completion offers. */
export const EVENT_SUGGESTIONS: readonly string[] = [
  'hvc:*', ...[...EVENT_NAMES.hypercalls.keys()].map((name) => `hvc:${name}`),
  ...EVENT_NAMES.psci.map((name) => `psci:${name}`),
  'smccc:*', ...EVENT_NAMES.smccc.map((name) => `smccc:${name}`),
  'rm:*', ...EVENT_NAMES.rmMessages.map((name) => `rm:${name}`),
  ...EVENT_NAMES.rmNotifications.map((name) => `rm-notify:${name}`),
  'virq:*', 'vm:start', 'vm:exit', 'vm:reset', ...EVENT_KINDS.map((kind) => `event:${kind}`),
];

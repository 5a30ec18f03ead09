/** States of a VM as RM numbers them, which changes are allowed, and the numbers of operating system states and exit types. */

/** VM states by name (Gunyah RM RPC: VM state). */
export const VM_STATES = {
  NONE: 0, INIT: 1, READY: 2, RUNNING: 3, PAUSED: 4, LOAD: 5, AUTH: 6, INIT_FAILED: 8, EXITED: 9, RESETTING: 10, RESET: 11,
} as const satisfies Record<string, number>;

/** Name of a VM state. */
export type VmStateName = keyof typeof VM_STATES;

/** From which states each state can be entered. */
export const VM_STATE_SOURCES = {
  NONE: ['RESET', 'LOAD'],
  LOAD: ['NONE'],
  AUTH: ['LOAD', 'RESET'],
  INIT: ['LOAD', 'AUTH', 'RESET'],
  READY: ['INIT'],
  RUNNING: ['READY', 'PAUSED'],
  PAUSED: [],
  EXITED: ['RUNNING', 'PAUSED'],
  INIT_FAILED: ['LOAD', 'AUTH', 'INIT', 'READY', 'RESET'],
  RESETTING: ['EXITED', 'READY', 'INIT_FAILED'],
  RESET: ['RESETTING'],
} as const satisfies Record<VmStateName, readonly VmStateName[]>;

/** Operating system states by number (Gunyah RM RPC: OS state). */
export const OS_STATES = ['NONE', 'EARLY_BOOT', 'BOOT', 'INIT', 'RUN', 'SHUTDOWN', 'HALTED', 'CRASHED'] as const;

/** Why a VM ended (Gunyah RM RPC: exit type). */
export const EXIT_TYPES = {
  VM_EXIT: 0, PLATFORM_OFF: 1, PLATFORM_RESET: 2, PSCI_SYSTEM_RESET2: 3, WATCHDOG_BITE: 4, SOFTWARE_ERROR: 5, ASYNC_HW_ERROR: 6, VM_STOP_FORCED: 7,
} as const satisfies Record<string, number>;

/** Name of an exit type. */
export type ExitType = keyof typeof EXIT_TYPES;

/** Well-known VMIDs. */
export const VMID = { HYPERVISOR: 0, HLOS: 3, PLATFORM_FIRST: 4, PLATFORM_LAST: 31, DYNAMIC_FIRST: 0x80, DYNAMIC_LAST: 0xbe, RM: 0xff } as const;

/** Reports of the system about guests that make no progress: codes, and words where the core lacks what they ask for. */

/** Code of the report that a vCPU does nothing but take one exception. */
export const FAULT_LOOP = 'guest-fault-loop';

/** What a guest may ask of a core that this machine does not have. */
export const UNSUPPORTED = {
  'big-endian': { code: 'guest-big-endian', text: 'The guest turns on big-endian data (SCTLR_EL1.EE or E0E), and this machine is little-endian only' },
  'aarch32': { code: 'guest-aarch32', text: 'The guest returns to AArch32 at EL0, and this machine executes AArch64 only' },
} as const;

/** Codes of reports after which a guest makes no progress any more. */
export const FATAL_REPORTS: ReadonlySet<string> = new Set([FAULT_LOOP, ...Object.values(UNSUPPORTED).map(({ code }) => code)]);

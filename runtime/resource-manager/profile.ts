/**
 * Which Resource Manager this one behaves as. `open-2023-12` answers as the open one of December 2023 does, also where that makes a driver
 * of Linux fail; `linux` answers in those places as the drivers expect, and serves the requests that only later Resource Managers know.
 * Each such place asks a function here; the manual lists them (docs/manual/resource-manager.md).
 */

/** Names of the profiles, as a system file spells them. */
export const RM_PROFILES = ['open-2023-12', 'linux'] as const;
/** One of them. */
export type RmProfile = (typeof RM_PROFILES)[number];

/** How a Resource Manager shall behave. Part of the configuration, not of the state. */
export interface RmOptions {
  readonly profile: RmProfile;
  /** Whether the primary VM's drivers are of the generation before February 2023, which knows the hypervisor by reversed identifier words. */
  readonly drivers: 'current' | 'legacy';
}

/** What a system file means that says nothing. */
export const DEFAULT_RM_OPTIONS: RmOptions = { profile: 'open-2023-12', drivers: 'current' };

/** Whether answers are those that Linux's drivers expect. */
export function suitsLinux(options: RmOptions): boolean {
  return options.profile === 'linux';
}

/** Whether answers are those that Linux's drivers before series v11 expect. */
export function suitsLegacyLinux(options: RmOptions): boolean {
  return options.profile === 'linux' && options.drivers === 'legacy';
}

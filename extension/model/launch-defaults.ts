/**
 * Completes a debug configuration: what F5 means without launch.json, defaults from settings, and what must exist before a start.
 *
 * Pure: files and settings come in as data.
 */

import { parseJsonc } from './jsonc';
import { isRecord } from './messages';

/** Fields of a debug configuration that we look at; all others pass through. */
export type Configuration = Readonly<Record<string, unknown>> & { readonly type: string; readonly name: string; readonly request: string };

/** What the editor knows when F5 is pressed. */
export interface LaunchSurroundings {
  /** Path of the file in the active editor, if any. */
  readonly activeFile: string | undefined;
  /** True if that file begins as an ELF file does. */
  readonly activeFileIsElf: boolean;
  /** System files of the workspace, sorted. */
  readonly systemFiles: readonly string[];
}

/** Settings that give defaults. */
export interface LaunchSettings {
  readonly history: boolean | string;
  readonly consoles: 'terminal' | 'debugConsole';
}

/** A system file by its name. */
export function isSystemFile(path: string): boolean {
  return path.endsWith('.gunyah.json');
}

/** What to run if the configuration names nothing: the active file, else the workspace's only system file. */
export type Choice = { readonly target: { readonly system: string } | { readonly program: string } } | { readonly ask: readonly string[] } | { readonly problem: string };

/** Chooses for F5 without launch.json. */
export function chooseTarget(around: LaunchSurroundings): Choice {
  const { activeFile, activeFileIsElf, systemFiles } = around;
  if (activeFile !== undefined && isSystemFile(activeFile)) return { target: { system: activeFile } };
  if (activeFile !== undefined && activeFileIsElf) return { target: { program: activeFile } };
  const [only, ...others] = systemFiles;
  if (only === undefined) {
    return { problem: 'There is nothing to debug here: open a system file (*.gunyah.json) or an AArch64 ELF file and press F5 again, or run "Gunyah: Open Sample Workspace".' };
  }
  return others.length === 0 ? { target: { system: only } } : { ask: systemFiles };
}

/** True if the configuration names what to run, or a running adapter. */
export function namesTarget(config: Readonly<Record<string, unknown>>): boolean {
  return config['request'] === 'attach' || config['program'] !== undefined || config['system'] !== undefined;
}

/** Fills in what settings say and the configuration does not. */
export function withDefaults(config: Configuration, settings: LaunchSettings): Configuration {
  if (config.request === 'attach') return config;
  const consoles = config['consoles'] ?? settings.consoles;
  return {
    reverse: settings.history,
    consoles,
    // The debug console stays closed when the guests have terminals: opening it would cover them.
    ...(consoles === 'terminal' ? { internalConsoleOptions: 'neverOpen' } : {}),
    ...config,
  };
}

/** Files that a system file names as images, relative as written. Not a check of the file: the adapter does that. */
export function imagesOf(systemText: string): readonly string[] {
  const value = parseJsonc(systemText);
  if (!isRecord(value) || !Array.isArray(value['vms'])) return [];
  const vms: readonly unknown[] = value['vms'];
  return vms.flatMap((vm) => (isRecord(vm) && typeof vm['image'] === 'string' ? [vm['image']] : []));
}

/** The sentence for images that do not exist. */
export function missingImagesText(missing: readonly string[], canBuild: boolean): string {
  const names = missing.join(', ');
  const what = missing.length === 1 ? `The image ${names} does not exist.` : `The images ${names} do not exist.`;
  return `${what} ${canBuild ? 'Build the guests first: "Build" runs the build script beside the system file.' : 'Build the guests, or correct "image" in the system file.'}`;
}

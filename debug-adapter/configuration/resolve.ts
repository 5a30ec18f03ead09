/**
 * From what the user configured to what the runtime runs: reads every file a system names and checks what can be checked before
 * power-on. Every problem is reported, not only the first.
 */

import { applyOverlays, compileDeviceTree, err, FIRMWARE_SIZE_MAX, imageOf, loadFirmware, loadImage, ok, type DiskDescription, type FirmwareDescription, type Diagnostic, type LoadableImage, type Result, type SystemDescription, type VirtioDescription, type VmDescription } from '../../runtime/index';
import type { Host } from '../host';
import type { SystemConfiguration, VmConfiguration } from '../protocol/launch';
import { resolveServices } from './services';
import { parseSystemFile } from './system-file';
import { parseAddress, parseSize } from './units';

/** Most files that one device tree may include. */
const INCLUDE_COUNT_MAX = 256;

/** A system ready to run, with what only the debugger needs. */
export interface ResolvedSystem {
  readonly description: SystemDescription;
  /** Symbol files by VM name: absolute path and bytes. */
  readonly symbols: readonly { readonly vm: string; readonly path: string; readonly bytes: Uint8Array; readonly slide?: bigint }[];
  /** Things worth saying that do not prevent the run. */
  readonly warnings: readonly Diagnostic[];
}

/** Options beside the system itself. */
export interface ResolveOptions {
  readonly semihosting: boolean;
  /** Symbol files beside those of the images: absolute path, VM name (absent: the primary VM), and how far the image was moved. */
  readonly symbols?: readonly { readonly vm?: string; readonly file: string; readonly slide?: string }[];
}

/** Reads a system file and everything it names. */
export async function resolveSystemFile(host: Host, path: string, options: ResolveOptions): Promise<Result<ResolvedSystem, readonly Diagnostic[]>> {
  const read = await host.readFile(path);
  if (!read.ok) return err([unreadable('system-file-unreadable', path, read.error)]);
  const parsed = parseSystemFile(new TextDecoder().decode(read.value), path);
  return parsed.ok ? resolveSystem(host, parsed.value, { ...options, folder: host.folderOf(path) }) : parsed;
}

/** A single program is a system with one VM. */
export function systemOfProgram(program: string): SystemConfiguration {
  return { vms: [{ image: program }] };
}

/** Reads everything a checked configuration names. Paths are relative to `folder`. */
export async function resolveSystem(host: Host, system: SystemConfiguration, options: ResolveOptions & { readonly folder: string }): Promise<Result<ResolvedSystem, readonly Diagnostic[]>> {
  const resolver = new Resolver(host, options.folder);
  const vms: VmDescription[] = [];
  for (const [index, vm] of system.vms.entries()) {
    const description = await resolver.vm(vm, { index, common: system.smccc });
    if (description !== undefined) vms.push(description);
  }
  resolver.checkNames(vms);
  for (const { vm, file } of system.symbols ?? []) await resolver.symbolFile(file, vm);
  for (const symbols of options.symbols ?? []) await resolver.launchSymbols(symbols, vms);
  const memory = system.platform?.memory === undefined ? undefined : resolver.size(system.platform.memory, 'platform.memory');
  const services = resolver.checked(resolveServices(undefined, system.smccc, 'smccc'));
  const errors = resolver.diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) return err(errors);
  const vcpusMost = Math.max(...vms.map((vm) => vm.vcpuCount));
  const description: SystemDescription = {
    platform: {
      cpuCount: system.platform?.cpus ?? Math.min(8, Math.max(vcpusMost, vms.length > 1 ? 2 : 1)),
      cpuModel: system.platform?.cpu ?? 'cortex-a57',
      seed: system.platform?.seed ?? 1,
      ...(memory === undefined ? {} : { memorySizeBytes: memory }),
      ...(system.platform?.resourceManager === undefined ? {} : { resourceManager: system.platform.resourceManager }),
      ...(system.platform?.watchdog === undefined ? {} : { watchdog: system.platform.watchdog }),
    },
    identity: system.identity ?? 'gunyah',
    vms,
    ...(services === undefined ? {} : { services }),
    semihosting: options.semihosting,
  };
  return ok({ description, symbols: resolver.symbols, warnings: resolver.diagnostics });
}

function unreadable(code: string, path: string, reason: string): Diagnostic {
  return { severity: 'error', code, file: path, message: `Cannot read ${path}: ${reason}.` };
}

class Resolver {
  readonly diagnostics: Diagnostic[] = [];
  readonly symbols: { vm: string; path: string; bytes: Uint8Array; slide?: bigint }[] = [];
  private readonly host: Host;
  private readonly folder: string;

  constructor(host: Host, folder: string) {
    this.host = host;
    this.folder = folder;
  }

  async vm(vm: VmConfiguration, { index, common }: { readonly index: number; readonly common: SystemConfiguration['smccc'] }): Promise<VmDescription | undefined> {
    const program = vm.firmware ?? vm.image ?? '';
    const name = vm.name ?? baseName(program);
    const image = await this.image(vm, name);
    const firmware = await this.firmware(vm);
    const virtio = await this.virtio(vm);
    const config = vm.config === undefined ? undefined : await this.overlaidTree(vm.config, vm.overlays);
    const deviceTree = vm.deviceTree === undefined ? undefined : await this.overlaidTree(vm.deviceTree, vm.overlays);
    if (vm.overlays !== undefined && (vm.config ?? vm.deviceTree) === undefined) this.error('overlays-without-tree', `"overlays" of the VM "${name}" need a tree to be applied to. Give "config" or "deviceTree".`);
    const ramdisk = typeof vm.ramdisk === 'string' ? await this.file(vm.ramdisk, 'ramdisk-unreadable') : undefined;
    await this.extraSymbols(vm, name);
    const base = vm.memory?.base === undefined ? undefined : this.address(vm.memory.base, `vms.${index}.memory.base`);
    const size = vm.memory?.size === undefined ? undefined : this.size(vm.memory.size, `vms.${index}.memory.size`);
    if (index === 0 && vm.config !== undefined) this.warn('primary-config-ignored', `The primary VM "${name}" is not created from a VM-configuration node; "config" is ignored.`);
    const services = this.checked(resolveServices(vm.smccc, common, vm.smccc === undefined ? 'smccc' : `vms.${index}.smccc`));
    if (image === undefined) return undefined;
    return {
      name,
      image,
      imageName: program,
      vcpuCount: vm.vcpus ?? 1,
      commandLine: vm.commandLine ?? '',
      hasUart: vm.uart ?? true,
      autostart: index === 0 || (vm.autostart ?? false),
      ...(services === undefined ? {} : { services }),
      ...(firmware === undefined ? {} : { firmware }),
      ...(virtio === undefined ? {} : { virtio }),
      ...(base === undefined ? {} : { memoryBase: base }),
      ...(size === undefined ? {} : { memorySizeBytes: size }),
      ...(deviceTree === undefined ? {} : { deviceTree }),
      ...(config === undefined ? {} : { config }),
      ...(ramdisk === undefined ? {} : { ramdisk }),
    };
  }

  /** A symbol file that the launch configuration adds. */
  async launchSymbols({ vm, file, slide }: NonNullable<ResolveOptions['symbols']>[number], vms: readonly VmDescription[]): Promise<void> {
    const name = vms.find((one) => vm === undefined || one.name === vm)?.name;
    const distance = slide === undefined ? undefined : this.address(slide, 'symbols.slide');
    if (name === undefined && vms.length > 0) this.error('symbols-vm-unknown', `"symbols": there is no VM "${vm ?? ''}". The system has ${vms.map((one) => one.name).join(', ')}.`);
    const bytes = await this.file(file, 'symbols-unreadable');
    if (name !== undefined && bytes !== undefined) this.symbols.push({ vm: name, path: this.host.resolvePath(this.folder, file), bytes, ...(distance === undefined ? {} : { slide: distance }) });
  }

  checkNames(vms: readonly VmDescription[]): void {
    const names = new Set<string>();
    for (const { name } of vms) {
      if (names.has(name)) this.error('vm-name-twice', `Two VMs are called "${name}". Give each its own "name".`);
      names.add(name);
    }
  }

  size(text: string | number, where: string): number | undefined {
    const size = parseSize(text);
    if (size === undefined) this.error('size-invalid', `"${where}": ${JSON.stringify(text)} is no size. Write a number of bytes or for example "128M".`);
    return size;
  }

  private address(text: string, where: string): bigint | undefined {
    const address = parseAddress(text);
    if (address === undefined) this.error('address-invalid', `"${where}": ${JSON.stringify(text)} is no address. Write for example "0x40000000".`);
    return address;
  }

  private async image(vm: VmConfiguration, name: string): Promise<LoadableImage | undefined> {
    const file = vm.firmware ?? vm.image ?? '';
    const bytes = await this.file(file, 'image-unreadable');
    if (bytes === undefined) return undefined;
    const path = this.host.resolvePath(this.folder, file);
    const image = vm.firmware === undefined ? loadImage(bytes, path) : loadFirmware(bytes, path);
    if (!image.ok) {
      this.diagnostics.push(image.error);
      return undefined;
    }
    const { elfBytes } = image.value;
    if (vm.symbols === undefined && elfBytes !== undefined) this.symbols.push({ vm: name, path, bytes: elfBytes });
    return image.value;
  }

  /** What a VM that starts in firmware has beside it. */
  private async firmware(vm: VmConfiguration): Promise<FirmwareDescription | undefined> {
    if (vm.firmware === undefined) {
      if (vm.flashVariables !== undefined) this.error('flash-without-firmware', '"flashVariables" needs "firmware": only a VM that starts in firmware has flash.');
      return undefined;
    }
    const variables = vm.flashVariables === undefined ? undefined : await this.file(vm.flashVariables, 'flash-variables-unreadable');
    if (variables !== undefined && variables.length > FIRMWARE_SIZE_MAX) this.error('flash-variables-too-large', `"flashVariables": the file has ${variables.length} bytes; a bank of the flash holds ${FIRMWARE_SIZE_MAX}.`);
    const kernel = vm.image === undefined ? undefined : await this.file(vm.image, 'image-unreadable');
    return { ...(variables === undefined ? {} : { variables }), ...(kernel === undefined ? {} : { kernel }) };
  }

  private async virtio(vm: VmConfiguration): Promise<VirtioDescription | undefined> {
    const { disks = [], networks = [], entropy = false, virtioConsole = false } = vm;
    if (disks.length + networks.length === 0 && !entropy && !virtioConsole) return undefined;
    const found: DiskDescription[] = [];
    for (const disk of disks) {
      const { path, readOnly = false } = typeof disk === 'string' ? { path: disk } : disk;
      const bytes = await this.file(path, 'disk-unreadable');
      if (bytes?.length === 0) this.error('disk-empty', `The disk image ${path} is empty.`);
      if (bytes !== undefined) found.push({ image: imageOf(bytes), isReadOnly: readOnly });
    }
    return { disks: found, networks, hasEntropy: entropy, hasConsole: virtioConsole };
  }

  private async extraSymbols(vm: VmConfiguration, name: string): Promise<void> {
    for (const file of vm.symbols ?? []) await this.symbolFile(file, name);
  }

  /** A symbol file of a VM, which may not exist yet. */
  async symbolFile(file: string, vm: string): Promise<void> {
    const bytes = await this.file(file, 'symbols-unreadable');
    if (bytes !== undefined) this.symbols.push({ vm, path: this.host.resolvePath(this.folder, file), bytes });
  }

  /** A tree with overlays applied, as a blob. */
  private async overlaidTree(file: string, overlays: readonly string[] = []): Promise<Uint8Array | undefined> {
    const base = await this.deviceTree(file, { symbols: overlays.length > 0 });
    const blobs: { name: string; blob: Uint8Array }[] = [];
    for (const overlay of overlays) {
      const blob = await this.deviceTree(overlay, {});
      if (blob !== undefined) blobs.push({ name: this.host.resolvePath(this.folder, overlay), blob });
    }
    if (base === undefined || overlays.length === 0 || blobs.length < overlays.length) return base;
    const applied = applyOverlays(base, blobs);
    this.diagnostics.push(...applied.diagnostics);
    return applied.blob;
  }

  /** A tree from source or blob, as a blob. */
  private async deviceTree(file: string, options: { readonly symbols?: boolean }): Promise<Uint8Array | undefined> {
    const bytes = await this.file(file, 'device-tree-unreadable');
    if (bytes === undefined) return undefined;
    const path = this.host.resolvePath(this.folder, file);
    const included = await this.includes(path, bytes);
    const compiled = compileDeviceTree(bytes, path, { ...options, readText: (name) => included.get(this.host.resolvePath(this.host.folderOf(path), name)) });
    this.diagnostics.push(...compiled.diagnostics);
    return compiled.blob;
  }

  /** Text of the files that a source includes, by path, read ahead because the runtime cannot wait. */
  private async includes(path: string, bytes: Uint8Array): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const pending: { path: string; text: string }[] = [{ path, text: new TextDecoder().decode(bytes) }];
    for (let next = pending.pop(); next !== undefined && found.size < INCLUDE_COUNT_MAX; next = pending.pop()) {
      for (const match of next.text.matchAll(/^\s*(?:#\s*include|\/include\/)\s*["<]([^">\n]+)[">]/gm)) {
        const target = this.host.resolvePath(this.host.folderOf(next.path), match[1] ?? '');
        if (found.has(target)) continue;
        const read = await this.host.readFile(target);
        if (!read.ok) continue;
        const text = new TextDecoder().decode(read.value);
        found.set(target, text);
        pending.push({ path: target, text });
      }
    }
    return found;
  }

  private async file(file: string, code: string): Promise<Uint8Array | undefined> {
    const path = this.host.resolvePath(this.folder, file);
    const read = await this.host.readFile(path);
    if (read.ok) return read.value;
    this.diagnostics.push(unreadable(code, path, read.error));
    return undefined;
  }

  /** A value, or its problems told. */
  checked<T>(result: Result<T, readonly Diagnostic[]>): T | undefined {
    if (result.ok) return result.value;
    this.diagnostics.push(...result.error);
    return undefined;
  }

  private error(code: string, message: string): void {
    this.diagnostics.push({ severity: 'error', code, message });
  }

  private warn(code: string, message: string): void {
    this.diagnostics.push({ severity: 'warning', code, message });
  }
}

function baseName(path: string): string {
  const file = path.replaceAll('\\', '/').split('/').pop() ?? path;
  const stem = file.replace(/\.(elf|bin|img|axf)$/i, '').replace(/[^A-Za-z0-9_.-]/g, '_');
  return stem === '' ? 'vm' : stem;
}

/**
 * Where a VM's image, device tree and ramdisk go in its guest physical memory. An ELF file lies where it was linked; an arm64 Image
 * follows the Linux boot protocol. Says what does not fit.
 */

import { alignDown, alignUp, hex } from '../base/bits';
import { err, ok, type Diagnostic, type Result } from '../base/result';
import { imageExtent, placeImage, type LoadableImage } from '../images/image';
import type { VmDescription } from './description';
import { problem, type Range } from './layout';

const KIB = 1024n;
const MIB = 1024n * KIB;
/** Room for a device tree and what the Resource Manager adds to it. */
export const DEVICE_TREE_ROOM = 1n * MIB;
const DEVICE_TREE_ROOM_MIN = 64n * KIB;

/** The places, by IPA. */
export interface VmPlacement {
  readonly image: LoadableImage;
  readonly entry: bigint;
  /** X0 at the entry. */
  readonly context: bigint;
  readonly deviceTree: Range;
  readonly ramdisk: Range | undefined;
}

/** Places everything of `vm` in `ram`. */
export function placeVm(vm: VmDescription, ram: Range): Result<VmPlacement, Diagnostic> {
  return vm.image.kind === 'firmware' ? placeFirmware(vm, ram) : placeProgram(vm, ram);
}

/** Firmware executes from flash; RAM holds the device tree, at its start, and nothing else. */
function placeFirmware(vm: VmDescription, ram: Range): Result<VmPlacement, Diagnostic> {
  if (ram.sizeBytes < DEVICE_TREE_ROOM) return err(problem('device-tree-does-not-fit', `There is no room for a device tree in the memory of "${vm.name}". Give the VM more memory.`));
  return ok({ image: vm.image, entry: vm.image.entry, context: 0n, deviceTree: { base: ram.base, sizeBytes: DEVICE_TREE_ROOM }, ramdisk: undefined });
}

function placeProgram(vm: VmDescription, ram: Range): Result<VmPlacement, Diagnostic> {
  const end = ram.base + ram.sizeBytes;
  const image = placeImage(vm.image, vm.image.placement.kind === 'fixed' ? 0n : alignUp(ram.base + DEVICE_TREE_ROOM, vm.image.placement.alignment));
  const extent = imageExtent(image);
  if (extent.start < ram.base || extent.end > end) {
    return err(problem('image-outside-memory', `"${vm.imageName}" occupies ${hex(extent.start)}..${hex(extent.end)}, but "${vm.name}" has memory at ${hex(ram.base)}..${hex(end)}. ${vm.image.placement.kind === 'fixed' ? 'Change "memory" of the VM, or link the image for that range.' : 'Give the VM more memory.'}`));
  }
  if (image.entry < extent.start || image.entry >= extent.end) {
    return err(problem('image-entry-outside', `The entry point ${hex(image.entry)} of "${vm.imageName}" lies outside its own segments.`));
  }
  const deviceTree = deviceTreePlace(ram, extent);
  if (deviceTree === undefined) return err(problem('device-tree-does-not-fit', `There is no room for a device tree beside "${vm.imageName}" in the memory of "${vm.name}". Give the VM more memory.`));
  const used = extent.end > deviceTree.base + deviceTree.sizeBytes ? extent.end : deviceTree.base + deviceTree.sizeBytes;
  if (vm.ramdisk === undefined) return ok({ image, entry: image.entry, context: deviceTree.base, deviceTree, ramdisk: undefined });
  const ramdisk = { base: alignUp(used, 2n * MIB), sizeBytes: BigInt(vm.ramdisk.length) };
  if (ramdisk.base + ramdisk.sizeBytes > end) {
    return err(problem('ramdisk-does-not-fit', `The ramdisk of "${vm.name}" (${vm.ramdisk.length} bytes) does not fit behind the image. Give the VM more memory.`));
  }
  return ok({ image, entry: image.entry, context: deviceTree.base, deviceTree, ramdisk });
}

/** Below the image if there is room, else above it. */
function deviceTreePlace(ram: Range, image: { readonly start: bigint; readonly end: bigint }): Range | undefined {
  const below = image.start - ram.base;
  if (below >= DEVICE_TREE_ROOM) return { base: alignDown(image.start - DEVICE_TREE_ROOM, 64n * KIB), sizeBytes: DEVICE_TREE_ROOM };
  if (below >= DEVICE_TREE_ROOM_MIN) return { base: ram.base, sizeBytes: alignDown(below, 4n * KIB) };
  const top = ram.base + ram.sizeBytes - DEVICE_TREE_ROOM;
  if (alignDown(top, 64n * KIB) >= image.end) return { base: alignDown(top, 64n * KIB), sizeBytes: DEVICE_TREE_ROOM };
  return undefined;
}

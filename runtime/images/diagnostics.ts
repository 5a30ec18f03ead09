/**
 * The messages about program images, each with its stable code. Not the place for what a running guest does wrong.
 */

import type { Diagnostic } from '../base/result';

/** Every code with the sentence that a user reads; `{…}` are filled in by `imageError`. */
export const imageMessages = {
  'image-empty': 'The file is empty. Check that the build finished.',
  'image-unknown-format': 'This is neither an ELF file nor an arm64 Linux Image (first bytes: {found}). Give the linked ELF file or the Image.',
  'image-gzip-damaged': 'The image is compressed with gzip and cannot be unpacked: {found}. Copy or build it again.',
  'image-efi-zboot': 'This is a compressed EFI boot image (vmlinuz.efi, {found}). Only gzip is unpacked here; give the uncompressed arch/arm64/boot/Image.',
  'image-compressed': 'The image is compressed with {found}. Give the uncompressed file, or one compressed with gzip.',
  'image-32-bit-zimage': 'This is a 32-bit Arm zImage. Only AArch64 guests run here; build the kernel for arm64.',
  'image-x86-kernel': 'This is an x86 Linux kernel (bzImage). Only AArch64 guests run here; give a kernel for arm64.',
  'image-riscv-kernel': 'This is a RISC-V Linux Image. Only AArch64 guests run here; give a kernel for arm64.',
  'image-u-boot': 'This is an image in U-Boot\'s own wrapping (uImage). Give the Image that it was made from (`dumpimage` takes it out).',
  'image-device-tree': 'This is a device tree blob or a FIT image, not a program. A device tree belongs in "deviceTree"; of a FIT image give the kernel (`dumpimage` takes it out).',
  'image-android': 'This is an Android boot image. Give the kernel that it holds.',
  'image-efi-program': 'This is an EFI program and not an arm64 Linux kernel. Give an ELF file or an arm64 Image.',
  'arm64-image-truncated': 'The arm64 Image ends inside its 64-byte header. Copy or build it again.',
  'arm64-image-cut': 'The arm64 Image has {found}. Copy or build it again.',
  'arm64-image-old': 'The arm64 Image has no size in its header (Linux before 3.17). Build it from a newer kernel or give its vmlinux.',
  'arm64-image-big-endian': 'The arm64 Image is a big-endian kernel. Build it with CONFIG_CPU_LITTLE_ENDIAN=y.',
  'arm64-image-bad-header': 'The arm64 Image header is malformed: {found}.',
  'firmware-not-raw': 'The firmware is an ELF file. Give the raw image that the build writes into flash (for U-Boot u-boot.bin), and the ELF file under "symbols".',
  'firmware-too-large': 'The firmware has {found} bytes; a bank of the flash holds 67108864 (64 MiB).',
  'elf-not-elf': 'This is not an ELF file (first bytes: {found}). Give the linked program, not its source or a raw binary.',
  'elf-truncated': 'The ELF file ends too early: {found}. Copy or build it again.',
  'elf-32-bit': 'The ELF file is 32-bit. Only AArch64 programs run here; build with an aarch64 compiler.',
  'elf-big-endian': 'The ELF file is big-endian. Build it little-endian (without -mbig-endian).',
  'elf-wrong-machine': 'The ELF file is for {found}, not AArch64. Build it with an aarch64 compiler.',
  'elf-object-file': 'The ELF file is an unlinked object file. Link it (for example with aarch64-linux-gnu-ld) and give the result.',
  'elf-core-file': 'The ELF file is a core dump, not a program.',
  'elf-bad-header': 'The ELF header is malformed: {found}.',
  'elf-bad-segment': 'A program header is malformed: {found}.',
  'elf-overlapping-segments': 'Two segments overlap in memory: {found}. Check the linker script.',
  'elf-segment-too-large': 'A segment is larger than the machine can hold: {found}. Check the linker script for distant sections.',
  'elf-bad-section': 'A section is malformed: {found}. It is ignored.',
  'elf-no-segments': 'The ELF file has nothing to load (no PT_LOAD segment). If it holds only debug information, give the program itself.',
  'elf-dynamic': 'The ELF file asks for the dynamic linker {found}. Link it statically (-static or -static-pie).',
} as const;

/** Stable identifiers of the messages about images. */
export type ImageDiagnosticCode = keyof typeof imageMessages;

/** The diagnostic for `code` with its blank filled; `file` names the image for the user. */
export function imageError(code: ImageDiagnosticCode, file: string | undefined, found = ''): Diagnostic {
  const message = imageMessages[code].replace('{found}', () => found);
  return file === undefined ? { severity: 'error', code, message } : { severity: 'error', code, message, file };
}

/** The first four bytes as a user may compare them with a hex dump. */
export function firstBytes(bytes: Uint8Array): string {
  return [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

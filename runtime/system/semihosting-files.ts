/**
 * Files of semihosting: a file system in memory that begins empty in each session and never reaches the host. Each VM has its own files, handles
 * and error number. The special names `:tt` (the console) and `:semihosting-features` are files too.
 */

/** Most open files of one VM. */
export const SEMIHOSTING_HANDLES_MAX = 64;
/** Most files of all VMs. */
export const SEMIHOSTING_FILES_MAX = 256;
/** Most bytes of one file. */
export const SEMIHOSTING_FILE_SIZE_MAX = 16 * 1024 * 1024;

/** Error numbers as C libraries for Arm know them. */
export const ERRNO = { noEntry: 2, badHandle: 9, access: 13, invalid: 22, tooManyOpen: 24, tooLarge: 27, noSpace: 28 } as const;

const CONSOLE_NAME = ':tt';
const FEATURES_NAME = ':semihosting-features';
/** "SHFB", then: SYS_EXIT_EXTENDED exists, and `:tt` opened for appending is the error stream. */
const FEATURES = Uint8Array.of(0x53, 0x48, 0x46, 0x42, 0x03);
/** Modes 0 to 11 are fopen's r, rb, r+, r+b, w, wb, w+, w+b, a, ab, a+, a+b. */
const MODE_COUNT = 12;

/** An open file. */
export interface OpenFile { readonly kind: 'console' | 'features' | 'file'; readonly name: string; readonly isReadable: boolean; readonly isWritable: boolean; readonly appends: boolean; position: number }

/** Plain-data form. */
export interface SavedFiles {
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly handles: readonly { readonly vm: number; readonly open: readonly (readonly [number, OpenFile])[]; readonly errno: number }[];
}

interface Content { bytes: Uint8Array; size: number }
interface VmState { readonly open: Map<number, OpenFile>; errno: number }

/** The files of all VMs. */
export class SemihostingFiles {
  private files = new Map<string, Content>();
  private vms = new Map<number, VmState>();
  private savedFiles: SavedFiles['files'] | undefined;

  /** The error number of the VM's last call that failed. */
  errno(vm: number): number {
    return this.stateOf(vm).errno;
  }

  /** Sets the error number; answers -1. */
  fail(vm: number, errno: number): -1 {
    this.stateOf(vm).errno = errno;
    return -1;
  }

  /** A handle, or -1. */
  open(vm: number, name: string, mode: number): number {
    const state = this.stateOf(vm);
    if (mode >= MODE_COUNT || name === '') return this.fail(vm, ERRNO.invalid);
    if (state.open.size >= SEMIHOSTING_HANDLES_MAX) return this.fail(vm, ERRNO.tooManyOpen);
    const file = this.describe(vm, name, mode);
    if (typeof file === 'number') return this.fail(vm, file);
    let handle = 1;
    while (state.open.has(handle)) handle++;
    state.open.set(handle, file);
    return handle;
  }

  /** The open file behind a handle. */
  at(vm: number, handle: number): OpenFile | undefined {
    return this.stateOf(vm).open.get(handle);
  }

  /** 0 or -1. */
  close(vm: number, handle: number): number {
    return this.stateOf(vm).open.delete(handle) ? 0 : this.fail(vm, ERRNO.badHandle);
  }

  /** Bytes from the file's position on, at most `sizeBytes`; the position moves. Not for the console. */
  read(file: OpenFile, sizeBytes: number): Uint8Array {
    const { bytes, size } = this.contentOf(file);
    const found = bytes.slice(file.position, Math.min(size, file.position + sizeBytes));
    file.position += found.length;
    return found;
  }

  /** Writes at the file's position, or at its end; how many bytes went in. Not for the console. */
  write(file: OpenFile, bytes: Uint8Array): number {
    const content = this.files.get(file.name);
    if (content === undefined || file.kind !== 'file') return 0;
    if (file.appends) file.position = content.size;
    const taken = bytes.subarray(0, Math.max(0, SEMIHOSTING_FILE_SIZE_MAX - file.position));
    const end = file.position + taken.length;
    if (taken.length === 0) return 0;
    this.savedFiles = undefined;
    if (end > content.bytes.length) {
      const larger = new Uint8Array(Math.min(SEMIHOSTING_FILE_SIZE_MAX, Math.max(end, 2 * content.bytes.length)));
      larger.set(content.bytes.subarray(0, content.size));
      content.bytes = larger;
    }
    content.bytes.set(taken, file.position);
    content.size = Math.max(content.size, end);
    file.position = end;
    return taken.length;
  }

  /** Bytes of an open file. */
  sizeOf(file: OpenFile): number {
    return this.contentOf(file).size;
  }

  /** 0 or -1. */
  remove(vm: number, name: string): number {
    this.savedFiles = undefined;
    return this.files.delete(keyOf(vm, name)) ? 0 : this.fail(vm, ERRNO.noEntry);
  }

  /** 0 or -1. */
  rename(vm: number, from: string, to: string): number {
    const content = this.files.get(keyOf(vm, from));
    if (content === undefined) return this.fail(vm, ERRNO.noEntry);
    if (to === '' || to.startsWith(':')) return this.fail(vm, ERRNO.invalid);
    this.savedFiles = undefined;
    this.files.delete(keyOf(vm, from));
    this.files.set(keyOf(vm, to), content);
    return 0;
  }

  save(): SavedFiles {
    this.savedFiles ??= [...this.files].sort(([left], [right]) => (left < right ? -1 : 1)).map(([name, { bytes, size }]) => ({ name, bytes: bytes.slice(0, size) }));
    const handles = [...this.vms].sort(([left], [right]) => left - right).map(([vm, { open, errno }]) => ({
      vm, errno, open: [...open].sort(([left], [right]) => left - right).map(([handle, file]) => [handle, { ...file }] as const),
    }));
    return { files: this.savedFiles, handles };
  }

  restore({ files, handles }: SavedFiles): void {
    this.savedFiles = undefined;
    this.files = new Map(files.map(({ name, bytes }) => [name, { bytes: bytes.slice(), size: bytes.length }]));
    this.vms = new Map(handles.map(({ vm, open, errno }) => [vm, { errno, open: new Map(open.map(([handle, file]) => [handle, { ...file }])) }]));
  }

  private stateOf(vm: number): VmState {
    const found = this.vms.get(vm) ?? { open: new Map<number, OpenFile>(), errno: 0 };
    this.vms.set(vm, found);
    return found;
  }

  /** What opening gives, or an error number. */
  private describe(vm: number, name: string, mode: number): OpenFile | number {
    const isReading = mode < 4;
    const appends = mode >= 8;
    const isUpdate = (mode & 2) !== 0;
    if (name === CONSOLE_NAME) return { kind: 'console', name, isReadable: isReading, isWritable: !isReading, appends, position: 0 };
    if (name === FEATURES_NAME) return isReading && !isUpdate ? { kind: 'features', name, isReadable: true, isWritable: false, appends: false, position: 0 } : ERRNO.access;
    const key = keyOf(vm, name);
    if (isReading && !this.files.has(key)) return ERRNO.noEntry;
    if (!this.files.has(key) && this.files.size >= SEMIHOSTING_FILES_MAX) return ERRNO.noSpace;
    const isNew = !isReading && (!appends || !this.files.has(key));
    if (isNew) {
      this.files.set(key, { bytes: new Uint8Array(0), size: 0 });
      this.savedFiles = undefined;
    }
    return { kind: 'file', name: key, isReadable: isReading || isUpdate, isWritable: !isReading || isUpdate, appends, position: 0 };
  }

  private contentOf(file: OpenFile): { readonly bytes: Uint8Array; readonly size: number } {
    if (file.kind === 'features') return { bytes: FEATURES, size: FEATURES.length };
    return this.files.get(file.name) ?? { bytes: new Uint8Array(0), size: 0 };
  }
}

function keyOf(vm: number, name: string): string {
  return `${vm}/${name}`;
}

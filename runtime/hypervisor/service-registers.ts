/**
 * Which hypercall services a VM is offered: the firmware pseudo-registers by which KVM's userspace chooses them for an arm64 guest, with
 * encodings, checks and errors of that interface, as merged (Linux v5.19 and later) and as first proposed (RFC of November 2021).
 *
 * This holds the selection of one VM; what calls do about it is in `smccc.ts` and `kvm-services.ts`. Source: Linux, Documentation/virt/kvm
 * (api.rst, arm/hypercalls.rst, devices/vm.rst).
 */

/** Whose answers a VM gets: Gunyah's, or those of a KVM host. */
export type Personality = 'gunyah' | 'kvm';
/** Which version of the interface. */
export type ServiceFlavour = 'merged' | 'rfc';
/** How an access fails, by name and by Linux's number. */
export const SERVICE_ERRNO = { ENOENT: 2, EBUSY: 16, EEXIST: 17, EINVAL: 22, ENXIO: 6 } as const;
/** Name of an error. */
export type ServiceError = keyof typeof SERVICE_ERRNO;

/** One named bit of a bitmap. */
export interface ServiceBit { readonly bit: number; readonly name: string; readonly services: string }
/** One register. `rfcId` is undefined where the proposal had none. */
export interface ServiceRegister {
  readonly id: bigint;
  readonly rfcId: bigint | undefined;
  readonly kind: 'version' | 'level' | 'bitmap';
  /** Bitmap: bits that can be set; 0 otherwise. */
  readonly supported: bigint;
  readonly rfcSupported: bigint;
  readonly reset: bigint;
  readonly rfcReset: bigint;
  readonly bits: readonly ServiceBit[];
}

const FIRMWARE = 0x6030_0000_0014_0000n;
const FEATURES = 0x6030_0000_0016_0000n;
const NONE = { supported: 0n, rfcSupported: 0n, reset: 0n, rfcReset: 0n, bits: [] } as const;

/** All registers, in the order in which they are listed. */
export const SERVICE_REGISTERS = {
  KVM_REG_ARM_PSCI_VERSION: { id: FIRMWARE, rfcId: FIRMWARE, kind: 'version', ...NONE },
  KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1: { id: FIRMWARE | 1n, rfcId: FIRMWARE | 1n, kind: 'level', ...NONE },
  KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2: { id: FIRMWARE | 2n, rfcId: FIRMWARE | 2n, kind: 'level', ...NONE },
  KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3: { id: FIRMWARE | 3n, rfcId: undefined, kind: 'level', ...NONE },
  KVM_REG_ARM_STD_BMAP: {
    id: FEATURES, rfcId: FIRMWARE | 3n, kind: 'bitmap', supported: 1n, rfcSupported: 1n, reset: 1n, rfcReset: 1n,
    bits: [{ bit: 0, name: 'trng', services: 'TRNG 1.0' }],
  },
  KVM_REG_ARM_STD_HYP_BMAP: {
    id: FEATURES | 1n, rfcId: FIRMWARE | 4n, kind: 'bitmap', supported: 1n, rfcSupported: 1n, reset: 1n, rfcReset: 1n,
    bits: [{ bit: 0, name: 'pvTime', services: 'paravirtual time' }],
  },
  KVM_REG_ARM_VENDOR_HYP_BMAP: {
    id: FEATURES | 2n, rfcId: FIRMWARE | 5n, kind: 'bitmap', supported: 3n, rfcSupported: 1n, reset: 3n, rfcReset: 1n,
    bits: [{ bit: 0, name: 'features', services: 'call UID and features' }, { bit: 1, name: 'ptp', services: 'PTP clock' }],
  },
  KVM_REG_ARM_VENDOR_HYP_BMAP_2: {
    id: FEATURES | 3n, rfcId: undefined, kind: 'bitmap', supported: 3n, rfcSupported: 0n, reset: 0n, rfcReset: 0n,
    bits: [{ bit: 0, name: 'discoverImplementationVersion', services: 'function 64' }, { bit: 1, name: 'discoverImplementationCpus', services: 'function 65' }],
  },
} as const satisfies Readonly<Record<string, ServiceRegister>>;
/** Name of a register. */
export type ServiceRegisterName = keyof typeof SERVICE_REGISTERS;
/** Names in order. */
export const SERVICE_REGISTER_NAMES: readonly ServiceRegisterName[] = [
  'KVM_REG_ARM_PSCI_VERSION', 'KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1', 'KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2', 'KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3',
  'KVM_REG_ARM_STD_BMAP', 'KVM_REG_ARM_STD_HYP_BMAP', 'KVM_REG_ARM_VENDOR_HYP_BMAP', 'KVM_REG_ARM_VENDOR_HYP_BMAP_2',
];
/** Those that are bitmaps. */
export const BITMAP_NAMES = ['KVM_REG_ARM_STD_BMAP', 'KVM_REG_ARM_STD_HYP_BMAP', 'KVM_REG_ARM_VENDOR_HYP_BMAP', 'KVM_REG_ARM_VENDOR_HYP_BMAP_2'] as const satisfies readonly ServiceRegisterName[];
/** Name of a bitmap. */
export type BitmapName = (typeof BITMAP_NAMES)[number];
/** The proposal's name for a bit of the vendor bitmap. */
const RFC_VENDOR_BITS: readonly ServiceBit[] = [{ bit: 0, name: 'ptp', services: 'PTP clock' }];

/** PSCI versions as the register has them: major in bits 31:16. */
export const PSCI_VERSIONS = { '0.1': 1n, '0.2': 2n, '1.0': 0x1_0000n, '1.1': 0x1_0001n, '1.2': 0x1_0002n, '1.3': 0x1_0003n } as const;
/** A PSCI version as people write it. */
export type PsciVersionText = keyof typeof PSCI_VERSIONS;

/** Code of the report that a call is forwarded to whoever stands in for the VMM. */
export const FORWARDED_CALL = 'hypercall-forwarded';
/** What a filter range does with a call. */
export const FILTER_ACTIONS = ['handle', 'deny', 'forward'] as const;
/** One of them; its index is KVM's number. */
export type FilterAction = (typeof FILTER_ACTIONS)[number];
/** Function identifiers to which an action applies. */
export interface FilterRange { readonly base: number; readonly count: number; readonly action: FilterAction }
/** Ranges that the first filter range brings along: nothing of the architecture's own may be filtered. */
const RESERVED_RANGES: readonly FilterRange[] = [{ base: 0x8000_0000, count: 0x1_0000, action: 'handle' }, { base: 0xc000_0000, count: 0x1_0000, action: 'handle' }];
const ID_END = 2 ** 32;
/** Ranges that one VM may have. */
export const FILTER_RANGES_MAX = 256;

/** What a VM begins with. */
export interface ServiceSettings {
  readonly personality: Personality;
  readonly flavour: ServiceFlavour;
  /** Values to begin with; those of the interface where absent. */
  readonly bitmaps: Readonly<Partial<Record<BitmapName, bigint>>>;
  /** Absent: the newest that the personality has. 0.1 means a vCPU without the feature PSCI 0.2. */
  readonly psciVersion?: PsciVersionText;
  /** What the host's firmware says of the workarounds. Default: none is needed. */
  readonly workarounds: { readonly 1: 0 | 1 | 2; readonly 2: 0 | 3; readonly 3: 0 | 1 | 2 };
  /** Where the stolen-time structures begin (IPA), 64 bytes a vCPU; absent: none is configured. */
  readonly stolenTime?: bigint;
  readonly filter: readonly FilterRange[];
}
/** Gunyah's own answers, as they are without any selection. */
export const GUNYAH_SERVICES: ServiceSettings = { personality: 'gunyah', flavour: 'merged', bitmaps: {}, workarounds: { 1: 2, 2: 3, 3: 2 }, filter: [] };
const NEWEST_PSCI: Readonly<Record<Personality, PsciVersionText>> = { gunyah: '1.1', kvm: '1.3' };
const WORKAROUND_2_ENABLED = 0x10n;
const LEVEL_MAX = 15n;

/** Saved form. */
export interface SavedServices {
  readonly bitmaps: readonly bigint[];
  readonly psci: bigint;
  readonly hasStarted: boolean;
  readonly wasTouched: boolean;
  readonly filter: readonly FilterRange[];
}

/** The selection of one VM. */
export class VmServices {
  readonly settings: ServiceSettings;
  private readonly bitmaps = new Map<BitmapName, bigint>();
  private psci: bigint;
  private ranges: FilterRange[] = [];
  /** RFC: whether a first write has cleared the bitmaps. */
  private wasTouched = false;
  /** Whether a vCPU has run. Never falls. */
  hasStarted = false;

  constructor(settings: ServiceSettings) {
    this.settings = settings;
    for (const name of BITMAP_NAMES) this.bitmaps.set(name, settings.bitmaps[name] ?? this.resetOf(name));
    this.psci = PSCI_VERSIONS[settings.psciVersion ?? NEWEST_PSCI[settings.personality]];
    for (const range of settings.filter) this.addFilter(range);
  }

  get personality(): Personality {
    return this.settings.personality;
  }

  /** Whether calls behave as first proposed. */
  get isRfc(): boolean {
    return this.settings.flavour === 'rfc';
  }

  get psciVersion(): bigint {
    return this.psci;
  }

  get filter(): readonly FilterRange[] {
    return this.ranges;
  }

  /** KVM_GET_REG_LIST: names and ids in order. */
  list(): { readonly name: ServiceRegisterName; readonly id: bigint }[] {
    return SERVICE_REGISTER_NAMES.flatMap((name) => {
      const id = this.idOf(name);
      return id === undefined ? [] : [{ name, id }];
    });
  }

  /** The name of a register; undefined if there is none of that id, or its size is not 8 bytes. */
  nameOf(id: bigint): ServiceRegisterName | undefined {
    return SERVICE_REGISTER_NAMES.find((name) => this.idOf(name) === id);
  }

  /** Bits of a register that can be set, by name. */
  bitsOf(name: ServiceRegisterName): readonly ServiceBit[] {
    return this.isRfc && name === 'KVM_REG_ARM_VENDOR_HYP_BMAP' ? RFC_VENDOR_BITS : SERVICE_REGISTERS[name].bits;
  }

  /** All bits that a bitmap can have. */
  supportedBits(name: ServiceRegisterName): bigint {
    return this.isRfc ? SERVICE_REGISTERS[name].rfcSupported : SERVICE_REGISTERS[name].supported;
  }

  /** A bitmap's value. */
  bitmap(name: BitmapName): bigint {
    return this.bitmaps.get(name) ?? 0n;
  }

  /** Whether a bit of a bitmap is set. */
  has(name: BitmapName, bit: number): boolean {
    return ((this.bitmap(name) >> BigInt(bit)) & 1n) === 1n;
  }

  /** KVM_GET_ONE_REG. ENOENT for an unknown id. */
  get(id: bigint): bigint | ServiceError {
    const name = this.nameOf(id);
    if (name === undefined) return 'ENOENT';
    if (isBitmap(name)) return this.bitmap(name);
    return name === 'KVM_REG_ARM_PSCI_VERSION' ? this.psci : this.hostLevel(name);
  }

  /** KVM_SET_ONE_REG: what a write would answer; it changes nothing. ENOENT, then EINVAL, then EBUSY (RFC: EBUSY before EINVAL). */
  check(id: bigint, value: bigint): ServiceError | 'OK' {
    const name = this.nameOf(id);
    if (name === undefined) return 'ENOENT';
    // The proposal compared every register with the first bitmap of its list.
    if (this.isRfc && this.hasStarted) return value === this.bitmap('KVM_REG_ARM_STD_BMAP') ? 'OK' : 'EBUSY';
    if (!this.isValid(name, value)) return 'EINVAL';
    return isBitmap(name) && this.hasStarted && value !== this.bitmap(name) ? 'EBUSY' : 'OK';
  }

  /** KVM_SET_ONE_REG. A failed write changes nothing, but that with the RFC any first write clears the bitmaps. */
  set(id: bigint, value: bigint): ServiceError | 'OK' {
    const answer = this.check(id, value);
    const name = this.nameOf(id);
    if (name === undefined || (this.isRfc && this.hasStarted)) return answer;
    if (this.isRfc && !this.wasTouched) {
      this.wasTouched = true;
      for (const bitmap of BITMAP_NAMES) this.bitmaps.set(bitmap, 0n);
    }
    if (answer !== 'OK') return answer;
    if (isBitmap(name)) this.bitmaps.set(name, value);
    else if (name === 'KVM_REG_ARM_PSCI_VERSION') this.psci = value;
    return 'OK';
  }

  /** KVM_ARM_VM_SMCCC_FILTER. EINVAL for an empty or wrapping range, EBUSY after the start, EEXIST for one that overlaps; ENXIO with the RFC, which has no filter. */
  checkFilter({ base, count }: FilterRange): ServiceError | 'OK' {
    if (this.isRfc) return 'ENXIO';
    if (!Number.isSafeInteger(base) || !Number.isSafeInteger(count) || base < 0 || count <= 0 || base >= ID_END || base + count > ID_END) return 'EINVAL';
    if (this.hasStarted) return 'EBUSY';
    if (this.ranges.length >= FILTER_RANGES_MAX) return 'EINVAL';
    return [...RESERVED_RANGES, ...this.ranges].some((other) => base < other.base + other.count && other.base < base + count) ? 'EEXIST' : 'OK';
  }

  /** Adds a range, if it can be. */
  addFilter(range: FilterRange): ServiceError | 'OK' {
    const answer = this.checkFilter(range);
    if (answer === 'OK') this.ranges = [...this.ranges, { ...range }];
    return answer;
  }

  /** What the filter says of a function identifier. */
  filterOf(id: number): FilterAction {
    return this.ranges.find(({ base, count }) => id >= base && id < base + count)?.action ?? 'handle';
  }

  save(): SavedServices {
    return { bitmaps: BITMAP_NAMES.map((name) => this.bitmap(name)), psci: this.psci, hasStarted: this.hasStarted, wasTouched: this.wasTouched, filter: this.ranges.map((range) => ({ ...range })) };
  }

  restore(saved: SavedServices): void {
    BITMAP_NAMES.forEach((name, index) => { this.bitmaps.set(name, saved.bitmaps[index] ?? 0n); });
    this.psci = saved.psci;
    this.hasStarted = saved.hasStarted;
    this.wasTouched = saved.wasTouched;
    this.ranges = saved.filter.map((range) => ({ ...range }));
  }

  private idOf(name: ServiceRegisterName): bigint | undefined {
    return this.isRfc ? SERVICE_REGISTERS[name].rfcId : SERVICE_REGISTERS[name].id;
  }

  private resetOf(name: BitmapName): bigint {
    return this.isRfc ? SERVICE_REGISTERS[name].rfcReset : SERVICE_REGISTERS[name].reset;
  }

  private hostLevel(name: Exclude<ServiceRegisterName, BitmapName | 'KVM_REG_ARM_PSCI_VERSION'>): bigint {
    const { workarounds } = this.settings;
    switch (name) {
      case 'KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1': return BigInt(workarounds[1]);
      case 'KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2': return BigInt(workarounds[2]);
      case 'KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3': return BigInt(workarounds[3]);
    }
  }

  private isValid(name: ServiceRegisterName, value: bigint): boolean {
    if (isBitmap(name)) return (value & ~this.supportedBits(name)) === 0n;
    if (name === 'KVM_REG_ARM_PSCI_VERSION') return this.isPsciAllowed(value);
    return name === 'KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2' ? this.isWorkaround2Allowed(value) : value <= LEVEL_MAX && value <= this.hostLevel(name);
  }

  /** 0.1 exactly for vCPUs without PSCI 0.2, and no newer version than the personality has. */
  private isPsciAllowed(value: bigint): boolean {
    if (this.settings.psciVersion === '0.1') return value === PSCI_VERSIONS['0.1'];
    const newest = PSCI_VERSIONS[NEWEST_PSCI[this.personality]];
    return value !== PSCI_VERSIONS['0.1'] && value <= newest && Object.values(PSCI_VERSIONS).some((known) => known === value);
  }

  /** Levels 1 and 2 are old names of 0 and 3; ENABLED may accompany level 2 only. */
  private isWorkaround2Allowed(value: bigint): boolean {
    const level = value & LEVEL_MAX;
    if ((value & ~(LEVEL_MAX | WORKAROUND_2_ENABLED)) !== 0n || level > 3n || ((value & WORKAROUND_2_ENABLED) !== 0n && level !== 2n)) return false;
    return (level >= 2n ? 3n : 0n) <= BigInt(this.settings.workarounds[2]);
  }
}

/** Whether a register is a bitmap. */
export function isBitmap(name: ServiceRegisterName): name is BitmapName {
  return SERVICE_REGISTERS[name].kind === 'bitmap';
}

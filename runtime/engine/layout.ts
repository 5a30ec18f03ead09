/**
 * Where everything lies in the engine's one linear memory. All addresses are constants, so that generated code folds
 * them into its loads and stores, and one compiled module serves every engine.
 *
 *     0x0000_1000  the current vCPU: registers, flags, system registers (below 64 KiB: micro-ops name slots in 16 bits)
 *     0x0000_4000  state shared by generated code and TypeScript
 *     0x0000_5000  tables of CRC-32 and AES
 *     0x0001_0000  the other vCPUs, one block each, swapped in when they run
 *     0x0020_0000  translation caches, three banks (EL0, EL1, EL1 with PAN) per context
 *     0x0090_0000  per RAM page: micro-op block, flags, dirty list, map of decoded granules
 *     0x0180_0000  pool of micro-op blocks
 *     0x0400_0000  per RAM page: which descriptors cached translations come from, where its write tags are
 *     0x0500_0000  RAM, range after range
 */

/** The block of the vCPU that runs. Offsets below are absolute addresses into it. */
export const VCPU_BLOCK = 0x1000;
/** Size of one vCPU's block. */
export const VCPU_BLOCK_SIZE = 0x2000;

/** X0..X30, then the slot that reads as XZR. */
export const SLOT_X0 = VCPU_BLOCK;
/** Reads as zero; never written. */
export const SLOT_ZERO = VCPU_BLOCK + 31 * 8;
/** The stack pointer that PSTATE selects. */
export const SLOT_SP = VCPU_BLOCK + 0x100;
/** Takes what is written to XZR. */
export const SLOT_SINK = VCPU_BLOCK + 0x108;
/** Program counter, valid outside generated code. */
export const SLOT_PC = VCPU_BLOCK + 0x110;
/** Banked stack pointers; the selected one is stale while it lives in `SLOT_SP`. */
export const SLOT_SP_EL0 = VCPU_BLOCK + 0x118;
/** See `SLOT_SP_EL0`. */
export const SLOT_SP_EL1 = VCPU_BLOCK + 0x120;
/** N is the sign of this value. */
export const SLOT_N = VCPU_BLOCK + 0x128;
/** Z is set when this value is zero. */
export const SLOT_Z = VCPU_BLOCK + 0x130;
/** C as 0 or 1 (i32). */
export const SLOT_C = VCPU_BLOCK + 0x138;
/** V is the sign of this value. */
export const SLOT_V = VCPU_BLOCK + 0x140;
/** PSTATE.DAIF in bits 9:6 (i32). */
export const SLOT_DAIF = VCPU_BLOCK + 0x148;
/** Current exception level (i32). */
export const SLOT_EL = VCPU_BLOCK + 0x14c;
/** PSTATE.SP (i32). */
export const SLOT_SPSEL = VCPU_BLOCK + 0x150;
/** The other PSTATE bits in SPSR layout: PAN, UAO, DIT, TCO, SSBS, BTYPE, SS, IL (i32). */
export const SLOT_PSTATE_REST = VCPU_BLOCK + 0x154;
/** Interrupt inputs: bit 0 IRQ, bit 1 FIQ, bit 2 SError (i32). */
export const SLOT_LINES = VCPU_BLOCK + 0x158;
/** Size in bytes of the monitored access, or 0 when the monitor is open (i32). */
export const SLOT_MONITOR_SIZE = VCPU_BLOCK + 0x160;
/** Host address of the monitored access (i32), meaningless while the monitor is open. */
export const SLOT_MONITOR_ADDRESS = VCPU_BLOCK + 0x164;
/** Value seen by the monitored load. */
export const SLOT_MONITOR_LOW = VCPU_BLOCK + 0x168;
/** Upper half for pairs of 64 bits. */
export const SLOT_MONITOR_HIGH = VCPU_BLOCK + 0x170;
/** Address of the monitored access as the guest gave it. */
export const SLOT_MONITOR_VA = VCPU_BLOCK + 0x190;
/** Set once an exception was taken and no instruction has retired since (i32). */
export const SLOT_STALLED = VCPU_BLOCK + 0x178;
/** How often in a row the same synchronous exception was taken at the same PC without a return (i32). */
export const SLOT_FAULT_COUNT = VCPU_BLOCK + 0x17c;
/** PC of that exception. */
export const SLOT_FAULT_PC = VCPU_BLOCK + 0x180;
/** Its ESR_EL1. */
export const SLOT_FAULT_ESR = VCPU_BLOCK + 0x188;
/** Instructions retired at EL0 and then at EL1, as doubles. */
export const SLOT_RETIRED = VCPU_BLOCK + 0x1e0;
/** Which watchpoints the guest has on: a digest, 0 for none (i32). */
export const SLOT_WATCH_SET = VCPU_BLOCK + 0x1f0;
/** What the guest debugs of itself: flags of self-hosted-debug.ts (i32). */
export const SLOT_DEBUG = VCPU_BLOCK + 0x1f8;
/** V0..V31, 16 bytes each. */
export const SLOT_V0 = VCPU_BLOCK + 0x200;
/** P0..P15 and then the FFR, 8 bytes each of which 16 bits are used. Z0..Z31 are V0..V31: vectors are 128 bits long. */
export const SLOT_P0 = VCPU_BLOCK + 0x400;
/** See `SLOT_P0`. */
export const SLOT_FFR = SLOT_P0 + 16 * 8;
/** System registers, 8 bytes each, in the order of system-slots.ts. */
export const SLOT_SYSTEM = VCPU_BLOCK + 0x490;
/** How many system registers fit. */
export const SYSTEM_SLOT_COUNT_MAX = (VCPU_BLOCK + VCPU_BLOCK_SIZE - SLOT_SYSTEM) / 8;

const STATE = 0x4000;
/** First bank of the current translation context, that of EL0 (i32). */
export const STATE_TLB = STATE;
/** Instructions to run, times 16, when entering; what is left when leaving (i32). */
export const STATE_LEFT = STATE + 0x04;
/** Virtual time at which the budget of this entry ends. */
export const STATE_TICK_END = STATE + 0x08;
/** PC of the current code page minus a quarter of its micro-op block's address. */
export const STATE_PC_DELTA = STATE + 0x10;
/** Virtual address of the current code page. */
export const STATE_PAGE_VA = STATE + 0x18;
/** Set when a watched byte was accessed: stop after this instruction (i32). */
export const STATE_STOP = STATE + 0x20;
/** Budget taken away from the running loop to make it stop, times 16 (i32). */
export const STATE_CUT = STATE + 0x24;
/** Value given by the slow read path. */
export const STATE_VALUE = STATE + 0x28;
/** CNTPCT = ticks >> this (i64). */
export const STATE_COUNTER_SHIFT = STATE + 0x30;
/** Number of dirty pages in the list (i32). */
export const STATE_DIRTY_COUNT = STATE + 0x38;
/** Number of RAM ranges, then per range: first page of the PA, page count, first page index, 0 (i32 each). */
export const STATE_RAM_COUNT = STATE + 0x3c;

/** Fault of a slow path: exit code, type, level, stage-1 walk, size, write (i32 each), then VA, IPA. */
export const FAULT_EXIT = STATE + 0x40;
/** One of `FaultType`. */
export const FAULT_TYPE = STATE + 0x44;
/** Level of the walk. */
export const FAULT_LEVEL = STATE + 0x48;
/** 1 if stage 2 failed while stage 1 was walking. */
export const FAULT_DURING_WALK = STATE + 0x4c;
/** Size of the access in bytes. */
export const FAULT_SIZE = STATE + 0x50;
/** 1 for a store. */
export const FAULT_WRITE = STATE + 0x54;
/** Virtual address of the access. */
export const FAULT_VA = STATE + 0x58;

/** Results of the walker: physical address. */
export const WALK_PA = STATE + 0x60;
/** Intermediate physical address. */
export const WALK_IPA = STATE + 0x68;
/** Stage-1 permissions for the EL asked for: 1 read, 2 write, 4 execute (i32). */
export const WALK_PERMISSION1 = STATE + 0x70;
/** Stage-2 permissions, same bits (i32). */
export const WALK_PERMISSION2 = STATE + 0x74;
/** Stage-1 memory type is Device: 0, 1, or `DEVICE_UNTRANSLATED` and its like (i32). */
export const WALK_DEVICE1 = STATE + 0x78;
/** Device because stage 1 is off. */
export const DEVICE_UNTRANSLATED = 3;
/** The same under a hypervisor, whose reference board does not look at alignment then. */
export const DEVICE_UNTRANSLATED_GUEST = 4;
/** Stage-2 memory type is Device (i32). */
export const WALK_DEVICE2 = STATE + 0x7c;
/** Level of the stage-1 leaf (i32). */
export const WALK_LEVEL1 = STATE + 0x80;
/** Level of the stage-2 leaf (i32). */
export const WALK_LEVEL2 = STATE + 0x84;
/** Stage of a failed walk, 1 or 2 (i32). */
export const WALK_STAGE = STATE + 0x88;
/** Stage-2 fault came from a stage-1 table access (i32). */
export const WALK_S1PTW = STATE + 0x8c;
/** Stage-1 memory attributes, a byte of MAIR_EL1 (i32). */
export const WALK_ATTRIBUTES = STATE + 0x90;
/** Stage-1 shareability as PAR_EL1.SH has it (i32). */
export const WALK_SHAREABILITY = STATE + 0x94;
/** The stage-1 leaf is a guarded page (i32). */
export const WALK_GUARDED = STATE + 0x98;
/** Host address of the stage-1 descriptor if it maps exactly one 4 KiB page, else 0 (i32). */
export const WALK_LEAF = STATE + 0x9c;
/** 1 if what failed was to be a write of a descriptor by the walker (i32). */
export const WALK_UPDATE = STATE + 0xa0;

/** The core's ID_AA64MMFR0_EL1. */
export const CORE_MMFR0 = STATE + 0xd0;
/** The core's ID_AA64MMFR1_EL1. */
export const CORE_MMFR1 = STATE + 0xd8;
/** The core's ID_AA64MMFR2_EL1. */
export const CORE_MMFR2 = STATE + 0xe0;
/** The core's ID_AA64ISAR1_EL1. */
export const CORE_ISAR1 = STATE + 0xe8;

/** Number of translation contexts in use (i32). */
export const STATE_CONTEXT_COUNT = STATE + 0xb0;
/** Grows when all cached translations are forgotten (i32). */
export const STATE_TLB_GENERATION = STATE + 0xb4;
/** Number of pages in `TABLE_LIST` (i32). */
export const STATE_TABLE_COUNT = STATE + 0xb8;

/** Number of the current stage-2 regime, never 0: what VTTBR_EL2 and the like say (i32). */
export const STATE_STAGE2_REGIME = STATE + 0xbc;
/** Counts for measurements, never read by the engine: walks of stage 1 and 2 (i32). */
export const COUNT_WALKS = STATE + 0xc0;
/** All translations forgotten because a table changed (i32). */
export const COUNT_FLUSHES = STATE + 0xc4;
/** Single translations forgotten because their descriptor changed (i32). */
export const COUNT_DROPS = STATE + 0xc8;
/** All ones if memory of Device type is different from other memory, zero on a core that does not look (i32). */
export const STATE_DEVICE_RULES = STATE + 0xcc;

/** Table of RAM ranges, 16 bytes each. */
export const STATE_RAM_TABLE = STATE + 0x100;
/** How many RAM ranges an engine takes. */
export const RAM_RANGE_COUNT_MAX = 32;

/** Where SIMD functions put a result together (16 bytes). */
export const VECTOR_RESULT = STATE + 0x300;
/** What a structure load read and a structure store will write (64 bytes). */
export const STRUCTURE_BUFFER = STATE + 0x340;
/** Bytes that DC ZVA writes. */
export const ZVA_BYTES = 64;
/** Where FPEN stands in CPACR_EL1. */
export const CPACR_FPEN_SHIFT = 20;
/** Where ZEN stands there. */
export const CPACR_ZEN_SHIFT = 16;
/** CPTR_EL2.TZ: scalable vectors are not for this guest. */
export const CPTR_TZ = 1 << 8;

/** 256 words for CRC-32, then 256 words for CRC-32C. */
export const CRC_TABLES = 0x5000;

/** The AES substitution box, then its inverse, 256 bytes each. */
export const AES_TABLES = 0x5800;

/** The SM4 substitution box, 256 bytes. */
export const SM4_TABLE = 0x5a00;

/** The cell substitution of QARMA by pairs, then its inverse, 256 bytes each. */
export const QARMA_TABLES = 0x5b00;

/** Codes worked out before: data, modifier, key (16 bytes), code, 1 if the entry is used; 64 bytes each. */
export const QARMA_RESULTS = 0x6000;
/** How many. */
export const QARMA_RESULT_COUNT = 512;

/** Blocks of all vCPUs, in order. */
export const VCPU_BANKS = 0x1_0000;
/** Most vCPUs of one engine. */
export const VCPU_COUNT_MAX = 160;

/** Translation caches: banks of contexts. */
export const TLB_BANKS = 0x20_0000;
/** Most contexts that are remembered. */
export const TLB_CONTEXT_COUNT = 32;
/** Data entries per bank: as many as a 4 KiB table has descriptors, so that a descriptor's place tells the entry's. */
export const TLB_ENTRY_COUNT = 512;
/** One data entry: read tag, write tag (i64), addend, Device flag, `WALK_LEAF` (i32), 4 bytes unused. */
export const TLB_ENTRY_SIZE = 32;
/** Execute entries per bank. */
export const TLB_CODE_COUNT = 256;
/** One execute entry: tag (i64), micro-op block (i32), `WALK_LEAF` with `CODE_GUARDED` in bit 0 (i32). */
export const TLB_CODE_SIZE = 16;
/** Where a bank's execute entries begin. */
export const TLB_CODE_OFFSET = TLB_ENTRY_COUNT * TLB_ENTRY_SIZE;
/** Where in a bank it says that it is not empty (i32). */
export const TLB_USED_OFFSET = TLB_CODE_OFFSET + TLB_CODE_COUNT * TLB_CODE_SIZE;
/** Size of one bank. */
export const TLB_BANK_SIZE = TLB_USED_OFFSET + 64;
/** Banks of a context: EL0, EL1, EL1 with PSTATE.PAN. */
export const TLB_BANK_COUNT = 3;
/** Size of one context's banks. */
export const TLB_CONTEXT_SIZE = TLB_BANK_COUNT * TLB_BANK_SIZE;
/** In the last word of an execute entry: a guarded page (FEAT_BTI). */
export const CODE_GUARDED = 1;

/** Stage-2 translations of pages, for walks of stage 1 and after TLB misses. */
export const STAGE2_CACHE = 0x40_0000;
/** Entries of it. */
export const STAGE2_COUNT = 256;
/** One entry: IPA's page and regime, physical address (i64), permissions of EL0 2:0 and EL1 5:3, Device 6, level from 8 (i32), 12 bytes unused. */
export const STAGE2_ENTRY_SIZE = 32;

/** Pages of 3 GiB. */
export const RAM_PAGE_COUNT_MAX = 786432;
/** Per RAM page: address of its micro-op block, or 0 (i32). */
export const CODE_BLOCK_OF_PAGE = 0x90_0000;
/** Per RAM page: `PAGE_…` flags (u8). */
export const PAGE_FLAGS = 0xc0_0000;
/** Indexes of dirty pages in the order of their first write (i32). */
export const DIRTY_LIST = 0xd0_0000;
/** Per RAM page: bit n set if 64-byte granule n has decoded code (i64). */
export const CODE_GRANULES = 0x100_0000;

/** The page has decoded code. */
export const PAGE_CODE = 1;
/** The page is in the dirty list. */
export const PAGE_DIRTY = 2;
/** Reads are watched. */
export const PAGE_WATCH_READ = 4;
/** Writes are watched. */
export const PAGE_WATCH_WRITE = 8;
/** Stores leave as MMIO. */
export const PAGE_STORES_OUT = 16;
/** Loads leave as MMIO too. */
export const PAGE_LOADS_OUT = 32;

/** The walker has read descriptors in the page. */
export const PAGE_TABLE = 64;

/** Per RAM page: bit n set if an entry cached with `WALK_LEAF` comes from a descriptor in 64-byte granule n (i64). */
export const TABLE_LEAVES = 0x400_0000;
/** Per RAM page: bit n set if other cached entries depend on a descriptor in granule n (i64). */
export const TABLE_USES = 0x460_0000;
/** Per RAM page: which data entries may hold a write tag for it, see `write-tags.ts` (i32). */
export const WRITE_PLACES = 0x4c0_0000;
/** Indexes of the pages with `PAGE_TABLE`, with holes and repetitions (i32). */
export const TABLE_LIST = 0x4f0_0000;
/** How many fit. */
export const TABLE_COUNT_MAX = 0x4_0000;

/** Micro-op blocks. */
export const POOL = 0x180_0000;
/** One micro-op per instruction of a page, and one that ends the page. */
export const CODE_BLOCK_SIZE = 1024 * 16 + 16;
/** Blocks in the pool: code of 8 MiB. */
export const CODE_BLOCK_COUNT = 2048;

/** Where RAM begins. */
export const RAM = 0x500_0000;

/** Why generated code came back. */
export const ExitCode = {
  /** Budget spent, or too little left for tier 1. PC and `STATE_LEFT` say how far. */
  budget: 0,
  /** No cached translation for the PC. */
  fetch: 1,
  /** Stage-1 fault: details in `FAULT_…`. */
  stage1: 2,
  /** Stage-2 fault. */
  stage2: 3,
  /** Translated to something that is not RAM. */
  mmio: 4,
  /** Alignment fault. */
  alignment: 5,
  /** SP not aligned to 16. */
  stackAlignment: 6,
  /** The instruction at PC is TypeScript's business. */
  trap: 7,
  /** PSTATE changed so that a pending interrupt may be taken now. PC: next instruction. */
  interrupts: 8,
  /** The micro-op at PC carries the breakpoint mark. */
  breakpoint: 9,
  /** Only between the functions of tier 1: this instruction needs tier 0. */
  retry: 10,
  /** Only between the functions of tier 1: a call is needed, and probably more of them soon. */
  calls: 11,
  /** A watchpoint of the guest's own is hit: nothing was accessed. */
  guestWatchpoint: 12,
} as const;

/** Bits of the walker's `mode`: what the access needs. */
export const WalkMode = { read: 1, write: 2, execute: 4, probe: 8 } as const;

/** Values of `FAULT_TYPE`. */
export const FaultType = { translation: 0, accessFlag: 1, permission: 2, addressSize: 3, external: 4 } as const;

/** Byte offsets of a micro-op's parts. */
export const MicroOpField = { op: 0, d: 2, n: 4, m: 6, imm: 8, high: 12 } as const;
/** Set in `op` of a micro-op with a breakpoint. */
export const BREAKPOINT_MARK = 0x8000;
/** Size of one micro-op. */
export const MICRO_OP_SIZE = 16;

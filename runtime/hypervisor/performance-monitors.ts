/**
 * Performance monitors and self-hosted debug registers of one vCPU, as a guest sees them: six event counters, a cycle counter that counts
 * virtual time, six breakpoint and four watchpoint register pairs. Values are kept and read back; only the cycle counter and
 * the software increment count. Source: Arm ARM (DDI 0487) D13, D2, D19.
 */

const COUNTER_COUNT = 6;
const BREAKPOINT_COUNT = 6;
const WATCHPOINT_COUNT = 4;
const PMCR_FIXED = 0x4101_3000n;
const PMCR_WRITABLE = 0xe9n;
const CYCLE_BIT = 1n << 31n;
const COUNTER_BITS = CYCLE_BIT | ((1n << BigInt(COUNTER_COUNT)) - 1n);
/** Common events that exist: SW_INCR (0), INST_RETIRED (8), CPU_CYCLES (17). */
const PMCEID0 = 0x2_0101n;
const LOW_32 = 0xffff_ffffn;

/** Debug registers that read as zero and ignore writes. */
const IGNORED: ReadonlySet<string> = new Set([
  'OSLAR_EL1', 'OSLSR_EL1', 'OSDLR_EL1', 'MDCCINT_EL1', 'MDRAR_EL1', 'MDCCSR_EL0', 'DBGDTR_EL0', 'DBGDTRRX_EL0', 'OSDTRRX_EL1', 'OSDTRTX_EL1', 'OSECCR_EL1',
  'DBGPRCR_EL1', 'DBGCLAIMSET_EL1', 'DBGCLAIMCLR_EL1', 'DBGAUTHSTATUS_EL1', 'PMCEID1_EL0', 'PMMIR_EL1', 'ACTLR_EL1', 'AFSR0_EL1', 'AFSR1_EL1', 'AMAIR_EL1',
]);

/** Registers that are kept as written, with their writable bits. */
const STORED: Readonly<Record<string, bigint>> = {
  MDSCR_EL1: 0xffff_ffffn, PMSELR_EL0: 0x1fn, PMUSERENR_EL0: 0xfn, PMCCFILTR_EL0: 0xffff_ffffn,
};

/** Set and clear pairs over one value. */
const PAIRS: Readonly<Record<string, { readonly value: string; readonly sets: boolean }>> = {
  PMCNTENSET_EL0: { value: 'enable', sets: true }, PMCNTENCLR_EL0: { value: 'enable', sets: false },
  PMINTENSET_EL1: { value: 'interrupt', sets: true }, PMINTENCLR_EL1: { value: 'interrupt', sets: false },
  PMOVSSET_EL0: { value: 'overflow', sets: true }, PMOVSCLR_EL0: { value: 'overflow', sets: false },
};

/** Plain-data form. */
export interface SavedMonitors { readonly values: readonly (readonly [string, bigint])[]; readonly cycleBase: bigint; readonly countedFrom: number }

/** The registers of one vCPU. */
export class PerformanceMonitors {
  private values = new Map<string, bigint>();
  private cycleBase = 0n;
  private countedFrom = 0;

  /** Reads a register at a time in ticks; `undefined` if it does not exist. */
  read(name: string, now: number): bigint | undefined {
    if (IGNORED.has(name)) return 0n;
    if (name in STORED || this.isNumbered(name)) return this.get(name);
    const pair = PAIRS[name];
    if (pair !== undefined) return this.get(pair.value);
    switch (name) {
      case 'PMCR_EL0': return PMCR_FIXED | this.get(name);
      case 'PMCEID0_EL0': return PMCEID0;
      case 'PMCCNTR_EL0': return this.cycles(now);
      case 'PMXEVTYPER_EL0': return this.get(this.selected('PMEVTYPER'));
      case 'PMXEVCNTR_EL0': return this.get(this.selected('PMEVCNTR'));
      default: return undefined;
    }
  }

  /** Writes a register; false if it does not exist. */
  write(name: string, value: bigint, now: number): boolean {
    if (IGNORED.has(name) || name === 'PMCEID0_EL0') return true;
    const mask = STORED[name];
    if (mask !== undefined) return this.set(name, value & mask);
    if (this.isNumbered(name)) return this.set(name, name.startsWith('PMEV') ? value & LOW_32 : value);
    if (PAIRS[name] !== undefined) return this.writePair(name, value, now);
    switch (name) {
      case 'PMCR_EL0': return this.writeControl(value, now);
      case 'PMCCNTR_EL0': return this.setCycles(value, now);
      case 'PMXEVTYPER_EL0': return this.set(this.selected('PMEVTYPER'), value & LOW_32);
      case 'PMXEVCNTR_EL0': return this.set(this.selected('PMEVCNTR'), value & LOW_32);
      case 'PMSWINC_EL0': return this.softwareIncrement(value);
      default: return false;
    }
  }

  save(): SavedMonitors {
    return { values: [...this.values], cycleBase: this.cycleBase, countedFrom: this.countedFrom };
  }

  restore(saved: SavedMonitors): void {
    this.values = new Map(saved.values);
    this.cycleBase = saved.cycleBase;
    this.countedFrom = saved.countedFrom;
  }

  private get(name: string): bigint {
    return this.values.get(name) ?? 0n;
  }

  private set(name: string, value: bigint): true {
    this.values.set(name, BigInt.asUintN(64, value));
    return true;
  }

  private isNumbered(name: string): boolean {
    const match = /^(PMEVCNTR|PMEVTYPER|DBGBVR|DBGBCR|DBGWVR|DBGWCR)(\d+)_EL[01]$/.exec(name);
    if (match === null) return false;
    const limit = name.startsWith('PMEV') ? COUNTER_COUNT : name.startsWith('DBGB') ? BREAKPOINT_COUNT : WATCHPOINT_COUNT;
    return Number(match[2]) < limit;
  }

  private selected(kind: 'PMEVTYPER' | 'PMEVCNTR'): string {
    const index = this.get('PMSELR_EL0');
    return kind === 'PMEVTYPER' && index === 31n ? 'PMCCFILTR_EL0' : `${kind}${index}_EL0`;
  }

  private isCounting(): boolean {
    return (this.get('PMCR_EL0') & 1n) !== 0n && (this.get('enable') & CYCLE_BIT) !== 0n;
  }

  private cycles(now: number): bigint {
    return BigInt.asUintN(64, this.cycleBase + (this.isCounting() ? BigInt(now - this.countedFrom) : 0n));
  }

  private setCycles(value: bigint, now: number): true {
    this.cycleBase = value;
    this.countedFrom = now;
    return true;
  }

  private writePair(name: string, value: bigint, now: number): boolean {
    const pair = PAIRS[name];
    if (pair === undefined) return false;
    this.setCycles(this.cycles(now), now);
    const old = this.get(pair.value);
    return this.set(pair.value, pair.sets ? old | (value & COUNTER_BITS) : old & ~value);
  }

  private writeControl(value: bigint, now: number): true {
    this.setCycles((value & 4n) !== 0n ? 0n : this.cycles(now), now);
    if ((value & 2n) !== 0n) for (let n = 0; n < COUNTER_COUNT; n++) this.set(`PMEVCNTR${n}_EL0`, 0n);
    return this.set('PMCR_EL0', value & PMCR_WRITABLE);
  }

  /** Counters that are enabled and count event 0 (SW_INCR). */
  private softwareIncrement(value: bigint): true {
    for (let n = 0; n < COUNTER_COUNT; n++) {
      const bit = 1n << BigInt(n);
      const counts = (this.get('PMCR_EL0') & 1n) !== 0n && (this.get('enable') & bit) !== 0n && (this.get(`PMEVTYPER${n}_EL0`) & 0xffffn) === 0n;
      if ((value & bit) !== 0n && counts) this.set(`PMEVCNTR${n}_EL0`, (this.get(`PMEVCNTR${n}_EL0`) + 1n) & LOW_32);
    }
    return true;
  }
}

/**
 * System registers that depend on the board under Gunyah rather than on the hypervisor, as observed on its reference board: what a guest does
 * not find although the architecture has it, and IMPLEMENTATION DEFINED registers of the cluster that Gunyah lets through. A machine
 * without a hypervisor has nothing of this.
 */

/** The communication channel, claim tags and power control of the debug architecture. */
const MISSING: ReadonlySet<string> = new Set([
  'DBGPRCR_EL1', 'DBGCLAIMSET_EL1', 'DBGCLAIMCLR_EL1', 'DBGAUTHSTATUS_EL1', 'DBGDTR_EL0', 'DBGDTRRX_EL0', 'OSDTRRX_EL1', 'OSDTRTX_EL1', 'OSECCR_EL1',
]);

/** L2CTLR_EL1, which says how many CPUs there are, L2ECTLR, L2ACTLR, CPUACTLR, CPUECTLR, CPUMERRSR, L2MERRSR, and CBAR: where the interrupt controller lies. */
const CLUSTER: Readonly<Record<string, (cpuCount: number) => bigint>> = {
  S3_1_C11_C0_2: (cpuCount) => BigInt(cpuCount - 1) << 24n, S3_1_C11_C0_3: () => 0n, S3_1_C15_C0_0: () => 0n,
  S3_1_C15_C2_0: () => 0n, S3_1_C15_C2_1: () => 0n, S3_1_C15_C2_2: () => 0n, S3_1_C15_C2_3: () => 0n, S3_1_C15_C3_0: () => 0x0800_0000n,
};

/** PMCEID0_EL0 announces software increments and cycles only. */
const EVENTS_ANNOUNCED = 0x2_0001n;

/** True for a register that guests of Gunyah do not find. */
export function isMissing(name: string): boolean {
  return MISSING.has(name);
}

/** True for a register that the board itself finds Undefined, so that no trap comes to the hypervisor: debug registers, active priorities beyond the first. */
export function isUnknownToBoard({ name, encoding }: { readonly name: string; readonly encoding: number }): boolean {
  return encoding >>> 14 === 2 || /^ICC_AP[01]R[1-3]_EL1$/.test(name);
}

/** Value of a cluster register; writes to it are ignored. `undefined` for any other register. */
export function readClusterRegister(name: string, cpuCount: number): bigint | undefined {
  return Object.hasOwn(CLUSTER, name) ? CLUSTER[name]?.(cpuCount) : undefined;
}

/** What of a performance monitor register's value is shown. */
export function announced(name: string, value: bigint | undefined): bigint | undefined {
  return name === 'PMCEID0_EL0' && value !== undefined ? value & EVENTS_ANNOUNCED : value;
}

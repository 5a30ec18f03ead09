/** Reference pages of the processor's tables. */
import { encodings } from '../../runtime/isa/encodings';
import type { SystemRegister } from '../../runtime/isa/interface';
import { systemInstructions, systemRegisters } from '../../runtime/isa/system-registers';
import { code, page, table } from './markdown';

/** `docs/reference/instructions.md`. */
export function instructionsPage(): string {
  const groups = new Map<string, { readonly feature: string; ready: number; missing: number; readonly patterns: string[] }>();
  for (const { name, feature, state, pattern } of encodings) {
    const key = `${name} · ${feature}`;
    const group = groups.get(key) ?? { feature, ready: 0, missing: 0, patterns: [] };
    if (state === 'ready') group.ready++;
    else group.missing++;
    group.patterns.push(pattern);
    groups.set(key, group);
  }
  const rows = [...groups].map(([key, { feature, ready, missing, patterns }]) => [
    key.slice(0, key.lastIndexOf(' · ')), feature, missing === 0 ? 'yes' : ready === 0 ? 'no' : `${String(ready)} of ${String(ready + missing)}`, patterns.slice(0, PATTERNS_SHOWN).map(code).join('<br>') + (patterns.length > PATTERNS_SHOWN ? ` and ${String(patterns.length - PATTERNS_SHOWN)} more` : ''),
  ]);
  return page(
    'Instructions',
    'A64 instructions by the Arm ARM’s names. All of them are decoded and disassembled; the third column says which are executed. An instruction that is not executed takes the Undefined exception, and identification registers do not announce its feature.',
    table(['instruction', 'feature', 'executed', 'encodings, from bit 31 down'], rows),
  );
}

const PATTERNS_SHOWN = 2;

/** `docs/reference/system-registers.md`. */
export function systemRegistersPage(): string {
  const rows = (list: readonly SystemRegister[]): string => table(
    ['name', 'op0 op1 CRn CRm op2', 'read from', 'write from', 'feature', 'state', 'meaning'],
    list.map((row) => [row.name, [row.op0, row.op1, row.crn, row.crm, row.op2].join(' '), row.read, row.write, row.feature ?? '', row.state === 'ready' ? '' : 'not yet', row.description]),
  );
  return page(
    'System registers',
    'Lowest exception level that may read or write each register. `never`: that direction is undefined. In expressions a register is `$NAME`, for example `$SCTLR_EL1`.',
    `## Registers\n\n${rows(systemRegisters)}`,
    `## System instructions\n\n${rows(systemInstructions)}`,
  );
}

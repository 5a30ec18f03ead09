/**
 * `npm run figures -- device-trees [--only PART] [--step N] [--json]`: every figure that the project promises about device trees, beside its bar and what
 * missed it, over all of Linux's trees and bindings; `--step N` takes every Nth file, `--only` one part: roots, overlays, format, boards, examples,
 * dt-validate, vm-trees, rules. The exit status is 1 if a figure misses its bar. Times are no part of it: `npm run bench -- --only devicetree` measures those.
 */
import { parseArgs } from 'node:util';
import { boardFigures, exampleFigures, readingFigure } from './bindings';
import { dtValidateFigure } from './dt-validate';
import { formatFigure, type Figure } from './figure';
import { ruleFigures } from './rules';
import { combinationFigures, formatFigures, rootFigures } from './trees';
import { damageFigures, vendorFigures } from './vm-trees';

/** dt-validate takes a tenth of a second for an example: of bindings, one of so many. */
const DT_VALIDATE_STEP = 20;

/** The parts of the table, in its order. */
const PARTS: Readonly<Record<string, (step: number) => readonly Figure[] | Promise<readonly Figure[]>>> = {
  'roots': rootFigures,
  'overlays': combinationFigures,
  'format': formatFigures,
  'boards': boardFigures,
  'examples': (step) => [readingFigure(), ...exampleFigures(step)],
  'dt-validate': (step) => [dtValidateFigure(DT_VALIDATE_STEP * step)],
  'vm-trees': async (step) => [...damageFigures(step), ...await vendorFigures()],
  'rules': ruleFigures,
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' }, step: { type: 'string', default: '1' }, json: { type: 'boolean' } } });
  const step = Math.max(1, Math.trunc(Number(values.step)) || 1);
  const parts = values.only === undefined ? Object.keys(PARTS) : [values.only];
  const unknown = [...positionals.filter((word) => word !== 'device-trees'), ...parts.filter((part) => PARTS[part] === undefined)];
  if (positionals.length === 0 || unknown.length > 0) {
    console.error(`Usage: npm run figures -- device-trees [--only ${Object.keys(PARTS).join('|')}] [--step N] [--json]`);
    process.exitCode = 2;
    return;
  }
  const all: Figure[] = [];
  for (const part of parts) {
    const figures = await PARTS[part]?.(step) ?? [];
    all.push(...figures);
    if (values.json !== true) for (const figure of figures) console.log(formatFigure(figure));
  }
  if (values.json === true) console.log(JSON.stringify(all, undefined, 2));
  if (all.some(({ misses }) => misses.length > 0)) process.exitCode = 1;
}

void main();

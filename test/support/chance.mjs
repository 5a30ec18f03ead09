// Loaded before each test file by run-tests.mjs: gives fast-check one seed, so that a run of all tests says the same of the same code every time.
// `CHANCE_SEED=17 npm run test:unit` looks elsewhere, `CHANCE_SEED=any` lets each property draw its own.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const DEFAULT_SEED = 20_231_206;

const seedText = process.env.CHANCE_SEED ?? String(DEFAULT_SEED);
const seed = Number(seedText);
if (seedText !== 'any' && !Number.isSafeInteger(seed)) throw new Error(`CHANCE_SEED is a whole number or any, not ${seedText}`);

/** Only files of tests that draw anything pay for loading the library. */
function drawsAnything(file) {
  return file?.endsWith('.test.ts') === true && readFileSync(file, 'utf8').includes('fast-check');
}

if (seedText !== 'any' && drawsAnything(process.argv[1])) createRequire(import.meta.url)('fast-check').configureGlobal({ seed });

/** All SIMD functions, numbered: the number is the place in the table through which the interpreter calls them. */

import { present } from '../../base/assert';
import { arithmeticDefinitions } from '../float/arithmetic';
import { brainDefinitions } from '../float/brain';
import { authenticationFunctions } from '../authentication/functions';
import { qarmaDefinitions } from '../authentication/qarma';
import { compareDefinitions } from '../float/compare';
import { convertDefinitions } from '../float/convert';
import { estimateDefinitions } from '../float/estimates';
import { fusedDefinitions } from '../float/fused';
import { roundingDefinitions } from '../float/rounding';
import { Library, type Definition } from '../wasm/library';
import type { ModuleBuilder } from '../wasm/module';
import { cryptographyFunctions } from './cryptography';
import { flagFunctions } from './flag-functions';
import { floatFunctions } from './float-lanes';
import { hashFunctions } from './hashes';
import { Lanes, SIMD_SIGNATURE, type SimdBody } from './lanes';
import { moveFunctions } from './moves';
import { productFunctions } from './products';
import { shiftDefinitions } from './shift-functions';
import { sm4Functions } from './sm4';
import { structureFunctions } from './structures';
import { threeRegisterFunctions } from './three-registers';
import { twoRegisterFunctions } from './two-registers';
import { floatOnHost, wholeVectorFunctions } from './whole-vectors';

const bodies = new Map<string, SimdBody>([
  ...threeRegisterFunctions, ...twoRegisterFunctions, ...moveFunctions, ...[...floatFunctions].map(([name, body]) => [name, floatOnHost(name, body)] as const), ...structureFunctions, ...cryptographyFunctions,
  ...wholeVectorFunctions, ...hashFunctions, ...sm4Functions, ...productFunctions, ...flagFunctions,
  ...authenticationFunctions,
]);
const numbers = new Map([...bodies.keys()].map((name, index) => [name, index]));

/** The number of a SIMD function. */
export function simdFunction(name: string): number {
  return present(numbers.get(name), `SIMD function ${name}`);
}

const definitions = new Map<string, Definition>([
  ...roundingDefinitions, ...arithmeticDefinitions, ...fusedDefinitions, ...compareDefinitions, ...convertDefinitions, ...estimateDefinitions, ...brainDefinitions, ...qarmaDefinitions,
  ...shiftDefinitions,
  ...[...bodies].map(([name, body]): readonly [string, Definition] =>
    [`simd ${name}`, { signature: SIMD_SIGNATURE, build: (f, library) => body(new Lanes(f, library)) }]),
]);

/** Adds all SIMD functions to a module as its table; gives the index of one of them, whose type they share. */
export function defineSimd(module: ModuleBuilder): { finish(): void; readonly typeIndex: number } {
  const library = new Library(module, definitions);
  const indexes = [...bodies.keys()].map((name) => library.index(`simd ${name}`));
  module.table(indexes);
  return { finish: () => { library.finish(); }, typeIndex: present(indexes[0], 'a SIMD function') };
}

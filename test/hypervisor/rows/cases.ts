/**
 * Tests of hypercalls as data: a row has a sample of arguments with which the call succeeds, a check of that success, and cases that change
 * something and name the error they expect. What the table itself says of a row (reserved arguments, capabilities, rights, object states, the order
 * in which capabilities are looked at) becomes cases of its own here, so that a row file holds only what is special to its calls.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CapId, capId } from '../../../runtime/base/brands';
import type { ErrorName } from '../../../runtime/hypervisor/errors';
import { type Hypercall, type HypercallInput, HYPERCALLS, type HypercallName } from '../../../runtime/hypervisor/hypercall-table';
import { allRights } from '../../../runtime/hypervisor/rights';
import { type Answer, type Arguments, EMPTY_SLOT, type MadeType, type Path, UNDECODABLE, World } from './world';

/** Makes arguments with which the call succeeds, from new objects each time. */
export type Sample = (world: World) => Arguments;

/** One expected error. `change` replaces arguments of a new sample, or does something to the world first. */
export interface Failure {
  readonly error: ErrorName;
  readonly when: string;
  readonly change: (world: World, sample: Arguments) => Arguments;
  /** A world of its own: the case spoils it, or needs one that is short of something. */
  readonly world?: () => World;
  /** Result registers beside the error, where they are not zero. */
  readonly results?: Readonly<Record<string, bigint>>;
}

/** Tests of one row. */
export interface RowTests {
  readonly row: HypercallName;
  readonly sample: Sample;
  /** What a successful call has done. */
  readonly success: string;
  readonly check: (world: World, args: Arguments, answer: Answer) => void;
  readonly failures?: readonly Failure[];
  /** The world of the success test and of the cases derived from the table. */
  readonly world?: () => World;
  /** Calls that always answer an error: stubs and calls without a handler. */
  readonly answers?: ErrorName;
  /** A call that does not return: its result registers keep the arguments. */
  readonly unanswered?: boolean;
}

/** A test as the completeness test counts it. */
export interface NamedCase { readonly row: HypercallName; readonly error: ErrorName; readonly title: string; readonly paths: readonly Path[]; readonly run: (path: Path, shared: World) => void }

const BOTH: readonly Path[] = ['native', 'smccc'];
const MADE: readonly string[] = ['cspace', 'addrspace', 'memextent', 'thread', 'doorbell', 'msgqueue', 'vic', 'vpm_group', 'virtio_mmio', 'watchdog'];
/** Calls that look at their second capability first, as the reference says. */
const SECOND_FIRST: readonly HypercallName[] = ['addrspace_attach_thread', 'cspace_attach_thread', 'memextent_configure_derive', 'virtio_mmio_configure', 'memextent_donate'];
const ACTIVATE = 0x8000_0000;

const isMade = (type: string): type is MadeType => MADE.includes(type);
const rowOf = (name: HypercallName): Hypercall => HYPERCALLS[name];

/** A case for a row file. */
export function fails(error: ErrorName, when: string, change: Failure['change'], more: Pick<Failure, 'world' | 'results'> = {}): Failure {
  return { error, when, change, ...more };
}

/** A case that only replaces arguments. */
export function failsWith(error: ErrorName, when: string, args: Arguments, more: Pick<Failure, 'world' | 'results'> = {}): Failure {
  return { error, when, change: (_world, sample) => ({ ...sample, ...args }), ...more };
}

/** Capability arguments that the table describes, in the order in which the call looks at them. */
function capabilitiesOf(name: HypercallName): HypercallInput[] {
  const found = rowOf(name).inputs.filter((input) => input.object !== undefined && input.rights !== undefined);
  return SECOND_FIRST.includes(name) ? found.reverse() : found;
}

function expectFailure(world: World, name: HypercallName, args: Arguments, expected: { readonly error: ErrorName; readonly results?: Readonly<Record<string, bigint>> | undefined }): void {
  const { error, values } = world.call(name, args);
  assert.equal(error, expected.error, `${name} ${JSON.stringify(args, (_key, value: unknown) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value))}`);
  for (const [output, value] of Object.entries(values)) if (output !== 'error') assert.equal(value, expected.results?.[output] ?? 0n, `${name}: ${output} beside an error`);
}

/** All cases of a row: its own and those that its line of the table implies. */
export function casesOf(tests: RowTests): NamedCase[] {
  const { row, sample } = tests;
  const make = (error: ErrorName, when: string, change: Failure['change'], more: Partial<Failure> & { readonly paths?: readonly Path[] } = {}): NamedCase => ({
    row, error, title: `${row} answers ${error}: ${when}`, paths: more.paths ?? BOTH,
    run: (path, shared) => {
      const world = (more.world ?? tests.world)?.() ?? shared;
      const args = change(world, sample(world));
      world.path = path;
      expectFailure(world, row, args, { error, results: more.results });
    },
  });
  const success: NamedCase = {
    row, error: tests.answers ?? 'OK', title: `${row} ${tests.success}`, paths: BOTH,
    run: (path, shared) => {
      const world = tests.world?.() ?? shared;
      const args = sample(world);
      world.path = path;
      const answer = tests.unanswered === true ? world.callWithoutAnswer(row, args) : world.call(row, args);
      assert.equal(answer.error, tests.answers ?? 'OK', row);
      tests.check(world, args, answer);
    },
  };
  const own = (tests.failures ?? []).map((failure) => make(failure.error, failure.when, failure.change, failure));
  return [success, ...own, ...reservedCases(row, make), ...(rowOf(row).status === 'stub' ? [] : [...capabilityCases(row, make), ...orderCases(row, make)])];
}

type Make = (error: ErrorName, when: string, change: Failure['change'], more?: Partial<Failure> & { readonly paths?: readonly Path[] }) => NamedCase;

/** Reserved arguments are checked natively and before everything else, and by SMCCC not at all. */
function reservedCases(name: HypercallName, make: Make): NamedCase[] {
  const row = rowOf(name);
  if (row.outputs[0]?.name !== 'error') return [];
  const bad = Object.fromEntries(row.inputs.filter((input) => input.type === 'cap_id_t').map(({ name: input }) => [input, UNDECODABLE]));
  return row.inputs.filter((input) => input.mustBe !== undefined).flatMap(({ name: input, mustBe = 0n }) => [
    make('ARGUMENT_INVALID', `${input} is not ${String(mustBe)}`, (_world, sample) => ({ ...sample, [input]: mustBe ^ 1n }), { paths: ['native'] }),
    make('ARGUMENT_INVALID', `${input} is wrong, which comes before bad capabilities`, (_world, sample) => ({ ...sample, ...bad, [input]: mustBe ^ (1n << 63n) }), { paths: ['native'] }),
  ]);
}

function capabilityCases(name: HypercallName, make: Make): NamedCase[] {
  return capabilitiesOf(name).flatMap((input) => {
    const { name: argument, object = 'partition', rights = 0, state = 'active' } = input;
    const replace = (by: (world: World, sample: Arguments) => CapId): Failure['change'] => (world, sample) => ({ ...sample, [argument]: by(world, sample) });
    const bits = Array.from({ length: 32 }, (_, n) => (2 ** n)).filter((bit) => (rights & bit) !== 0);
    const wrongType = (world: World): CapId => (object === 'doorbell' ? world.create('msgqueue') : world.create('doorbell'));
    const isRightsFirst = (rights & ACTIVATE) !== 0;
    return [
      make('ARGUMENT_INVALID', `${argument} does not decode`, replace(() => capId(UNDECODABLE))),
      make('CSPACE_CAP_NULL', `${argument} is an empty slot`, replace(() => capId(EMPTY_SLOT))),
      make('CSPACE_CAP_REVOKED', `${argument} is revoked, of whatever type`, replace((world) => world.revoked())),
      make('CSPACE_WRONG_OBJECT_TYPE', `${argument} is of another type`, replace(wrongType)),
      make(isRightsFirst ? 'CSPACE_INSUFFICIENT_RIGHTS' : 'CSPACE_WRONG_OBJECT_TYPE', `${argument} is of another type and lacks rights`, replace((world) => world.copy(wrongType(world), 4))),
      ...bits.map((bit) => make('CSPACE_INSUFFICIENT_RIGHTS', `${argument} lacks right ${String(bit)}`, replace((world, sample) =>
        world.copy(capId(BigInt(sample[argument] ?? 0)), (allRights(object) & ~bit) >>> 0)))),
      ...stateCases(make, { argument, object, state }, replace),
    ];
  });
}

function stateCases(make: Make, input: { readonly argument: string; readonly object: string; readonly state: string }, replace: (by: (world: World) => CapId) => Failure['change']): NamedCase[] {
  const { argument, object, state } = input;
  if (!isMade(object)) return [];
  switch (state) {
    case 'active': return [make('OBJECT_STATE', `${argument} is not active yet`, replace((world) => world.prepared(object)))];
    case 'init': return [make('OBJECT_STATE', `${argument} is active already`, replace((world) => world.active(object)))];
    case 'init_or_active': return [make('OBJECT_STATE', `${argument} has failed`, replace((world) => world.failed(object)))];
    default: return [];
  }
}

/** Of two bad capabilities the one that is looked at first decides; the state of an object that must be in INIT comes last of all. */
function orderCases(name: HypercallName, make: Make): NamedCase[] {
  const [first, second] = capabilitiesOf(name);
  if (first === undefined || second === undefined) return [];
  const cases = [
    make('CSPACE_CAP_NULL', `${first.name} is empty, which comes before a ${second.name} that does not decode`, (_world, sample) => ({ ...sample, [first.name]: EMPTY_SLOT, [second.name]: UNDECODABLE })),
    make('ARGUMENT_INVALID', `${first.name} does not decode, which comes before an empty ${second.name}`, (_world, sample) => ({ ...sample, [first.name]: UNDECODABLE, [second.name]: EMPTY_SLOT })),
  ];
  const { object = '' } = first;
  if (!isMade(object)) return cases;
  if (first.state === 'init') {
    cases.push(make('CSPACE_CAP_NULL', `${second.name} is empty, which comes before a ${first.name} that is active already`, (world, sample) => ({ ...sample, [first.name]: world.active(object), [second.name]: EMPTY_SLOT })));
  } else if (first.state === 'active') {
    cases.push(make('OBJECT_STATE', `${first.name} is not active, which comes before an empty ${second.name}`, (world, sample) => ({ ...sample, [first.name]: world.prepared(object), [second.name]: EMPTY_SLOT })));
  }
  return cases;
}

/** Runs rows: one world for each row, both paths. */
export function runRows(rows: readonly RowTests[]): void {
  for (const tests of rows) {
    describe(tests.row, () => {
      let world: World | undefined;
      for (const { title, paths, run } of casesOf(tests)) {
        for (const path of paths) {
          it(`${title}, called by ${path}`, () => {
            world ??= new World();
            run(path, world);
          });
        }
      }
    });
  }
}

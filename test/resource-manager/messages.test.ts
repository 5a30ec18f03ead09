import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RM_ERRORS, RM_REQUESTS } from '../../runtime/resource-manager';
import type { RmRequest } from '../../runtime/resource-manager/message-table';
import { type CasesOf, alone, answered, bytesOf, h32, type MessageCase } from './messages/case';
import { CONSOLE_CASES } from './messages/console-cases';
import { DEVICE_CASES } from './messages/device-cases';
import { LIFE_CASES } from './messages/life-cases';
import { NEWER_CASES } from './messages/newer-cases';
import { PARCEL_CASES } from './messages/parcel-cases';
import { QUERY_CASES } from './messages/query-cases';

const CASES: Readonly<Record<string, CasesOf>> = { ...PARCEL_CASES, ...LIFE_CASES, ...QUERY_CASES, ...CONSOLE_CASES, ...DEVICE_CASES, ...NEWER_CASES };
const ROWS: Readonly<Record<string, RmRequest>> = RM_REQUESTS;

/** An answer whose bytes are without spaces. */
function joined(answer: string): string {
  const [kind = '', ...bytes] = answer.split(/\s+/);
  return `${kind} ${bytes.join('')}`;
}

/** Sends a case's request as its VM and compares everything that comes back, byte by byte. */
function check(row: RmRequest, { situation, request, answers, then }: MessageCase): void {
  const made = situation();
  const { system, by } = made;
  const received = by === 3 ? system.exchange(row.id, bytesOf(request)) : system.exchangeAs(by, row.id, bytesOf(request));
  const words = received.map(({ kind, id, payload }) => `${kind === 'reply' ? 'reply' : id.toString(16)} ${Buffer.from(payload).toString('hex')}`);
  assert.deepEqual(words, answers.map(joined));
  then?.(made);
  system.hypervisor.checkInvariants();
}

/** Any row refuses a single byte, which is too much for those that take nothing and too little for all others. */
function malformed(row: RmRequest): MessageCase {
  return answered(alone, '00', `${h32(RM_ERRORS.MSG_INVALID)}${row.hasErrorDetail === true ? h32(1) : ''}`);
}

for (const [name, row] of Object.entries(ROWS)) {
  const cases = CASES[name] ?? {};
  for (const [what, one] of Object.entries(cases)) test(`${name} ${what === 'success' ? 'does what it says' : `answers ${what}`}`, () => { check(row, one); });
  if (row.errors.includes('MSG_INVALID') && cases['MSG_INVALID'] === undefined) test(`${name} answers MSG_INVALID`, () => { check(row, malformed(row)); });
  if (row.status === 'unimplemented') test(`${name} answers UNIMPLEMENTED`, () => { check(row, answered(alone, '', h32(RM_ERRORS.UNIMPLEMENTED))); });
}

test('every request of the table has a case of success, every error that the table documents has one, and every case names a row and an error of the table', () => {
  const missing = Object.entries(ROWS).flatMap(([name, row]) => {
    const cases = CASES[name] ?? {};
    const expected = [...(row.status === 'unimplemented' ? [] : ['success']), ...row.errors.filter((error) => (error !== 'MSG_INVALID' || row.status === 'newer') && row.status !== 'unimplemented')];
    return expected.filter((what) => cases[what] === undefined).map((what) => `${name} ${what}`);
  });
  assert.deepEqual(missing, []);
  const unknown = Object.entries(CASES).flatMap(([name, cases]) => Object.keys(cases).filter((what) => what !== 'success' && !(ROWS[name]?.errors ?? []).some((error) => error === what)).map((what) => `${name} ${what}`));
  assert.deepEqual(unknown, []);
});

test('each case of an error answers the number of that error', () => {
  for (const [name, cases] of Object.entries(CASES)) {
    for (const [what, { answers }] of Object.entries(cases)) {
      const reply = answers.find((answer) => answer.startsWith('reply'));
      const code = what === 'success' ? 0 : Object.entries(RM_ERRORS).find(([error]) => error === what)?.[1] ?? -1;
      if (reply !== undefined) assert.equal(joined(reply).slice('reply '.length, 'reply '.length + 8), h32(code), `${name} ${what}`);
    }
  }
});

import { test } from 'node:test';
import { checkCanFail, checkRule } from './check';
import { everyTestRunsRule, testNameRule } from './rules/tests';

const TESTS = /^test\/.*\.ts$/;
const bad = (text: string, says: string) => ({ path: 'test/a.test.ts', text, says });
const good = (text: string) => ({ path: 'test/a.test.ts', text });

test('no test is left out by its own file', () => {
  checkRule('every test runs', everyTestRunsRule, TESTS);
  checkCanFail(everyTestRunsRule, [
    bad("test.only('a full queue refuses a message', () => {});", 'only'),
    bad("describe.skip('queues', () => {});", 'skip'),
    bad("test('a full queue refuses a message', { skip: true }, () => {});", 'skip'),
    bad("test('a full queue refuses a message', (t) => { t.skip(); });", 'skip'),
    bad("xit('a full queue refuses a message', () => {});", 'xit'),
  ], [good("test('a full queue refuses a message', { timeout: 5 }, () => { reader.skip(4); });")]);
});

test('the name of a test is a sentence that says what is true', () => {
  checkRule('test names', testNameRule, TESTS);
  checkCanFail(testNameRule, [bad("test('msgqueue', () => {});", 'no sentence'), bad("test('should refuse a message when full', () => {});", 'what is true'), bad("it('send', () => {});", 'no sentence')], [
    good("test('a full queue refuses a message', () => {});"),
    good("describe('compiles to dtc\\'s bytes', () => { it('labels', () => {}); });"),
    good('test(`${name} decodes to itself`, () => {});'),
  ]);
});

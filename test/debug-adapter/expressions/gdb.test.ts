/** Expressions over a program at rest, compared with what GDB prints for the same text. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Prng } from '../../../runtime/base/prng';
import { buildProgram, gdb, type Program } from '../../symbols/compile';
import { SAMPLE_C } from '../../symbols/sample';
import { programContext, shown } from './program';

const SAME_AS_GDB = [
  'counter', 'counter + 1', '-counter', '~counter', '!counter', 'counter / 3', 'counter % 5', 'counter << 3', '-counter >> 2', 'counter > 40 && counter < 50',
  'counter == 41 ? 1 : 2', 'second.where.x', 'second.where', '(&second)->where.y', 'second.next == &first', 'second.colour', 'second.name', '*second.name',
  'second.name[2]', 'second.matrix', 'second.matrix[1][2]', 'sizeof(second)', 'sizeof(struct node)', 'sizeof second.matrix', 'sizeof(int)', 'sizeof(unsigned long *)',
  'table', 'table[2]', '*(table + 3)', '&table[1] - &table[0]', '*table@2', 'letter', 'flag', 'big', 'greeting', 'hidden', '(unsigned char)300', '(int)-1 < 1u', '-1 < 1',
  '(signed char)200', '(uint8_t)counter', '(uint64_t)-1', '(long)&counter == (long)&counter', '0x7fffffff + 1u', '2147483648', '0xffffffff', '1 ? 2 : 3', '5 & 3 | 8 ^ 2', "'a' + 1",
  "'\\n'", '010', '1.5 * 2', '7 / 2.0', '3 > 2 > 1', 'GREEN', 'BLUE + 1', '(enum colour)5', '(enum colour)9', 'MINUS', '*(int *)&counter',
  '((struct point *)&second.where)->y', '(char)65', 'second.flags', 'second.left', 'first.next', '&counter', '&second.where', 'main', '&main', 'leaf', '*&counter', 'nothing', 'handler',
  'table == &table[0]', 'second.data.whole', 'sizeof(long long)', 'sizeof(uint32_t)', '(short)70000', '(_Bool)5', '!5', '!!5', '1 << 31', '1ul << 63', '-5 / 2', '-5 % 3',
];

function printed(program: Program, expressions: readonly string[]): readonly string[] {
  const output = gdb(program, expressions.flatMap((one) => ['echo #', `print ${one}`, 'echo \\n']));
  return output.split('#').slice(1).map((text) => text.trim().replace(/^\$\d+ = /, ''));
}

/** GDB writes booleans of C as numbers' names and pointers with their types; both are shown without. */
function plain(text: string): string {
  return text.replace(/^\((?!\d)[^{}]*?\) (?=0x)/, '').replace(/ = \((?!\d)[^{}()]*(?:\([^()]*\)[^{}()]*)*\) (?=0x)/g, ' = ');
}

for (const compiler of ['gcc', 'clang'] as const) {
  describe(`expressions over a program of ${compiler}`, () => {
    const program = buildProgram({ 'sample.c': SAMPLE_C }, { compiler, dwarf: 5, optimise: '-O0' });
    const context = programContext(program);

    test('show what GDB prints', () => {
      const expected = printed(program, SAME_AS_GDB);
      assert.equal(expected.length, SAME_AS_GDB.length);
      const differences = SAME_AS_GDB.map((one, i) => ({ one, ours: plain(shown(one, context)), gdb: plain(expected[i] ?? '') })).filter((line) => line.ours !== line.gdb);
      assert.deepEqual(differences, []);
    });

    test('compute what GDB computes for random arithmetic', () => {
      const chance = new Prng(7);
      const expressions = Array.from({ length: 300 }, () => randomExpression(chance, 4));
      const expected = printed(program, expressions.map((one) => `/d (${one})`));
      const wrong = expressions.map((one, i) => ({ one, ours: shown(`${one},d`, context), gdb: expected[i] })).filter((line) => line.ours !== line.gdb);
      assert.deepEqual(wrong, []);
    });
  });
}

const LEAVES = ['1', '7u', '-3', '0x10', '300', '2147483647', '5ul', '-1l', 'counter', 'table[1]', '(unsigned char)200', '(short)-2', '(uint64_t)counter', 'big', 'GREEN', 'second.where.x', "'z'"];
const OPERATORS = ['+', '-', '*', '&', '|', '^', '<', '>', '<=', '>=', '==', '!=', '&&', '||'];

function randomExpression(chance: Prng, depth: number): string {
  const pick = (list: readonly string[]): string => list[chance.below(list.length)] ?? '1';
  if (depth === 0 || chance.below(5) === 0) return pick(LEAVES);
  const inner = (): string => randomExpression(chance, depth - 1);
  switch (chance.below(7)) {
    case 0: return `-(${inner()})`;
    case 1: return `~(${inner()})`;
    case 2: return `(${inner()}) / (((${inner()}) & 7) + 1)`;
    case 3: return `(${inner()}) << ((${inner()}) & 15)`;
    case 4: return `(${pick(['int', 'unsigned int', 'long', 'unsigned char', 'short', 'uint64_t'])})(${inner()})`;
    default: return `(${inner()}) ${pick(OPERATORS)} (${inner()})`;
  }
}

/** What expressions mean beyond GDB's dialect: registers, events, conditions, assignment, messages, children and errors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  assignText, childrenOf, compile, compileMessage, evaluateCondition, evaluateText, type EvaluationContext, EXPRESSION_ERROR_CODES, formatMessage, showValue,
} from '../../../debug-adapter/expressions/index';
import { buildProgram } from '../../symbols/compile';
import { SAMPLE_C } from '../../symbols/sample';
import { loadedMemory, programContext, shown } from './program';

const program = buildProgram({ 'sample.c': SAMPLE_C }, { compiler: 'gcc', dwarf: 5, optimise: '-O0' });

function registerContext(): { readonly context: EvaluationContext; readonly registers: Map<string, bigint> } {
  const registers = new Map([['x0', 0x1234_5678_9abcn], ['sp', 0x4100_0000n], ['pc', 0x4008_0000n], ['SCTLR_EL1', 0x30d0_0800n], ['tick', 77n], ['w0', 0x5678_9abcn], ['v0', 1n << 100n]]);
  const context = programContext(program, {
    readRegister: (name) => {
      const value = registers.get(name);
      return value === undefined ? undefined : { value, sizeBytes: name === 'w0' ? 4 : name === 'v0' ? 16 : 8 };
    },
    writeRegister: (name, value) => name !== 'SCTLR_EL1' && registers.has(name) && registers.set(name, value) === registers,
    overrides: new Map<string, string | bigint>([['vm', 'primary'], ['size', 24n]]), fallbacks: new Map<string, string | bigint>([['counter', 1n], ['vcpu', 'cpu0']]),
  });
  return { context, registers };
}

function check(expected: Readonly<Record<string, string>>): void {
  const { context } = registerContext();
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((text) => [text, shown(text, context)])), expected);
}

function errorCode(text: string, context = registerContext().context): string | undefined {
  const result = evaluateText(text, context);
  return result.ok ? undefined : result.error.code;
}

test('registers are numbers, shown in hexadecimal by themselves', () => {
  check({
    '$x0': '0x123456789abc', '$w0': '0x56789abc', '$x0 + 1': '20015998343869', '$x0,d': '20015998343868', '$tick > 50': '1', '$SCTLR_EL1 & 1': '0', '($SCTLR_EL1 >> 11) & 1': '1',
    '$pc == &leaf': '1', '*(int *)&counter + (int)$tick': '118', '$v0': '0x10000000000000000000000000',
  });
});

test('values of an event win over the program, and fallbacks lose', () => {
  check({ 'size > 16 && vm == "primary"': '1', 'vm != "sensor"': '1', 'vm': '"primary"', 'counter': '41', 'vcpu == "cpu0"': '1', '"a" == "b"': '0' });
});

test('texts compare with strings of the guest', () => {
  check({ 'second.name == "second"': '1', 'second.name == "seconds"': '0', 'second.name == "sec"': '0', 'greeting != "hello"': '0', '"hello" == greeting': '1' });
});

test('a suffix chooses how a value is shown', () => {
  check({
    'counter,x': '0x29', 'counter,b': '0b101001', 'counter,o': '051', 'counter,c': "41 ')'", '-1,x': '0xffffffff', '-1,u': '4294967295', 'table,x': '{0x1, 0x2, 0x3, 0x4}',
    'second.where,x': '{x = 0x3, y = 0x4}', 'GREEN,d': '5', '&table[0],3': '{1, 2, 3}', 'table,2': '{1, 2}',
  });
});

test('a symbol of another image is named with an exclamation mark', () => {
  check({ 'program!counter': '41', 'program!second.where.x + 1': '4', 'elsewhere!counter': '<expression-unknown-name>', '!counter': '0', 'counter != 41': '0' });
});

test('bytes are shown as numbers and text as text', () => {
  check({ 'second.data.bytes': '{0, 0, 0, 0}', '*second.name@4': '"seco"', 'second.name[0]': "115 's'", 'letter': "97 'a'" });
});

test('a name in parentheses is a cast only if it is a type', () => {
  check({ '(counter) - 1': '40', '(uint8_t) - 1': "255 '\\377'", '(counter) * 2': '82', '(uint32_t)(counter)': '41', 'sizeof(counter)': '4', 'sizeof(uint8_t)': '1', '(counter)': '41' });
});

test('casts take any declarator', () => {
  check({
    '*(int (*)[2])table': '{1, 2}', '(int[2])table': '{1, 2}', 'sizeof(int *[3])': '24', 'sizeof(int (*)[3])': '8', '((const struct node *)&second)->where.x': '3',
    '(void (*)(int, char *))leaf == &leaf': '1', '(unsigned long)&second == (unsigned long)&second.next': '1', '*(unsigned short *)table': '1',
  });
});

test('assignment changes memory, bit-fields and registers, and only what it names', () => {
  const { context, registers } = registerContext();
  const before = shown('second.flags', context);
  for (const text of ['counter = 5', 'counter += 2', 'second.flags.mode = 9', 'second.colour = GREEN', 'second.where = first.where', '$x0 = 7', '$x0 <<= 2', 'letter = 66']) {
    assert.equal(errorCode(text, context), undefined, text);
  }
  assert.deepEqual(['counter', 'second.flags.mode', 'second.colour', 'second.where', 'letter'].map((text) => shown(text, context)), ['7', '1', 'GREEN', '{x = 0, y = 0}', "66 'B'"]);
  assert.equal(shown('second.flags', context), before.replace('mode = 0', 'mode = 1'));
  assert.equal(registers.get('x0'), 28n);
  assert.ok(assignText('second.where.y', '3 * 4', context).ok);
  assert.equal(shown('second.where.y', context), '12');
});

test('children are members, elements of a range, and targets, each with an expression that gives it again', () => {
  const { context } = registerContext();
  const children = (text: string, range = {}): readonly string[] => {
    const result = evaluateText(text, context);
    assert.ok(result.ok, text);
    return childrenOf(result.value.value, text, context, range).map((child) => {
      assert.equal(shown(child.evaluateName, context), showValue(child.value, context).value, child.evaluateName);
      return child.evaluateName;
    });
  };
  assert.deepEqual(children('second.where'), ['second.where.x', 'second.where.y']);
  assert.ok(children('&second').includes('(&second)->left'));
  assert.deepEqual(children('table', { start: 1, count: 2 }), ['table[1]', 'table[2]']);
  assert.deepEqual(children('&counter'), ['*(&counter)']);
  assert.deepEqual(children('second.name'), ['*second.name']);
  assert.deepEqual(children('(void *)&counter'), []);
  assert.deepEqual(children('nothing'), []);
});

test('a pointer to nowhere shows its address, and what it points to says why it cannot be shown', () => {
  check({
    '(char *)16': '0x10 <cannot read memory at 0x10>', '*(int *)16': '<cannot read memory at 0x10>', '(struct node *)16': '0x10',
    '*(struct point *)16': '{x = <cannot read memory at 0x10>, y = <cannot read memory at 0x14>}', '*(int *)16 + 1': '<expression-memory-read>',
  });
});

test('conditions are true or false', () => {
  const { context } = registerContext();
  const truth = (text: string): boolean | string => {
    const condition = compile(text);
    assert.ok(condition.ok);
    const result = evaluateCondition(condition.value, context);
    return result.ok ? result.value : result.error.code;
  };
  assert.deepEqual(['counter == 41', 'nothing', '&counter', '0.0', '1 / (counter - 41)', 'nothing && *(int *)nothing', 'second.where'].map(truth),
    [true, false, true, false, 'expression-divide-by-zero', false, 'expression-not-scalar']);
});

test('log messages show expressions in braces', () => {
  const { context } = registerContext();
  const message = compileMessage('{{size}} {size} {vm} {counter,x} {second.where} {nowhere}');
  assert.ok(message.ok);
  assert.match(formatMessage(message.value, context), /^\{size\} 24 primary 0x29 \{x = 3, y = 4\} <There is no variable.*>$/);
  assert.ok(!compileMessage('{1 +}').ok);
  assert.ok(compileMessage('an open { brace').ok);
});

const ERRORS: Readonly<Record<string, string>> = {
  '': 'expression-empty', ['1+'.repeat(3000)]: 'expression-too-long', ['('.repeat(300)]: 'expression-too-deep', '1 +': 'expression-syntax', 'a #': 'expression-character', '1x': 'expression-literal',
  '"abc': 'expression-unterminated', 'leaf(1, 2)': 'expression-call', 'counter++': 'expression-increment', '--counter': 'expression-increment', 'nowhere': 'expression-unknown-name',
  '$nowhere': 'expression-unknown-register', '(struct nowhere *)0': 'expression-unknown-type', 'second.nowhere': 'expression-unknown-member', '*nothing': 'expression-incomplete-type',
  '*counter': 'expression-not-pointer', 'counter.x': 'expression-not-record', '(&second).where': 'expression-use-arrow', 'second + 1': 'expression-not-scalar', '1.5 % 2': 'expression-not-integer',
  '&1': 'expression-not-place', '1 = 2': 'expression-not-assignable', '&second.flags.mode': 'expression-bit-field', '1 / 0': 'expression-divide-by-zero', '*(int *)0 + 0': 'expression-memory-read',
  '*(int *)0 = 1': 'expression-memory-write', '$SCTLR_EL1 = 1': 'expression-register-write', '*(char (*)[100000])&counter = 1': 'expression-not-assignable',
  'counter@0': 'expression-count', '"a" + 1': 'expression-text', '*(struct huge *)0 == 1': 'expression-unknown-type', 'table = 1': 'expression-not-assignable',
};

test('each mistake has its own message, which says what to do', () => {
  const codes = Object.fromEntries(Object.keys(ERRORS).map((text) => [text, errorCode(text)]));
  assert.deepEqual(codes, ERRORS);
  // These three need values that the compiler did not keep or that are too large; other tests reach them.
  const reached = new Set([...Object.values(ERRORS), 'expression-optimised-out', 'expression-unavailable', 'expression-too-large']);
  assert.deepEqual(EXPRESSION_ERROR_CODES.filter((code) => !reached.has(code)), []);
});

test('what the compiler did not keep says so', () => {
  const { context } = registerContext();
  const lost: EvaluationContext = {
    ...context,
    resolve: (name) => {
      const type = { kind: 'base', name: 'int', encoding: 'signed', isSigned: true, sizeBytes: 4 } as const;
      if (name === 'gone') return { kind: 'variable', type, location: { kind: 'optimised-out' } };
      if (name === 'odd') return { kind: 'variable', type, location: { kind: 'unavailable', reason: 'its location is odd' } };
      const half = { kind: 'value', bytes: Uint8Array.of(0x34, 0x12) } as const;
      if (name === 'split') return { kind: 'variable', type, location: { kind: 'pieces', pieces: [{ location: half, sizeBits: 16, bitOffset: 0 }, { location: half, sizeBits: 16, bitOffset: 0 }] } };
      return name === 'large' ? { kind: 'variable', type: { kind: 'array', element: type, count: 1 << 20 }, location: { kind: 'memory', address: 0n } } : undefined;
    },
  };
  assert.deepEqual(['gone', 'gone + 1', 'odd + 1', 'split,x', 'large == 0'].map((text) => shown(text, lost)),
    ['<optimised out>', '<expression-optimised-out>', '<expression-unavailable>', '0x12341234', '1']);
});

test('any text compiles or is refused, and evaluates to a value or a diagnostic, in no time', () => {
  const { context } = registerContext();
  const memory = loadedMemory(program.bytes);
  const words = fc.constantFrom('counter', 'second', 'table', 'struct', 'node', 'point', '(', ')', '[', ']', '.', '->', '*', '&', '+', '-', '!', '~', '@', ',', 'x', '?', ':', '=', '+=', '==', '<<', '1', '0x7fffffffffffffff', '"a"',
    "'c'", '$x0', '$tick', 'sizeof', 'int', 'unsigned', 'vm', 'next', 'matrix', 'uint8_t', '1e9', '{', 'program', 'first', 'long', 'const', '4096', '/', '%', '||', '&&', ' ');
  const isFine = (text: string): void => {
    const result = evaluateText(text, { ...context, readMemory: (address, size) => memory.read(address, size) });
    if (!result.ok) return assert.ok(result.error.code.startsWith('expression-') && !/\{\}/.test(result.error.message), result.error.message);
    const value = showValue(result.value.value, context, result.value.format);
    assert.ok(value.value.length < 5000);
    childrenOf(result.value.value, text, context, { count: 20 });
  };
  fc.assert(fc.property(fc.array(words, { maxLength: 14 }), (parts) => { isFine(parts.join(' ')); }), { numRuns: 4000 });
  fc.assert(fc.property(fc.string({ maxLength: 60 }), isFine), { numRuns: 2000 });
});

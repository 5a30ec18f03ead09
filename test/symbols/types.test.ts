/** Types of compiled programs: names, sizes and member positions as GDB prints them, and what GDB does not say. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  builtInType, C_TYPES, declaration, findMember, type RecordType, sizeOfType, stripType, type SymbolFile, type Type, typeName, VOID,
} from '../../runtime/symbols/index';
import { buildName, buildProgram, BUILDS, gdb, UNUSUAL_BUILDS } from './compile';
import { SAMPLE_C } from './sample';

const GLOBALS = ['second', 'first', 'counter', 'hidden', 'greeting', 'ratio_unused', 'flag', 'letter', 'big', 'table', 'nothing', 'handler', 'rows'];
const MEMBERS = ['next', 'name', 'where', 'data', 'colour', 'matrix', 'flags', 'compare', 'left', 'right', 'registers'];

function record(symbols: SymbolFile, name: string): RecordType {
  const type = symbols.findType(name);
  const stripped = stripType(type ?? VOID);
  assert.ok(stripped.kind === 'record', `${name} is no record`);
  return stripped;
}

for (const build of [...BUILDS, ...UNUSUAL_BUILDS]) {
  describe(`types of ${buildName(build)}`, () => {
    const program = buildProgram({ 'sample.c': SAMPLE_C }, build);
    const { symbols } = program;

    test('global variables have the types, sizes and addresses that GDB prints', () => {
      const kept = GLOBALS.filter((name) => symbols.addressOfSymbol(name) !== undefined);
      assert.ok(kept.length > 5);
      const asked = kept.flatMap((name) => [`whatis ${name}`, `print sizeof(${name})`, `print/d &${name}`]);
      const answers = gdb(program, asked).trim().split('\n').map((line) => line.replace(/^(?:type|\$\d+) = /, ''));
      kept.forEach((name, i) => {
        const variable = symbols.findGlobal(name);
        assert.ok(variable !== undefined, name);
        assert.equal(typeName(variable.type), answers[i * 3], name);
        assert.equal(String(sizeOfType(variable.type)), answers[i * 3 + 1], name);
        assert.equal(String(symbols.addressOfSymbol(name)), answers[i * 3 + 2], name);
      });
    });

    test('members have the types and offsets that GDB prints', () => {
      const node = record(symbols, 'struct node');
      const asked = MEMBERS.flatMap((name) => [`whatis ((struct node *)0)->${name}`, `print/d &((struct node *)0)->${name}`]);
      const answers = gdb(program, asked).trim().split('\n').map((line) => line.replace(/^(?:type|\$\d+) = /, ''));
      MEMBERS.forEach((name, i) => {
        const member = findMember(node, name);
        assert.ok(member !== undefined, name);
        assert.equal(typeName(member.type), answers[i * 2], name);
        assert.equal(String(member.offsetBytes), answers[i * 2 + 1], name);
      });
    });

    test('bit-fields have their positions and widths', () => {
      const fields = record(symbols, 'struct flags').members.map((member) => [member.name, member.bitField?.offsetBits, member.bitField?.sizeBits]);
      assert.deepEqual(fields, [['ready', 0, 1], ['mode', 1, 3], ['level', 4, 5], ['wide', 9, 40]]);
    });

    test('enumerations know their constants, negative ones too', () => {
      assert.deepEqual([symbols.findEnumerator('GREEN')?.value, symbols.findEnumerator('MINUS')?.value], [5n, -3n]);
      const colour = stripType(symbols.findType('enum colour') ?? VOID);
      assert.ok(colour.kind === 'enum' && !colour.isSigned && colour.sizeBytes === 4);
    });

    test('a typedef is found by name and knows its target', () => {
      const type = symbols.findType('uint64_t');
      assert.ok(type?.kind === 'typedef');
      assert.equal(typeName(type.target), 'unsigned long');
      assert.equal(sizeOfType(type), 8);
    });

    test('a function has a type', () => {
      const [func] = symbols.findFunctions('middle');
      assert.equal(typeName(symbols.functionTypeAt(func?.address ?? 0n) ?? VOID), 'int (struct point *, uint64_t)');
    });
  });
}

test('declarators print as C writes them', () => {
  const int = C_TYPES.int;
  const pointer = (target: Type): Type => ({ kind: 'pointer', target, sizeBytes: 8 });
  const array = (element: Type, count: number): Type => ({ kind: 'array', element, count });
  const func: Type = { kind: 'function', result: pointer(int), parameters: [int], isVariadic: true, isPrototyped: true };
  assert.equal(declaration(array(array(int, 3), 2), 'm'), 'int m[2][3]');
  assert.equal(declaration(pointer(array(int, 3)), 'p'), 'int (*p)[3]');
  assert.equal(declaration(array(pointer(int), 3), 'a'), 'int *a[3]');
  assert.equal(typeName(pointer(func)), 'int *(*)(int, ...)');
  assert.equal(typeName({ kind: 'qualified', qualifier: 'const', target: pointer({ kind: 'qualified', qualifier: 'volatile', target: int }) }), 'volatile int * const');
});

test('C knows its own types in any order of words', () => {
  assert.equal(builtInType(['long', 'unsigned', 'int']), C_TYPES.unsignedLong);
  assert.equal(builtInType(['long', 'long']), C_TYPES.longLong);
  assert.equal(builtInType(['struct']), undefined);
});

test('a cyclic typedef in damaged data ends', () => {
  const loop: { kind: 'typedef'; name: string; target: Type } = { kind: 'typedef', name: 'loop', target: VOID };
  loop.target = loop;
  assert.equal(stripType(loop), VOID);
  assert.equal(sizeOfType(loop), undefined);
});

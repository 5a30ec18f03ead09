/**
 * Unwinding and variables of running programs: QEMU runs them, GDB says what the frames and values are, and our reader is given
 * the same registers and memory.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  type FrameContext, fromBytes, type Location, type MemoryReader, registersFrom, sizeOfType, type StackFrame, stripType, type SymbolFile, type Variable,
  walkStack,
} from '../../runtime/symbols/index';
import { type Build, buildName, buildProgram, BUILDS, gdb, type Program, UNUSUAL_BUILDS } from './compile';
import { SAMPLE_C } from './sample';

interface GdbFrame {
  readonly pc: string;
  readonly name: string;
  readonly line: number;
  readonly cfa: string;
  readonly registers: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
}

interface GdbStop {
  readonly registers: readonly string[];
  readonly stack: { readonly address: string; readonly hex: string };
  readonly data: { readonly address: string; readonly hex: string };
  readonly frames: readonly GdbFrame[];
}

/** Runs inside GDB: stops at every breakpoint and writes what GDB knows there as JSON. */
const PROBE = `
import gdb, json
def number(value):
    return str(int(value) & 0xffffffffffffffff)
def variables(frame):
    found = {}
    block = frame.block()
    while block is not None and not block.is_global and not block.is_static:
        for symbol in block:
            if (symbol.is_argument or symbol.is_variable) and symbol.name not in found:
                value = symbol.value(frame)
                code = value.type.strip_typedefs().code
                if value.is_optimized_out: found[symbol.name] = 'optimised-out'
                elif code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ENUM): found[symbol.name] = number(value)
                elif code == gdb.TYPE_CODE_STRUCT and value.address is not None: found[symbol.name] = '@' + number(value.address)
        if block.function: break
        block = block.superblock
    return found
def frames():
    found = []
    frame = gdb.newest_frame()
    while frame is not None:
        registers = {}
        for name in ['x%d' % i for i in range(19, 31)] + ['sp']:
            value = frame.read_register(name)
            registers[name] = 'unknown' if value.is_optimized_out else number(value)
        found.append({'pc': number(frame.pc()), 'name': frame.name(), 'line': frame.find_sal().line, 'cfa': '', 'registers': registers, 'variables': variables(frame)})
        frame = frame.older()
    return found
def memory(start, size):
    return {'address': str(start), 'hex': bytes(gdb.selected_inferior().read_memory(start, size)).hex()}
stops = []
judged = JUDGED
while len(stops) < 12:
    try: gdb.execute('continue', False, True)
    except gdb.error: break
    if not gdb.selected_inferior().threads(): break
    top = gdb.newest_frame()
    if int(top.pc()) == 0: break
    registers = [number(top.read_register('x%d' % i)) for i in range(31)] + [number(top.read_register('sp')), number(top.pc())]
    low = int(gdb.parse_and_eval('(unsigned long)&first')) & ~0xfff
    stops.append({'registers': registers, 'stack': memory(int(registers[31]) - 512, 2048), 'data': memory(low, 0x1000), 'frames': frames() if judged else []})
open('stops.json', 'w').write(json.dumps(stops))
try: gdb.execute('kill', False, True)
except gdb.error: pass
`;

async function runUnderGdb(program: Program, breakpoints: readonly string[], judge: 'frames' | 'no frames'): Promise<readonly GdbStop[]> {
  const socket = join(program.directory, 'gdb.sock');
  const qemu = spawn('qemu-aarch64', ['-g', socket, program.path], { stdio: 'ignore' });
  const failure = once(qemu, 'error').then(([error]) => { throw new Error('this test needs the Debian package qemu-user', { cause: error }); });
  failure.catch(() => undefined);
  for (let i = 0; i < 200 && !existsSync(socket); i++) await Promise.race([failure, new Promise((resolve) => setTimeout(resolve, 20))]);
  writeFileSync(join(program.directory, 'probe.py'), PROBE.replace('JUDGED', judge === 'frames' ? 'True' : 'False'));
  const said = gdb(program, ['set pagination off', `target remote ${socket}`, ...breakpoints.map((one) => `break ${one}`), 'source probe.py']);
  qemu.kill();
  assert.ok(existsSync(join(program.directory, 'stops.json')), said);
  const stops: unknown = JSON.parse(readFileSync(join(program.directory, 'stops.json'), 'utf8'));
  return stops as readonly GdbStop[];
}

/** GDB cannot unwind signed return addresses without knowing the CPU's features, so that it is no judge there. */
function isSigned(build: Build): boolean {
  return build.flags?.some((flag) => flag.startsWith('-mbranch-protection')) === true;
}

function memoryOf(stop: GdbStop): MemoryReader {
  const regions = [stop.stack, stop.data].map((region) => ({ start: BigInt(region.address), bytes: Buffer.from(region.hex, 'hex') }));
  return {
    read(address, size) {
      for (const { start, bytes } of regions) {
        const offset = address - start;
        if (offset >= 0n && offset + BigInt(size) <= BigInt(bytes.length)) return bytes.subarray(Number(offset), Number(offset) + size);
      }
      return undefined;
    },
  };
}

function bytesAt(location: Location, size: number, frame: FrameContext): bigint | string {
  switch (location.kind) {
    case 'memory': return fromBytes(frame.memory.read(location.address, size) ?? new Uint8Array(0));
    case 'register': {
      const value = frame.registers.register(location.register);
      return value === undefined ? 'optimised-out' : BigInt.asUintN(size * 8, value);
    }
    case 'value': return BigInt.asUintN(size * 8, fromBytes(location.bytes));
    default: return location.kind;
  }
}

/** The value in the form that the probe writes: sign-extended to 64 bits for numbers, an address for structures. */
function shown(variable: Variable, frame: FrameContext): string {
  const location = variable.locate(frame);
  const type = stripType(variable.type);
  if (type.kind === 'record') return location.kind === 'memory' ? `@${String(location.address)}` : location.kind;
  const size = sizeOfType(type) ?? 8;
  const value = bytesAt(location, size, frame);
  if (typeof value === 'string') return value;
  const isSigned = (type.kind === 'base' || type.kind === 'enum') && type.isSigned;
  return String(BigInt.asUintN(64, isSigned ? BigInt.asIntN(size * 8, value) : value));
}

interface OurFrame { readonly frame: StackFrame; readonly name: string; readonly line: number; readonly index: number }

function ourFrames(symbols: SymbolFile, frames: readonly StackFrame[]): OurFrame[] {
  return frames.flatMap((frame) => {
    const calls = symbols.inlineFramesAt(frame.context.pc);
    return calls.map((call, index) => {
      const line = index === 0 ? symbols.lineAt(frame.context.pc)?.line : calls[index - 1]?.callLine;
      return { frame, name: call.name, line: line ?? 0, index };
    });
  });
}

function checkStop(program: Program, stop: GdbStop, build: Build): void {
  const { symbols } = program;
  const frames = ourFrames(symbols, [...walkStack({
    registers: registersFrom(stop.registers.map(BigInt)), memory: memoryOf(stop), symbolsAt: () => symbols,
  })]);
  if (isSigned(build)) {
    const names = frames.map((one) => one.name);
    assert.ok(names.length >= 2 && names[names.length - 1] === 'main', names.join(' '));
    return;
  }
  assert.deepEqual(frames.map((one) => [one.name, String(one.frame.pc), one.line]), stop.frames.map((one) => [one.name, one.pc, one.line]));
  stop.frames.forEach((expected, i) => {
    const ours = frames[i];
    assert.ok(ours !== undefined);
    for (const [register, value] of Object.entries(expected.registers)) {
      if (register === 'x30') continue;
      const number = register === 'sp' ? 31 : Number(register.slice(1));
      assert.equal(String(ours.frame.context.registers.register(number)), value, `${register} in ${expected.name}`);
    }
    checkVariables(program, { ours, expected, build });
  });
}

function checkVariables(program: Program, { ours, expected, build }: { ours: OurFrame; expected: GdbFrame; build: Build }): void {
  const variables = program.symbols.variablesAt(ours.frame.context.pc, ours.index);
  for (const [name, value] of Object.entries(expected.variables)) {
    const variable = variables.find((one) => one.name === name);
    assert.ok(variable !== undefined, `${name} is not in scope in ${expected.name} (${buildName(build)})`);
    assert.equal(shown(variable, ours.frame.context), value, `${name} in ${expected.name}`);
  }
}

for (const build of [...BUILDS, ...UNUSUAL_BUILDS]) {
  describe(`a running program of ${buildName(build)}`, () => {
    test('has the frames, registers and variables that GDB sees', async () => {
      const program = buildProgram({ 'sample.c': SAMPLE_C }, build);
      const stops = await runUnderGdb(program, ['leaf', 'vla', 'twice', '*leaf', '*vla', '*middle'], isSigned(build) ? 'no frames' : 'frames');
      assert.ok(stops.length >= 6, `GDB stopped only ${String(stops.length)} times`);
      for (const stop of stops) checkStop(program, stop, build);
    });
  });
}

const START_S = `
.text
.global main, with_record, leaf_code
main:
  mov x29, #0
  mov x30, #0
  bl with_record
  mov x8, #93
  svc #0
with_record:
  stp x29, x30, [sp, #-16]!
  mov x29, sp
  mov w0, #3
  mov w1, #4
  bl called
  bl leaf_code
  ldp x29, x30, [sp], #16
  ret
leaf_code:
  add x0, x0, #1
  ret
`;
const CALLED_C = `
extern int leaf_code(int);
static int counter;
int first;
__attribute__((noinline)) int inner(int a) { counter += a; return counter; }
int called(int a, int b) { int sum = a + b; return inner(sum) + leaf_code(sum); }
`;

for (const compiler of ['gcc', 'clang'] as const) {
  test(`assembly of ${compiler} without call frame information unwinds by frame records and the link register`, async () => {
    const build: Build = { compiler, dwarf: 5, optimise: '-O0', flags: [] };
    const program = buildProgram({ 'start.S': START_S, 'called.c': CALLED_C }, build);
    // Breaking at an address does not skip a prologue: with_record is stopped at before it has made its record.
    const stops = await runUnderGdb(program, ['inner', '*leaf_code', '*with_record', '*called'], 'no frames');
    const names = stops.map((stop) => {
      const walk = walkStack({ registers: registersFrom(stop.registers.map(BigInt)), memory: memoryOf(stop), symbolsAt: () => program.symbols });
      return [...walk].map((frame) => program.symbols.inlineFramesAt(frame.context.pc)[0]?.name).join(' < ');
    });
    assert.deepEqual(names, [
      'with_record < main', 'called < with_record < main', 'inner < called < with_record < main', 'leaf_code < called < with_record < main',
      'leaf_code < with_record < main',
    ]);
  });
}

/** Every instruction form that real guests were seen to execute is in the table, reads back as what was written, and executes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { decode } from '../../runtime/isa/encodings';
import { disassemble } from '../../runtime/isa/disassembler';
import { CODE, machine, run, STACK, toPa, toVa, words } from '../engine/support';
import { assembleLines } from './support/assembler';

const FIXTURE = join(__dirname, '..', 'fixtures', 'instruction-forms.txt');

/** A mnemonic with the shape of its operands. */
interface Form { readonly mnemonic: string; readonly shape: string }

function forms(): readonly Form[] {
  const lines = readFileSync(FIXTURE, 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.flatMap((line) => {
    const [mnemonics = '', shapes = ''] = line.split(' : ');
    return mnemonics.split(' ').flatMap((mnemonic) => shapes.split(' ').map((shape): Form => ({ mnemonic, shape: shape === '-' ? '' : shape.replaceAll('_', ' ') })));
  });
}

const WITHOUT_OPERANDS: Readonly<Record<string, string>> = {
  'b': 'b 1f', 'isb': 'isb', 'mrs': 'mrs x1, tpidr_el0', 'msr': 'msr tpidr_el0, x1', 'msr(imm)': 'msr daifset, #2', 'eret': 'eret', 'ret': 'ret', 'clrex': 'clrex',
};
const SYSTEM = new Set(['dc', 'ic', 'at', 'tlbi']);
const IMMEDIATES = ['#16', '#8', '#4', '#3', '#1', '#0', '#0.0', '#1.0', '#32', '#48', '#64', '#12'];
const SHIFTS = ['#12', '#16', '#0', '#1', '#2', '#3', '#4', '#8'];

/** One operand of a shape as assembly text; `#` stays where an immediate belongs. */
function operand(token: string, number: number): string {
  const list = /^L(\d)(\d*[bhsd])(\[i\])?$/.exec(token);
  if (list !== null) {
    const [, count = '1', arrangement = '', element] = list;
    const names = Array.from({ length: Number(count) }, (_, n) => `v${number + n}.${arrangement}`);
    return `{ ${names.join(', ')} }${element === undefined ? '' : '[1]'}`;
  }
  if (/^L[bhsd]$/.test(token)) return `{ z${number}.${token.slice(1)} }`;
  const vector = /^V(\d*[bhsdq])(\[i\])?$/.exec(token);
  if (vector !== null) return `v${number}.${vector[1] ?? ''}${vector[2] === undefined ? '' : '[1]'}`;
  if (/^[wxbhsdq]$/.test(token)) return `${token}${number}`;
  return token === 'cond' ? 'ne' : token === 'lbl' ? '1f' : token;
}

/** Every assembly text that a form may stand for: the assembler knows which are right. Registers are two apart, or side by side as CASP wants them. */
function candidates(form: Form): readonly string[] {
  return [...withRegisters(form, 2), ...withRegisters(form, 1)];
}

function withRegisters({ mnemonic, shape }: Form, step: 1 | 2): readonly string[] {
  if (shape === '') return [WITHOUT_OPERANDS[mnemonic] ?? mnemonic, `${mnemonic} #0`, `${mnemonic} x1`];
  if (SYSTEM.has(mnemonic)) return [`${mnemonic} ${shape}`, `${mnemonic} ${shape}, x2`];
  let index = 0;
  const text = shape.replaceAll(/[^,[\]! ]*\[i\]|[^,[\]! #]+/g, (token) => (/^(lsl|lsr|asr|ror|msl|[us]xt[bhwx])$/.test(token) ? token : operand(token, 2 + step * index++)))
    .replaceAll('[', ' [').replaceAll(/(\.[bhsd]) \[/g, '$1[').replaceAll('} [', '}[').replaceAll(',', ', ').replaceAll(', [', ', [');
  const name = mnemonic === 'b.cond' ? 'b.ne' : mnemonic;
  const line = `${name} ${text}`;
  const parts = line.split(/(#0x[0-9a-f]+|(?:lsl|lsr|asr|ror|msl|[us]xt[bhwx]) #|#)/);
  let texts = [''];
  for (const part of parts) {
    const choices = part === '#' ? IMMEDIATES : / #$/.test(part) ? SHIFTS.map((shift) => part.replace('#', shift)) : [part];
    texts = texts.flatMap((before) => choices.map((choice) => before + choice));
  }
  return texts;
}

/** Forms with a text that the assembler takes, and their words. */
function assembled(): readonly { readonly form: Form; readonly text: string; readonly word: number }[] {
  const all = forms().map((form) => ({ form, texts: candidates(form) }));
  const results = assembleLines(all.flatMap(({ texts }) => texts));
  return all.map(({ form, texts }) => {
    const found = texts.map((text) => ({ text, word: results.get(text) })).find(({ word }) => word !== undefined);
    assert.ok(found?.word !== undefined, `${form.mnemonic} ${form.shape}: no text assembles, such as "${texts[0] ?? ''}"`);
    return { form, text: found.text, word: found.word };
  });
}

test('every form assembles to a row of the table, and its disassembly assembles to the same word', () => {
  const list = assembled();
  assert.ok(list.length > 850, String(list.length));
  const texts = list.map(({ word, text }) => {
    const decoded = decode(word);
    assert.equal(decoded?.encoding.state, 'ready', text);
    const { mnemonic, operands, target } = disassemble(word, 0n);
    return { word, text, ours: target === undefined ? `${mnemonic} ${operands}`.trim() : `${mnemonic} ${operands.replace(/0x[0-9a-f]+$/, '1f')}` };
  });
  const back = assembleLines(texts.map(({ ours }) => ours));
  assert.deepEqual(texts.filter(({ word, ours }) => back.get(ours) !== word).map(({ text, ours }) => `${text} reads as ${ours}`), []);
});

const VECTORS = CODE + 0x8000n;
const DATA = STACK + 0x8000n;

test('every form executes without being Undefined, on both tiers', () => {
  const engine = machine();
  const vcpu = engine.vcpu(0);
  engine.reportExceptions({ exceptionClasses: 1n, irq: false, fiq: false, serror: false });
  for (const tier of ['exact', 'fast'] as const) {
    engine.setTier(tier);
    for (const { text, word } of assembled()) {
      vcpu.reset();
      vcpu.setSystemRegister('CPACR_EL1', (3n << 20n) | (3n << 16n));
      vcpu.setSystemRegister('VBAR_EL1', VECTORS);
      for (let n = 0; n < 31; n++) vcpu.setX(n, text.includes(', uxt') || text.includes(', sxt') || /, x\d+(, lsl #\d)?\]/.test(text) ? (n === 4 ? DATA : 16n) : DATA);
      engine.memory.write(toPa(CODE), words(word, 0x1400_0000));
      [vcpu.pc, vcpu.sp] = [CODE, STACK];
      const { exit } = run(engine, tier === 'exact' ? 1 : 4000);
      assert.ok(exit.reason !== 'exception' || exit.elr !== toVa(CODE), `${text} is Undefined (${tier})`);
    }
  }
});

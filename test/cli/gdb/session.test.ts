/** The GDB remote serial protocol packet by packet, as a client sends it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { framed, PacketReader, toHex, type GdbInput } from '../../../cli/gdb/packets';
import { GdbSession } from '../../../cli/gdb/session';
import { Prng } from '../../../runtime/base/prng';
import { debug, finish, guestSubject } from '../../support/system';

/** A client that talks to a session at once, and reads what comes back. */
class Client {
  readonly session: GdbSession;
  readonly ends: string[] = [];
  private readonly reader = new PacketReader();
  private readonly inputs: GdbInput[] = [];
  private waiting: (() => void)[] = [];

  constructor(target: ConstructorParameters<typeof GdbSession>[0], vm: string | null = null) {
    this.session = new GdbSession(target, vm, {
      send: (text) => { this.inputs.push(...this.reader.push(Buffer.from(text, 'latin1'))); for (const wake of this.waiting.splice(0)) wake(); },
      defer: (action) => { setImmediate(action); },
      onSlice: () => undefined,
      onEnd: (how) => { this.ends.push(how); },
    });
  }

  raw(text: string): void {
    this.session.receive(Buffer.from(text, 'latin1'));
  }

  /** The answer to a packet. */
  async ask(body: string): Promise<string> {
    this.raw(framed(body));
    for (;;) {
      const at = this.inputs.findIndex(({ kind }) => kind === 'packet');
      const found = at < 0 ? undefined : this.inputs.splice(0, at + 1).at(-1);
      if (found?.kind === 'packet') return found.body;
      await new Promise<void>((resolve) => { this.waiting.push(resolve); });
    }
  }

  /** What came that is no packet, in order. */
  signs(): string {
    return this.inputs.splice(0).map((input) => (input.kind === 'acknowledgement' ? (input.isGood ? '+' : '-') : input.kind)).join('');
  }
}

async function connected(guest = 'hello'): Promise<Client> {
  const target = debug(await guestSubject(guest));
  finish(target.runToEntry());
  return new Client(target);
}

async function checkAnswers(client: Client, rows: Readonly<Record<string, string | RegExp>>): Promise<void> {
  for (const [body, expected] of Object.entries(rows)) {
    const answer = await client.ask(body);
    if (typeof expected === 'string') assert.equal(answer, expected, body);
    else assert.match(answer, expected, body);
  }
}

test('a client learns what can be done, which threads there are, and where they are', async () => {
  const client = await connected();
  await checkAnswers(client, {
    'qSupported:multiprocess+;xmlRegisters=i386': /^PacketSize=10000;.*qXfer:features:read\+.*ReverseStep\+;ReverseContinue\+/,
    'vMustReplyEmpty': '', 'qTStatus': '', '?': /^T05thread:1;$/, 'qfThreadInfo': 'm1', 'qsThreadInfo': 'l', 'qC': 'QC1', 'Hg1': 'OK', 'Hg7': 'E16', 'Hc-1': 'OK', 'T1': 'OK', 'T99': 'E16',
    'qThreadExtraInfo,1': toHex('hello/cpu0 EL1'), 'vCont?': 'vCont;c;C;s;S', 'qXfer:features:read:nothing.xml:0,10': 'E00',
  });
});

test('the description of the target comes in parts and names what a g packet has', async () => {
  const client = await connected();
  let text = '';
  for (let part = 'm'; part.startsWith('m'); text += part.slice(1)) part = await client.ask(`qXfer:features:read:target.xml:${text.length.toString(16)},100`);
  const names = [...text.matchAll(/<reg name="([^"]+)" bitsize="(\d+)"/g)].map(([, name = '', bits = '']) => ({ name, bytes: Number(bits) / 8 }));
  assert.deepEqual(names.slice(30, 36).map(({ name }) => name), ['x30', 'sp', 'pc', 'cpsr', 'v0', 'v1']);
  const packet = await client.ask('g');
  assert.equal(packet.length / 2, names.slice(0, 68).reduce((sum, { bytes }) => sum + bytes, 0));
  const sctlr = names.findIndex(({ name }) => name === 'SCTLR_EL1');
  assert.match(await client.ask(`p${sctlr.toString(16)}`), /^[0-9a-f]{16}$/);
});

test('registers and memory are written and read back, and what does not fit is refused', async () => {
  const client = await connected();
  const pc = await client.ask('p20');
  const address = [...(pc.match(/../g) ?? [])].reverse().join('');
  await checkAnswers(client, {
    'P3=efcdab8967452301': 'OK', 'p3': 'efcdab8967452301', 'P22=000102030405060708090a0b0c0d0e0f': 'OK', 'p22': '000102030405060708090a0b0c0d0e0f', 'P3=12': 'E16', 'P9999=00': 'E16', 'p9999': 'E16',
    [`M${address},4:deadbeef`]: 'OK', [`m${address},4`]: 'deadbeef', [`X${address},3:}\x03#`]: 'OK', [`m${address},3`]: '7d0323',
    [`M${address},4:dead`]: 'E16', [`m${address},zz`]: 'E16', 'mfffffffffffff000,8': 'E0e', 'm': 'E16', 'G00': 'E16',
  });
});

test('breakpoints, watchpoints and steps stop where they should, forwards and back', async () => {
  const client = await connected();
  const start = await client.ask('p20');
  assert.match(await client.ask('s'), /^T05thread:1;/);
  const second = await client.ask('p20');
  assert.notEqual(second, start);
  assert.match(await client.ask('bs'), /^T05thread:1;/);
  assert.equal(await client.ask('p20'), start);
  const address = [...(second.match(/../g) ?? [])].reverse().join('');
  await checkAnswers(client, { [`Z0,${address},4`]: 'OK', 'vCont;c:1': /^T05thread:1;/, 'p20': second, [`z0,${address},4`]: 'OK', 'bc': /replaylog:begin/ });
  assert.equal(await client.ask('p20'), start, 'history begins there');
  await checkAnswers(client, { 'Z9,0,1': '', 'Z2,zz,4': 'E16', 'Z2,ffffffffffff0000,8': 'E0e' });
  assert.equal(await client.ask('c'), 'W00', 'the guest ends');
});

test('commands reach the hypervisor: VMs, and stops on its events', async () => {
  const client = await connected('service-calls');
  const command = async (text: string): Promise<string> => Buffer.from(await client.ask(`qRcmd,${toHex(text)}`), 'hex').toString();
  assert.match(await command('vms'), /\(VMID 3\): RUNNING\n {2}thread 1: cpu0, EL1/);
  assert.match(await command('break nothing'), /is no event/);
  assert.match(await command('break smccc:*'), /^Stop 1 at/);
  assert.match(await client.ask('c'), /^T05thread:1;/);
  assert.match(await command('delete 1'), /is gone/);
  assert.match(await command('delete 1000'), /no stop/);
  assert.match(await command(''), /help/);
});

test('a running system is interrupted, and packets sent meanwhile are not taken', async () => {
  const client = await connected('spin-masked');
  const stopped = client.ask('c');
  setTimeout(() => { client.raw('\x03'); }, 20);
  assert.match(await stopped, /^T02thread:1;/);
});

test('damaged packets are asked for again, and nothing is acknowledged once that is agreed', async () => {
  const client = await connected();
  client.raw('$qC#00');
  assert.equal(client.signs(), '-');
  client.raw(`noise${framed('qsThreadInfo')}`);
  assert.equal(client.signs(), '+packet');
  client.raw('-');
  assert.equal(client.signs(), 'packet', 'the answer once more');
  assert.equal(await client.ask('QStartNoAckMode'), 'OK');
  client.raw('$qC#00');
  assert.equal(client.signs(), '');
});

test('killing and leaving are told to whoever serves', async () => {
  const client = await connected();
  assert.equal(await client.ask('D'), 'OK');
  client.raw(framed('k'));
  assert.deepEqual(client.ends, ['detached', 'killed']);
});

test('whatever comes, nothing is thrown, and every packet has an answer that is framed', async () => {
  const client = await connected();
  const prng = new Prng(3);
  const letters = 'gGpPmMXZzHTqQvbDk?0123456789abcdef,:;=-#$}*\x03';
  const commands = ['m', 'M', 'X', 'Z0,', 'z2,', 'P', 'p', 'H', 'T', 'G', 'qXfer:features:read:target.xml:', 'qRcmd,', 'qThreadExtraInfo,', 'QStartNoAckModeX', 'qSupported'];
  for (let round = 0; round < 3000; round++) {
    const noise = Array.from({ length: prng.below(24) }, () => letters.charAt(prng.below(letters.length))).join('');
    const body = `${commands[prng.below(commands.length)] ?? ''}${noise}`;
    if (prng.below(4) === 0) client.raw(noise.replaceAll('\x03', ''));
    else client.raw(framed(body));
  }
  client.raw('$'.padEnd(1 << 18, 'a'));
  client.raw('#00');
  client.signs();
  assert.match(await client.ask('?'), /^T05/);
});

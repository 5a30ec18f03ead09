import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import type { DebugProtocol } from '@vscode/debugprotocol';

import { type Debugging, debugging, guestLaunch } from './debugging';

const VM = 'nested-structs-o0';

async function stoppedGuest(context: TestContext): Promise<Debugging> {
  const session = debugging(context);
  await session.start({ launch: guestLaunch(VM), functionBreakpoints: [{ name: 'guest_main' }] });
  return session;
}

async function addressOf(session: Debugging, expression: string): Promise<bigint> {
  return BigInt((await session.evaluate(`(unsigned long)&${expression}`)).split(' ')[0] ?? '0');
}

const at = (space: string, address: bigint): string => `${VM}:${space}:0x${address.toString(16)}`;

/** The rows of a disassembly: exactly as many as asked for, one instruction apart, each address fit for BigInt(). */
async function checkRows(session: Debugging, args: DebugProtocol.DisassembleArguments): Promise<DebugProtocol.DisassembledInstruction[]> {
  const { instructions } = await session.client.request('disassemble', args).then((body) => body ?? { instructions: [] });
  assert.equal(instructions.length, args.instructionCount);
  const addresses = instructions.map(({ address }) => (address.startsWith('-') ? -BigInt(address.slice(1)) : BigInt(address)));
  for (const [index, address] of addresses.entries()) if (index > 0) assert.equal(address, (addresses[index - 1] ?? 0n) + 4n);
  return instructions;
}

test('a disassembly has exactly the rows asked for, before and after the reference, with symbols and lines', async (context) => {
  const session = await stoppedGuest(context);
  const reference = (await session.topFrame(1)).instructionPointerReference ?? '';
  const rows = await checkRows(session, { memoryReference: reference, instructionOffset: -50, instructionCount: 100, resolveSymbols: true });
  assert.equal(BigInt(rows[50]?.address ?? 0), BigInt(reference.split(':').pop() ?? 0));
  assert.match(rows[50]?.symbol ?? '', /^guest_main/);
  assert.match(rows[50]?.instructionBytes ?? '', /^[0-9a-f]{2}( [0-9a-f]{2}){3}$/);
  assert.ok(rows.some(({ location, line }) => location?.path?.endsWith('nested-structs.c') === true && (line ?? 0) > 0));
});

test('a disassembly at either end of the address space is padded, not cut', async (context) => {
  const session = await stoppedGuest(context);
  const low = await checkRows(session, { memoryReference: at('va', 0n), instructionOffset: -50, instructionCount: 100 });
  assert.ok(low.slice(0, 50).every(({ presentationHint }) => presentationHint === 'invalid'));
  const high = await checkRows(session, { memoryReference: at('va', 0xffff_ffff_ffff_fff0n), instructionOffset: -10, instructionCount: 40 });
  assert.ok(high.every(({ presentationHint }) => presentationHint === 'invalid'));
  await checkRows(session, { memoryReference: at('va', 0x41001002n), offset: -2000, instructionCount: 7 });
  await checkRows(session, { memoryReference: at('va', 0x41001000n), instructionCount: 0 });
});

test('memory is read byte for byte, also unaligned and across pages', async (context) => {
  const session = await stoppedGuest(context);
  const address = await addressOf(session, 'global.ull');
  for (const [offset, expected] of [[0, 'f0debc9a78563412'], [1, 'debc9a78563412'], [3, '9a78563412']] as const) {
    const read = await session.client.request('readMemory', { memoryReference: at('va', address), offset, count: 8 - offset });
    assert.equal(Buffer.from(read?.data ?? '', 'base64').toString('hex'), expected);
    assert.equal(BigInt(read?.address ?? 0), address + BigInt(offset));
    assert.equal(read?.unreadableBytes, undefined);
  }
  assert.equal(Buffer.from((await session.client.request('readMemory', { memoryReference: at('va', 0x41000ff0n), count: 8192 }))?.data ?? '', 'base64').length, 8192);
});

test('the same byte is seen by virtual, intermediate and physical address', async (context) => {
  const session = await stoppedGuest(context);
  const address = await addressOf(session, 'global.ull');
  const { steps } = await session.client.request('gunyah/translate', { vm: VM, address: at('va', address) });
  const place = (space: string): string => steps.find((step) => step.space === space)?.address ?? '';
  for (const reference of [at('va', address), `${VM}:ipa:${place('ipa')}`, `pa:${place('pa')}`]) {
    assert.equal(Buffer.from((await session.client.request('readMemory', { memoryReference: reference, count: 8 }))?.data ?? '', 'base64').toString('hex'), 'f0debc9a78563412', reference);
  }
});

test('what is not mapped counts as unreadable, also at the very end of the address space', async (context) => {
  const session = await stoppedGuest(context);
  for (const reference of [at('va', 0n), at('va', 0xffff_ffff_ffff_fff8n), at('ipa', 0xffff_ffff_ffff_0000n), 'pa:0xfffffffffffffff0']) {
    const read = await session.client.request('readMemory', { memoryReference: reference, count: 64 });
    assert.equal(read?.data, undefined);
    assert.equal(read?.unreadableBytes, 64);
  }
  const { memoryBase, memorySizeBytes } = (await session.client.request('gunyah/vms', {})).vms[0] ?? { memoryBase: '0x0', memorySizeBytes: 0 };
  const edge = await session.client.request('readMemory', { memoryReference: at('ipa', BigInt(memoryBase) + BigInt(memorySizeBytes) - 16n), count: 64 });
  assert.equal(Buffer.from(edge?.data ?? '', 'base64').length + (edge?.unreadableBytes ?? 0), 64);
});

test('nothing is read or written for zero bytes, and an address that is none is told', async (context) => {
  const session = await stoppedGuest(context);
  assert.equal((await session.client.request('readMemory', { memoryReference: at('va', 0x41000000n), count: 0 }))?.data, undefined);
  await assert.rejects(session.client.request('readMemory', { memoryReference: 'somewhere', count: 4 }), /is no address/);
  await assert.rejects(session.client.request('readMemory', { memoryReference: 'other:va:0x0', count: 4 }), /no virtual machine other/);
  await assert.rejects(session.client.request('writeMemory', { memoryReference: at('va', 0x41000000n), data: '!!' }), /not base64/);
});

test('written memory is there, and the client is told to look again', async (context) => {
  const session = await stoppedGuest(context);
  const address = await addressOf(session, 'global.i');
  const written = await session.client.request('writeMemory', { memoryReference: at('va', address), data: Buffer.from([0x2a, 0, 0, 0]).toString('base64') });
  assert.equal(written?.bytesWritten, 4);
  assert.equal(await session.evaluate('global.i'), '42');
  const { body } = await session.client.waitForEvent('memory');
  assert.deepEqual(body, { memoryReference: at('va', address), offset: 0, count: 4 });
  await session.client.waitForEvent('invalidated');
});

test('a write that is not RAM is refused as a whole, or in part where the client allows it', async (context) => {
  const session = await stoppedGuest(context);
  const data = Buffer.alloc(16).toString('base64');
  await assert.rejects(session.client.request('writeMemory', { memoryReference: at('va', 0n), data }), /is not RAM/);
  const { memoryBase, memorySizeBytes } = (await session.client.request('gunyah/vms', {})).vms[0] ?? { memoryBase: '0x0', memorySizeBytes: 0 };
  const edge = BigInt(memoryBase) + BigInt(memorySizeBytes) - 8n;
  await assert.rejects(session.client.request('writeMemory', { memoryReference: at('ipa', edge), data }), /only 8 of 16 bytes/);
  assert.equal((await session.client.request('writeMemory', { memoryReference: at('ipa', edge), data, allowPartial: true }))?.bytesWritten, 8);
});

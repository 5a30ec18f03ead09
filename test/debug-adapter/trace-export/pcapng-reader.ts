/** A reader of packet captures for tests, written from the specification alone (draft-ietf-opsawg-pcapng): it refuses whatever a strict reader would. */
import assert from 'node:assert/strict';

/** An interface. */
export interface CaptureInterface { readonly linkType: number; readonly name: string; readonly description: string; readonly ticksPerSecond: number }
/** A packet. */
export interface CapturePacket { readonly interface: number; readonly time: bigint; readonly bytes: Uint8Array; readonly comment: string; readonly flags: number }
/** A capture of one section. */
export interface Capture { readonly interfaces: readonly CaptureInterface[]; readonly packets: readonly CapturePacket[]; readonly application: string }

/** Reads a capture; fails on the first thing that the specification does not allow. */
export function readCapture(file: Uint8Array): Capture {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const interfaces: CaptureInterface[] = [];
  const packets: CapturePacket[] = [];
  let application = '';
  for (let at = 0; at < file.length;) {
    assert.ok(at % 4 === 0 && at + 12 <= file.length, 'blocks are aligned and whole');
    const [type, size] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    assert.ok(size % 4 === 0 && size >= 12 && at + size <= file.length, 'a block has a sound length');
    assert.equal(view.getUint32(at + size - 4, true), size, 'both lengths agree');
    assert.equal(at === 0, type === 0x0a0d_0d0a, 'the section header is first, and only there');
    const body = new DataView(file.buffer, file.byteOffset + at + 8, size - 12);
    if (at === 0) application = readSection(body);
    else if (type === 1) interfaces.push(readInterface(body));
    else if (type === 6) packets.push(readPacket(body, interfaces.length));
    else assert.fail(`block type ${type}`);
    at += size;
  }
  return { interfaces, packets, application };
}

function readSection(body: DataView): string {
  assert.equal(body.getUint32(0, true), 0x1a2b_3c4d, 'byte-order magic');
  assert.deepEqual([body.getUint16(4, true), body.getUint16(6, true)], [1, 0], 'version 1.0');
  assert.equal(body.getBigInt64(8, true), -1n, 'a section without a length');
  return text(readOptions(body, 16).get(4));
}

function readInterface(body: DataView): CaptureInterface {
  const options = readOptions(body, 8);
  assert.equal(body.getUint16(2, true), 0, 'reserved');
  const [resolution = 6] = options.get(9) ?? [];
  return { linkType: body.getUint16(0, true), name: text(options.get(2)), description: text(options.get(3)), ticksPerSecond: 10 ** resolution };
}

function readPacket(body: DataView, interfaceCount: number): CapturePacket {
  const [id, high, low, captured, original] = [0, 4, 8, 12, 16].map((offset) => body.getUint32(offset, true));
  assert.ok(id !== undefined && id < interfaceCount, 'the interface was described before');
  assert.equal(captured, original);
  const length = captured ?? 0;
  const options = readOptions(body, 20 + Math.ceil(length / 4) * 4);
  const [flags = 0] = options.get(2) ?? [];
  return { interface: id, time: (BigInt(high ?? 0) << 32n) | BigInt(low ?? 0), bytes: new Uint8Array(body.buffer, body.byteOffset + 20, length), comment: text(options.get(1)), flags };
}

function readOptions(body: DataView, from: number): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = from; at < body.byteLength;) {
    const [code, length] = [body.getUint16(at, true), body.getUint16(at + 2, true)];
    if (code === 0) {
      assert.ok(length === 0 && at + 4 === body.byteLength, 'nothing follows the last option');
      return options;
    }
    assert.ok(at + 4 + length <= body.byteLength && !options.has(code), 'an option lies in its block, once');
    options.set(code, new Uint8Array(body.buffer, body.byteOffset + at + 4, length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return options;
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes ?? new Uint8Array(0));
}

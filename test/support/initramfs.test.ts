/** The archive that Linux unpacks at its start: its records, their padding, and that nothing of this machine gets in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { cpioArchive, initramfs, type ArchiveEntry } from './initramfs';

const ENTRIES: readonly ArchiveEntry[] = [
  { kind: 'directory', path: 'dev' },
  { kind: 'character-device', path: 'dev/console', major: 5, minor: 1 },
  { kind: 'file', path: 'init', content: Buffer.from('#!/bin/sh\n'), isExecutable: true },
  { kind: 'file', path: 'etc', content: Buffer.from('12345') },
  { kind: 'link', path: 'bin', target: 'usr/bin' },
];

interface Read { readonly name: string; readonly mode: string; readonly device: readonly number[]; readonly text: string }

/** Reads an archive by the format's rules. */
function read(archive: Buffer): Read[] {
  const found: Read[] = [];
  for (let at = 0; ;) {
    assert.equal(archive.toString('latin1', at, at + 6), '070701');
    const field = (index: number): number => parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const name = archive.toString('latin1', at + 110, at + 110 + field(11) - 1);
    const content = (at + 110 + field(11) + 3) & ~3;
    if (name === 'TRAILER!!!') return found;
    found.push({ name, mode: field(1).toString(8), device: [field(9), field(10)], text: archive.toString('latin1', content, content + field(6)) });
    at = (content + field(6) + 3) & ~3;
  }
}

test('an archive holds what it was made of, in order', () => {
  assert.deepEqual(read(Buffer.from(cpioArchive(ENTRIES))), [
    { name: 'dev', mode: '40755', device: [0, 0], text: '' },
    { name: 'dev/console', mode: '20600', device: [5, 1], text: '' },
    { name: 'init', mode: '100755', device: [0, 0], text: '#!/bin/sh\n' },
    { name: 'etc', mode: '100644', device: [0, 0], text: '12345' },
    { name: 'bin', mode: '120777', device: [0, 0], text: 'usr/bin' },
  ]);
});

test('the compressed archive is the same bytes every time', () => {
  assert.deepEqual(initramfs(ENTRIES), initramfs(ENTRIES));
  assert.deepEqual(gunzipSync(initramfs(ENTRIES)), Buffer.from(cpioArchive(ENTRIES)));
});

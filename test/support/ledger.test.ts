import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLIENT_REQUESTS, ledgerCounts, ledgerText, readLedger } from './ledger';

const REPOSITORY = join(__dirname, '..', '..');

test('the ledger prints one JSON object of counts, by table', () => {
  const result = spawnSync(process.execPath, ['--import', 'tsx', 'test/support/ledger.ts', '--json'], { cwd: REPOSITORY, encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
  const printed: unknown = JSON.parse(result.stdout);
  assert.deepEqual(printed, ledgerCounts(readLedger()));
  assert.deepEqual(Object.keys(ledgerCounts(readLedger())), ['instructions', 'systemRegisters', 'hypercalls', 'rmMessages', 'dapRequests']);
});

test('the ledger names what it counts', () => {
  const text = ledgerText({ instructions: ['FADD (scalar)', 'FADD (scalar)'], systemRegisters: [], hypercalls: ['vrtc_configure'], rmMessages: [], dapRequests: ['cancel'] });
  assert.equal(text, [
    'Instruction encodings: 2 missing\n  FADD (scalar) (2)',
    'System registers and instructions: 0 missing',
    'Hypercalls: 1 missing\n  vrtc_configure',
    'Resource Manager messages: 0 missing',
    'DAP requests: 1 missing\n  cancel',
  ].join('\n'));
});

test('the list of client requests is the one that the protocol declares', () => {
  const declarations = readFileSync(join(REPOSITORY, 'node_modules/@vscode/debugprotocol/lib/debugProtocol.d.ts'), 'utf8');
  const declared = [...declarations.matchAll(/interface \w+Request extends Request \{\s*\/\/ command: '(\w+)'/g)].map(([, name]) => name);
  const fromAdapter = new Set(['runInTerminal', 'startDebugging']);
  assert.deepEqual([...CLIENT_REQUESTS].sort(), declared.filter((name) => name !== undefined && !fromAdapter.has(name)).sort());
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chooseTarget, imagesOf, missingImagesText, namesTarget, withDefaults, type Choice, type LaunchSurroundings } from '../../../extension/model/launch-defaults';

const NOTHING: LaunchSurroundings = { activeFile: undefined, activeFileIsElf: false, systemFiles: [] };

function checkChoice(around: Partial<LaunchSurroundings>, expected: Choice | RegExp): void {
  const choice = chooseTarget({ ...NOTHING, ...around });
  if (expected instanceof RegExp) assert.match('problem' in choice ? choice.problem : JSON.stringify(choice), expected);
  else assert.deepEqual(choice, expected);
}

test('F5 on an open system file runs it, also when the workspace has others', () => {
  checkChoice({ activeFile: '/w/a.gunyah.json', systemFiles: ['/w/a.gunyah.json', '/w/b.gunyah.json'] }, { target: { system: '/w/a.gunyah.json' } });
});

test('F5 on an ELF file runs it alone', () => {
  checkChoice({ activeFile: '/w/guest.elf', activeFileIsElf: true, systemFiles: ['/w/a.gunyah.json'] }, { target: { program: '/w/guest.elf' } });
});

test('F5 on a source file runs the only system file, asks if there are several, and explains if there is none', () => {
  checkChoice({ activeFile: '/w/main.c', systemFiles: ['/w/a.gunyah.json'] }, { target: { system: '/w/a.gunyah.json' } });
  checkChoice({ systemFiles: ['/w/a.gunyah.json', '/w/b.gunyah.json'] }, { ask: ['/w/a.gunyah.json', '/w/b.gunyah.json'] });
  checkChoice({ activeFile: '/w/main.c' }, /nothing to debug.*Open Sample Workspace/);
});

test('a configuration that names its target is left alone', () => {
  assert.ok(namesTarget({ system: 'a' }) && namesTarget({ program: 'a' }) && namesTarget({ request: 'attach' }));
  assert.ok(!namesTarget({ request: 'launch' }));
});

const CONFIG = { type: 'gunyah', name: 'x', request: 'launch' };

test('settings give defaults that the configuration overrides', () => {
  const settings = { history: '512M', consoles: 'terminal' } as const;
  assert.deepEqual(withDefaults(CONFIG, settings), { ...CONFIG, reverse: '512M', consoles: 'terminal', internalConsoleOptions: 'neverOpen' });
  const own = { ...CONFIG, reverse: false, consoles: 'debugConsole' };
  assert.deepEqual(withDefaults(own, settings), own);
  const attach = { ...CONFIG, request: 'attach', port: 4711 };
  assert.deepEqual(withDefaults(attach, settings), attach);
});

test('the images of a system file are found, with comments and trailing commas, and bad files have none', () => {
  assert.deepEqual(imagesOf('{ /* two */ "vms": [{ "image": "a.elf" }, { "image": "b.elf", }, {}] } // end'), ['a.elf', 'b.elf']);
  for (const bad of ['', 'null', '[]', '{"vms": 7}', '{"vms": [1, null]}', '{"vms']) assert.deepEqual(imagesOf(bad), []);
});

test('comment marks and commas inside strings are text', () => {
  assert.deepEqual(imagesOf('{"vms": [{"image": "a//b/*c*/,]\\"d.elf"}, /* , */ ] // }\n}'), ['a//b/*c*/,]"d.elf']);
});

test('missing images are named, with what to do', () => {
  assert.match(missingImagesText(['a.elf'], true), /image a\.elf does not exist\. Build the guests first/);
  assert.match(missingImagesText(['a.elf', 'b.elf'], false), /images a\.elf, b\.elf do not exist\. .*correct "image"/);
});

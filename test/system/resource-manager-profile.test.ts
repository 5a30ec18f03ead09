/** The profile of the Resource Manager that a system file names is part of the system's description. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveSystem } from '../../debug-adapter/configuration/resolve';
import { parseSystemFile } from '../../debug-adapter/configuration/system-file';
import { nodeHost } from '../../debug-adapter/node-host';
import { ok } from '../../runtime/index';
import { wordsElf } from '../support/system';

/** What a system file's platform becomes. */
async function profileOf(platform: string): Promise<unknown> {
  const parsed = parseSystemFile(`{ "platform": ${platform}, "vms": [{ "image": "guest.elf" }] }`, 'test.gunyah.json');
  if (!parsed.ok) return 'refused';
  const host = { ...nodeHost, readFile: () => Promise.resolve(ok(wordsElf([0x1400_0000]))) };
  const resolved = await resolveSystem(host, parsed.value, { semihosting: false, folder: '/' });
  assert.ok(resolved.ok);
  return resolved.value.description.platform.resourceManager;
}

test('a system file chooses the profile of the Resource Manager, and one that does not exist is refused', async () => {
  assert.deepEqual(await Promise.all(['{}', '{ "resourceManager": "open-2023-12" }', '{ "resourceManager": "linux" }', '{ "resourceManager": "other" }'].map(profileOf)), [undefined, 'open-2023-12', 'linux', 'refused']);
});

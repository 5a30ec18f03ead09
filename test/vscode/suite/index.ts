/**
 * Runs the mocha suites of this folder inside VS Code's extension host, and writes what came out to a file.
 *
 * The file is what the runner believes: when the extension host dies, VS Code reports success.
 */

import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import { debuggingSuite } from './debugging';
import { deviceTreesSuite } from './device-trees';
import { extensionSuite } from './extension';

/** Called by VS Code. Rejects if a test fails. */
export function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'tdd', color: false, timeout: 240_000, reporter: 'spec' });
  mocha.suite.emit('pre-require', globalThis, null, mocha);
  extensionSuite();
  debuggingSuite();
  deviceTreesSuite();
  return new Promise((resolve, reject) => {
    const runner = mocha.run((failures) => {
      const file = process.env['GUNYAH_TEST_RESULT'];
      if (file !== undefined) writeFileSync(file, JSON.stringify({ passes: runner.stats?.passes ?? 0, failures }));
      if (failures > 0) reject(new Error(`${failures} tests failed`));
      else resolve();
    });
  });
}

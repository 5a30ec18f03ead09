import { test } from 'node:test';
import { checkCanFail, checkRule } from './check';
import { historyRule, machinePathRule, registryRule } from './rules/words';

const TEXTS = /^(?!package-lock\.json$).*\.(ts|mjs|js|cjs|json|jsonc|md|c|h|S|dts|dtsi|yaml|yml|css|html|sh)$|^\.ci\/|^LICENSE$|Makefile$/;
const bad = (text: string, says: string) => ({ path: 'docs/a.md', text, says });
const good = (text: string) => ({ path: 'docs/a.md', text });

test('no text names a path of one machine', () => {
  checkRule('machine paths', machinePathRule, TEXTS);
  checkCanFail(machinePathRule, [bad(`see /${'home'}/me/notes`, 'one machine'), bad(`writeFileSync('/${'tmp'}/x', '')`, 'one machine')], [good('node_modules/tmp/x and ../work/x and $HOME/work/x')]);
});

test('no text names the address of a package registry', () => {
  checkRule('registries', registryRule, TEXTS);
  checkCanFail(registryRule, [bad(`https://${'registry'}.npmjs.org/x`, 'registry')], [good('npm ci')]);
});

test('texts speak of the product, not of how they came to be', () => {
  checkRule('history', historyRule, TEXTS);
  checkCanFail(historyRule, [bad(`see ${'issue'} 12`, 'came to be'), bad(`written by an ${'A'}I`, 'came to be')], [good('an issue tracker; HVC #0x601b; AIVIVT')]);
});

/**
 * What the Resource Manager answers to a second VM that asks as the primary VM does: requests of every length, with every bit and every field at its
 * edges, about itself, its owner, other VMs, parcels and interrupts (`requests/second.c`, `requests-second-answers.txt`, see README.md).
 */
import { test } from 'node:test';
import { checkAnswers } from './check-answers';

test('requests of every length and with every field at its edges by a second VM have the answers of the real Resource Manager', async () => {
  await checkAnswers('requests-second-programs.json', 'requests-second-answers.txt');
});

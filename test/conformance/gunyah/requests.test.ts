/**
 * What the Resource Manager answers to requests of every length, with every bit and every field at its edges, at every stage of a VM's life,
 * and to requests by chance: each line of the guests in `requests/` is that of the real one's answers (`requests-answers.txt`,
 * `requests-chance-answers.txt`, `requests-rooms-answers.txt`, see README.md).
 */
import { test } from 'node:test';
import { checkAnswers } from './check-answers';

test('requests of every length and with every field at its edges have the answers of the real Resource Manager', async () => {
  await checkAnswers('requests-programs.json', 'requests-answers.txt');
});

test('requests by chance, and lists of what VMs with devices by chance have, are those of the real Resource Manager', async () => {
  await checkAnswers('requests-chance-programs.json', 'requests-chance-answers.txt');
});

test('a VM does not start from the size of its tree on from which it does not on the real Resource Manager', async () => {
  await checkAnswers('requests-rooms-programs.json', 'requests-rooms-answers.txt');
});

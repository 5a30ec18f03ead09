/**
 * What calls by chance find and leave: every hash of the guest in `chance/` is that of the real hypervisor's answers
 * (`chance-answers.txt`, see README.md).
 */
import { test } from 'node:test';
import { checkOwner } from './run-owner';

test('calls by chance have the answers of the real hypervisor', () => { checkOwner('chance-programs.json', 'chance-answers.txt'); });

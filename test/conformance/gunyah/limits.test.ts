/**
 * What calls make of values at their edges: each question of the guest in `limits/` is answered as the real hypervisor answered it
 * (`limits-answers.txt`, see README.md).
 */
import { test } from 'node:test';
import { checkOwner } from './run-owner';

test('every value at an edge has the answer of the real hypervisor', () => { checkOwner('limits-programs.json', 'limits-answers.txt'); });

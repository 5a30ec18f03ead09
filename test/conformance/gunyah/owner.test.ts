/**
 * What a VM with every capability sees of Gunyah's calls: each question of the owner guest is answered as the real hypervisor answered it
 * (`owner-answers.txt`, see README.md).
 */
import { test } from 'node:test';
import { checkOwner } from './run-owner';

test('every question of the owner has the answer of the real hypervisor', () => { checkOwner('owner-programs.json', 'owner-answers.txt'); });

/**
 * What becomes of interrupts while their sources and their configuration change: every step of the guest in `wires/` leaves them as the real hypervisor
 * left them (`wires-answers.txt`, see README.md).
 */
import { test } from 'node:test';
import { checkOwner } from './run-owner';

test('interrupts are pending and active after every step as the real hypervisor has them', () => { checkOwner('wires-programs.json', 'wires-answers.txt'); });

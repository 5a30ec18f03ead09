/**
 * Our own RM, asked over its channel as a VM manager asks it: for each rule of its generation VM_INIT answers a broken tree with what the rule says, or goes on
 * where the rule says so, and VM_START refuses what only it looks at. Trees for trusted VMs come with the platform; `rules.test.ts` reads those.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileDts } from '../../../runtime/devicetree/index';
import { checkVmConfig, initRefusal, OUR_GENERATION, RM_RULE_IDS, rmRule, type RmRuleId } from '../../../runtime/devicetree/rm-rules';
import { RM_ERRORS } from '../../../runtime/resource-manager/rm-errors';
import { AT_GUEST_BASE, configure } from '../../resource-manager/made-vm';
import { SystemFixture } from '../../resource-manager/system-fixture';
import { BREACHES, brokenText, generationOf, goodText } from './evidence';

/** What RM answers to VM_INIT of a tree, by its rules. */
function expected(dts: string): number {
  const refusal = initRefusal(checkVmConfig(compileDts(dts).tree.root, { generation: OUR_GENERATION, trust: 'untrusted' }));
  return refusal === undefined ? RM_ERRORS.OK : RM_ERRORS[refusal];
}

/** Asks RM to make a VM of a tree; the answers to VM_INIT and, if that succeeds and `isStarted`, to VM_START must be these. */
function checkAnswers(dts: string, init: number, start: 'not asked' | 'succeeds' | 'fails'): void {
  const system = new SystemFixture();
  const { vmid } = configure(system, dts);
  system.request('VM_INIT', { vmid }, init);
  if (init !== RM_ERRORS.OK || start === 'not asked') return;
  if (start === 'succeeds') system.request('VM_START', { vmid });
  else assert.throws(() => system.request('VM_START', { vmid }), /VM_START answers/);
}

/** VM_START needs memory where the image lies, and the parcels that vdevices name, so it is asked only where a tree needs nothing more. */
function startOf(id: RmRuleId, dts: string, isBroken: boolean): 'not asked' | 'succeeds' | 'fails' {
  if (rmRule(id).refusal === 'start') return isBroken ? 'fails' : 'succeeds';
  return rmRule(id).refusal === undefined && dts.includes(AT_GUEST_BASE) && !/memory \{ (label|allocate)/.test(dts) ? 'succeeds' : 'not asked';
}

/** Rules whose good tree asks for more than the platform of this test has: room for 256 vdevices. */
const TOO_MUCH: readonly RmRuleId[] = ['too-many-vdevices'];

/** With the memory that tests give a VM, unless the tree says itself where memory is. */
function placed(dts: string): string {
  return dts.replace('memory {  };', `memory { ${AT_GUEST_BASE} };`);
}

describe('our RM, asked to make VMs of trees that break a rule or just keep it', () => {
  for (const id of RM_RULE_IDS) {
    const breach = BREACHES[id];
    const isOurs = generationOf(breach) === OUR_GENERATION;
    if (breach.trust === 'trusted') continue;
    it(isOurs ? `${id}: answers as the rule says` : `${id}: does not know this rule of another generation`, () => {
      for (const [dts, isBroken] of [[placed(brokenText(breach)), true], [placed(goodText(breach)), false]] as const) {
        const init = !isBroken && TOO_MUCH.includes(id) ? RM_ERRORS.NORESOURCE : expected(dts);
        const { refusal } = rmRule(id);
        if (isOurs && isBroken && refusal !== undefined && refusal !== 'start' && refusal !== 'editor') assert.notEqual(init, RM_ERRORS.OK);
        checkAnswers(dts, init, isOurs ? startOf(id, dts, isBroken) : 'not asked');
      }
    });
  }
});

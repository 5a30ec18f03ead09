/** RM's rules, one by one: a tree that keeps each, one that breaks it, and our own RM, which refuses exactly what the rules refuse. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileDts, decodeDtb, type DtNode } from '../../../runtime/devicetree/index';
import { checkVmConfig, initRefusal, OUR_GENERATION, RM_RULE_IDS, rmRule, severityOf, VM_CONFIG_RULES, type RmRuleId } from '../../../runtime/devicetree/rm-rules';
import { FOUND_LATER, parseVmConfig } from '../../../runtime/resource-manager/vm-config';
import { vmTree } from '../../resource-manager/trees';
import { BREACHES, brokenText, generationOf, goodText, sameText, type Breach } from './evidence';

const KNOWN_ATTRIBUTES: readonly string[] = VM_CONFIG_RULES['vm-config'].properties['vm-attrs'].values;

/** A tree as RM gets it: compiled, and decoded from its blob. */
function compile(dts: string): DtNode {
  const { bytes, diagnostics } = compileDts(dts);
  assert.deepEqual(diagnostics, []);
  const decoded = decodeDtb(bytes);
  assert.ok(decoded.ok);
  return decoded.value.tree.root;
}

/** Checks that one tree keeps a rule and another breaks it, and that our RM says the same of both, where the rule speaks for its generation. */
function checkRule(id: RmRuleId, breach: Breach): void {
  const [broken, good] = [brokenText(breach), goodText(breach)];
  assert.notEqual(broken, good);
  const reading = { generation: generationOf(breach), trust: breach.trust ?? 'untrusted' } as const;
  for (const [root, isBroken] of [[compile(broken), true], [compile(good), false]] as const) {
    const found = checkVmConfig(root, reading).filter(({ rule }) => rule === id);
    assert.equal(found.length > 0, isBroken, `${id}: ${JSON.stringify(checkVmConfig(root, reading).map(({ rule, message }) => [rule, message]))}`);
    for (const { severity, message } of found) {
      assert.equal(severity, severityOf(id));
      assert.match(message, /[.!?]$/, 'a sentence');
    }
    checkOurRm(root, id, { trust: breach.trust === 'trusted' ? 'trusted' : 'untrusted', isBroken: isBroken && reading.generation === OUR_GENERATION });
  }
  const same = sameText(breach);
  if (same !== undefined) assert.deepEqual(configOf(broken, breach), configOf(same, breach), `${id}: our RM reads both the same`);
}

/** What our RM reads in a tree. Attributes that it does not know have no effect. */
function configOf(text: string, { trust }: Breach): unknown {
  const { config } = parseVmConfig(compile(text), trust === 'trusted' ? 'trusted' : 'untrusted');
  assert.ok(config !== undefined);
  return { ...config, attributes: config.attributes.filter((name) => KNOWN_ATTRIBUTES.includes(name)) };
}

/** Rules whose violation RM goes on with, and only what happens later shows: two devices on one path or label, a peer that never comes. */
const SEEN_LATER: readonly RmRuleId[] = ['generate-twice', 'label-twice', 'peer-form'];

function checkOurRm(root: DtNode, id: RmRuleId, { trust, isBroken }: { readonly trust: 'trusted' | 'untrusted'; readonly isBroken: boolean }): void {
  const outcome = parseVmConfig(root, trust);
  const { refusal, level } = rmRule(id);
  assert.equal(outcome.error, initRefusal(checkVmConfig(root, { generation: OUR_GENERATION, trust }).filter(({ rule }) => rule !== FOUND_LATER)));
  assert.equal(outcome.config === undefined, outcome.error !== undefined);
  if (refusal !== undefined && refusal !== 'start' && refusal !== 'editor' && id !== FOUND_LATER) assert.equal(outcome.error !== undefined, isBroken, id);
  const isTold = outcome.diagnostics.some(({ code }) => code === `vm-config-${id}`);
  assert.equal(isTold, isBroken && level !== 'information' && refusal !== 'start' && refusal !== 'editor', id);
}

describe('RM\'s rules', () => {
  it('each have a tree that breaks them, one that keeps them, and a reading by our RM', () => {
    assert.deepEqual(Object.keys(BREACHES), RM_RULE_IDS);
    const isOurs = (id: RmRuleId): boolean => (rmRule(id).onlyIn ?? OUR_GENERATION) === OUR_GENERATION;
    for (const id of RM_RULE_IDS) assert.equal(generationOf(BREACHES[id]) === OUR_GENERATION, isOurs(id), `${id} is shown by the generation that it speaks for`);
    const goesOn = RM_RULE_IDS.filter((id) => isOurs(id) && rmRule(id).refusal === undefined);
    assert.deepEqual(goesOn.filter((id) => sameText(BREACHES[id]) === undefined), RM_RULE_IDS.filter((id) => SEEN_LATER.includes(id)));
  });

  for (const id of RM_RULE_IDS) it(`${id}: one tree keeps the rule, another breaks it, and our RM agrees`, () => { checkRule(id, BREACHES[id]); });

  it('find nothing wrong with a good tree', () => {
    for (const generation of ['open-2023', 'newer'] as const) assert.deepEqual(checkVmConfig(compile(vmTree({})), generation), []);
  });

  it('tell what only trusted VMs may have as an information while nobody knows whether a VM is trusted', () => {
    const root = compile(brokenText(BREACHES['trusted-ranges']));
    assert.deepEqual(checkVmConfig(root, OUR_GENERATION).map(({ rule, severity }) => [rule, severity]), [['trusted-ranges', 'information']]);
    assert.deepEqual(checkVmConfig(root, { generation: OUR_GENERATION, trust: 'trusted' }), []);
  });

  it('say of the newer generation what it reads besides', () => {
    const root = compile(vmTree({ vcpus: 'affinity = "proxy"; no-timer-wakeups;', vdevices: 'x { vdevice-type = "watchdog"; }; y { vdevice-type = "doorbell"; peer-default; interrupts = <0 1 8 0 2 1>; };' }));
    assert.deepEqual(checkVmConfig(root, 'newer'), []);
    assert.deepEqual(checkVmConfig(root, 'open-2023').map(({ rule }) => rule), ['vdevice-type', 'other-generation', 'interrupts']);
  });
});

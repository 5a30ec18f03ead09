/** RM's rules: for each a tree that breaks it, one near by that keeps it, and the same answer by our own RM. */
import { compileDts, decodeDtb, type DtNode } from '../../../runtime/devicetree/index';
import { checkVmConfig, initRefusal, OUR_GENERATION, RM_RULE_IDS, rmRule, type RmRuleId } from '../../../runtime/devicetree/rm-rules';
import { FOUND_LATER, parseVmConfig } from '../../../runtime/resource-manager/vm-config';
import { BREACHES, brokenText, generationOf, goodText } from '../rm-rules/evidence';
import { judgeAll, type Figure } from './figure';

/** The rules and what shows them. How RM answers over its channel is tested beside them. */
export function ruleFigures(): readonly Figure[] {
  return [{ what: 'rules of RM with a tree that breaks them, one that keeps them, and our RM of one mind', bar: 'all', ...judgeAll(RM_RULE_IDS, judgeRule) }];
}

function rootOf(dts: string): DtNode {
  const decoded = decodeDtb(compileDts(dts).bytes);
  if (!decoded.ok) throw new Error(dts);
  return decoded.value.tree.root;
}

function judgeRule(id: RmRuleId): string | undefined {
  const breach = BREACHES[id];
  const trust = breach.trust === 'trusted' ? 'trusted' : 'untrusted';
  for (const [root, isBroken] of [[rootOf(brokenText(breach)), true], [rootOf(goodText(breach)), false]] as const) {
    const isFound = checkVmConfig(root, { generation: generationOf(breach), trust }).some(({ rule }) => rule === id);
    if (isFound !== isBroken) return `${id}: the tree that ${isBroken ? 'breaks' : 'keeps'} it is taken for the other`;
    const { error } = parseVmConfig(root, trust);
    if (error !== initRefusal(checkVmConfig(root, { generation: OUR_GENERATION, trust }).filter(({ rule }) => rule !== FOUND_LATER))) return `${id}: our RM answers otherwise`;
    const { refusal } = rmRule(id);
    const isRefusedAtInit = id !== FOUND_LATER && refusal !== undefined && refusal !== 'start' && refusal !== 'editor' && generationOf(breach) === OUR_GENERATION;
    if (isRefusedAtInit && (error !== undefined) !== isBroken) return `${id}: our RM ${isBroken ? 'takes' : 'refuses'} the tree`;
  }
  return undefined;
}

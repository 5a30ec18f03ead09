/** The public names of RM's rules. */

export { checkVmConfig, checkVmTree, initRefusal, isVmTree, RM_RULE_IDS, rmDiagnostic } from './check';
export { affinityOf, gicFrames, gicStride, iomemoryRanges, memoryPlan } from './check-config';
export { generatedPath, labelOf, memoryChild } from './check-vdevices';
export { CONSUMERS, type ConsumerRow } from './consumer-rows';
export { type RmFinding } from './finding';
export { generationNamed, OUR_GENERATION, RM_GENERATIONS, type RmGeneration, type VmTrust } from './generation';
export { DEFAULT_BASE_ADDRESS, rowsOf, VM_CONFIG_RULES, type NodeRuleName, type NodeValues, type PropertyRule } from './node-rows';
export { cellCounts, cells, firstString, joinCells, nodeAt, nodeByPhandle, number, oneCell, strings, walk } from './read';
export { RM_RULES, rmRule, severityOf, type RmRefusal, type RmRule, type RmRuleId } from './rule-rows';
export {
  HANDLERS, INTERRUPT_CLASSES, specifiedInterrupts, VDEVICE_TYPES, vdeviceRow, VDEVICES, vdeviceTypesOf, type AnyVdeviceType, type HandlerName, type VdeviceRow, type VdeviceType,
} from './vdevice-rows';
export { VmTree, type CpuNode, type RmReading, type VdeviceNode } from './vm-tree';

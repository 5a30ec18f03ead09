/**
 * The control API: everything outsiders may import of the runtime.
 */

export { alignDown, hex } from './base/bits';
export { ipa, pa, ticks, va, vmid, type Pa, type Ticks, type Va, type Vmid } from './base/brands';
export { err, ok, type Diagnostic, type Err, type Ok, type Result } from './base/result';
export type { EventValue, EventValues, TraceEvent, TraceEventName } from './base/trace-event';
export { BreakpointSet, type Breakpoint, type BreakpointPlace, type ExceptionFilter, type Hit } from './control/breakpoints';
export { DebugTarget, type DebugTargetOptions, type StepKind } from './control/debug-target';
export { EVENT_KINDS, isEventName, parseEventPattern, type EventNames, type EventPattern } from './control/event-pattern';
export type { Job, JobProgress, StopReport } from './control/job';
export { addServiceFilter, getServiceRegister, listServiceRegisters, servicesOf, setServiceRegister, type ServiceRegisterView } from './control/services';
export { walkTables, type WalkLevel } from './control/page-walk';
export { memoryOf, registersOf, VmSymbols } from './control/vm-symbols';
export { FIRMWARE_SIZE_MAX, loadFirmware, loadImage, type LoadableImage } from './images/image';
export { parseElf } from './images/elf';
export { imageOf, type DiskImage } from './machine/devices/disk-contents';
export type { DiskDescription, FirmwareDescription, PlatformDescription, SystemDescription, VirtioDescription, VmDescription } from './system/description';
export type { Stop } from './system/stop';
export { FATAL_REPORTS, FAULT_LOOP } from './system/reports';
export type { System } from './system/system';
export {
  builtInType, C_TYPES, elfSections, findMember, fromBytes, loadSymbols, registersFrom, sizeOfType, stripType, SymbolFile, toBytes, typeInFrame, typeName, VOID, walkStack,
  type BaseType, type EnumType, type FrameContext, type Location, type Member, type PointerType, type RecordType, type StackFrame, type Type,
} from './symbols/index';
export { applyOverlays, compileDeviceTree } from './system/compile-device-tree';
export { createSystem } from './system/boot';
export { restoreWhole, saveWhole, STATE_VERSION, systemFingerprint, type WholeState } from './system/whole-state';
export { StateHash } from './system/state-hash';
export { HYPERCALLS } from './hypervisor/hypercall-table';
export { PSCI_NAMES } from './hypervisor/psci';
export { KVM_SERVICE_NAMES, serviceName } from './hypervisor/kvm-services';
export { KVM_PSCI_NAMES } from './hypervisor/kvm-psci';
export {
  BITMAP_NAMES, FILTER_ACTIONS, PSCI_VERSIONS, FILTER_RANGES_MAX, SERVICE_ERRNO, SERVICE_REGISTERS, VmServices,
  type BitmapName, type FilterAction, type FilterRange, type ServiceError, type ServiceRegisterName, type ServiceSettings,
} from './hypervisor/service-registers';
export { HYP_API_FLAGS_0, HYP_API_INFO, SMCCC_NAMES } from './hypervisor/smccc';
export { rightNames } from './hypervisor/rights';
export { decodeRmMessage, EXIT_TYPES, RM_NOTIFICATIONS, RM_REQUESTS, VM_STATES, type RmParcelView, type RmView, type RmVmView, type RmWaitingView } from './resource-manager/index';
export { disassemble } from './isa/disassembler';
export { explainEsr } from './isa/exception-classes';
export { printDeviceTree as decodeDeviceTree } from './system/compile-device-tree';
export type { Translation as Translated } from './engine/interface';
export type { LookOut } from './system/system';

/**
 * Breakpoints as the client sees them, by the request that set them; each set request replaces its own kind. They are turned into
 * the runtime's breakpoints here, and reported back verified or with the reason why not.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { isEventName, ok, parseEventPattern, va, vmid, type Breakpoint, type BreakpointPlace, type Va } from '../runtime/index';
import { EVENT_NAMES } from './event-names';
import { AdapterError } from './errors';
import { makeDecide, type HitOptions } from './conditions';
import type { Session } from './session';
import { addressText } from './variables/references';

type Set = 'source' | 'function' | 'instruction' | 'data';

/** One breakpoint to be: where it goes, or why it goes nowhere. */
interface Plan {
  readonly place?: BreakpointPlace;
  readonly message?: string;
  /** The place is good, but of a VM that is not there yet. */
  readonly isAwaited?: boolean;
  readonly line?: number;
  readonly column?: number;
  readonly source?: DebugProtocol.Source;
  readonly instructionReference?: string;
}

/** One breakpoint as the client wants it. */
interface Wanted { readonly again: () => Plan; readonly hit: HitOptions; readonly reason: Breakpoint['reason'] }

/** A breakpoint with its id and what the client was told of it last. */
interface Row extends Wanted { readonly id: number; told: DebugProtocol.Breakpoint }

const MANAGER_VMID = vmid(255);
/** Events of which the Resource Manager never is the VM: its own calls are not stopped at. */
const OF_GUESTS: ReadonlySet<string> = new Set(['hvc', 'hvc-return', 'psci', 'smccc', 'rm', 'rm-notify']);

/** All breakpoints of a session. */
export class BreakpointTable {
  private readonly session: Session;
  private nextId = 1;
  /** Ids by what set them: `source:/path`, `function`, `instruction`, `data`. */
  private readonly bySet = new Map<string, Row[]>();

  constructor(session: Session) {
    this.session = session;
  }

  /** DAP: setBreakpoints. */
  setSource(source: DebugProtocol.Source, wanted: readonly DebugProtocol.SourceBreakpoint[]): DebugProtocol.Breakpoint[] {
    const path = source.path ?? source.name ?? '';
    return this.replace(`source:${path}`, wanted.map((one) => ({ again: () => this.planLine(source, path, one), hit: one, reason: 'breakpoint' })));
  }

  /** DAP: setFunctionBreakpoints; names of functions, `vm!function`, or events such as `hvc:msgqueue_send`. */
  setFunctions(wanted: readonly DebugProtocol.FunctionBreakpoint[]): DebugProtocol.Breakpoint[] {
    return this.replace('function', wanted.map((one) => ({ again: () => this.planFunction(one.name.trim()), hit: one, reason: 'function breakpoint' })));
  }

  /** DAP: setInstructionBreakpoints. */
  setInstructions(wanted: readonly DebugProtocol.InstructionBreakpoint[]): DebugProtocol.Breakpoint[] {
    return this.replace('instruction', wanted.map((one) => ({ again: () => this.planInstruction(one), hit: one, reason: 'instruction breakpoint' })));
  }

  /** DAP: setDataBreakpoints. */
  setData(wanted: readonly DebugProtocol.DataBreakpoint[]): DebugProtocol.Breakpoint[] {
    return this.replace('data', wanted.map((one) => ({ again: () => this.planData(one), hit: one, reason: 'data breakpoint' })));
  }

  /** Puts every breakpoint into a new target, and tells the client where that changed what it knows. */
  reinstall(): void {
    for (const row of this.rows()) this.installAgain(row);
    this.session.debuggeeIfAny?.target.refresh();
  }

  /** Tries again those that had no place, because VMs or mappings have changed since. */
  retry(): void {
    const pending = this.rows().filter(({ told }) => !told.verified);
    for (const row of pending) this.installAgain(row, this.session.debuggeeIfAny?.target.breakpoints.decideOf(row.id));
    if (pending.some(({ told }) => told.verified)) this.session.debuggeeIfAny?.target.refresh();
  }

  /** Code moved: lines and functions are looked for where they are now. Hit counts go on. */
  follow(): void {
    for (const [set, rows] of this.bySet) {
      if (set !== 'function' && !set.startsWith('source:')) continue;
      for (const row of rows) this.installAgain(row, this.session.debuggeeIfAny?.target.breakpoints.decideOf(row.id));
    }
  }

  private rows(): Row[] {
    return [...this.bySet.values()].flat();
  }

  private installAgain(row: Row, decide?: Breakpoint['decide']): void {
    const now = this.install(row.id, row, decide);
    if (JSON.stringify(now) !== JSON.stringify(row.told)) this.session.event('breakpoint', { reason: 'changed', breakpoint: now });
    row.told = now;
  }

  private replace(set: `${Set}${string}`, wanted: readonly Wanted[]): DebugProtocol.Breakpoint[] {
    for (const { id } of this.bySet.get(set) ?? []) this.session.debuggeeIfAny?.target.breakpoints.remove(id);
    const rows = wanted.map((one): Row => {
      const id = this.nextId++;
      return { ...one, id, told: this.install(id, one) };
    });
    this.bySet.set(set, rows);
    this.session.debuggeeIfAny?.target.refresh();
    return rows.map(({ told }) => told);
  }

  private install(id: number, { again, hit, reason }: Wanted, known?: Breakpoint['decide']): DebugProtocol.Breakpoint {
    const target = this.session.debuggeeIfAny?.target;
    if (target === undefined) return { id, verified: false, message: 'Takes effect when the system is launched.' };
    const { place, message, isAwaited = false, ...shown } = planned(again);
    const decide = known === undefined ? makeDecide(this.session, hit) : ok(known);
    target.breakpoints.remove(id);
    if (place === undefined) return { id, verified: false, message: message ?? 'There is no code here.', ...shown };
    if (!decide.ok) return { id, verified: false, message: decide.error, ...shown };
    target.breakpoints.set({ id, place, reason, ...(decide.value === undefined ? {} : { decide: decide.value }) });
    return { id, verified: !isAwaited, ...shown, ...(message === undefined ? {} : { message }) };
  }

  private planLine(source: DebugProtocol.Source, path: string, wanted: DebugProtocol.SourceBreakpoint): Plan {
    const found: (Found & { line: number; column: number })[] = [];
    for (const [vm, symbols] of this.session.debuggee.symbols) {
      const lines = symbols.views.flatMap(({ file, isIdentity }) => file.addressesFor(path, wanted.line).map((one) => ({ ...one, isIdentity })));
      const [first] = wanted.column === undefined ? lines : lines.filter(({ column }) => column === wanted.column);
      if (first === undefined) continue;
      const here = lines.filter(({ actualLine, column }) => actualLine === first.actualLine && (wanted.column === undefined || column === first.column));
      found.push({ ...placesOf(vm, here), isUnsettled: symbols.isUnsettled, line: first.actualLine, column: wanted.column === undefined ? 0 : first.column });
    }
    const [nearest] = [...found].sort((left, right) => left.line - right.line);
    if (nearest === undefined) return { message: `No image has code for ${path.split('/').pop() ?? path}:${wanted.line}.`, line: wanted.line, source };
    const chosen = found.filter(({ line }) => line === nearest.line);
    return { ...planAt(chosen), line: nearest.line, ...(nearest.column === 0 ? {} : { column: nearest.column }), source };
  }

  private planFunction(name: string): Plan {
    const bang = name.indexOf('!');
    const [vmPart, symbol] = bang < 0 ? [null, name] : [name.slice(0, bang).trim(), name.slice(bang + 1).trim()];
    if (isEventName(symbol)) return this.planEvent(symbol, vmPart);
    if (vmPart !== null && !this.session.debuggee.symbols.has(vmPart)) return { message: `There is no virtual machine "${vmPart}" with symbols.` };
    const found = [...this.session.debuggee.symbols].filter(([vm]) => vmPart === null || vm === vmPart).map(([vm, symbols]): Found => {
      const places = symbols.views.flatMap(({ file, isIdentity }) => file.functionBreakpoints(symbol).map((address) => ({ address, isIdentity, file })));
      return { ...placesOf(vm, places), isUnsettled: symbols.isUnsettled };
    }).filter(({ addresses, identity }) => addresses.length + identity.length > 0);
    const [first] = found;
    if (first === undefined) return { message: `No image has a function "${symbol}". Events are written like hvc:msgqueue_send.` };
    const at = first.addresses[0] ?? first.identity[0] ?? va(0n);
    const file = this.session.debuggee.symbols.get(first.vm)?.at(at);
    const line = file?.lineAt(at);
    const resolver = file === undefined ? undefined : this.session.debuggee.sources.get(file);
    return {
      ...planAt(found),
      ...(line === undefined ? {} : { line: line.line }),
      ...(line === undefined || resolver === undefined ? {} : { source: resolver.source(line.file) }),
    };
  }

  /** An event of any VM, or of one: the one that the event is about, as `vm` says in conditions. */
  private planEvent(name: string, vm: string | null): Plan {
    const pattern = parseEventPattern(name, EVENT_NAMES);
    if (!pattern.ok) return { message: pattern.error.message };
    const plan: Plan = { place: { kind: 'event', vm, pattern: pattern.value } };
    if (vm === null) return plan;
    const { system } = this.session.debuggee.target;
    if (vm === system.vmName(MANAGER_VMID) && OF_GUESTS.has(pattern.value.family)) {
      return { message: `"${vm}!${name}": only what guests do and are told can be stopped at. ${name} stops at that of all of them, VM!${name} at that of one.` };
    }
    const present = system.vmSummaries().map((one) => one.name);
    if (present.includes(vm) || system.description.vms.some((one) => one.name === vm) || this.session.debuggee.symbols.has(vm)) return plan;
    return { ...plan, isAwaited: true, message: `There is no virtual machine "${vm}" now, only ${present.join(', ')}. This will stop in one that gets the name.` };
  }

  private planInstruction({ instructionReference, offset }: DebugProtocol.InstructionBreakpoint): Plan {
    const parsed = this.session.references.parseAddress(instructionReference);
    if (parsed === undefined || parsed.space !== 'va') return { message: `"${instructionReference}" is no instruction address.` };
    const address = va(parsed.address + BigInt(Math.trunc(offset ?? 0)));
    if (address % 4n !== 0n) return { message: `${addressText({ ...parsed, address })} is no instruction address: it is no multiple of 4.` };
    return { place: { kind: 'code', vm: parsed.vm, addresses: [address] }, instructionReference: addressText({ ...parsed, address }) };
  }

  private planData({ dataId, accessType }: DebugProtocol.DataBreakpoint): Plan {
    const { system } = this.session.debuggee.target;
    const [address, size] = dataId.split('/');
    const parsed = this.session.references.parseAddress(address ?? '');
    const sizeBytes = Number(size);
    if (parsed === undefined || !(sizeBytes > 0 && sizeBytes <= 1 << 20)) return { message: `"${dataId}" is no data address.` };
    const pieces = parsed.space === 'pa'
      ? system.clipToRam(parsed.address, sizeBytes)
      : system.physicalPieces(this.session.references.vcpuOfVm(parsed.vm), parsed.address, sizeBytes, parsed.space === 'ipa' ? 2 : 'both');
    if (pieces.length === 0) return { message: `${address ?? dataId} is not in RAM, or not mapped now.` };
    return { place: { kind: 'data', pieces, access: accessType ?? 'write' } };
  }
}

/** Where code was found in one VM. */
interface Found { readonly vm: string; readonly addresses: readonly Va[]; readonly identity: readonly Va[]; readonly isUnsettled: boolean }

function placesOf(vm: string, found: readonly { readonly address: bigint; readonly isIdentity: boolean }[]): Omit<Found, 'isUnsettled'> {
  const [addresses, identity] = [false, true].map((kind) => found.filter(({ isIdentity }) => isIdentity === kind).map(({ address }) => va(address)));
  return { vm, addresses: addresses ?? [], identity: identity ?? [] };
}

/** The plan for code that was found in one VM or several. */
function planAt(found: readonly Found[]): Plan {
  const [first] = found;
  const identity = found.flatMap((one) => one.identity);
  const at = first?.addresses[0] ?? first?.identity[0];
  return {
    place: { kind: 'code', vm: found.length === 1 && first !== undefined ? first.vm : null, addresses: found.flatMap(({ addresses }) => addresses), ...(identity.length === 0 ? {} : { identity }) },
    ...(first === undefined || at === undefined ? {} : { instructionReference: addressText({ vm: first.vm, space: 'va', address: at }) }),
    ...(found.some(({ isUnsettled }) => isUnsettled) ? { message: 'The kernel has not chosen its address yet; the breakpoint will follow it.' } : {}),
  };
}

/** A plan; what the catalogue knows of why there is none, such as a VM that has no vCPU yet, becomes the breakpoint's message. */
function planned(plan: () => Plan): Plan {
  try {
    return plan();
  } catch (problem) {
    if (problem instanceof AdapterError) return { message: problem.message };
    throw problem;
  }
}

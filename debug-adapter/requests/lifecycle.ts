/** Beginning and end of a session: initialize, launch, restart, disconnect. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Diagnostic, WholeState } from '../../runtime/index';
import { checkSystem } from '../configuration/system-file';
import { resolveSystem, resolveSystemFile, systemOfProgram, type ResolvedSystem } from '../configuration/resolve';
import { makeDebuggee } from '../debuggee';
import { modulesOf } from '../views/modules';
import { AdapterError } from '../errors';
import { offeredFilters } from '../exception-filters';
import type { LaunchArguments } from '../protocol/index';
import type { Session } from '../session';
import { TraceFile } from '../trace-file';
import { launchArguments } from '../configuration/launch-arguments';
import type { Arguments } from './arguments';
import type { Handler } from './handler';

const CAPABILITIES: DebugProtocol.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsFunctionBreakpoints: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsEvaluateForHovers: true,
  supportsStepBack: true,
  supportsSetVariable: true,
  supportsSetExpression: true,
  supportsRestartRequest: true,
  supportsTerminateRequest: true,
  supportTerminateDebuggee: true,
  supportsExceptionFilterOptions: true,
  supportsExceptionInfoRequest: true,
  supportsDelayedStackTraceLoading: true,
  supportsLoadedSourcesRequest: true,
  supportsModulesRequest: true,
  supportsDataBreakpoints: true,
  supportsDataBreakpointBytes: true,
  supportsReadMemoryRequest: true,
  supportsWriteMemoryRequest: true,
  supportsDisassembleRequest: true,
  supportsInstructionBreakpoints: true,
  supportsSteppingGranularity: true,
  supportsBreakpointLocationsRequest: true,
  supportsCancelRequest: true,
  supportsClipboardContext: true,
  supportsCompletionsRequest: true,
  completionTriggerCharacters: ['.', '>', '$', '!', ':'],
  supportsValueFormattingOptions: true,
  supportsGotoTargetsRequest: true,
  supportsStepInTargetsRequest: true,
  supportsRestartFrame: true,
  supportsANSIStyling: true,
  supportsSingleThreadExecutionRequests: false,
  supportsTerminateThreadsRequest: false,
};

function initialize(session: Session, args: Arguments): unknown {
  session.client = { adapterID: 'gunyah', ...args };
  return { ...CAPABILITIES, exceptionBreakpointFilters: offeredFilters() };
}

/** Loads everything, then asks for the client's breakpoints; running begins with `configurationDone`. */
async function launch(session: Session, args: Arguments): Promise<unknown> {
  if (session.debuggeeIfAny !== undefined) throw new AdapterError('launchedTwice');
  session.configured = false;
  await powerOn(session, launchArguments(args));
  session.event('initialized');
  return {};
}

/** Builds the system that a configuration describes, and tells the client what is in it. */
async function powerOn(session: Session, options: LaunchArguments, state?: WholeState): Promise<void> {
  const resolved = await resolve(session, options);
  const debuggee = need(await makeDebuggee(session.host, resolved, { launch: options, state }));
  session.release();
  session.debuggeeIfAny = debuggee;
  debuggee.target.onMoved = () => { session.breakpoints.follow(); };
  session.references.clear();
  session.traceFile = options.trace === undefined ? undefined : new TraceFile(session, session.host.resolvePath(options.cwd ?? '.', options.trace));
  session.references.resolveVm = (vm) => vcpuOfVm(session, vm);
  for (const warning of [...resolved.warnings, ...debuggee.warnings]) session.output(`${describe(warning)}\n`);
  const { canTravel } = debuggee.target;
  if (canTravel !== session.announcesTravel) session.event('capabilities', { capabilities: { supportsStepBack: canTravel, supportsRestartFrame: canTravel } });
  session.announcesTravel = canTravel;
  for (const module of modulesOf(debuggee)) session.event('module', { reason: 'new', module });
}

/** DAP: attach. A client that connected to a running `gunyah dap` may say what to run, as with launch. */
function attach(session: Session, args: Arguments): Promise<unknown> {
  if (args['program'] === undefined && args['system'] === undefined) throw new AdapterError('attachUnsupported');
  return launch(session, args);
}

function configurationDone(session: Session): unknown {
  if (session.debuggee.target.isBusy || session.configured) return {};
  session.configured = true;
  session.breakpoints.reinstall();
  session.applyFilters();
  session.followUps.push(() => { begin(session); });
  return {};
}

/** Back to power-on: the same system again, with the breakpoints as they are. If it cannot be built any more, the old one stays. */
async function restart(session: Session, args: Arguments): Promise<unknown> {
  const { launch: before } = session.debuggee;
  const given = args['arguments'];
  const next = typeof given === 'object' && given !== null ? launchArguments({ ...before, ...given }) : before;
  await new Promise<void>((done) => { session.whenStopped(done); });
  await powerOn(session, next);
  session.breakpoints.reinstall();
  session.applyFilters();
  session.followUps.push(() => { begin(session); });
  return {};
}

/** Goes on from a saved state in a new instance of the system; stands still there. */
export async function goOnFrom(session: Session, state: WholeState): Promise<void> {
  const { launch: options } = session.debuggee;
  await powerOn(session, options, state);
  session.breakpoints.reinstall();
  session.applyFilters();
  session.followUps.push(() => {
    session.notices.jobEnded();
    session.consoles.flush();
    session.stoppedHere('Restored from a saved state', session.debuggee.target.system.focusVcpu ?? session.debuggee.target.system.vcpuIndexes()[0] ?? 0);
  });
}

function begin(session: Session): void {
  const { target, launch: options } = session.debuggee;
  if (options.stopOnEntry === true && options.noDebug !== true) session.start(target.runToEntry());
  else session.start(target.continue());
}

async function resolve(session: Session, args: LaunchArguments): Promise<ResolvedSystem> {
  const { program, system } = args;
  const { host } = session;
  const folder = args.cwd ?? '.';
  const symbols = (args.symbols ?? []).map((one) => (typeof one === 'string' ? { file: one } : one)).map((one) => ({ ...one, file: host.resolvePath(folder, one.file) }));
  const options = { semihosting: args.semihosting ?? true, symbols, folder };
  if (typeof system === 'string') return need(await resolveSystemFile(host, host.resolvePath(options.folder, system), options));
  if (system === undefined) return need(await resolveSystem(host, systemOfProgram(program ?? ''), options));
  const checked = checkSystem(system);
  if (!checked.ok) throw launchFailed(checked.error.map(({ diagnostic }) => diagnostic));
  return need(await resolveSystem(host, checked.value, options));
}

function need<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: readonly Diagnostic[] }): T {
  if (!result.ok) throw launchFailed(result.error);
  return result.value;
}

function launchFailed(problems: readonly Diagnostic[]): AdapterError {
  return new AdapterError('launchFailed', { problems: problems.map(describe).join('\n') });
}

function describe({ file, line, column, message }: Diagnostic): string {
  const where = file === undefined ? '' : line === undefined ? `${file}: ` : `${file}:${line}:${column ?? 1}: `;
  return message.includes(file ?? '\0') ? message : `${where}${message}`;
}

function vcpuOfVm(session: Session, vm: string | null): number {
  const { system } = session.debuggee.target;
  const wanted = system.vcpuIndexes().find((index) => system.vmNameOf(index) === vm);
  const vcpu = vm === null ? system.focusVcpu ?? system.vcpuIndexes()[0] : wanted;
  if (vcpu === undefined) throw new AdapterError('unknownVm', { vm: vm ?? '' });
  return vcpu;
}

function disconnect(session: Session): unknown {
  session.pause();
  return {};
}

function terminate(session: Session): unknown {
  session.pause();
  return {};
}

/** Requests about the beginning and end of a session, by name. */
export const LIFECYCLE_REQUESTS = {
  initialize,
  launch,
  attach,
  configurationDone,
  restart,
  disconnect,
  terminate,
} as const satisfies Readonly<Record<string, Handler>>;

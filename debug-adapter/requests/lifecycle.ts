/** Beginning and end of a session: initialize, launch, restart, disconnect. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Diagnostic } from '../../runtime/index';
import { checkSystem } from '../configuration/system-file';
import { resolveSystem, resolveSystemFile, systemOfProgram, type ResolvedSystem } from '../configuration/resolve';
import { makeDebuggee } from '../debuggee';
import { AdapterError } from '../errors';
import { offeredFilters } from '../exception-filters';
import type { LaunchArguments } from '../protocol/index';
import type { Session } from '../session';
import type { Arguments } from './arguments';
import type { Handler } from './table';

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
};

function initialize(session: Session, args: Arguments): unknown {
  session.client = { adapterID: 'gunyah', ...args };
  return { ...CAPABILITIES, exceptionBreakpointFilters: offeredFilters() };
}

/** Loads everything, then asks for the client's breakpoints; running begins with `configurationDone`. */
async function launch(session: Session, args: Arguments): Promise<unknown> {
  if (session.debuggeeIfAny !== undefined) throw new AdapterError('launchedTwice');
  const launchArguments: LaunchArguments = args;
  const resolved = await resolve(session, launchArguments);
  session.debuggeeIfAny = need(await makeDebuggee(session.host, resolved, launchArguments));
  session.references.resolveVm = (vm) => vcpuOfVm(session, vm);
  for (const warning of [...resolved.warnings, ...session.debuggee.warnings]) session.output(`${describe(warning)}\n`);
  session.event('initialized');
  return {};
}

/** DAP: attach. A client that connected to a running `gunyah dap` may say what to run, as with launch. */
function attach(session: Session, args: Arguments): Promise<unknown> {
  if (args['program'] === undefined && args['system'] === undefined) throw new AdapterError('attachUnsupported');
  return launch(session, args);
}

function configurationDone(session: Session): unknown {
  session.configured = true;
  session.breakpoints.reinstall();
  session.applyFilters();
  session.followUps.push(() => { begin(session); });
  return {};
}

/** Back to power-on: the same system again, with the breakpoints as they are. */
async function restart(session: Session, args: Arguments): Promise<unknown> {
  const { launch: before } = session.debuggee;
  const given = args['arguments'];
  const next: LaunchArguments = typeof given === 'object' && given !== null ? { ...before, ...given } : before;
  await new Promise<void>((done) => { session.whenStopped(done); });
  const resolved = await resolve(session, next);
  session.release();
  session.debuggeeIfAny = need(await makeDebuggee(session.host, resolved, next));
  session.references.clear();
  session.breakpoints.reinstall();
  session.applyFilters();
  session.followUps.push(() => { begin(session); });
  return {};
}

function begin(session: Session): void {
  const { target, launch: options } = session.debuggee;
  if (options.stopOnEntry === true && options.noDebug !== true) session.start(target.runToEntry());
  else session.start(target.continue());
}

async function resolve(session: Session, args: LaunchArguments): Promise<ResolvedSystem> {
  const { program, system } = args;
  if ((program === undefined) === (system === undefined)) throw new AdapterError('launchArguments');
  const options = { semihosting: args.semihosting ?? true };
  const folder = args.cwd ?? '.';
  const { host } = session;
  if (typeof system === 'string') return need(await resolveSystemFile(host, host.resolvePath(folder, system), options));
  if (system === undefined) return need(await resolveSystem(host, systemOfProgram(program ?? ''), { ...options, folder }));
  const checked = checkSystem(system);
  if (!checked.ok) throw launchFailed(checked.error.map(({ diagnostic }) => diagnostic));
  return need(await resolveSystem(host, checked.value, { ...options, folder }));
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

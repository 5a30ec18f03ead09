/** Requests about breakpoints, data breakpoints and exception filters. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { explainEsr, hex } from '../../runtime/index';
import { makeFilters } from '../chosen-filters';
import { EXCEPTION_FILTERS } from '../exception-filters';
import type { Session } from '../session';
import { describeEvent } from '../event-text';
import { addressText, type SpacedAddress } from '../variables/references';
import { placeOfExpression } from '../variables/values';
import { listOf, numberOr, objectOr, textOf, textOr, type Arguments } from './arguments';
import type { Handler } from './handler';
import { frameOfArguments } from './variables';

function hitOptions(args: Arguments): { condition?: string; hitCondition?: string; logMessage?: string } {
  const [condition, hitCondition, logMessage] = ['condition', 'hitCondition', 'logMessage'].map((name) => textOr(args, name));
  return {
    ...(condition === undefined || condition.trim() === '' ? {} : { condition }),
    ...(hitCondition === undefined || hitCondition.trim() === '' ? {} : { hitCondition }),
    ...(logMessage === undefined || logMessage === '' ? {} : { logMessage }),
  };
}

/** The source that a request speaks of. */
export function sourceOf(args: Arguments): DebugProtocol.Source {
  const source = objectOr(args, 'source') ?? {};
  const [path, name] = [textOr(source, 'path'), textOr(source, 'name')];
  return { ...(path === undefined ? {} : { path }), ...(name === undefined ? {} : { name }) };
}

function setBreakpoints(session: Session, args: Arguments): unknown {
  const wanted = listOf(args, 'breakpoints').map((one) => {
    const column = numberOr(one, 'column', 0);
    return { line: numberOr(one, 'line', 0) + lineOffset(session), ...(column === 0 ? {} : { column }), ...hitOptions(one) };
  });
  return { breakpoints: session.breakpoints.setSource(sourceOf(args), wanted).map((breakpoint) => fromOneBased(session, breakpoint)) };
}

function setFunctionBreakpoints(session: Session, args: Arguments): unknown {
  return { breakpoints: session.breakpoints.setFunctions(listOf(args, 'breakpoints').map((one) => ({ name: textOr(one, 'name') ?? '', ...hitOptions(one) }))) };
}

function setInstructionBreakpoints(session: Session, args: Arguments): unknown {
  const wanted = listOf(args, 'breakpoints').map((one) => ({ instructionReference: textOr(one, 'instructionReference') ?? '', offset: numberOr(one, 'offset', 0), ...hitOptions(one) }));
  return { breakpoints: session.breakpoints.setInstructions(wanted) };
}

function setDataBreakpoints(session: Session, args: Arguments): unknown {
  const wanted = listOf(args, 'breakpoints').map((one) => {
    const access = textOr(one, 'accessType');
    const accessType: DebugProtocol.DataBreakpointAccessType = access === 'read' || access === 'readWrite' ? access : 'write';
    return { dataId: textOr(one, 'dataId') ?? '', accessType, ...hitOptions(one) };
  });
  return { breakpoints: session.breakpoints.setData(wanted) };
}

/** DAP: dataBreakpointInfo, for a variable, an expression, or an address with a size. */
function dataBreakpointInfo(session: Session, args: Arguments): unknown {
  const name = textOf(args, 'name', 'dataBreakpointInfo');
  const place = args['asAddress'] === true
    ? { address: session.references.parseAddress(name), sizeBytes: numberOr(args, 'bytes', 8) }
    : placeOfVariable(session, args, name);
  if (place?.address === undefined) return { dataId: null, description: `${name} is not in memory, so nothing can be watched.` };
  const text = addressText(place.address);
  return { dataId: `${text}/${place.sizeBytes}`, description: `${name} (${place.sizeBytes} bytes at ${text})`, accessTypes: ['read', 'write', 'readWrite'], canPersist: false };
}

/** Where a variable or expression lies. A child is named together with its container. */
function placeOfVariable(session: Session, args: Arguments, name: string): { address: SpacedAddress; sizeBytes: number } | undefined {
  session.requireStopped();
  const reference = numberOr(args, 'variablesReference', 0);
  const expression = reference > 0 ? session.references.container(reference).children(0, 10_000).find((child) => child.name === name)?.evaluateName ?? name : name;
  const place = placeOfExpression(session, frameOfArguments(session, args), expression);
  return place === undefined ? undefined : { address: { vm: place.vm, space: 'va', address: place.address }, sizeBytes: place.sizeBytes };
}

function setExceptionBreakpoints(session: Session, args: Arguments): unknown {
  const plain = Array.isArray(args['filters']) ? args['filters'].filter((one): one is string => typeof one === 'string').map((filterId) => ({ filterId })) : [];
  const withConditions = listOf(args, 'filterOptions').map((one) => ({ filterId: textOr(one, 'filterId') ?? '', ...hitOptions(one) }));
  return { breakpoints: makeFilters(session, [...plain, ...withConditions]) };
}

function breakpointLocations(session: Session, args: Arguments): unknown {
  const path = sourceOf(args).path ?? '';
  const offset = lineOffset(session);
  const line = numberOr(args, 'line', 1) + offset;
  const found = [...session.debuggee.symbols.values()].flatMap((symbols) => symbols.files.flatMap((file) => file.breakpointLocations(path, line, numberOr(args, 'endLine', line - offset) + offset)));
  const keys = new Set<string>();
  const unique = found.filter((one) => !keys.has(`${one.line}:${one.column}`) && keys.add(`${one.line}:${one.column}`).size > 0);
  return { breakpoints: unique.map((one) => ({ line: one.line - offset, ...(one.column === 0 ? {} : { column: one.column }) })) };
}

/** DAP: exceptionInfo. Explains syndromes in words. */
function exceptionInfo(session: Session): unknown {
  session.requireStopped();
  const stop = session.lastStop;
  const filter = EXCEPTION_FILTERS.find((one) => one.filter === stop?.exception?.filter);
  const taken = stop?.event?.event === 'exception' && stop.event.kind === 'synchronous' ? stop.event : undefined;
  const esr = stop?.exception?.esr ?? taken?.esr;
  const lines = [
    ...(stop?.event === undefined ? [] : [describeEvent(stop.event, session.words)]),
    ...(esr === undefined ? [] : explainEsr(esr, stop?.exception?.far ?? taken?.far)),
    ...(stop?.exception?.elr === undefined ? [] : [`Return address ${stop.event === undefined ? hex(stop.exception.elr) : session.words.code(stop.event, stop.exception.elr)}`]),
  ];
  return { exceptionId: filter?.filter ?? stop?.reason ?? 'unknown', description: lines[0] ?? filter?.label ?? 'Stopped', breakMode: 'always', details: { message: lines.join('\n'), ...(esr === undefined ? {} : { typeName: `ESR_EL1 ${hex(esr)}` }) } };
}

/** Lines are one-based inside; a client may count from zero. */
export function lineOffset(session: Session): number {
  return session.client.linesStartAt1 === false ? 1 : 0;
}

function fromOneBased(session: Session, breakpoint: DebugProtocol.Breakpoint): DebugProtocol.Breakpoint {
  return breakpoint.line === undefined ? breakpoint : { ...breakpoint, line: breakpoint.line - lineOffset(session) };
}

/** Requests about breakpoints, by name. */
export const BREAKPOINT_REQUESTS = {
  setBreakpoints,
  setFunctionBreakpoints,
  setInstructionBreakpoints,
  setDataBreakpoints,
  dataBreakpointInfo,
  setExceptionBreakpoints,
  breakpointLocations,
  exceptionInfo,
} as const satisfies Readonly<Record<string, Handler>>;

/** `gunyah/exportTrace`: the trace as a file, or as the answer. */

import { AdapterError } from '../errors';
import { encodeBase64 } from '../base64';
import type { Pieces } from '../long-work';
import type { CustomRequestBody } from '../protocol/index';
import type { Session } from '../session';
import { makeTraceWriter, SystemNames, TRACE_FORMATS, type TraceFormat } from '../trace-export/writer';
import { parseTraceFilter } from '../trace-filter';
import { numberOr, textOf, textOr, type Arguments } from './arguments';

/** Largest export that an answer carries; a file may be longer. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
/** Events between looks at the clock. */
const PIECE_EVENTS = 500;
const COMMAND = 'gunyah/exportTrace';

/** Writes the events kept, or those of a range or filter, in a format. */
export async function exportTrace(session: Session, args: Arguments): Promise<CustomRequestBody<'gunyah/exportTrace'>> {
  const format = formatOf(textOf(args, 'format', COMMAND));
  const { bytes, events } = await session.longWork.run('Exporting the trace', exported(session, args, format));
  const path = textOr(args, 'path');
  if (path === undefined) {
    if (bytes.length > ANSWER_BYTES_MAX) throw new AdapterError('badArguments', { command: COMMAND, problem: `the trace has ${bytes.length} bytes; give "path" to write it to a file, or a "filter".` });
    return { format, events, sizeBytes: bytes.length, path: null, ...(format === 'pcapng' ? { base64: encodeBase64(bytes) } : { text: new TextDecoder().decode(bytes) }) };
  }
  const written = await session.host.writeFile(path, bytes);
  if (!written.ok) throw new AdapterError('cannotWrite', { path, problem: written.error });
  return { format, events, sizeBytes: bytes.length, path };
}

function formatOf(text: string): TraceFormat {
  const format = TRACE_FORMATS.find((one) => one === text);
  if (format === undefined) throw new AdapterError('badArguments', { command: COMMAND, problem: `"format" must be one of ${TRACE_FORMATS.join(', ')}.` });
  return format;
}

function* exported(session: Session, args: Arguments, format: TraceFormat): Pieces<{ readonly bytes: Uint8Array; readonly events: number }> {
  const { system } = session.debuggee.target;
  const { trace } = system;
  const filter = parseTraceFilter(session, textOr(args, 'filter') ?? '');
  if (!filter.ok) throw new AdapterError('badArguments', { command: COMMAND, problem: filter.error });
  const names = new SystemNames(system);
  const writer = makeTraceWriter(format, names);
  const parts: (string | Uint8Array)[] = [writer.begin()];
  const end = Math.min(numberOr(args, 'to', trace.position), trace.position);
  let events = 0;
  const begin = Math.max(trace.start, Math.trunc(numberOr(args, 'from', trace.start)));
  for (let number = begin; number < end; number++) {
    if (number % PIECE_EVENTS === 0) yield (number - begin) / (end - begin);
    const event = trace.at(number);
    if (event === undefined || !filter.value(event, number)) continue;
    events++;
    names.moment = number;
    parts.push(writer.add(event));
  }
  parts.push(writer.finish());
  return { bytes: joined(parts), events };
}

function joined(parts: readonly (string | Uint8Array)[]): Uint8Array {
  const encoder = new TextEncoder();
  const pieces = parts.map((part) => (typeof part === 'string' ? encoder.encode(part) : part));
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

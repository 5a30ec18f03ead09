/** How `gunyah dt` tells diagnostics: as compilers print them, as JSON, and as SARIF 2.1.0 (OASIS) for code scanning services. */

import { pathToFileURL } from 'node:url';
import { isAbsolute } from 'node:path';
import { dtMessages, type DtDiagnostic } from '../runtime/devicetree/index';
import { RM_RULE_IDS, rmRule } from '../runtime/devicetree/rm-rules';

/** A diagnostic that may know the node it is about. */
export interface DtReport extends DtDiagnostic {
  /** Full path of the node. */
  readonly node?: string;
  /** The binding that is not followed: its `$id`, and its file. */
  readonly binding?: { readonly id: string; readonly file: string | undefined };
}

/** The forms in which diagnostics are told. */
export type ReportForm = 'text' | 'json' | 'sarif';

const VERSION = process.env['GUNYAH_VERSION'];
const SARIF_SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
const LEVELS = { error: 'error', warning: 'warning', information: 'note', hint: 'note' } as const;

/** All diagnostics in one form, ready to print. `unread` says why files could not be read; only SARIF has a place for that. */
export function formatReports(reports: readonly DtReport[], form: ReportForm, unread: readonly string[] = []): string {
  if (form === 'json') return `${JSON.stringify(reports.map(jsonOf), undefined, 2)}\n`;
  if (form === 'sarif') return `${JSON.stringify(sarifOf(reports, unread), undefined, 2)}\n`;
  return reports.map((report) => `${lineOf(report)}\n`).join('');
}

/** One diagnostic as compilers print it. */
export function lineOf({ file, line, column, severity, message, code }: DtDiagnostic): string {
  const where = file === undefined ? '' : line === undefined ? `${file}: ` : `${file}:${line}:${column ?? 1}: `;
  return `${where}${severity}: ${message} [${code}]`;
}

function jsonOf({ file, line, column, length, severity, code, message, node, binding }: DtReport): object {
  return { file, line, column, length, severity, code, message, node, binding };
}

function sarifOf(reports: readonly DtReport[], unread: readonly string[]): object {
  const rules = [...new Set(reports.map(({ code }) => code))].sort();
  const rule = (id: string): object => {
    const binding = reports.find((report) => report.code === id)?.binding;
    const text = binding === undefined ? ruleText(id) : `The binding ${binding.id} is not followed.`;
    return { id, shortDescription: { text }, ...(binding?.id.startsWith('http') === true && isUri(binding.id) ? { helpUri: binding.id } : {}) };
  };
  return {
    $schema: SARIF_SCHEMA,
    version: '2.1.0',
    runs: [{
      tool: { driver: { name: 'gunyah dt', ...(VERSION === undefined ? {} : { version: VERSION }), rules: rules.map(rule) } },
      invocations: [{ executionSuccessful: unread.length === 0, ...(unread.length === 0 ? {} : { toolExecutionNotifications: unread.map((text) => ({ level: 'error', message: { text } })) }) }],
      columnKind: 'utf16CodeUnits',
      results: reports.map((report) => ({
        ruleId: report.code,
        ruleIndex: rules.indexOf(report.code),
        level: LEVELS[report.severity],
        message: { text: report.message },
        locations: locationsOf(report),
      })),
    }],
  };
}

/** The message of a code with its blanks left open; checks of dtc say enough by their names. */
function ruleText(code: string): string {
  const rule = RM_RULE_IDS.find((id) => code === `vm-config-${id}`);
  if (rule !== undefined) return rmRule(rule).summary;
  const [, message] = Object.entries(dtMessages).find(([known]) => known === code) ?? [];
  return message?.replace(/\{\w+\}/g, '…') ?? code;
}

function locationsOf({ file, line, column, length, node }: DtReport): readonly object[] {
  if (file === undefined) return [];
  const start = { startLine: line, startColumn: column ?? 1, ...(length === undefined ? {} : { endColumn: (column ?? 1) + length }) };
  return [{
    physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...(line === undefined ? {} : { region: start }) },
    ...(node === undefined ? {} : { logicalLocations: [{ fullyQualifiedName: node, kind: 'element' }] }),
  }];
}

/** Relative paths stay relative, so that a service finds them in its own copy. */
function uriOf(file: string): string {
  return isAbsolute(file) ? pathToFileURL(file).href : encodeURI(wellFormed(file.replaceAll('\\', '/'))).replace(/[?#:[\]]/g, encodeURIComponent);
}

/** Half of a surrogate pair has no encoding. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}

function isUri(text: string): boolean {
  return URL.canParse(text) && !/[\s"<>\\^`{|}]/.test(text);
}

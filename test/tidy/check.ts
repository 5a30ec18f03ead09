/** Runs a rule over the repository, minus the listed exceptions, and proves on bad snippets that the rule can object. */
import assert from 'node:assert/strict';
import { EXCEPTIONS } from './exceptions';
import type { RuleName } from './exceptions';
import { projectFiles } from './project';
import type { Rule, SourceText, Violation } from './project';

/** A snippet that a rule must refuse, as a file of this path. */
export interface BadSnippet extends SourceText {
  /** Part of the message that must appear. */
  readonly says: string;
}

/** Fails with every place where a rule is broken beyond its exceptions, and with exceptions that nothing needs any more. */
export function checkRule(name: RuleName, rule: Rule, files: RegExp): void {
  const listed = EXCEPTIONS[name];
  const found = new Map(projectFiles(files).map((file) => [file.path, rule(file)] as const).filter(([, violations]) => violations.length > 0));
  const problems: string[] = [];
  for (const [path, violations] of found) {
    const allowed = listed[path]?.count ?? 0;
    if (violations.length > allowed) problems.push(...violations.map(words), ...(allowed > 0 ? [`  (${path}: ${String(allowed)} allowed)`] : []));
  }
  for (const path of Object.keys(listed)) if (!found.has(path)) problems.push(`${path}: no longer needs its exception from "${name}"; take it off the list`);
  assert.equal(problems.join('\n'), '', `rule "${name}"`);
}

function words({ path, line, message }: Violation): string {
  return `${path}:${String(line)}: ${message}`;
}

/** Fails if the rule accepts a bad snippet, or objects to the good one. */
export function checkCanFail(rule: Rule, bad: readonly BadSnippet[], good: readonly SourceText[]): void {
  for (const snippet of bad) {
    const messages = rule(snippet).map(({ message }) => message);
    assert.ok(messages.some((message) => message.includes(snippet.says)), `${snippet.text}\nis accepted, or refused for another reason: ${messages.join('; ')}`);
  }
  for (const snippet of good) assert.deepEqual(rule(snippet), [], snippet.text);
}

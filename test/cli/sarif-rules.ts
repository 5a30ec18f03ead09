/** What SARIF 2.1.0 (OASIS, with errata) asks of a log, as far as our command writes it: required properties, types, ranges, and what one part says of another. */

import assert from 'node:assert/strict';

type Fields = Readonly<Record<string, unknown>>;

/** Properties of each object that we write: name, and whether it is required. Others would be a surprise. */
const OBJECTS: Readonly<Record<string, Readonly<Record<string, 'required' | 'optional'>>>> = {
  log: { $schema: 'optional', version: 'required', runs: 'required' },
  run: { tool: 'required', results: 'optional', invocations: 'optional', columnKind: 'optional' },
  driver: { name: 'required', version: 'optional', rules: 'optional' },
  rule: { id: 'required', shortDescription: 'optional', helpUri: 'optional' },
  message: { text: 'required' },
  invocation: { executionSuccessful: 'required', toolExecutionNotifications: 'optional' },
  notification: { message: 'required', level: 'optional' },
  result: { message: 'required', ruleId: 'optional', ruleIndex: 'optional', level: 'optional', locations: 'optional' },
  location: { physicalLocation: 'optional', logicalLocations: 'optional' },
  physicalLocation: { artifactLocation: 'required', region: 'optional' },
  artifactLocation: { uri: 'required' },
  region: { startLine: 'required', startColumn: 'optional', endColumn: 'optional' },
  logicalLocation: { fullyQualifiedName: 'optional', kind: 'optional' },
};

const LEVELS = ['none', 'note', 'warning', 'error'];

function fieldsOf(value: unknown, kind: string): Fields {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${kind} is an object`);
  const fields: Fields = Object.fromEntries(Object.entries(value));
  const known = OBJECTS[kind] ?? {};
  for (const name of Object.keys(fields)) assert.ok(name in known, `${kind} has no ${name}`);
  for (const [name, need] of Object.entries(known)) if (need === 'required') assert.ok(name in fields, `${kind} needs ${name}`);
  return fields;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  assert.ok(Array.isArray(value), `${name} is a list`);
  return value;
}

function checkMessage(value: unknown): void {
  const { text } = fieldsOf(value, 'message');
  assert.ok(typeof text === 'string' && text !== '', 'a message says something');
}

function checkPositive(value: unknown, name: string): number {
  assert.ok(typeof value === 'number' && Number.isInteger(value) && value >= 1, `${name} is ${String(value)}`);
  return value;
}

function checkLocation(value: unknown): void {
  const { physicalLocation, logicalLocations = [] } = fieldsOf(value, 'location');
  const { artifactLocation, region } = fieldsOf(physicalLocation, 'physicalLocation');
  const { uri } = fieldsOf(artifactLocation, 'artifactLocation');
  assert.ok(typeof uri === 'string' && /^(?:[A-Za-z][A-Za-z0-9+.-]*:|[^:/?#]*(?:\/|$))/.test(uri) && /^(?:[\w.~!$&'()*+,;=:@/?#-]|%[0-9A-Fa-f]{2})*$/.test(uri), `${String(uri)} is a URI reference (RFC 3986)`);
  if (region !== undefined) {
    const { startLine, startColumn, endColumn } = fieldsOf(region, 'region');
    checkPositive(startLine, 'startLine');
    const start = checkPositive(startColumn, 'startColumn');
    if (endColumn !== undefined) assert.ok(checkPositive(endColumn, 'endColumn') >= start, 'a region ends behind its start');
  }
  for (const one of listOf(logicalLocations, 'logicalLocations')) assert.equal(typeof fieldsOf(one, 'logicalLocation')['fullyQualifiedName'], 'string');
}

/** Checks a log; gives its results as `level ruleId`. */
export function checkSarif(text: string): readonly string[] {
  const log = fieldsOf(JSON.parse(text), 'log');
  assert.equal(log['version'], '2.1.0');
  const found: string[] = [];
  for (const one of listOf(log['runs'], 'runs')) {
    const run = fieldsOf(one, 'run');
    const driver = fieldsOf(Object.fromEntries(Object.entries(Object(run['tool'])))['driver'], 'driver');
    assert.ok(['utf16CodeUnits', 'unicodeCodePoints'].includes(String(run['columnKind'])));
    const ids = listOf(driver['rules'], 'rules').map((rule) => {
      const { id, shortDescription, helpUri } = fieldsOf(rule, 'rule');
      checkMessage(shortDescription);
      if (helpUri !== undefined) assert.ok(URL.canParse(String(helpUri)), `${String(helpUri)} is absolute`);
      return id;
    });
    assert.equal(new Set(ids).size, ids.length, 'each rule is there once');
    for (const invocation of listOf(run['invocations'], 'invocations')) {
      const { executionSuccessful, toolExecutionNotifications = [] } = fieldsOf(invocation, 'invocation');
      const notifications = listOf(toolExecutionNotifications, 'notifications');
      assert.equal(executionSuccessful, notifications.length === 0);
      for (const notification of notifications) checkMessage(fieldsOf(notification, 'notification')['message']);
    }
    for (const item of listOf(run['results'], 'results')) {
      const { message, ruleId, ruleIndex, level, locations } = fieldsOf(item, 'result');
      checkMessage(message);
      assert.equal(ids[Number(ruleIndex)], ruleId, 'the index leads to the rule');
      assert.ok(LEVELS.includes(String(level)), String(level));
      listOf(locations, 'locations').forEach(checkLocation);
      found.push(`${String(level)} ${String(ruleId)}`);
    }
  }
  return found;
}

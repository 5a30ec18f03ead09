/** What `gunyah dt check` makes of failures against bindings of any shape: words and places, never a fault of its own. */
import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadBindings, missingTypes } from '../../cli/dt-bindings';
import { treeReports } from '../../cli/dt-judgement';
import { readBindings, type BindingSet } from '../../runtime/devicetree/bindings/binding-set';
import { compileDts } from '../../runtime/devicetree/index';

const SOURCE = '/dts-v1/;\n/ {\n\tx {\n\t\treg = <1 2>;\n\t\tx = "a";\n\t\tsub { flag; };\n\t};\n};\n';
const KEYWORDS = [
  'properties', 'items', 'allOf', 'oneOf', 'anyOf', 'not', 'if', 'then', 'required', 'type', 'typeSize', 'const', 'enum', 'minItems', 'maxItems', 'minimum', 'multipleOf', 'pattern', 'contains',
  'dependentRequired', 'propertyNames', 'additionalProperties', 'unevaluatedProperties', 'minProperties', 'uniqueItems', '$itemDescriptions', 'reg', 'x', 'sub', '$nodename', '__proto__',
];
const { tree: TREE } = compileDts(SOURCE, { file: 'x.dts' });

function reportsIn(bindings: BindingSet): ReturnType<typeof treeReports> {
  return treeReports(TREE, { bindings, levels: {}, reading: undefined }, () => SOURCE);
}

function reportsOf(schema: object): ReturnType<typeof treeReports> {
  const { bindings } = readBindings([{ path: 'any.yaml', content: { $id: 'http://devicetree.org/schemas/any.yaml#', select: true, ...schema } }]);
  return reportsIn(bindings).filter(({ code }) => code === 'any.yaml');
}

function checkMessage(schema: object, place: string, message: string): void {
  const found = reportsOf({ select: { required: ['reg'] }, ...schema }).map((report) => [`${report.line}:${report.column}`, report.message.replace(/ \(http.*/, '')]);
  assert.deepEqual(found, [[place, `/x: ${message}`]], JSON.stringify(schema));
}

test('each kind of failure has its words and stands where it is meant', () => {
  checkMessage({ required: ['clocks'] }, '3:2', 'The property clocks is required.');
  checkMessage({ properties: { reg: false } }, '4:3', 'reg is not allowed here.');
  checkMessage({ properties: { sub: { required: ['label'] } } }, '6:3', 'The property sub/label is required.');
  checkMessage({ properties: { sub: { properties: { flag: false } } } }, '6:9', 'sub/flag is not allowed here.');
  checkMessage({ properties: { reg: true, x: true, sub: { type: 'object', additionalProperties: false } }, additionalProperties: false }, '6:9', 'The binding knows no property sub/flag here.');
  checkMessage({ properties: { reg: true, x: true }, additionalProperties: false }, '6:3', 'The binding knows no node sub here.');
  checkMessage({ oneOf: [{ required: ['clocks'] }, { required: ['resets'] }] }, '3:2', 'One of these is required: clocks, resets.');
  checkMessage({ oneOf: [{ required: ['x'] }, { required: ['reg'] }] }, '4:3', 'x and reg exclude each other; only one may be there.');
  checkMessage({ not: { required: ['x', 'reg'] } }, '4:3', 'x and reg exclude each other; only one may be there.');
  checkMessage({ dependentRequired: { x: ['y'] } }, '3:2', 'The property y is required beside x.');
  checkMessage({ minProperties: 20 }, '3:2', 'The node should hold at least 20 properties and nodes.');
});

test('schemas of any shape lead to sentences', () => {
  const value = fc.object({ maxDepth: 4, key: fc.constantFrom(...KEYWORDS), values: [fc.constantFrom('object', 'array', 'x', 'reg', '['), fc.integer({ min: -1, max: 4 }), fc.boolean(), fc.constant(null), fc.array(fc.constantFrom('x', 'y', 'string'))] });
  let count = 0;
  fc.assert(fc.property(value, (schema) => {
    for (const { message, file } of reportsOf(schema)) {
      assert.match(message, /^\/.*: .+\. \(http/s);
      assert.equal(file, 'x.dts');
      count++;
    }
  }), { numRuns: 1500 });
  assert.ok(count > 50, `${count} failures are a try`);
});

test('a large collection is kept, says the same from there, and is read anew once a file has changed or where it cannot be kept', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gunyah-bindings-'));
  const [bindings, cache, noFolder] = ['bindings', 'cache', 'file'].map((name) => join(folder, name)) as [string, string, string];
  const write = (index: number, required: string): void => {
    writeFileSync(join(bindings, `b${String(index)}.yaml`), `%YAML 1.2\n---\n$id: http://devicetree.org/schemas/b${String(index)}.yaml#\nselect:\n  required: [ reg ]\nproperties:\n  reg: true\nrequired: [ ${required} ]\n`);
  };
  const said = (from?: string): readonly string[] => {
    const loaded = loadBindings([bindings], from);
    assert.ok(loaded.ok);
    assert.equal(missingTypes(loaded.value.bindings), undefined);
    return reportsIn(loaded.value.bindings).map((report) => JSON.stringify(report));
  };
  try {
    mkdirSync(bindings);
    writeFileSync(noFolder, '');
    for (let index = 0; index < 210; index++) write(index, index % 50 === 0 ? `clocks-${String(index)}` : 'reg');
    writeFileSync(join(bindings, 'broken.yaml'), 'a: [');
    const fresh = said();
    assert.equal(fresh.filter((report) => report.includes('clocks')).length, 5);
    assert.deepEqual([said(cache), said(cache), said(noFolder)], [fresh, fresh, fresh]);
    assert.equal(readdirSync(cache).length, 1);
    write(7, 'resets');
    const changed = said();
    assert.deepEqual([changed.length, said(cache)], [fresh.length + 1, changed]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

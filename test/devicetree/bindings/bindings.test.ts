/** Bindings as people write them against small trees: which failures there are, and where. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readBindings } from '../../../runtime/devicetree/bindings/binding-set';
import { splitReference } from '../../../runtime/devicetree/bindings/evaluate';
import { compileDts } from '../../../runtime/devicetree/index';

const BASE = 'http://devicetree.org/schemas/';
const UINT32 = { $ref: '/schemas/types.yaml#/definitions/uint32' };

/** As much of the core types as the tests need, in the tests' own words. */
const TYPES = {
  $id: `${BASE}types.yaml#`,
  select: false,
  definitions: {
    'flag': { type: 'boolean', const: true },
    'string-array': { type: 'array', items: { type: 'string' }, minItems: 1 },
    'string': { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 1 },
    'uint8-array': { type: 'array', items: { type: 'integer', typeSize: 8 } },
    'uint32': { type: 'integer', typeSize: 32 },
    'uint64': { type: 'integer', typeSize: 64 },
    'uint32-array': { type: 'array', items: { type: 'integer', typeSize: 32 } },
    'uint32-matrix': { type: 'array', items: { type: 'array', items: { type: 'integer', typeSize: 32 } } },
    'phandle-array': { type: 'array', items: { type: 'array', items: { type: 'integer' } } },
    'address': { type: 'array', items: { type: 'array', items: { type: 'integer' } } },
  },
};

const CORE = {
  $id: `${BASE}core.yaml#`,
  select: false,
  properties: {
    'compatible': { $ref: '/schemas/types.yaml#/definitions/string-array' },
    'status': { $ref: '/schemas/types.yaml#/definitions/string' },
    'reg': { $ref: '/schemas/types.yaml#/definitions/address' },
    '#clock-cells': UINT32,
    'clocks': { $ref: '/schemas/types.yaml#/definitions/phandle-array' },
    'interrupts': { $ref: '/schemas/types.yaml#/definitions/uint32-matrix' },
    '#interrupt-cells': UINT32,
  },
};

/** Failures of `body` (inside the root node) under `schema` and the core above, as `path keyword member/…`. */
function failuresOf(schema: object, body: string): string[] {
  const { bindings, diagnostics } = readBindings([TYPES, CORE, { $id: `${BASE}test.yaml#`, ...schema }].map((content, index) => ({ path: `${String(index)}.yaml`, content })));
  assert.deepEqual(diagnostics, []);
  const { tree, diagnostics: syntax } = compileDts(`/dts-v1/;\n/ { #address-cells = <1>; #size-cells = <1>; ${body} };`);
  assert.deepEqual(syntax, []);
  return bindings.checkTree(tree.root).filter(({ isForgiven }) => !isForgiven).map(({ node, keyword, path, names }) => (
    [node.path, keyword, path.join('/'), ...(names ?? [])].filter((part) => part !== '').join(' ')
  ));
}

const UART = {
  properties: { compatible: { const: 'test,uart' }, reg: { maxItems: 1 }, interrupts: { maxItems: 1 }, clocks: { minItems: 1, items: [{ description: 'bus' }, { description: 'core' }] } },
  required: ['compatible', 'reg', 'interrupts'],
  additionalProperties: false,
};

describe('bindings', () => {
  it('accept a node that follows them, with what every node may have', () => {
    assert.deepEqual(failuresOf(UART, 'interrupt-controller@1 { reg = <1 1>; #interrupt-cells = <2>; }; uart@2 { compatible = "test,uart"; reg = <2 1>; interrupts = <0>; status = "okay"; phandle = <9>; pinctrl-0 = <9>; };').filter((line) => line.startsWith('/uart')), []);
  });

  it('name what is missing, unknown and miscounted', () => {
    assert.deepEqual(failuresOf(UART, 'uart@2 { compatible = "test,uart"; reg = <2 1>, <3 1>; surprise; };'), [
      '/uart@2 maxItems reg', '/uart@2 additionalProperties surprise', '/uart@2 oneOf',
    ]);
  });

  it('take interrupts-extended for interrupts', () => {
    assert.deepEqual(failuresOf({ ...UART, required: ['interrupts'] }, 'pic: pic@1 { #interrupt-cells = <1>; }; uart@2 { compatible = "test,uart"; interrupts-extended = <&pic 3>; };'), []);
  });

  it('cut phandle lists by the cells of each provider', () => {
    const body = (list: string): string => `a: a { #clock-cells = <0>; }; b: b { #clock-cells = <2>; }; uart@2 { compatible = "test,uart"; reg = <2 1>; interrupts = <1>; clocks = ${list}; };`;
    assert.deepEqual(failuresOf(UART, body('<&a>, <&b 1 2>')), []);
    assert.deepEqual(failuresOf(UART, body('<&a &b 1 2 &a>')), ['/uart@2 maxItems clocks']);
  });

  it('put a constraint on a string, a number with a unit and reg where the values are', () => {
    const schema = { properties: { compatible: { const: 'test,x' }, mode: { enum: ['a', 'b'] }, 'wait-ms': { maximum: 5 }, 'rate-hz': { enum: [10, 20] }, reg: { items: [{ minimum: 4, maximum: 6 }] } } };
    assert.deepEqual(failuresOf(schema, 'x { compatible = "test,x"; mode = "b"; };'), []);
    assert.deepEqual(failuresOf(schema, 'x { compatible = "test,x"; mode = "c"; };'), ['/x enum mode/0']);
  });

  it('tell 32 from 64 bits', () => {
    const schema = { properties: { compatible: { const: 'test,x' }, size: { oneOf: [UINT32, { $ref: '/schemas/types.yaml#/definitions/uint64' }] } } };
    assert.deepEqual(failuresOf(schema, 'x { compatible = "test,x"; size = <1>; };'), []);
    assert.deepEqual(failuresOf(schema, 'x { compatible = "test,x"; size = <1 2>; };'), []);
    assert.deepEqual(failuresOf(schema, 'x { compatible = "test,x"; size = <1 2 3>; };'), ['/x oneOf size']);
  });

  it('let unevaluatedProperties see through references, branches and conditions', () => {
    const schema = {
      properties: { compatible: { const: 'test,x' } },
      allOf: [{ $ref: '#/$defs/common' }, { if: { required: ['fast'] }, then: { properties: { speed: true } }, else: { properties: { patience: true } } }],
      $defs: { common: { properties: { fast: { type: 'boolean' } } } },
      unevaluatedProperties: false,
    };
    assert.deepEqual(failuresOf(schema, 'x { compatible = "test,x"; fast; speed = <1>; };'), []);
    assert.deepEqual(failuresOf(schema, 'x { compatible = "test,x"; fast; patience = <1>; };'), ['/x unevaluatedProperties patience']);
    assert.deepEqual(failuresOf(schema, 'x { compatible = "test,x"; speed = <1>; };'), ['/x unevaluatedProperties speed']);
  });

  it('forgive a node that is switched off what it lacks', () => {
    assert.deepEqual(failuresOf(UART, 'uart@2 { compatible = "test,uart"; reg = <2 1>; status = "disabled"; };'), []);
    assert.deepEqual(failuresOf(UART, 'uart@2 { compatible = "test,uart"; reg = <2 1>, <3 1>; status = "disabled"; };'), ['/uart@2 maxItems reg']);
  });

  it('are chosen by the first compatible string that one of them knows, or by the name of the node', () => {
    assert.deepEqual(failuresOf(UART, 'uart@2 { compatible = "test,new", "test,uart"; reg = <2 1>; interrupts = <1>; };'), ['/uart@2 const compatible/0', '/uart@2 maxItems compatible']);
    assert.deepEqual(failuresOf({ properties: { $nodename: { pattern: '^led-' } }, required: ['color'] }, 'led-1 { }; lamp { };'), ['/led-1 required color']);
  });

  it('report compatible strings that none of them knows', () => {
    assert.deepEqual(failuresOf(UART, 'x { compatible = "vendor,unknown"; };'), ['/x anyOf compatible/0']);
  });

  it('that would double at each level, or refer to themselves twice, are read in little time', () => {
    let inner: object = { type: 'object' };
    for (let level = 0; level < 28; level++) inner = { type: 'object', properties: { interrupts: inner } };
    const twice = { allOf: [{ $ref: '#/properties/level' }, { $ref: '#/properties/level' }] };
    const { bindings } = readBindings([
      { path: 'levels.yaml', content: { $id: `${BASE}levels.yaml#`, ...inner } },
      { path: 'named.yaml', content: { $id: `${BASE}named.yaml#`, properties: { level: true } } },
      { path: 'twice.yaml', content: { $id: `${BASE}twice.yaml#`, properties: { level: twice } } },
    ]);
    assert.equal(bindings.schemas.size, 3);
    assert.ok(bindings.types.named.has('level'));
  });

  it('that cannot be used are named, and the others still work', () => {
    const bomb: unknown[] = ['x'];
    for (let level = 0; level < 20; level++) bomb.splice(0, 1, [bomb[0], bomb[0]]);
    const { diagnostics } = readBindings([
      { path: 'list.yaml', content: [] }, { path: 'no-id.yaml', content: {} }, { path: 'bomb.yaml', content: { $id: 'x', deep: bomb } },
      { path: 'one.yaml', content: { $id: `${BASE}one.yaml#` } }, { path: 'two.yaml', content: { $id: `${BASE}one.yaml#` } },
    ]);
    assert.deepEqual(diagnostics.map(({ file }) => file), ['list.yaml', 'no-id.yaml', 'bomb.yaml', 'two.yaml']);
  });

  it('that refer to one another in a circle end', () => {
    assert.deepEqual(failuresOf({ select: true, allOf: [{ $ref: '#' }, { $ref: 'test.yaml#/allOf/0' }] }, 'x { };'), []);
  });

  it('of any shape neither throw nor hang', () => {
    const { bindings } = readBindings([{ path: 'types.yaml', content: TYPES }]);
    assert.ok(bindings.schemas.size === 1);
    fc.assert(fc.property(fc.object({ maxDepth: 5, key: fc.constantFrom('properties', 'items', 'allOf', 'oneOf', 'if', 'then', 'required', 'select', '$ref', 'enum', 'minItems', 'x', '__proto__', 'patternProperties', 'unevaluatedProperties', 'const'), values: [fc.constantFrom('#', '(', 'x', 'reg'), fc.integer(), fc.boolean(), fc.constant(null)] }), (content) => {
      const read = readBindings([{ path: 'types.yaml', content: TYPES }, { path: 'any.yaml', content: { $id: `${BASE}any.yaml#`, ...content } }]);
      read.bindings.checkTree(compileDts('/dts-v1/; / { x { reg = <1 2>; x = "a"; }; };').tree.root);
    }), { numRuns: 300 });
  });
});

describe('references', () => {
  it('are resolved against the binding they stand in, at the first #', () => {
    assert.deepEqual(splitReference('/schemas/types.yaml#/definitions/flag', `${BASE}a/b.yaml#`), [`${BASE}types.yaml`, '/definitions/flag']);
    assert.deepEqual(splitReference('c.yaml#/properties/#interrupt-cells', `${BASE}a/b.yaml#`), [`${BASE}a/c.yaml`, '/properties/#interrupt-cells']);
    assert.deepEqual(splitReference('../c.yaml', `${BASE}a/b.yaml#`), [`${BASE}c.yaml`, '']);
    assert.deepEqual(splitReference('#/$defs/x', `${BASE}a/b.yaml#`), [`${BASE}a/b.yaml`, '/$defs/x']);
  });
});

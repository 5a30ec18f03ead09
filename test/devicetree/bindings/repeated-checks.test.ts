import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { readBindings } from '../../../runtime/devicetree/bindings/binding-set';
import { TreeChecker } from '../../../runtime/devicetree/bindings/tree-checker';
import { linkTree, parseDts } from '../../../runtime/devicetree/index';

const types = (name: string): string => `/schemas/types.yaml#/definitions/${name}`;

const { bindings } = readBindings([
  { path: 'provider.yaml', content: { $id: 'http://devicetree.org/schemas/provider.yaml#', properties: { 'compatible': { const: 'maker,provider' }, '#thing-cells': { $ref: types('uint32'), enum: [0, 1, 2] } }, required: ['#thing-cells'] } },
  { path: 'consumer.yaml', content: { $id: 'http://devicetree.org/schemas/consumer.yaml#', properties: { compatible: { const: 'maker,consumer' }, things: { $ref: types('phandle-array'), maxItems: 2 }, reg: { $ref: types('address'), maxItems: 1 } }, required: ['things'] } },
]);

interface Given {
  readonly cells: number;
  readonly addressCells: number;
  readonly things: readonly number[];
  readonly reg: readonly number[];
  readonly status: string;
  readonly hasExtra: boolean;
}

function treeOf({ cells, addressCells, things, reg, status, hasExtra }: Given): ReturnType<typeof linkTree>['tree']['root'] {
  const source = `/dts-v1/; / { #address-cells = <${String(addressCells)}>; #size-cells = <1>;
    p: provider { compatible = "maker,provider"; #thing-cells = <${String(cells)}>; };
    bus { status = "${status}"; ${hasExtra ? 'q: other { phandle = <9>; };' : ''} a { compatible = "maker,consumer"; things = <&p ${things.join(' ')}>; }; b { compatible = "maker,consumer"; }; };
    c { compatible = "maker,consumer"; reg = <${reg.join(' ')}>; things = <&p>; }; };`;
  return linkTree(parseDts(source).tree).tree.root;
}

const given: fc.Arbitrary<Given> = fc.record({
  cells: fc.integer({ min: 0, max: 3 }), addressCells: fc.integer({ min: 1, max: 2 }), things: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 }),
  reg: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 }), status: fc.constantFrom('okay', 'disabled'), hasExtra: fc.boolean(),
});

test('a tree that is checked again after any change gets the verdicts of a tree that is checked for the first time', () => {
  let failureCount = 0;
  fc.assert(fc.property(fc.array(given, { minLength: 2, maxLength: 6 }), (states) => {
    const checker = new TreeChecker(bindings);
    for (const state of states) {
      const root = treeOf(state);
      const told = (failures: ReturnType<TreeChecker['check']>): unknown => failures.map(({ node, schemaId, keyword, path, names, isForgiven }) => [node.path, schemaId, keyword, path, names, isForgiven]);
      const fresh = bindings.checkTree(root);
      failureCount += fresh.length;
      assert.deepEqual(told(checker.check(root)), told(fresh));
    }
  }), { numRuns: 300 });
  assert.ok(failureCount > 100, `${String(failureCount)} failures in all`);
});

/** What a VM of the system file asks for in its tree: where its memory lies, and how large it is at most. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuredBase, configuredSize } from '../../runtime/system/guest-tree';
import { dtb } from '../resource-manager/system-fixture';

function checkMemory(cells: string, memory: string, expected: { readonly base?: bigint; readonly size?: bigint }): void {
  const blob = dtb(`/dts-v1/; / { gunyah-vm-config { ${cells} image-name = "x"; memory { ${memory} }; }; };`);
  assert.deepEqual([configuredBase(blob), configuredSize(blob)], [expected.base, expected.size], `${cells} ${memory}`);
}

const [ONES, TWOS] = ['#address-cells = <1>; #size-cells = <1>;', '#address-cells = <2>; #size-cells = <2>;'];
const BOTH = { base: 0x8000_0000n, size: 0x80_0000n };

test('a VM of the system file gets the memory that its tree states in its own cells', () => {
  checkMemory(TWOS, 'base-address = <0 0x80000000>; size-max = <0 0x800000>;', BOTH);
  checkMemory(ONES, 'base-address = <0x80000000>; size-max = <0x800000>;', BOTH);
  checkMemory('', 'base-address = <0 0x80000000>; size-max = <0x800000>;', BOTH);
});

test('a VM of the system file gets the memory that RM reads, whatever the cells', () => {
  for (const cells of [ONES, TWOS, '']) checkMemory(cells, 'base-address = <0 0x80000000>; size-max = <0x800000>;', BOTH);
});

test('memory in neither form counts as absent', () => {
  checkMemory(TWOS, 'base-address = <0 0 0x80000000>; size-max = <0 0 0x800000>;', {});
  checkMemory('', 'base-address = <0x80000000>; size-max = <0 0x800000>;', {});
  checkMemory('#address-cells = <3>; #size-cells = <3>;', 'base-address = <0 0 0x80000000>; size-max = <0 0 0x800000>;', {});
});

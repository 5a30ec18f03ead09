/**
 * What one missing token does to the trees of VMs: nearly always one or two errors, where the token was, and an outline that keeps its nodes.
 * Every token of every tree is deleted in turn.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

import { compileDts } from '../../runtime/devicetree/index';
import { tokenize, type SyntaxToken } from '../../runtime/devicetree/syntax/tokens';
import { parseSyntax, type SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import { vmTree } from '../resource-manager/trees';

const SAMPLES = join(__dirname, '../../extension/samples');
/** A VM as one of the usual VM managers describes it: phandles, a device for each interrupt line, memory for bounce buffers. */
const MANAGED = `/dts-v1/;

/ {
	compatible = "linux,dummy-virt";
	interrupt-parent = <&intc>;
	#address-cells = <0x2>;
	#size-cells = <0x2>;

	chosen {
		bootargs = "console=ttyS0";
		linux,initrd-start = <0x84000000>;
		linux,initrd-end = <0x84ffffff>;
	};

	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;

		bounce: restricted_dma_reserved@a0000000 {
			compatible = "restricted-dma-pool";
			reg = <0x0 0xa0000000 0x0 0x1000000>;
			label = <0x0>;
		};
	};

	cpus {
		#address-cells = <0x1>;
		#size-cells = <0x0>;

		cpu@0 {
			device_type = "cpu";
			compatible = "arm,armv8";
			enable-method = "psci";
			reg = <0x0>;
		};

		cpu@1 {
			device_type = "cpu";
			compatible = "arm,armv8";
			enable-method = "psci";
			reg = <0x1>;
		};
	};

	gunyah-vm-config {
		image-name = "managed-vm";
		os-type = "linux";

		memory {
			#address-cells = <2>;
			#size-cells = <2>;
			base-address = <0x0 0x80000000>;
		};

		interrupts {
			config = <&intc>;
		};

		vcpus {
			affinity = "proxy";
		};

		vdevices {
			generate = "/hypervisor";

			bell-4 {
				vdevice-type = "doorbell";
				generate = "/hypervisor/bell-4";
				label = <0x4>;
				peer-default;
				source-can-clear;
				interrupts = <0x0 0x4 0x1>;
			};

			shm-0 {
				vdevice-type = "shm";
				generate = "/hypervisor/shm-0";
				label = <0x0>;
				peer-default;

				memory {
					label = <0x0>;
					#address-cells = <2>;
					base = <0x0 0xa0000000>;
				};
			};
		};
	};

	intc: intc {
		compatible = "arm,gic-v3";
		#interrupt-cells = <0x3>;
		interrupt-controller;
		reg = <0x0 0x3fff0000 0x0 0x10000>, <0x0 0x3ffb0000 0x0 0x40000>;
	};

	timer {
		compatible = "arm,armv8-timer";
		always-on;
		interrupts = <0x1 0xd 0x108>, <0x1 0xe 0x108>, <0x1 0xb 0x108>, <0x1 0xa 0x108>;
	};

	psci {
		compatible = "arm,psci-1.0", "arm,psci-0.2";
		method = "hvc";
	};
};
`;

/** Nodes by their names, from the text alone. */
function names(node: SyntaxNode): readonly string[] {
  return node.children.flatMap((child) => (child.kind === 'node' ? [child.name?.text ?? '/', ...names(child)] : names(child)));
}

/** How many of some names are still there. */
function keptOf(before: readonly string[], after: readonly string[]): number {
  const left = [...after];
  return before.filter((name) => {
    const index = left.indexOf(name);
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  }).length;
}

interface Outcome { cases: number; calm: number; nodes: number; kept: number }

/** Deletes each token of a tree in turn. */
function damage(text: string, folder: string, outcome: Outcome): void {
  const files = { readText: (path: string) => readFileSync(join(folder, path), 'utf8') };
  const compile = (source: string): ReturnType<typeof compileDts>['diagnostics'] => compileDts(source, { file: 'vm.dts', files }).diagnostics.filter(({ severity }) => severity === 'error');
  assert.deepEqual(compile(text), []);
  const outline = names(parseSyntax(text).root);
  for (const token of tokenize(text).filter(({ kind }: SyntaxToken) => kind !== 'comment')) {
    const damaged = text.slice(0, token.start) + text.slice(token.end);
    const line = text.slice(0, token.start).split('\n').length;
    const errors = compile(damaged);
    outcome.cases++;
    if (errors.length <= 2 && errors.every((error) => error.line !== undefined && Math.abs(error.line - line) <= 2)) outcome.calm++;
    outcome.nodes += outline.length;
    outcome.kept += keptOf(outline, names(parseSyntax(damaged).root));
  }
}

describe('a tree with one token missing', () => {
  const outcome: Outcome = { cases: 0, calm: 0, nodes: 0, kept: 0 };
  for (const path of ['two-vms/sensor.dts', 'console-loopback/left.dts', 'console-loopback/right.dts']) damage(readFileSync(join(SAMPLES, path), 'utf8'), dirname(join(SAMPLES, path)), outcome);
  damage(MANAGED, SAMPLES, outcome);
  damage(vmTree({}), SAMPLES, outcome);

  it('has at most two errors, within two lines, in 95 of 100 cases', () => {
    assert.ok(outcome.cases > 1000);
    assert.ok(outcome.calm >= 0.95 * outcome.cases, `${String(outcome.calm)} of ${String(outcome.cases)}`);
  });

  it('keeps 95 of 100 nodes in its outline', () => {
    assert.ok(outcome.kept >= 0.95 * outcome.nodes, `${String(outcome.kept)} of ${String(outcome.nodes)}`);
  });
});

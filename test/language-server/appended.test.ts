/** Files in Zephyr's manner, which a build appends to the tree of a board: judged behind that tree, or as far as can be without. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withClient } from './client';

const SOC = `/ {
	#address-cells = <1>;
	#size-cells = <1>;

	soc {
		compatible = "simple-bus";
		#address-cells = <1>;
		#size-cells = <1>;
		ranges;
		interrupt-parent = <&nvic>;

		nvic: interrupt-controller@e000e100 {
			reg = <0xe000e100 0xc00>;
			interrupt-controller;
			#address-cells = <0>;
			#interrupt-cells = <2>;
		};

		gpio0: gpio@50000000 {
			reg = <0x50000000 0x200>;
			gpio-controller;
			#gpio-cells = <2>;
		};

		i2c0: i2c@40003000 {
			reg = <0x40003000 0x1000>;
			#address-cells = <1>;
			#size-cells = <0>;
		};
	};
};
`;
const BOARD = '/dts-v1/;\n#include "gizmo.dtsi"\n#define LED 3\n/ {\n\tmodel = "Gizmo";\n\tcompatible = "acme,gizmo";\n\tled: led {\n\t\tgpios = <&gpio0 LED 0>;\n\t};\n};\n';
const BOARDS = { 'zephyr/boards/acme/gizmo/gizmo.dts': BOARD, 'zephyr/boards/acme/gizmo/gizmo.dtsi': SOC };
const OVERLAY = `/* An application's. */
/ {
	chosen {
		app,bus = &i2c0;
	};

	aliases {
		sensor = &bme;
	};

	app,user {
		io-gpios = <&gpio0 LED 0>;
	};
};

&i2c0 {
	bme: sensor@76 {
		compatible = "acme,bme";
		reg = <0x76>;
	};
};

/delete-node/ &led;
`;

/** What is told of an overlay among other files, and what the protocol answers about it. */
async function checkOverlay(name: string, text: string, { files, wanted }: { readonly files: Readonly<Record<string, string>>; readonly wanted: readonly string[] }): Promise<void> {
  await withClient(files, async (client) => {
    await client.open(name, text);
    assert.deepEqual(await client.diagnostics(name), wanted);
  });
}

void describe('an overlay that is appended to a tree', () => {
  void it('is right behind the board that has its name, its macros and labels included', () => checkOverlay('app/boards/gizmo.overlay', OVERLAY, { files: BOARDS, wanted: [] }));

  void it('is told what is wrong behind that board, and what it breaks there where it does so', async () => {
    const broken = '/ {\n\tchosen { x = &nothing; };\n};\n&i2c0 {\n\tsensor@76 {\n\t\treg = <0x77>;\n\t};\n};\n&gpio0 { status = "okay"; };\n/delete-node/ &nvic;\n';
    await checkOverlay('app/boards/gizmo.overlay', broken, { files: BOARDS, wanted: ['9:0-19 dts-reference-not-found', '1:14-22 dts-reference-not-found', '4:1-10 i2c_bus_reg'] });
  });

  void it('without a base says so once, and nothing wrong', () => checkOverlay('app/app.overlay', OVERLAY.replaceAll(' LED ', ' 3 '), { files: {}, wanted: ['0:0-0 overlay-without-base'] }));

  void it('without a base is told what is wrong by itself', () => checkOverlay('app.overlay', '&a { x = <1> };\n&b { compatible = "gunyah-hypervisor"; };\n', { files: {}, wanted: ['0:12-12 dts-missing-semicolon'] }));

  void it('knows its base in hovers, definitions, and when labels change', () => withClient(BOARDS, async (client) => {
    const name = 'app/boards/gizmo.overlay';
    await client.open(name, OVERLAY);
    assert.match(JSON.stringify(await client.ask('hover', name, '15:2')), /i2c@40003000/);
    assert.match(JSON.stringify(await client.ask('definition', name, '15:2')), /gizmo\.dtsi/);
    assert.match(JSON.stringify(await client.ask('definition', name, '11:22')), /gizmo\.dts"/);
    const renamed = JSON.stringify(await client.ask('rename', name, '15:2', { newName: 'bus0' }));
    for (const file of ['gizmo.overlay', 'gizmo.dtsi']) assert.ok(renamed.includes(file), `${file} changes`);
  }));

  void it('follows its base and itself as they are edited', () => withClient(BOARDS, async (client) => {
    const name = 'app/boards/gizmo.overlay';
    const base = 'zephyr/boards/acme/gizmo/gizmo.dts';
    await client.open(name, OVERLAY);
    await client.open(base, BOARD);
    assert.deepEqual(await client.diagnostics(name), []);
    await client.change(base, { text: BOARD.replace('led: ', '') });
    assert.deepEqual(await client.diagnostics(name), ['22:14-18 dts-delete-not-found']);
    await client.change(base, { text: BOARD });
    await client.change(name, { text: OVERLAY.replace('&gpio0', '&gpio9') });
    assert.deepEqual(await client.diagnostics(name), ['11:14-20 dts-reference-not-found']);
    assert.deepEqual(await client.diagnostics(base), []);
  }));

  void it('is a tree of its own if it begins one', () => checkOverlay('whole.overlay', '/dts-v1/;\n/ {\n\tn { x = <&nothing>; };\n};\n', { files: {}, wanted: ['2:10-18 dts-reference-not-found'] }));
});

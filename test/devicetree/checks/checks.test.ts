/** dtc's checks, by their names: for each what fails, and that what is right does not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CHECK_NAMES, checkTree, type CheckLevel } from '../../../runtime/devicetree/checks/check-table';
import { compileDts, decodeDtb } from '../../../runtime/devicetree/index';

/** Failed checks of a tree as `check path[:property]`. */
function failuresOf(body: string, levels: Readonly<Record<string, CheckLevel>> = {}): string[] {
  const { tree, diagnostics } = compileDts(`/dts-v1/;\n/ { ${body} };`);
  assert.deepEqual(diagnostics, []);
  return checkTree(tree, levels).map(({ code, node, property }) => `${code} ${node.path}${property === undefined ? '' : `:${property}`}`);
}

const CELLS = '#address-cells = <1>; #size-cells = <1>;';

/** Each row: a body, and what fails in it. */
const CASES: readonly (readonly [name: string, body: string, ...failures: readonly string[]])[] = [
  ['a tidy tree', `${CELLS} model = "x"; pic: pic@1000 { reg = <0x1000 1>; interrupt-controller; #interrupt-cells = <1>; #address-cells = <0>; }; uart@2000 { reg = <0x2000 1>; interrupt-parent = <&pic>; interrupts = <3>; };`],
  ['an address without name', `${CELLS} a { reg = <1 1>; };`, 'unit_address_vs_reg /a'],
  ['a name without address', 'a@1 { };', 'unit_address_vs_reg /a@1'],
  ['an entry too short', `${CELLS} a@1 { reg = <1>; };`, 'reg_format /a@1:reg'],
  ['ranges that are no entries', `${CELLS} a@1 { #address-cells = <1>; #size-cells = <1>; ranges = <1 2>; b@2 { reg = <2 1>; }; };`, 'ranges_format /a@1:ranges'],
  ['defaults relied on', 'a@1 { reg = <0 1 1>; };', 'avoid_default_addr_size /a@1', 'avoid_default_addr_size /a@1'],
  ['cells for nobody', `a { ${CELLS} b { }; };`, 'avoid_unnecessary_addr_size /a'],
  ['leading zeros and 0x', `${CELLS} a@01 { reg = <1 1>; }; b@0x2 { reg = <2 1>; };`, 'unit_address_format /a@01', 'unit_address_format /b@0x2'],
  ['one address twice', `${CELLS} a@1 { reg = <1 1>; }; b@1 { reg = <1 1>; };`, 'unique_unit_address /a@1'],
  ['a simple bus', `${CELLS} bus { compatible = "simple-bus"; ${CELLS} ranges; a@1 { reg = <2 1>; }; b { }; };`, 'simple_bus_reg /bus/a@1', 'simple_bus_reg /bus/b'],
  ['an I2C bus', 'i2c { #address-cells = <1>; #size-cells = <0>; a@80 { reg = <0x80>; }; b@11 { reg = <0x10>; }; };', 'i2c_bus_reg /i2c/a@80:reg', 'i2c_bus_reg /i2c/b@11'],
  ['an SPI bus by another name', 'bus@1 { #address-cells = <1>; #size-cells = <0>; reg = <0 0 0>; a@0 { reg = <0>; spi-cpol; }; };',
    'spi_bus_bridge /bus@1', 'avoid_default_addr_size /bus@1', 'avoid_default_addr_size /bus@1'],
  ['text that is none', 'model = <1>; compatible = [01];', 'model_is_string /:model', 'compatible_is_string_list /:compatible'],
  ['an alias to nowhere', 'aliases { serial0 = "/nothing"; };', 'alias_paths /aliases:serial0'],
  ['names of lists', 'a { reg-names = <1>; };', 'names_is_string_list /a:reg-names'],
  ['a provider without cells', 'c: c { }; a { clocks = <&c 1>; };', 'clocks_property /a:clocks'],
  ['too few arguments', 'c: c { #clock-cells = <2>; }; a { clocks = <&c 1>; };', 'clocks_property /a:clocks'],
  ['a number for a reference', 'c { phandle = <1>; #clock-cells = <0>; }; a { clocks = <1>; };', 'clocks_property /a:clocks'],
  ['interrupts without parent', 'a { interrupts = <1>; };', 'interrupts_property /a:interrupts'],
  ['interrupts of another form', 'pic: pic { interrupt-controller; #interrupt-cells = <3>; #address-cells = <0>; }; a { interrupt-parent = <&pic>; interrupts = <1 2>; };', 'interrupts_property /a:interrupts'],
  ['a provider that does not say how', 'pic { interrupt-controller; };', 'interrupt_provider /pic', 'interrupt_provider /pic'],
  ['a one-way connection', 'a { port { one: endpoint { remote-endpoint = <&two>; }; }; }; b { port { two: endpoint { }; }; };', 'graph_endpoint /a/port/endpoint'],
  ['a chosen node elsewhere', 'a { chosen { }; };', 'chosen_node_is_root /a/chosen'],
];

describe('the checks', () => {
  for (const [name, body, ...expected] of CASES) it(`tell ${name}`, () => { assert.deepEqual(failuresOf(body), expected); });

  it('can be told as errors or not at all', () => {
    assert.deepEqual(failuresOf('a@1 { };', { unit_address_vs_reg: 'off' }), []);
    const { tree } = compileDts('/dts-v1/; / { a@1 { }; };');
    assert.deepEqual(checkTree(tree, { unit_address_vs_reg: 'error' }).map(({ severity, line }) => [severity, line]), [['error', 1]]);
    assert.deepEqual(failuresOf('a_b { }; c { x-gpio = <0>; };', { node_name_chars_strict: 'warning', deprecated_gpio_property: 'warning' }), ['node_name_chars_strict /a_b', 'deprecated_gpio_property /c:x-gpio']);
  });

  it('say nothing of Gunyah\'s own nodes that does not fit them, unless asked for by name', () => {
    const body = 'gunyah-vm-config { vdevices { bell@1 { vdevice-type = "doorbell"; label = <1>; }; }; memory { #address-cells = <2>; }; }; shared { label = <3>; }; other { label = <1 2>; };';
    assert.deepEqual(failuresOf(body), ['label_is_string /other:label']);
    assert.deepEqual(failuresOf(body, { unit_address_vs_reg: 'warning', label_is_string: 'warning' }), [
      'unit_address_vs_reg /gunyah-vm-config/vdevices/bell@1', 'label_is_string /gunyah-vm-config/vdevices/bell@1:label', 'label_is_string /shared:label', 'label_is_string /other:label',
    ]);
    assert.deepEqual(failuresOf('bell@1 { label = <1>; };'), ['unit_address_vs_reg /bell@1', 'label_is_string /bell@1:label']);
  });

  it('leave out what has no meaning once another has failed', () => {
    assert.deepEqual(failuresOf('#address-cells = <1 2>; a@1 { reg = <1>; };'), ['address_cells_is_cell /:#address-cells']);
  });

  it('take any blob without throwing', () => {
    const { bytes } = compileDts('/dts-v1/; / { #address-cells = <1>; i2c { a@1 { reg = <1>; }; }; pci { device_type = "pci"; ranges; a@1 { reg = <1 2 3>; }; }; port { endpoint { remote-endpoint = <1>; }; }; a { clocks = <1 2>; interrupts = <1>; x-gpios = <3>; }; };');
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 6 }), (damage) => {
      const copy = bytes.slice();
      for (const [at, value] of damage) copy[at] = value;
      const decoded = decodeDtb(copy);
      if (decoded.ok) checkTree(decoded.value.tree, Object.fromEntries(CHECK_NAMES.map((name) => [name, 'warning'])));
    }), { numRuns: 400 });
  });
});

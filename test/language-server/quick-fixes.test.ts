/** Quick fixes and rewrites over the protocol: what is offered where, and the text afterwards. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withClient } from './client';

interface Position { readonly line: number; readonly character: number }
interface Action { readonly title: string; readonly kind: string; readonly edit: { readonly changes: Readonly<Record<string, readonly { readonly range: { readonly start: Position; readonly end: Position }; readonly newText: string }[]>> }; readonly diagnostics?: readonly { readonly code: string }[] }

function edited(text: string, edits: Action['edit']['changes'][string]): string {
  const lines = text.split('\n');
  const offset = ({ line, character }: Position): number => lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0) + character;
  return [...edits].sort((a, b) => offset(b.range.start) - offset(a.range.start)).reduce((result, { range, newText }) => result.slice(0, offset(range.start)) + newText + result.slice(offset(range.end)), text);
}

const NONE: Readonly<Record<string, string>> = {};

/** What is offered on a line: titles with the text that they lead to. */
async function offered(text: string, line: number, files = NONE): Promise<readonly (readonly [title: string, after: string])[]> {
  const found: (readonly [string, string])[] = [];
  await withClient({ 'a.dts': text, ...files }, async (client) => {
    await client.open('a.dts', text);
    const at = { line, character: text.split('\n')[line]?.length ?? 0 };
    const actions = await client.ask('codeAction', 'a.dts', undefined, { range: { start: at, end: at }, context: { diagnostics: [] } }) as Action[];
    for (const { title, edit } of actions) found.push([title, edited(text, edit.changes[client.uri('a.dts')] ?? [])]);
  });
  return found;
}

/** One fix must be among those offered on a line, and lead to a text. */
async function checkFix(text: string, line: number, title: string, after: string): Promise<void> {
  const all = await offered(text, line);
  const fix = all.find(([one]) => one === title);
  assert.ok(fix, `${title} is among ${all.map(([one]) => one).join('; ') || 'nothing'}`);
  assert.equal(fix[1], after);
}

const tree = (body: string): string => `/dts-v1/;\n\n/ {\n\t#address-cells = <2>;\n\t#size-cells = <2>;\n\n${body}};\n`;
const vm = (vdevice: string): string => tree(`\tgunyah-vm-config {\n\t\timage-name = "vm";\n\n\t\tvdevices {\n${vdevice}\t\t};\n\t};\n`);

void describe('quick fixes of syntax and names', () => {
  void it('add a semicolon where it is missing', () => checkFix(tree('\ta = <1>\n\tb = <2>;\n'), 6, 'Add the missing ;', tree('\ta = <1>;\n\tb = <2>;\n')));

  void it('move a property above the child nodes', () => checkFix(tree('\ta = <1>;\n\n\tn {\n\t};\n\n\tb = <2>;\n'), 11, 'Move above the child nodes', tree('\ta = <1>;\n\tb = <2>;\n\n\tn {\n\t};\n\n')));

  void it('leave one empty line where a property stood between two', () => checkFix(tree('\ta = <1>;\n\n\tn {\n\t};\n\n\tb;\n\n\tm {\n\t};\n'), 11, 'Move above the child nodes', tree('\ta = <1>;\n\tb;\n\n\tn {\n\t};\n\n\tm {\n\t};\n')));

  void it('change a label to a similar one, or give it to the node that is meant', async () => {
    const text = tree('\tuart0: serial {\n\t};\n\n\tchosen {\n\t\tone = <&uart1>;\n\t\ttwo = <&serial>;\n\t};\n');
    await checkFix(text, 10, 'Change to &uart0', text.replace('&uart1', '&uart0'));
    await checkFix(text, 11, 'Label /serial as serial', text.replace('uart0: serial', 'uart0: serial: serial'));
  });

  void it('remove a version that comes too late', () => checkFix(`${tree('')}/dts-v1/;\n/ { };\n`, 7, 'Remove this /dts-v1/;', `${tree('')}/ { };\n`));

  void it('write cells as the parent counts them, and unit addresses as reg says', async () => {
    await checkFix(tree('\ta@1000 {\n\t\treg = <0x1000 0x100>;\n\t};\n'), 7, 'Write each entry with 4 cells', tree('\ta@1000 {\n\t\treg = <0x0 0x1000 0x0 0x100>;\n\t};\n'));
    await checkFix(tree('\ta {\n\t\treg = <0x0 0x1000 0x0 0x100>;\n\t};\n'), 6, 'Rename to a@1000', tree('\ta@1000 {\n\t\treg = <0x0 0x1000 0x0 0x100>;\n\t};\n'));
    await checkFix(tree('\ta@1 {\n\t};\n'), 6, 'Rename to a', tree('\ta {\n\t};\n'));
  });
});

void describe('quick fixes of what bindings and RM object to', () => {
  const doorbell = (more: string): string => vm(`\t\t\tbell {\n\t\t\t\tvdevice-type = "doorbell";\n${more}\t\t\t};\n`);

  void it('add one of the properties of which one is needed', async () => {
    await checkFix(doorbell(''), 10, 'Add peer-default', doorbell('\t\t\t\tpeer-default;\n'));
    await checkFix(doorbell(''), 10, 'Add peer = "vm-name:"', doorbell('\t\t\t\tpeer = "vm-name:";\n'));
  });

  void it('choose a direction of a queue, and the order of RM for a VM', async () => {
    const queue = (more: string): string => vm(`\t\t\tq {\n\t\t\t\tvdevice-type = "message-queue";\n\t\t\t\tpeer-default;\n${more}\t\t\t};\n`);
    await checkFix(queue(''), 10, 'Add is-sender', queue('\t\t\t\tis-sender;\n'));
    const memory = (value: string): string => tree(`\tgunyah-vm-config {\n\t\t#address-cells = <2>;\n\t\timage-name = "vm";\n\n\t\tmemory {\n\t\t\tbase-address = ${value};\n\t\t};\n\t};\n`);
    await checkFix(memory('<0x0 0x80001000>'), 11, 'Set base-address = <0x0 0x80200000>', memory('<0x0 0x80200000>'));
  });

  void it('remove a property that a binding does not know', async () => {
    const text = tree('\thypervisor {\n\t\tcompatible = "gunyah-hypervisor";\n\t\t#address-cells = <2>;\n\t\t#size-cells = <0>;\n\t\tother;\n\t};\n');
    await checkFix(text, 10, 'Remove other', text.replace('\t\tother;\n', ''));
  });

  void it('offer nothing where nothing is wrong', async () => {
    assert.deepEqual(await offered(tree('\ta = <1>;\n'), 6), []);
  });
});

void describe('rewrites', () => {
  void it('sort properties as Linux does, unless comments stand among them', async () => {
    const before = '\tn@0 {\n\t\tstatus = "okay";\n\t\tvendor,x;\n\t\treg = <0 0 0 1>;\n\t\tclocks = <0>;\n\t\tcompatible = "a";\n\t};\n';
    const after = '\tn@0 {\n\t\tcompatible = "a";\n\t\treg = <0 0 0 1>;\n\t\tclocks = <0>;\n\t\tvendor,x;\n\t\tstatus = "okay";\n\t};\n';
    await checkFix(tree(before), 7, 'Sort properties as Linux does', tree(after));
    assert.ok(!(await offered(tree(before.replace('vendor,x;', 'vendor,x; /* why */')), 7)).some(([title]) => title.startsWith('Sort')));
  });

  void it('convert the hypervisor node to another dialect and back', async () => {
    const upstream = tree('\thypervisor {\n\t\tcompatible = "gunyah-hypervisor";\n\n\t\tgunyah-resource-mgr@0 {\n\t\t\tcompatible = "gunyah-resource-manager";\n\t\t};\n\t};\n');
    const vendors = tree('\thypervisor {\n\t\tcompatible = "qcom,gunyah-hypervisor-1.0", "qcom,gunyah-hypervisor", "simple-bus";\n\n\t\tqcom,resource-manager-rpc@0 {\n\t\t\tcompatible = "qcom,resource-manager-1-0", "qcom,resource-manager";\n\t\t};\n\t};\n');
    await checkFix(upstream, 7, 'Convert to the form of Android’s vendors', vendors);
    await checkFix(vendors, 7, 'Convert to the form of Linux’s binding', upstream);
  });
});

const FOO = `$id: http://devicetree.org/schemas/test/foo.yaml#
title: foo
properties:
  compatible: { const: "acme,foo" }
  reg: { items: [ { description: registers }, { description: memory } ] }
  interrupts: { minItems: 2, maxItems: 3 }
  clocks: { items: [ { description: core }, { description: bus } ] }
  clock-names: { items: [ { const: core }, { const: bus } ] }
  acme,mode: { $ref: /schemas/types.yaml#/definitions/uint32, enum: [ 2, 5 ] }
  acme,list: { $ref: /schemas/types.yaml#/definitions/uint32-array, minItems: 3, maxItems: 3, items: { minimum: 7 } }
  acme,byte: { $ref: /schemas/types.yaml#/definitions/uint8 }
  acme,wide: { $ref: /schemas/types.yaml#/definitions/uint64 }
  acme,rows: { $ref: /schemas/types.yaml#/definitions/uint32-matrix, minItems: 2, items: { items: [ { description: x }, { minimum: 3 } ] } }
  acme,side: { $ref: /schemas/types.yaml#/definitions/string, enum: [ left, right ] }
  acme,flag: { type: boolean }
  acme,other: { $ref: /schemas/types.yaml#/definitions/phandle-array, items: [ { items: [ { description: node }, { description: offset } ] } ] }
  vdd-supply: true
  reset-gpios: { maxItems: 1 }
  port: { type: object }
required: [ compatible, reg, interrupts, clocks, clock-names, "acme,mode", "acme,list", "acme,byte", "acme,wide", "acme,rows", "acme,side", "acme,flag", "acme,other", vdd-supply, reset-gpios, port ]
additionalProperties: false
`;
const GIC_NAMES = '#define GIC_SPI 0\n#define IRQ_TYPE_LEVEL_HIGH 4\n';

/** What "Add …" adds to a node of that binding, by name. */
async function additions(text: string, file = 'a.dts'): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  await withClient({ [file]: text, 'bindings/foo.yaml': FOO }, async (client) => {
    await client.open(file, text);
    const line = text.split('\n').findIndex((one) => one.includes('acme,foo')) - 1;
    const at = { line, character: text.split('\n')[line]?.length ?? 0 };
    const actions = await client.ask('codeAction', file, undefined, { range: { start: at, end: at }, context: { diagnostics: [] } }) as Action[];
    for (const { title, edit } of actions) found.set(title.replace(/^Add (?:the node )?/, ''), Object.values(edit.changes).flat().map(({ newText }) => newText.trim().replace(/\s+/g, ' ')).join());
  }, { settings: { bindings: ['bindings'] } });
  return found;
}

void describe('quick fixes that add what is missing', () => {
  const board = (gic: string, names: string): string => `/dts-v1/;\n${names}/ {\n\t#address-cells = <2>;\n\t#size-cells = <2>;\n\tinterrupt-parent = <&gic>;\n\n\tgic: gic@1000 {\n\t\treg = <0 0x1000 0 0x1000>;\n\t\t${gic}\n\t\tinterrupt-controller;\n\t\t#address-cells = <0>;\n\t};\n\n\tclk: clock {\n\t\t#clock-cells = <1>;\n\t};\n\n\tpins: gpio {\n\t\tgpio-controller;\n\t\t#gpio-cells = <2>;\n\t};\n\n\tvdd: regulator {\n\t\tregulator-name = "vdd";\n\t};\n\n\tfoo@123450000 {\n\t\tcompatible = "acme,foo";\n\t};\n};\n`;
  const GIC = 'compatible = "arm,gic-v3"; #interrupt-cells = <3>;';

  void it('write it in the shape that binding, parent and providers ask for', async () => {
    const found = await additions(board(GIC, GIC_NAMES));
    const wanted = {
      'reg': '<0x1 0x23450000 0x0 0x1000>, <0x0 0x0 0x0 0x1000>', 'interrupts': '<GIC_SPI 0 IRQ_TYPE_LEVEL_HIGH>, <GIC_SPI 0 IRQ_TYPE_LEVEL_HIGH>',
      'interrupts-extended': '<&gic GIC_SPI 0 IRQ_TYPE_LEVEL_HIGH>, <&gic GIC_SPI 0 IRQ_TYPE_LEVEL_HIGH>', 'clocks': '<&clk 0>, <&clk 0>', 'clock-names': '"core", "bus"', 'acme,mode': '<2>',
      'acme,list': '<7 7 7>', 'acme,byte': '/bits/ 8 <0>', 'acme,wide': '/bits/ 64 <0>', 'acme,rows': '<0 3>, <0 3>', 'acme,side': '"left"', 'acme,other': '<0 0>', 'vdd-supply': '<&vdd>', 'reset-gpios': '<&pins 0 0>',
    };
    for (const [name, value] of Object.entries(wanted)) assert.equal(found.get(name), `${name} = ${value};`);
    assert.equal(found.get('acme,flag'), 'acme,flag;');
    assert.equal(found.get('port'), 'port { };');
    assert.match(found.get('all 13 that are missing') ?? '', /^reg = .* acme,mode = <2>; .* acme,flag; /);
  });

  void it('write numbers where the tree has no names for them, as many as the controller takes', async () => {
    for (const [gic, one] of [[GIC, '<0 0 4>'], ['compatible = "a,gpio"; #interrupt-cells = <2>;', '<0 4>'], ['compatible = "arm,v7m-nvic"; #interrupt-cells = <2>;', '<0 0>'], ['#interrupt-cells = <1>;', '<0>']] as const) {
      assert.equal((await additions(board(gic, ''))).get('interrupts'), `interrupts = ${one}, ${one};`);
    }
  });

  void it('know the base of an overlay only if there is one', async () => {
    const found = await additions('/dts-v1/;\n/plugin/;\n\n&i2c {\n\tfoo@76 {\n\t\tcompatible = "acme,foo";\n\t};\n};\n', 'a.dtso');
    assert.equal(found.get('reg'), 'reg = <0x76>, <0x0>;');
    assert.equal(found.get('acme,mode'), 'acme,mode = <2>;');
  });
});

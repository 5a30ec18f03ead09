/** Broken trees of many kinds, as people break them: what is said, at which token, and what the text is after the first fix of a title. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LanguageClient } from './client';

interface Position { readonly line: number; readonly character: number }
interface Edit { readonly range: { readonly start: Position; readonly end: Position }; readonly newText: string }
interface Action { readonly title: string; readonly edit: { readonly changes: Readonly<Record<string, readonly Edit[]>> } }

function applied(text: string, edits: readonly Edit[]): string {
  const lines = text.split('\n');
  const offset = ({ line, character }: Position): number => lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0) + character;
  return [...edits].sort((a, b) => offset(b.range.start) - offset(a.range.start)).reduce((result, { range, newText }) => result.slice(0, offset(range.start)) + newText + result.slice(offset(range.end)), text);
}

interface Case {
  /** The first file is open. */
  readonly files: Readonly<Record<string, string>>;
  /** `token: message`, among the problems of the first file. */
  readonly says: readonly [token: string, message: RegExp];
  /** A fix offered there. Without it, only the message counts. */
  readonly fix?: string;
  /** What must be in the file of that name afterwards. */
  readonly gives?: readonly [file: string, text: string];
  /** Problems that the fix leaves; none if absent. */
  readonly leaves?: readonly RegExp[];
}

/** The problems of a file; their messages are plain text. */
function told(client: LanguageClient, name: string) {
  return (client.published.get(name)?.diagnostics ?? []).map((one) => ({ ...one, message: typeof one.message === 'string' ? one.message : '' }));
}

/** The problem is told at its token; the fix mends it, and what it makes has no such problem. */
async function checkCase({ files, says: [token, message], fix, gives, leaves = [] }: Case): Promise<void> {
  const client = new LanguageClient(files);
  try {
    const [name = '', text = ''] = Object.entries(files)[0] ?? [];
    await client.initialize();
    await client.open(name, text);
    await client.diagnostics(name);
    const all = told(client, name);
    const problem = all.find((one) => message.test(one.message));
    assert.ok(problem, `${String(message)} is among\n${all.map((one) => one.message).join('\n')}`);
    const line = text.split('\n')[problem.range.start.line] ?? '';
    assert.equal(line.slice(problem.range.start.character, problem.range.end.character), token, problem.message);
    if (fix === undefined) return;
    const actions = await client.ask('codeAction', name, undefined, { range: problem.range, context: { diagnostics: [problem] } }) as readonly Action[];
    const chosen = actions.find(({ title }) => title === fix);
    assert.ok(chosen, `${fix} is among\n${actions.map(({ title }) => title).join('\n')}`);
    const after = { ...files };
    for (const [uri, edits] of Object.entries(chosen.edit.changes)) after[client.nameOf(uri)] = applied(after[client.nameOf(uri)] ?? '', edits);
    if (gives !== undefined) assert.ok(after[gives[0]]?.includes(gives[1]), `${gives[0]} has ${gives[1]}:\n${after[gives[0]] ?? ''}`);
    await checkMended(after, name, leaves);
  } finally {
    client.stop();
  }
}

async function checkMended(files: Readonly<Record<string, string>>, name: string, leaves: readonly RegExp[]): Promise<void> {
  const client = new LanguageClient(files);
  try {
    await client.initialize();
    await client.open(name, files[name] ?? '');
    await client.diagnostics(name);
    const left = told(client, name).filter((one) => !leaves.some((pattern) => pattern.test(one.message)));
    assert.deepEqual(left.map((one) => one.message), []);
  } finally {
    client.stop();
  }
}

const tree = (body: string): Readonly<Record<string, string>> => ({ 'a.dts': `/dts-v1/;\n\n/ {\n\t#address-cells = <1>;\n\t#size-cells = <1>;\n\n${body}};\n` });

/** A VM that RM starts, with something more in its configuration and something beside it. */
const vm = ({ vcpus = '', vdevices = '', memory = '', beside = '' }: { readonly vcpus?: string; readonly vdevices?: string; readonly memory?: string; readonly beside?: string }): Readonly<Record<string, string>> => ({ 'vm.dts': `/dts-v1/;

/ {
	#address-cells = <2>;
	#size-cells = <2>;
	interrupt-parent = <&gic>;

	cpus {
		#address-cells = <1>;
		#size-cells = <0>;

		cpu@0 {
			device_type = "cpu";
			compatible = "arm,cortex-a57";
			reg = <0>;
			enable-method = "psci";
			cpu-idle-states = <&sleep>;
		};

		idle-states {
			entry-method = "psci";

			sleep: cpu-sleep {
				compatible = "arm,idle-state";
				arm,psci-suspend-param = <0x10000>;
				entry-latency-us = <100>;
				exit-latency-us = <100>;
				min-residency-us = <1000>;
			};
		};
	};

	gic: interrupt-controller@8000000 {
		compatible = "arm,gic-v3";
		#address-cells = <0>;
		#interrupt-cells = <3>;
		interrupt-controller;
		reg = <0x0 0x08000000 0x0 0x10000>, <0x0 0x080a0000 0x0 0x20000>;
	};
${beside}
	gunyah-vm-config {
		#address-cells = <2>;
		#size-cells = <2>;
		image-name = "vm";

		memory {
			${memory || 'base-address = <0x0 0x80000000>;'}
			size-max = <0x08000000>;
		};

		interrupts {
			config = "/interrupt-controller@8000000";
		};

		vcpus {
			config = "/cpus";
${vcpus || '\t\t\taffinity = "static";\n\t\t\taffinity-map = <0>;\n\t\t\tsched-priority = <(-1)>;\n'}		};

		vdevices {
			rm-rpc {
				vdevice-type = "rm-rpc";
				generate = "/hypervisor/rm-rpc";
			};
${vdevices}		};
	};
};
` });

const vdevice = (lines: string): Readonly<Record<string, string>> => vm({ vdevices: `\n\t\t\tone {\n${lines.split('\n').map((line) => `\t\t\t\t${line}\n`).join('')}\t\t\t};\n` });

const CASES: Readonly<Record<string, Case>> = {
  'an = that is missing': { files: tree('\tmodel "x";\n'), says: ['', /A = is missing/], fix: 'Add the missing =', gives: ['a.dts', 'model = "x";'] },
  'a , that is missing': { files: tree('\tcompatible = "a" "b";\n'), says: ['', /A , is missing/], fix: 'Add the missing ,', gives: ['a.dts', '"a", "b"'] },
  'a label twice': { files: tree('\tl: one {\n\t};\n\n\tl: two {\n\t};\n'), says: ['l:', /already used for \/one/], fix: 'Remove the label l:', gives: ['a.dts', '\ttwo {'] },
  'a label that an included node lacks': {
    files: { 'a.dts': '/dts-v1/;\n#include "soc.dtsi"\n/ {\n\tchosen {\n\t\tconsole = <&uart>;\n\t};\n};\n', 'soc.dtsi': '/ {\n\tuart {\n\t};\n};\n' },
    says: ['&uart', /finds no node/], fix: 'Label /uart as uart in soc.dtsi', gives: ['soc.dtsi', '\tuart: uart {'],
  },
  'a misspelt label inside a macro': {
    files: { 'a.dts': '/dts-v1/;\n#define CONSOLE &uart1\n/ {\n\tuart0: uart {\n\t};\n\n\tchosen {\n\t\tconsole = <CONSOLE>;\n\t};\n};\n' },
    says: ['CONSOLE', /finds no node/], fix: 'Change to &uart0', gives: ['a.dts', '#define CONSOLE &uart0\n'],
  },
  'a label of the base that an overlay misspells': {
    files: { 'o.dtso': '// dts-context: base.dts\n/dts-v1/;\n/plugin/;\n\n&uart1 {\n\tstatus = "okay";\n};\n', 'base.dts': '/dts-v1/;\n/ {\n\tuart0: uart {\n\t};\n};\n' },
    says: ['&uart1', /no symbol uart1/], fix: 'Change to &uart0', gives: ['o.dtso', '&uart0 {'],
  },
  'a base that is not there': { files: { 'o.dtso': '// dts-context: bass.dts\n/dts-v1/;\n/plugin/;\n\n&uart {\n\tstatus = "okay";\n};\n' }, says: ['bass.dts', /The base bass\.dts is not found/] },
  'ranges that are too narrow': {
    files: { 'a.dts': '/dts-v1/;\n\n/ {\n\t#address-cells = <2>;\n\t#size-cells = <2>;\n\n\tsoc@0 {\n\t\t#address-cells = <1>;\n\t\t#size-cells = <1>;\n\t\tranges = <0x0 0x10000000 0x1000>;\n\t};\n};\n' },
    says: ['ranges', /ranges has 3 cells; each entry has 1 own address cell, 2 parent address cells and 1 size cell/], fix: 'Write each entry with 4 cells', gives: ['a.dts', 'ranges = <0x0 0x0 0x10000000 0x1000>;'],
  },
  'an interrupt with too few cells': {
    files: tree('\tinterrupt-parent = <&pic>;\n\n\tpic: pic {\n\t\tinterrupt-controller;\n\t\t#interrupt-cells = <3>;\n\t\t#address-cells = <0>;\n\t};\n\n\tdev {\n\t\tinterrupts = <0 4>;\n\t};\n'),
    says: ['interrupts', /interrupts has 2 cells, but \/pic takes 3 for each/], fix: 'Fill up with 0 to 3 cells for each interrupt', gives: ['a.dts', 'interrupts = <0 4 0>;'],
  },
  'a reference with too few arguments': {
    files: tree('\tone: one {\n\t\t#clock-cells = <0>;\n\t};\n\n\ttwo: two {\n\t\t#clock-cells = <2>;\n\t};\n\n\tdev {\n\t\tclocks = <&one>, <&two 1>;\n\t};\n'),
    says: ['&two', /takes 2 cells behind the reference, but 1 is there/], fix: 'Fill up with 0 to the 2 cells that &two takes', gives: ['a.dts', 'clocks = <&one>, <&two 1 0>;'],
  },
  'a clock of something that is none': { files: tree('\tone: one {\n\t};\n\n\tdev {\n\t\tclocks = <&one 1>;\n\t};\n'), says: ['&one', /\/one has no #clock-cells/] },
  'cells that the bus does not state': {
    files: { 'a.dts': '/dts-v1/;\n\n/ {\n\tbus {\n\t\tdev@1 {\n\t\t\treg = <0 1 1>;\n\t\t};\n\t};\n};\n' },
    says: ['dev@1', /does not state #address-cells/], fix: 'State #address-cells = <2> and #size-cells = <1> in /bus', gives: ['a.dts', '\tbus {\n\t\t#address-cells = <2>;\n\t\t#size-cells = <1>;'],
  },
  'a required property with one right value': {
    files: { 'a.dts': `/dts-v1/;\n\n/ {\n\t#address-cells = <2>;\n\t#size-cells = <2>;\n\n\thypervisor {\n\t\tcompatible = "gunyah-hypervisor";\n\t\t#size-cells = <0>;\n\t};\n};\n` },
    says: ['hypervisor', /The property #address-cells is required/], fix: 'Add #address-cells', gives: ['a.dts', '#address-cells = <2>;\n\t};'], leaves: [/./],
  },
  'a value with one right form': {
    files: { 'a.dts': '/dts-v1/;\n\n/ {\n\t#address-cells = <2>;\n\t#size-cells = <2>;\n\n\thypervisor {\n\t\tcompatible = "gunyah-hypervisor";\n\t\t#address-cells = <1>;\n\t\t#size-cells = <0>;\n\t};\n};\n' },
    says: ['1', /#address-cells should be 2, not 1/], fix: 'Change to 2', gives: ['a.dts', '\t\t#address-cells = <2>;'], leaves: [/./],
  },
  'one capability id of two': {
    files: { 'a.dts': '/dts-v1/;\n\n/ {\n\t#address-cells = <2>;\n\t#size-cells = <2>;\n\n\thypervisor {\n\t\tcompatible = "gunyah-hypervisor";\n\t\t#address-cells = <2>;\n\t\t#size-cells = <0>;\n\n\t\tgunyah-resource-mgr@0 {\n\t\t\tcompatible = "gunyah-resource-manager";\n\t\t\treg = <0 0>;\n\t\t};\n\t};\n};\n' },
    says: ['reg', /needs at least 2: receive capability id/],
  },
  'a misspelt vdevice-type': {
    files: vdevice('vdevice-type = "dorbell";\npeer-default;'), says: ['"dorbell"', /means nothing to RM/], fix: 'Change to "doorbell"',
  },
  'an affinity that nobody knows': {
    files: vm({ vcpus: '\t\t\taffinity = "sticki";\n\t\t\taffinity-map = <0>;\n\t\t\tsched-priority = <(-1)>;\n' }), says: ['"sticki"', /affinity "sticki" is not known/], fix: 'Change to "sticky"',
  },
  'one CPU too many in the map': {
    files: vm({ vcpus: '\t\t\taffinity = "static";\n\t\t\taffinity-map = <0 1>;\n\t\t\tsched-priority = <(-1)>;\n' }), says: ['affinity-map', /one CPU for each of the 1 vCPUs; it has 2/], fix: 'Set affinity-map = <0>',
  },
  'an address of one cell': { files: vm({ memory: 'base-address = <0x80000000>;' }), says: ['0x80000000', /base-address must be two cells/], fix: 'Set base-address = <0x0 0x80000000>' },
  'a queue that only the owner may fill': { files: vdevice('vdevice-type = "message-queue";\nis-sender;'), says: ['one', /needs peer-default: only the owner/], fix: 'Add peer-default' },
  'a peer without its kind': { files: vdevice('vdevice-type = "doorbell";\npeer = "primary";'), says: ['"primary"', /names nobody/], fix: 'Change to "vm-name:primary"' },
  'a path that is not full': { files: vdevice('vdevice-type = "doorbell";\npeer-default;\ngenerate = "hypervisor/one";'), says: ['"hypervisor/one"', /must be a full path/], fix: 'Change to "/hypervisor/one"' },
  'a message that is too long': { files: vdevice('vdevice-type = "message-queue-pair";\npeer-default;\nmessage-size = <4096>;'), says: ['4096', /message-size must be 1 to 1023/], fix: 'Set message-size = <1023>' },
  'shared memory without memory': { files: vdevice('vdevice-type = "shm";\nlabel = <3>;\npeer-default;'), says: ['one', /needs exactly one child node, named memory/], fix: 'Add the node memory', gives: ['vm.dts', '\t\t\t\tmemory {\n\t\t\t\t\tlabel = <0x3>;\n\t\t\t\t\tallocate-base;\n\t\t\t\t};\n\t\t\t};'] },
  'memory both placed and not': {
    files: vdevice('vdevice-type = "shm";\npeer-default;\n\nmemory {\n\tlabel = <3>;\n\tbase = <0x0 0x10000>;\n\tallocate-base;\n};'), says: ['base', /has both base and allocate-base/], fix: 'Remove allocate-base', leaves: [/must be one cell|base must be/],
  },
  'a consumer without its vdevice': {
    files: vm({ beside: '\n\tmem-buf {\n\t\tcompatible = "qcom,mem-buf";\n\t\tmsgq-label = <5>;\n\t};\n' }),
    says: ['5', /has no message queue with this label/], fix: 'Add a vdevice message-queue-pair with label 0x5 to the VM configuration', gives: ['vm.dts', '\t\t\tmessage-queue-pair-5 {\n\t\t\t\tvdevice-type = "message-queue-pair";'],
  },
  'a consumer with the wrong label': {
    files: vm({ vdevices: '\n\t\t\tqueues {\n\t\t\t\tvdevice-type = "message-queue-pair";\n\t\t\t\tlabel = <7>;\n\t\t\t\tpeer-default;\n\t\t\t};\n', beside: '\n\tmem-buf {\n\t\tcompatible = "qcom,mem-buf";\n\t\tmsgq-label = <5>;\n\t};\n' }),
    says: ['5', /has no message queue with this label/], fix: 'Set msgq-label = <0x7>',
  },
  'a hypervisor node of one’s own': { files: vm({ beside: '\n\thypervisor {\n\t\tcompatible = "x,y";\n\t};\n' }), says: ['hypervisor', /RM adds that node itself/], fix: 'Remove this node' },
  'properties below child nodes': { files: tree('\tone {\n\t};\n\n\tmodel = "x";\n'), says: ['model', /follows a child node/], fix: 'Move above the child nodes' },
};

describe('a broken tree is told of at the guilty token, and mended by a fix:', () => {
  for (const [name, one] of Object.entries(CASES)) it(name, () => checkCase(one));
});

describe('one mistake', () => {
  it('is told once, whoever objects to it', async () => {
    const files = vdevice('vdevice-type = "doorbell";\npeer = "primary";\nlabel = <1 2>;');
    const client = new LanguageClient(files);
    try {
      await client.initialize();
      await client.open('vm.dts', files['vm.dts'] ?? '');
      await client.diagnostics('vm.dts');
      const all = told(client, 'vm.dts');
      assert.deepEqual(all.map(({ code, severity, codeDescription }) => [code, severity, /doorbell\.yaml$/.test(codeDescription?.href ?? '')]), [['vm-config-ignored-value', 2, true], ['vm-config-peer-form', 2, true]], 'RM passes over both');
    } finally {
      client.stop();
    }
  });
});

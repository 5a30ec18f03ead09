/**
 * A ring of VMs with eight CPUs each that hand messages on (`test/simulation/guests/ring.c`), as a system description: the queues are made by RM from
 * the VMs' configurations, as for any user.
 */

import { resolveSystem } from '../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../debug-adapter/node-host';
import { ok, type SystemDescription } from '../../runtime/index';
import { guestElfs } from '../support/guest-build';

/** CPUs of each VM, and of the platform. */
export const RING_CPUS = 8;

const QUEUE_DEPTH = 32;
/** Messages for each VM in each lane of a full ring. Half of what queues hold: a CPU that looks finds work, and a queue that it sends to is seldom full. */
const FULL_LOAD = QUEUE_DEPTH / 2;

/** A ring: how many VMs (2 to 16), and whether one message goes round in each lane or sixteen for each VM. */
export interface Ring { readonly count: number; readonly load: 'light' | 'full' }

const argumentsOf = (index: number, { count, load }: Ring): string => `${String(index)} ${String(count)} ${String(load === 'full' ? FULL_LOAD : 0)}`;
const nameOf = (index: number): string => `ring-${String(index).padStart(2, '0')}`;
const many = (make: (n: number) => string): string => Array.from({ length: RING_CPUS }, (_, n) => make(n)).join('\n');

/** One end of every lane. A pair of queues, since only those may join two secondary VMs; the ring uses one direction. */
function vdevice(name: string, sender: number, peer: string): string {
  return many((lane) => `${name}-${String(lane)} { vdevice-type = "message-queue-pair"; generate = "/hypervisor/${name}-${String(lane)}"; label = <${String(sender * RING_CPUS + lane)}>; ${peer}; message-size = <32>; queue-depth = <${String(QUEUE_DEPTH)}>; };`);
}

/** The tree of a secondary VM, with what RM shall make for it. */
function treeOf(index: number, { count, load }: Ring): string {
  const peer = (other: number): string => (other === 0 ? 'peer-default' : `peer = "vm-name:${nameOf(other)}"`);
  return `/dts-v1/;
/ {
	#address-cells = <2>; #size-cells = <2>; compatible = "linux,dummy-virt"; model = "ring"; interrupt-parent = <&intc>;
	chosen { bootargs = "${argumentsOf(index, { count, load })}"; stdout-path = "/pl011@9000000"; };
	cpus { #address-cells = <1>; #size-cells = <0>; ${many((n) => `cpu@${String(n)} { device_type = "cpu"; compatible = "arm,cortex-a57"; reg = <${String(n)}>; enable-method = "psci"; cpu-idle-states = <&sleep>; };`)}
		idle-states { entry-method = "psci"; sleep: cpu-sleep { compatible = "arm,idle-state"; arm,psci-suspend-param = <0x10000>; entry-latency-us = <100>; exit-latency-us = <100>; min-residency-us = <1000>; }; }; };
	psci { compatible = "arm,psci-1.0", "arm,psci-0.2"; method = "hvc"; };
	timer { compatible = "arm,armv8-timer"; interrupts = <1 13 4>, <1 14 4>, <1 11 4>, <1 10 4>; always-on; };
	intc: interrupt-controller@8000000 { compatible = "arm,gic-v3"; #interrupt-cells = <3>; interrupt-controller; reg = <0x0 0x08000000 0x0 0x10000>, <0x0 0x080a0000 0x0 0x100000>; };
	uart_clock: uart-clock { compatible = "fixed-clock"; #clock-cells = <0>; clock-frequency = <24000000>; };
	pl011@9000000 { compatible = "arm,pl011", "arm,primecell"; reg = <0x0 0x09000000 0x0 0x1000>; interrupts = <0 1 4>; clocks = <&uart_clock>, <&uart_clock>; clock-names = "uartclk", "apb_pclk"; };
	gunyah-vm-config {
		#address-cells = <2>; #size-cells = <2>; image-name = "${nameOf(index)}"; os-type = "bare-metal"; kernel-entry-offset = <0x0 0x1000000>;
		memory { base-address = <0x0 0x40000000>; size-max = <0x02000000>; };
		interrupts { config = "/interrupt-controller@8000000"; };
		vcpus { config = "/cpus"; affinity = "static"; affinity-map = <${Array.from({ length: RING_CPUS }, (_, n) => String(n)).join(' ')}>; };
		vdevices {
			rm-rpc { vdevice-type = "rm-rpc"; generate = "/hypervisor/rm-rpc"; };
			${vdevice('from', index - 1, peer(index - 1))}
			${vdevice('to', index, peer((index + 1) % count))}
		};
	};
};
`;
}

/** The system of a ring. */
export async function ringSystem(ring: Ring): Promise<SystemDescription> {
  const { count } = ring;
  const image = guestElfs('simulation', ['ring']).get('ring') ?? '';
  const trees = new Map(Array.from({ length: count }, (_, n): [string, string] => [`/ring/${nameOf(n)}.dts`, treeOf(n, ring)]));
  const host: typeof nodeHost = { ...nodeHost, readFile: (path) => {
    const tree = trees.get(path);
    return tree === undefined ? nodeHost.readFile(path) : Promise.resolve(ok(new TextEncoder().encode(tree)));
  } };
  const primary = { name: nameOf(0), image, vcpus: RING_CPUS, memory: { base: '0x40000000', size: '32M' }, commandLine: argumentsOf(0, ring) };
  const others = Array.from({ length: count - 1 }, (_, n) => ({ name: nameOf(n + 1), image, config: `${nameOf(n + 1)}.dts`, autostart: true }));
  const resolved = await resolveSystem(host, { platform: { cpus: RING_CPUS }, vms: [primary, ...others] }, { semihosting: false, folder: '/ring' });
  if (!resolved.ok) throw new Error(resolved.error.map(({ message }) => message).join('\n'));
  return resolved.value.description;
}

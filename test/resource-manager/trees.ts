/** Device trees of test VMs. */

/** What goes into a configuration. */
export interface TreeOptions { readonly vcpus?: string; readonly vdevices?: string; readonly name?: string; readonly extra?: string; readonly memory?: string }

/** A device tree source with a VM configuration. */
export function vmTree({ vcpus = 'affinity = "static"; affinity-map = <1>; sched-priority = <(-1)>; sched-timeslice = <5000>;', vdevices = '', name = 'sensor', extra = '', memory = '' }: TreeOptions): string {
  return `/dts-v1/;
/ {
  #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&intc>;
  chosen {};
  cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = "cpu"; reg = <0>; enable-method = "psci"; cpu-idle-states = <1>; }; };
  psci { compatible = "arm,psci-1.0"; method = "hvc"; };
  intc: interrupt-controller@8000000 {
    compatible = "arm,gic-v3"; #interrupt-cells = <3>; interrupt-controller;
    reg = <0 0x08000000 0 0x10000>, <0 0x080a0000 0 0x20000>;
  };
  gunyah-vm-config {
    #address-cells = <2>; #size-cells = <2>;
    image-name = "${name}";
    memory { ${memory} };
    interrupts { config = "/interrupt-controller@8000000"; };
    vcpus { config = "/cpus"; ${vcpus} };
    vdevices { ${vdevices} };
  };
  ${extra}
};`;
}

/** An RM channel. */
export const RPC = 'rpc { vdevice-type = "rm-rpc"; generate = "/hypervisor/rm-rpc"; };';

/** One VM with a channel to RM, a pair of queues and a doorbell. */
export const SENSOR_DTS = vmTree({
  vdevices: `${RPC}
    requests { vdevice-type = "message-queue-pair"; generate = "/hypervisor/requests"; label = <0x10>; peer-default; message-size = <128>; queue-depth = <4>; };
    bell { vdevice-type = "doorbell"; generate = "/hypervisor/bell"; label = <0x20>; peer-default; };`,
});

/** Handlers of the calls on virtio-MMIO devices. */

import { isError, type Handler, type Handlers } from './hypercall-types';
import { copyFromUser } from './user-memory';
import { VIRTIO_QUEUES_MAX, VIRTIO_TYPE_INPUT } from './virtio-mmio';

type VirtioCallName = 'virtio_mmio_configure' | 'virtio_mmio_backend_bind_virq' | 'virtio_mmio_backend_unbind_virq' | 'virtio_mmio_frontend_bind_virq'
  | 'virtio_mmio_frontend_unbind_virq' | 'virtio_mmio_backend_assert_virq' | 'virtio_mmio_backend_set_dev_features' | 'virtio_mmio_backend_set_queue_num_max'
  | 'virtio_mmio_backend_get_drv_features' | 'virtio_mmio_backend_get_queue_info' | 'virtio_mmio_backend_get_notification' | 'virtio_mmio_backend_acknowledge_reset'
  | 'virtio_mmio_backend_update_status' | 'virtio_input_configure' | 'virtio_input_set_data';

const OPTION_VALID_DEVICE_TYPE = 1n << 6n;

const configure: Handler<'virtio_mmio_configure'> = ({ vqs_num, flags, device_type }, { virtio_mmio: device, memextent }, { kernel }) => {
  if (memextent.kind !== 'basic' || memextent.pageCount !== 1 || vqs_num > VIRTIO_QUEUES_MAX) return 'ARGUMENT_INVALID';
  const hasType = (flags & OPTION_VALID_DEVICE_TYPE) !== 0n;
  if (hasType && device_type !== VIRTIO_TYPE_INPUT) return 'ARGUMENT_INVALID';
  const old = device.extent;
  memextent.header.get();
  device.configure(memextent, vqs_num, hasType ? device_type : 0);
  if (old !== undefined) kernel.put(old);
  return 'OK';
};

const queueInfo: Handler<'virtio_mmio_backend_get_queue_info'> = ({ sel }, { virtio_mmio }) => {
  const queue = virtio_mmio.queueInfo(sel);
  if (queue === undefined) return 'ARGUMENT_INVALID';
  return { queue_num: queue.size, queue_ready: queue.ready, queue_desc: queue.descriptors, queue_drv: queue.driver, queue_dev: queue.device };
};

const driverFeatures: Handler<'virtio_mmio_backend_get_drv_features'> = ({ sel }, { virtio_mmio }) => {
  const features = virtio_mmio.acceptedFeatures(sel);
  return features === undefined ? 'ARGUMENT_INVALID' : { drv_feat: features };
};

const setData: Handler<'virtio_input_set_data'> = ({ sel, subsel, size, data }, { virtio_mmio }, { kernel, caller }) => {
  if (virtio_mmio.deviceType !== VIRTIO_TYPE_INPUT) return 'CSPACE_WRONG_OBJECT_TYPE';
  const error = virtio_mmio.input.checkItem(sel, subsel, size);
  if (error !== 'OK') return error;
  const bytes = copyFromUser(kernel, caller, data, size);
  if (isError(bytes)) {
    virtio_mmio.input.forgetText(sel);
    return bytes;
  }
  virtio_mmio.input.setItem(sel, subsel, bytes);
  return 'OK';
};

function done(action: () => void): 'OK' {
  action();
  return 'OK';
}

/** Handlers of this file. */
export const VIRTIO_HANDLERS: Handlers<VirtioCallName> = {
  virtio_mmio_configure: configure,
  virtio_mmio_backend_bind_virq: ({ virq }, { virtio_mmio, vic }) => virtio_mmio.backendSource.bind(vic.vic, virq),
  virtio_mmio_backend_unbind_virq: (_args, { virtio_mmio }) => done(() => { virtio_mmio.backendSource.unbind(); }),
  virtio_mmio_frontend_bind_virq: ({ virq }, { virtio_mmio, vic }) => virtio_mmio.frontendSource.bind(vic.vic, virq),
  virtio_mmio_frontend_unbind_virq: (_args, { virtio_mmio }) => done(() => { virtio_mmio.frontendSource.unbind(); }),
  virtio_mmio_backend_assert_virq: ({ interrupt_status }, { virtio_mmio }) => virtio_mmio.assertVirq(interrupt_status),
  virtio_mmio_backend_set_dev_features: ({ sel, dev_feat }, { virtio_mmio }) => virtio_mmio.setDeviceFeatures(sel, dev_feat),
  virtio_mmio_backend_set_queue_num_max: ({ sel, queue_num_max }, { virtio_mmio }) => virtio_mmio.setQueueSizeMax(sel, queue_num_max),
  virtio_mmio_backend_get_drv_features: driverFeatures,
  virtio_mmio_backend_get_queue_info: queueInfo,
  virtio_mmio_backend_get_notification: (_args, { virtio_mmio }) => {
    const { notified, reason } = virtio_mmio.takeNotification();
    return { vqs_bitmap: notified, reason };
  },
  virtio_mmio_backend_acknowledge_reset: (_args, { virtio_mmio }) => done(() => { virtio_mmio.acknowledgeReset(); }),
  virtio_mmio_backend_update_status: ({ val }, { virtio_mmio }) => done(() => { virtio_mmio.updateStatus(val); }),
  virtio_input_configure: ({ devids, prop_bits, num_evtypes, num_absaxes }, { virtio_mmio }, { kernel }) => {
    if (virtio_mmio.deviceType !== VIRTIO_TYPE_INPUT) return 'OBJECT_CONFIG';
    return virtio_mmio.input.configure({ devids, properties: prop_bits }, num_evtypes, num_absaxes, (sizeBytes) => kernel.partition.heap.reserveBytes(sizeBytes));
  },
  virtio_input_set_data: setData,
};

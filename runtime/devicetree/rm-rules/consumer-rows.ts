/** Drivers of guests that look for a vdevice by kind and label, as a table: how their node is recognised, and which properties hold labels. */

import type { VdeviceRow } from './vdevice-rows';

/** One driver. */
export interface ConsumerRow {
  /** Compatible strings of its node. */
  readonly compatible: readonly [string, ...string[]];
  /** Properties whose cells are labels. */
  readonly labels: readonly string[];
  /** What it looks for; one of these kinds suffices. */
  readonly wants: VdeviceRow['gives'];
}

/** The table. */
export const CONSUMERS: readonly ConsumerRow[] = [
  { compatible: ['qcom,qrtr-gunyah'], labels: ['gunyah-label', 'qcom,gunyah-label'], wants: ['shared-memory'] },
  { compatible: ['qcom,dmesg-dump'], labels: ['gunyah-label'], wants: ['shared-memory'] },
  { compatible: ['qcom,gh-panic-notifier'], labels: ['gunyah-label', 'qcom,label'], wants: ['shared-memory', 'doorbell'] },
  { compatible: ['qcom,gh-dbl'], labels: ['qcom,label', 'gunyah-label'], wants: ['doorbell'] },
  { compatible: ['qcom,gh-msgq-test'], labels: ['gunyah-label', 'qcom,label'], wants: ['message-queue'] },
  { compatible: ['qcom,gunyah-vsock', 'qcom,qmsgq-gh'], labels: ['msgq-label'], wants: ['message-queue'] },
  { compatible: ['qcom,mem-buf', 'qcom,mem-buf-msgq'], labels: ['msgq-label', 'gunyah-label'], wants: ['message-queue'] },
];

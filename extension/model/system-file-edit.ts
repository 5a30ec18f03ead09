/** Puts a VM that a device tree configures into a system file's text. No editor in here. */

import { applyEdits, findNodeAtLocation, getNodeValue, modify, parseTree } from 'jsonc-parser';
import { freeName } from './device-tree-nodes';
import { isRecord } from './messages';

/** The name in a VM configuration; undefined if the text has none. */
export function configuredName(deviceTree: string): string | undefined {
  if (!/\b(?:gunyah-vm-config|qcom,vm-config)\s*\{/.test(deviceTree)) return undefined;
  return /\bimage-name\s*=\s*"([^"\n]*)"/.exec(deviceTree)?.[1] ?? '';
}

/**
 * The system file with one more VM. `config` is the device tree's path relative to the system file. The image is guessed to lie where those
 * of the other VMs do. Undefined if the text is no system file; the same text if a VM has this configuration already.
 */
export function withConfiguredVm(text: string, { name, config }: { readonly name: string; readonly config: string }): string | undefined {
  const root = parseTree(text);
  const list = root === undefined ? undefined : findNodeAtLocation(root, ['vms']);
  if (root === undefined || (list !== undefined && list.type !== 'array')) return undefined;
  const value: unknown = list === undefined ? [] : getNodeValue(list);
  const vms = (Array.isArray(value) ? value : []).filter(isRecord);
  if (vms.some((vm) => vm['config'] === config)) return text;
  const [sibling] = vms.map((vm) => vm['image']).filter((image) => typeof image === 'string');
  const folder = sibling === undefined ? 'build/' : sibling.slice(0, sibling.lastIndexOf('/') + 1);
  const vm = { name: freeName(name === '' ? 'guest' : name, vms.map((one) => one['name']).filter((one) => typeof one === 'string')), image: `${folder}${name === '' ? 'guest' : name}.elf`, config, autostart: false };
  return applyEdits(text, modify(text, ['vms', -1], vm, { isArrayInsertion: true, formattingOptions: { insertSpaces: true, tabSize: 2, eol: '\n' } }));
}

/** What the memory map's page and the extension say to each other. What the page sends is looked at before it is believed. */

import type { MemoryStateName, SharerRow, TranslationBody } from '../../../debug-adapter/protocol';
import { isRecord } from '../../model/messages';
import type { WalkSpace } from './walk-address';

/** One range of the map as the page shows it. Addresses are numbers: stage 2 has at most 48 bits. */
export interface MapRange {
  readonly ipa: number;
  readonly pa: number;
  readonly sizeBytes: number;
  readonly state: MemoryStateName;
  readonly stateText: string;
  readonly access: string;
  readonly userAccess: string;
  readonly memoryType: string;
  readonly owner: string;
  /** Extent and memory parcel by name; empty for none. */
  readonly extent: string;
  readonly memparcel: string;
  readonly others: readonly SharerRow[];
  readonly change: 'same' | 'new' | 'changed';
}

/** Physical memory that other VMs see and this one does not. */
export interface OtherRange { readonly pa: number; readonly sizeBytes: number; readonly vm: string }

/** The map of one VM, and which VMs there are. */
export interface MapState {
  readonly session: 'none' | 'running' | 'stopped';
  readonly vms: readonly { readonly vmid: number; readonly name: string }[];
  readonly vmid: number;
  readonly vm: string;
  readonly ranges: readonly MapRange[];
  readonly others: readonly OtherRange[];
  /** True if there are more ranges than the adapter lists. */
  readonly cut: boolean;
  readonly nowText: string;
}

/** What was asked and what came out. */
export interface WalkState { readonly vm: string; readonly text: string; readonly address: string; readonly space: WalkSpace; readonly body: TranslationBody }

/** From the extension to the page. */
export type ToMapPage =
  | { readonly kind: 'map'; readonly map: MapState }
  | { readonly kind: 'walk'; readonly walk: WalkState }
  | { readonly kind: 'walkProblem'; readonly text: string; readonly problem: string }
  /** Selects the range at an address and brings it into sight. */
  | { readonly kind: 'select'; readonly ipa: number }
  | { readonly kind: 'focusWalk' };

/** From the page to the extension. */
export type FromMapPage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'vm'; readonly vmid: number }
  | { readonly kind: 'walk'; readonly text: string; readonly space: WalkSpace }
  /** Opens the memory view at an address of the VM shown. */
  | { readonly kind: 'reveal'; readonly ipa: number };

const TEXT_MAX = 1000;
const isAddress = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= TEXT_MAX;

/** Reads what the page sent. Undefined if it is nothing that it may send. */
export function parseMapMessage(message: unknown): FromMapPage | undefined {
  if (!isRecord(message)) return undefined;
  const { kind, vmid, text, space, ipa } = message;
  switch (kind) {
    case 'ready': return { kind };
    case 'vm': return isAddress(vmid) ? { kind, vmid } : undefined;
    case 'walk': return isText(text) && text.trim() !== '' && (space === 'va' || space === 'ipa' || space === 'pa') ? { kind, text, space } : undefined;
    case 'reveal': return isAddress(ipa) ? { kind, ipa } : undefined;
    default: return undefined;
  }
}

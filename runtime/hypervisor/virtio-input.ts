/** The configuration of a virtio input device as a frontend selects it (Gunyah API: virtio_input_*; VIRTIO 5.8.4). */

import type { ErrorName } from './errors';

/** Select values of the configuration space. */
export const INPUT_SELECT = { name: 1, serial: 2, devids: 3, properties: 0x10, events: 0x11, axes: 0x12 } as const;
/** Sizes of tables and of one item's data. */
const EVENT_TYPES_MAX = 32;
const AXES_MAX = 64;
const DATA_SIZE_MAX = 128;
const AXIS_SIZE = 20;
/** Heap bytes of one entry of each table. */
const EVENT_BYTES = 130;
const AXIS_BYTES = 24;

interface Entry { readonly subselect: number; readonly data: Uint8Array }
interface InputTables { devids: bigint; properties: number; name: Uint8Array; serial: Uint8Array; eventLimit: number; axisLimit: number; events: readonly Entry[]; axes: readonly Entry[] }

/** Names, properties, event codes and axes of one input device. */
export class VirtioInput {
  private state: InputTables = { devids: 0n, properties: 0, name: new Uint8Array(), serial: new Uint8Array(), eventLimit: 0, axisLimit: 0, events: [], axes: [] };

  /** Heap bytes of both tables. */
  get memorySizeBytes(): number {
    return this.state.eventLimit * EVENT_BYTES + this.state.axisLimit * AXIS_BYTES;
  }

  /**
   * Gunyah API: virtio_input_configure. `pay` takes bytes of the heap. Identifiers are stored before the limits are checked, and the first
   * table stays if the second cannot be had, as in the source.
   */
  configure(ids: { readonly devids: bigint; readonly properties: number }, eventTypeCount: number, axisCount: number, pay: (sizeBytes: number) => boolean): ErrorName {
    this.state.devids = ids.devids;
    this.state.properties = ids.properties;
    if (eventTypeCount > EVENT_TYPES_MAX || axisCount > AXES_MAX) return 'ARGUMENT_INVALID';
    if (eventTypeCount > 0) {
      if (this.state.eventLimit > 0) return 'BUSY';
      if (!pay(eventTypeCount * EVENT_BYTES)) return 'NOMEM';
      this.state.eventLimit = eventTypeCount;
    }
    if (axisCount > 0) {
      if (this.state.axisLimit > 0) return 'BUSY';
      if (!pay(axisCount * AXIS_BYTES)) return 'NOMEM';
      this.state.axisLimit = axisCount;
    }
    return 'OK';
  }

  /** The checks of virtio_input_set_data that come before the copy; its size is part of the copy and comes last. */
  checkItem(select: number, subselect: number, size: number): ErrorName {
    const limit = this.sizeLimit(select);
    if (limit === undefined) return 'ARGUMENT_INVALID';
    const error = this.checkSubselect(select, subselect);
    if (error !== 'OK') return error;
    if (size !== 0 && size <= limit) return 'OK';
    this.forgetText(select);
    return 'ARGUMENT_SIZE';
  }

  /** A name or serial number whose copy failed is empty. */
  forgetText(select: number): void {
    if (select === INPUT_SELECT.name) this.state.name = new Uint8Array();
    else if (select === INPUT_SELECT.serial) this.state.serial = new Uint8Array();
  }

  /** Stores a checked item. */
  setItem(select: number, subselect: number, data: Uint8Array): void {
    const entry: Entry = { subselect, data };
    if (select === INPUT_SELECT.name) this.state.name = data;
    else if (select === INPUT_SELECT.serial) this.state.serial = data;
    else if (select === INPUT_SELECT.devids) this.state.devids = numberOf(data);
    else if (select === INPUT_SELECT.properties) this.state.properties = Number(numberOf(data) & 0xffff_ffffn);
    else if (select === INPUT_SELECT.events) this.state.events = [...this.state.events, entry];
    else this.state.axes = [...this.state.axes, entry];
  }

  /** What a frontend reads after selecting; empty for what does not exist. */
  read(select: number, subselect: number): Uint8Array {
    switch (select) {
      case INPUT_SELECT.name: return this.state.name;
      case INPUT_SELECT.serial: return this.state.serial;
      case INPUT_SELECT.devids: return bytesOf(this.state.devids, 8);
      case INPUT_SELECT.properties: return bytesOf(BigInt(this.state.properties), 4);
      case INPUT_SELECT.events: return find(this.state.events, subselect);
      case INPUT_SELECT.axes: return find(this.state.axes, subselect);
      default: return new Uint8Array();
    }
  }

  save(): Readonly<InputTables> {
    return { ...this.state };
  }

  restore(saved: Readonly<InputTables>): void {
    this.state = { ...saved };
  }

  private sizeLimit(select: number): number | undefined {
    switch (select) {
      case INPUT_SELECT.name:
      case INPUT_SELECT.serial:
      case INPUT_SELECT.events: return DATA_SIZE_MAX;
      case INPUT_SELECT.devids: return 8;
      case INPUT_SELECT.properties: return 4;
      case INPUT_SELECT.axes: return AXIS_SIZE;
      default: return undefined;
    }
  }

  private checkSubselect(select: number, subselect: number): ErrorName {
    if (select === INPUT_SELECT.events) return checkTable(this.state.events, { subselect, limit: this.state.eventLimit, range: EVENT_TYPES_MAX });
    if (select === INPUT_SELECT.axes) return checkTable(this.state.axes, { subselect, limit: this.state.axisLimit, range: AXES_MAX });
    return subselect === 0 ? 'OK' : 'ARGUMENT_INVALID';
  }
}

/** Each item takes a new entry, even one that is there already. */
function checkTable(entries: readonly Entry[], at: { readonly subselect: number; readonly limit: number; readonly range: number }): ErrorName {
  if (at.subselect >= at.range || at.limit === 0) return 'ARGUMENT_INVALID';
  return entries.length >= at.limit ? 'NORESOURCES' : 'OK';
}

function find(entries: readonly Entry[], subselect: number): Uint8Array {
  return entries.find((entry) => entry.subselect === subselect)?.data ?? new Uint8Array();
}

function numberOf(data: Uint8Array): bigint {
  return data.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function bytesOf(value: bigint, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, n) => Number((value >> BigInt(n * 8)) & 0xffn));
}

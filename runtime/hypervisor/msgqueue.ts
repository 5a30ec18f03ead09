/**
 * Message queues: bounded FIFOs of short messages with one interrupt for the sender ("not full") and one for the receiver ("not empty").
 *
 * Both interrupts fire on exact equality of the new count with their threshold; a push fires the receiver's always.
 * Copies from and to guests, and the answers when they fail, are in the shell.
 */

import { assert } from '../base/assert';
import type { ErrorName } from './errors';
import { ObjectHeader } from './object';
import { VirqSource } from './virq-source';

/** Depth and size limits of msgqueue_configure. */
export const QUEUE_DEPTH_MAX = 255;
/** Largest message. */
export const MESSAGE_SIZE_MAX = 1023;

const UNCHANGED = 0xffff_ffff;
const THRESHOLD_DEPTH = 0xffff_fffe;

/** One queued message; who sent it and when is for the debugger only. */
export interface QueuedMessage { readonly bytes: Uint8Array; readonly tick: number; readonly senderVmid: number; readonly senderVcpu: number }

/** A message queue (Gunyah API: msgqueue). */
export class Msgqueue {
  readonly header: ObjectHeader<'msgqueue'>;
  /** "Not full": for the sender. */
  readonly sendSource: VirqSource;
  /** "Not empty": for the receiver. */
  readonly receiveSource: VirqSource;
  depth = 0;
  messageSizeMax = 0;
  notFullThreshold = 0;
  notEmptyThreshold = 1;
  /** True once activation has paid for the buffer. */
  isBufferPaid = false;
  private queue: QueuedMessage[] = [];

  constructor(id: number) {
    this.header = new ObjectHeader('msgqueue', id);
    this.sendSource = new VirqSource('msgqueue-tx', (isReasserted) => isReasserted || this.queue.length <= this.notFullThreshold);
    this.receiveSource = new VirqSource('msgqueue-rx', (isReasserted) => isReasserted || this.queue.length >= this.notEmptyThreshold);
  }

  /** Queued messages, oldest first. */
  get messages(): readonly QueuedMessage[] {
    return this.queue;
  }

  get isFull(): boolean {
    return this.queue.length === this.depth;
  }

  /** Heap bytes of its buffer. */
  get bufferSizeBytes(): number {
    return this.depth * (this.messageSizeMax + 8);
  }

  /** Gunyah API: msgqueue_configure. */
  configure(createInfo: bigint): ErrorName {
    const depth = Number(createInfo & 0xffffn);
    const size = Number((createInfo >> 16n) & 0xffffn);
    if (depth === 0 || depth > QUEUE_DEPTH_MAX || size === 0 || size > MESSAGE_SIZE_MAX) return 'ARGUMENT_INVALID';
    this.depth = depth;
    this.messageSizeMax = size;
    return 'OK';
  }

  /** Gunyah API: object_activate; the caller pays for the buffer. */
  activate(): ErrorName {
    if (this.depth === 0) return 'OBJECT_CONFIG';
    this.notFullThreshold = this.depth - 1;
    this.notEmptyThreshold = 1;
    return 'OK';
  }

  /** Appends a message that was copied successfully. The queue must not be full. */
  push(message: QueuedMessage, isPush: boolean): void {
    assert(!this.isFull && message.bytes.length <= this.messageSizeMax, 'a message does not fit its queue');
    this.queue.push(message);
    if (isPush || this.queue.length === this.notEmptyThreshold) this.receiveSource.assertLevel();
  }

  /** Removes the oldest message after it was delivered. */
  shift(): void {
    this.queue.shift();
    if (this.queue.length === this.notFullThreshold) this.sendSource.assertLevel();
  }

  /** Gunyah API: msgqueue_flush. True if there was something. */
  flush(): boolean {
    if (this.queue.length === 0) return false;
    this.queue = [];
    this.sendSource.assertLevel();
    this.receiveSource.clear();
    return true;
  }

  /** Gunyah API: msgqueue_configure_send. */
  configureSend(threshold: number, holdoff: number): ErrorName {
    if (holdoff !== UNCHANGED) return 'UNIMPLEMENTED';
    if (threshold === UNCHANGED) return 'OK';
    if (threshold >= this.depth) return 'ARGUMENT_INVALID';
    this.notFullThreshold = threshold;
    if (this.queue.length <= this.notFullThreshold) this.sendSource.assertLevel();
    else this.sendSource.clear();
    return 'OK';
  }

  /** Gunyah API: msgqueue_configure_receive. */
  configureReceive(threshold: number, holdoff: number): ErrorName {
    if (holdoff !== UNCHANGED) return 'UNIMPLEMENTED';
    if (threshold === THRESHOLD_DEPTH) {
      this.notEmptyThreshold = this.depth;
      return 'OK';
    }
    if (threshold === UNCHANGED) return 'OK';
    if (threshold === 0 || threshold > this.depth) return 'ARGUMENT_INVALID';
    this.notEmptyThreshold = threshold;
    if (this.queue.length >= this.notEmptyThreshold) this.receiveSource.assertLevel();
    else this.receiveSource.clear();
    return 'OK';
  }

  save(): SavedMsgqueue {
    return {
      depth: this.depth, messageSizeMax: this.messageSizeMax, notFullThreshold: this.notFullThreshold, notEmptyThreshold: this.notEmptyThreshold, isBufferPaid: this.isBufferPaid,
      messages: this.queue.map((message) => ({ ...message, bytes: message.bytes.slice() })),
    };
  }

  restore(saved: SavedMsgqueue): void {
    this.depth = saved.depth;
    this.messageSizeMax = saved.messageSizeMax;
    this.notFullThreshold = saved.notFullThreshold;
    this.notEmptyThreshold = saved.notEmptyThreshold;
    this.isBufferPaid = saved.isBufferPaid;
    this.queue = saved.messages.map((message) => ({ ...message, bytes: message.bytes.slice() }));
  }
}

/** Saved form of a queue. */
export interface SavedMsgqueue {
  readonly depth: number;
  readonly messageSizeMax: number;
  readonly notFullThreshold: number;
  readonly notEmptyThreshold: number;
  readonly isBufferPaid: boolean;
  readonly messages: readonly QueuedMessage[];
}

/** The hypervisor's handle on a VIC: the object header beside the interrupt controller itself (`vic.ts`). */

import type { GicProfile } from '../machine/devices/gic-profile';
import { ObjectHeader } from './object';
import { Vic } from './vic';

/** A VIC as capabilities name it (Gunyah API: vic). */
export class VicObject {
  readonly header: ObjectHeader<'vic'>;
  readonly vic: Vic;

  constructor(id: number, profile: GicProfile) {
    this.header = new ObjectHeader('vic', id);
    this.vic = new Vic(profile);
  }
}

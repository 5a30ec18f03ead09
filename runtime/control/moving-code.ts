/** Code that chooses while it runs where it will be, as kernels do; the debug target watches for that. */

import type { Pa } from '../base/brands';

/** Something whose addresses change. */
export interface MovingCode {
  /** Physical memory whose change announces a move; nothing if none is expected. */
  sentinel(): readonly { readonly address: Pa; readonly sizeBytes: number }[];
  /** Looks where the code is now; true if that changed. */
  settle(): boolean;
}

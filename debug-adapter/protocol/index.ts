/** The adapter's protocol additions: the only part of the adapter that the extension may import, and types only. */
export type * from './launch';
export type * from './requests';

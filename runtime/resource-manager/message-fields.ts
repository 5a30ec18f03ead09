/**
 * The little language in which RM payloads are described: scalars, strings and lists laid out one after the other, without padding
 * unless a field says so. The message table is written in it; types of payloads are derived from it; `message-codec.ts` reads and writes bytes by it.
 */

/** A little-endian integer. */
export interface ScalarField<N extends string = string> { readonly type: 'u8' | 'u16' | 'u32' | 'u64'; readonly name: N }
/** Bytes a sender leaves zero; checked only where `mustBeZero`. */
export interface ReservedField { readonly type: 'reserved'; readonly sizeBytes: number; readonly mustBeZero: boolean }
/** 16 bytes of a GUID. */
export interface GuidField<N extends string = string> { readonly type: 'guid'; readonly name: N }
/** u16 length, u16 reserved, then bytes that zeros pad to a multiple of 4. */
export interface TextField<N extends string = string> { readonly type: 'text'; readonly name: N }
/** u16 size, then bytes that zeros pad to a multiple of 4. */
export interface BlobField<N extends string = string> { readonly type: 'blob'; readonly name: N }
/** u16 size, then exactly that many bytes. */
export interface BytesField<N extends string = string> { readonly type: 'bytes'; readonly name: N }
/** u32 size in bytes, then that many bytes of 32-bit words. */
export interface WordsField<N extends string = string> { readonly type: 'words'; readonly name: N }
/**
 * A count, then elements at once. `header` tells what the count looks like: u16 with a second u16 behind it (reserved, or a value of its own named `second`), a bare u16,
 * or a u32. A list at the very end of a payload may be missing when `optional`.
 */
export interface ListField<N extends string = string, F extends readonly Field[] = readonly Field[], S extends string = string> {
  readonly type: 'list';
  readonly name: N;
  readonly header: 'u16-pair' | 'u16' | 'u32';
  readonly second?: S;
  readonly of: F;
  readonly limit: number;
  readonly optional: boolean;
  /** Where one counted item is several elements: how many, if a field before has this value. */
  readonly group?: ListGroup;
  /** Read as far as it goes, whatever is missing or behind it; the handler decides when it matters (see `CUT_SHORT`). */
  readonly loose?: true;
}
/** `elements` of a list make one counted item where the field `by` is `value`. */
export interface ListGroup { readonly by: string; readonly value: number; readonly elements: number }
/** One part of a payload. */
export type Field =
  | ScalarField | ReservedField | GuidField | TextField | BlobField | BytesField | WordsField
  | { readonly type: 'list'; readonly name: string; readonly header: 'u16-pair' | 'u16' | 'u32'; readonly second?: string; readonly of: readonly Field[]; readonly limit: number; readonly optional: boolean; readonly group?: ListGroup; readonly loose?: true };

/** What a field's value is in TypeScript. */
export type FieldValue<F> =
  F extends { readonly type: 'u64' } ? bigint
    : F extends { readonly type: 'u8' | 'u16' | 'u32' } ? number
      : F extends { readonly type: 'text' } ? string
        : F extends { readonly type: 'guid' | 'blob' | 'bytes' } ? Uint8Array
          : F extends { readonly type: 'words' } ? readonly number[]
            : F extends { readonly type: 'list'; readonly of: infer E extends readonly Field[] } ? readonly PayloadOf<E>[]
              : never;

/** The values of a payload by name; reserved fields are absent. */
export type PayloadOf<F extends readonly Field[]> = {
  readonly [E in F[number] as E extends { readonly name: infer N extends string } ? N : never]: FieldValue<E>;
} & {
  readonly [E in F[number] as E extends { readonly second: infer S extends string } ? S : never]: number;
};

/** What the fields of the last element of a list hold that says it has more elements, or is not there at all, in a payload that is read loosely. */
export const CUT_SHORT = -1;

/** Most entries of an access control, scatter/gather or attribute list in one message. */
export const MEMORY_LIST_MAX = 512;

/** An 8-bit field. */
export const u8 = <const N extends string>(name: N): { readonly type: 'u8'; readonly name: N } => ({ type: 'u8', name });
/** A 16-bit field. */
export const u16 = <const N extends string>(name: N): { readonly type: 'u16'; readonly name: N } => ({ type: 'u16', name });
/** A 32-bit field. */
export const u32 = <const N extends string>(name: N): { readonly type: 'u32'; readonly name: N } => ({ type: 'u32', name });
/** A 64-bit field, aligned to 4 at best. */
export const u64 = <const N extends string>(name: N): { readonly type: 'u64'; readonly name: N } => ({ type: 'u64', name });
/** Reserved bytes that nobody checks. */
export const reserved = (sizeBytes: number): ReservedField => ({ type: 'reserved', sizeBytes, mustBeZero: false });
/** Reserved bytes that RM refuses (MSG_INVALID) unless they are zero. */
export const zero = (sizeBytes: number): ReservedField => ({ type: 'reserved', sizeBytes, mustBeZero: true });
/** A GUID. */
export const guid = <const N extends string>(name: N): { readonly type: 'guid'; readonly name: N } => ({ type: 'guid', name });
/** A string with its length. */
export const text = <const N extends string>(name: N): { readonly type: 'text'; readonly name: N } => ({ type: 'text', name });
/** Sized bytes, padded. */
export const blob = <const N extends string>(name: N): { readonly type: 'blob'; readonly name: N } => ({ type: 'blob', name });
/** Sized bytes, not padded. */
export const bytes = <const N extends string>(name: N): { readonly type: 'bytes'; readonly name: N } => ({ type: 'bytes', name });
/** Words with their size in bytes. */
export const words = <const N extends string>(name: N): { readonly type: 'words'; readonly name: N } => ({ type: 'words', name });
/** A list with a u16 count and a reserved u16. */
export const list = <const N extends string, const F extends readonly Field[]>(name: N, of: F, limit = MEMORY_LIST_MAX): {
  readonly type: 'list'; readonly name: N; readonly header: 'u16-pair'; readonly of: F; readonly limit: number; readonly optional: true;
} => ({ type: 'list', name, header: 'u16-pair', of, limit, optional: true });
/** A list at the end of a payload that is read loosely. */
export const looseList = <const N extends string, const F extends readonly Field[]>(name: N, of: F): {
  readonly type: 'list'; readonly name: N; readonly header: 'u16-pair'; readonly of: F; readonly limit: number; readonly optional: false; readonly loose: true;
} => ({ type: 'list', name, header: 'u16-pair', of, limit: MEMORY_LIST_MAX, optional: false, loose: true });
/** A list with a u16 count whose second u16 is a value of its own. */
export const listWith = <const N extends string, const S extends string, const F extends readonly Field[]>(name: N, second: S, of: F): {
  readonly type: 'list'; readonly name: N; readonly header: 'u16-pair'; readonly second: S; readonly of: F; readonly limit: number; readonly optional: true;
} => ({ type: 'list', name, header: 'u16-pair', second, of, limit: MEMORY_LIST_MAX, optional: true });
/** A list with a u16 count of items, each of which is one element or a group of them. */
export const groupedList = <const N extends string, const F extends readonly Field[]>(name: N, of: F, limit: number, group: ListGroup): {
  readonly type: 'list'; readonly name: N; readonly header: 'u16-pair'; readonly of: F; readonly limit: number; readonly optional: true; readonly group: ListGroup;
} => ({ type: 'list', name, header: 'u16-pair', of, limit, optional: true, group });
/** A list with nothing but a u16 count. */
export const bareList = <const N extends string, const F extends readonly Field[]>(name: N, of: F, limit: number): {
  readonly type: 'list'; readonly name: N; readonly header: 'u16'; readonly of: F; readonly limit: number; readonly optional: false;
} => ({ type: 'list', name, header: 'u16', of, limit, optional: false });
/** A list with a u32 count. */
export const longList = <const N extends string, const F extends readonly Field[]>(name: N, of: F, limit = 4096): {
  readonly type: 'list'; readonly name: N; readonly header: 'u32'; readonly of: F; readonly limit: number; readonly optional: false;
} => ({ type: 'list', name, header: 'u32', of, limit, optional: false });

/** Error codes of the Gunyah API (`error_t`, 32-bit signed) by name. Source: Gunyah API: error_t; values above 89 stay inside the hypervisor but for 111, 120, 121. */
export const ERRORS = {
  RETRY: -2,
  UNIMPLEMENTED: -1,
  OK: 0,
  ARGUMENT_INVALID: 1,
  ARGUMENT_SIZE: 2,
  ARGUMENT_ALIGNMENT: 3,
  NOMEM: 10,
  NORESOURCES: 11,
  ADDR_OVERFLOW: 20,
  ADDR_UNDERFLOW: 21,
  ADDR_INVALID: 22,
  DENIED: 30,
  BUSY: 31,
  IDLE: 32,
  OBJECT_STATE: 33,
  OBJECT_CONFIG: 34,
  OBJECT_CONFIGURED: 35,
  FAILURE: 36,
  VIRQ_BOUND: 40,
  VIRQ_NOT_BOUND: 41,
  CSPACE_CAP_NULL: 50,
  CSPACE_CAP_REVOKED: 51,
  CSPACE_WRONG_OBJECT_TYPE: 52,
  CSPACE_INSUFFICIENT_RIGHTS: 53,
  CSPACE_FULL: 54,
  MSGQUEUE_EMPTY: 60,
  MSGQUEUE_FULL: 61,
  STRING_TRUNCATED: 90,
  STRING_REACHED_END: 91,
  STRING_INVALID_FORMAT: 92,
  STRING_MISSING_PLACEHOLDER: 93,
  STRING_MISSING_ARGUMENT: 94,
  ALLOCATOR_RANGE_OVERLAPPING: 100,
  ALLOCATOR_MEM_INUSE: 101,
  MEMDB_EMPTY: 110,
  MEMDB_NOT_OWNER: 111,
  MEMEXTENT_MAPPINGS_FULL: 120,
  MEMEXTENT_TYPE: 121,
  EXISTING_MAPPING: 200,
} as const satisfies Record<string, number>;

/** Name of an error code. */
export type ErrorName = keyof typeof ERRORS;

const NAMES = new Map<number, ErrorName>(Object.entries(ERRORS).map(([name, value]) => [value, name as ErrorName]));

/** The name of an error code, or `error N` for one that the API does not define. */
export function errorName(value: number): string {
  return NAMES.get(value | 0) ?? `error ${value | 0}`;
}

/** The condition of a breakpoint that stops only for sends to one message queue. */

/** A capability to the queue, and who holds it. */
export interface SendingCapability { readonly vm: string; readonly capId: string; readonly rights: readonly string[] }

/** A C expression over the arguments of `msgqueue_send`; undefined if nobody may send. */
export function sendCondition(capabilities: readonly SendingCapability[]): string | undefined {
  const terms = capabilities.filter(({ rights }) => rights.some((right) => /SEND/i.test(right))).map(({ vm, capId }) => `vm == "${vm}" && msgqueue == ${capId}`);
  if (terms.length === 0) return undefined;
  return terms.length === 1 ? terms[0] : terms.map((term) => `(${term})`).join(' || ');
}

/** What a command of the debug console is. */

import type { Session } from '../session';

/** One command. */
export interface Command {
  readonly name: string;
  /** First words that may follow; without one of them the text is an expression. */
  readonly verbs: readonly string[];
  readonly usage: string;
  readonly summary: string;
  /** Carries it out; throws `AdapterError` to fail. */
  readonly run: (session: Session, words: readonly string[]) => string | Promise<string>;
}

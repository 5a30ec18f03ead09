/**
 * The order that dtc wants of what stands outside nodes: versions, each with `/plugin/;` behind it or none, memory reservations, nodes; and where a label may
 * stand there. Something out of order is told and read all the same. Knows words only, not what they do.
 */

import type { DtsToken } from './dts-lexer';
import type { DtBlanks, DtDiagnosticCode } from './source';

/** Where reading is; immutable, so that it can be kept and gone back to. */
export interface OrderState {
  readonly stage: 'versions' | 'reservations' | 'nodes';
  /** The last `/dts-v1/`, and whether `/plugin/` followed it. */
  readonly version?: { readonly token: DtsToken; readonly isPlugin: boolean };
  /** What the first version says. */
  readonly isPlugin?: boolean;
  /** True if what was read last is a version, so that `/plugin/` may follow. */
  readonly isBehindVersion: boolean;
  /** True if `/plugin/` came first. What is told then is that there is no version, or that it comes late. */
  readonly beginsWithPlugin?: boolean;
}

/** The beginning of a file, or of one whose beginning is elsewhere. */
export const ORDER_OF: Readonly<Record<'whole' | 'appended', OrderState>> = {
  whole: { stage: 'versions', isBehindVersion: false },
  appended: { stage: 'nodes', isBehindVersion: false },
};

/** Tells a problem with a token. */
export type TellToken = (code: DtDiagnosticCode, token: DtsToken, blanks?: DtBlanks) => void;

/** Follows the order of statements. */
export class DtsOrder {
  state: OrderState;
  private readonly tell: TellToken;

  constructor(state: OrderState, tell: TellToken) {
    this.state = state;
    this.tell = tell;
  }

  /** `/dts-v1/` comes next. */
  version(token: DtsToken): void {
    const { stage, beginsWithPlugin = false } = this.state;
    if (stage !== 'versions' || beginsWithPlugin) this.tell('dts-late-version', token);
    else {
      this.endVersion();
      this.state = { ...this.state, version: { token, isPlugin: false }, isBehindVersion: true };
    }
  }

  /** `/plugin/` comes next. */
  plugin(token: DtsToken): void {
    const { version, isBehindVersion, isPlugin } = this.state;
    if (this.state.stage === 'versions' && version === undefined && isPlugin === undefined) this.state = { ...this.state, beginsWithPlugin: true };
    else if (!isBehindVersion || version === undefined) this.tell('dts-late-plugin', token);
    else this.state = { ...this.state, version: { ...version, isPlugin: true }, isBehindVersion: false };
  }

  /** `/memreserve/` comes next. */
  reservation(token: DtsToken): void {
    if (this.state.stage === 'nodes') this.tell('dts-late-reservation', token);
    else this.enter('reservations');
  }

  /** A node comes next. */
  node(): void {
    if (this.state.stage !== 'nodes') this.enter('nodes');
  }

  /** The file ends. */
  end(): void {
    this.endVersion();
  }

  /** Labels stand in front of what comes next: several may be in front of a reservation, one in front of a reference behind the first node. */
  labels(labels: readonly DtsToken[], next: DtsToken): void {
    if (next.kind === 'keyword' && next.text === 'memreserve') return;
    const isReference = next.kind === 'ref' && this.state.stage === 'nodes';
    const stray = labels[isReference ? 1 : 0];
    if (stray !== undefined) this.tell('dts-label-misplaced', stray, { name: stray.text });
  }

  private enter(stage: OrderState['stage']): void {
    this.endVersion();
    this.state = { ...this.state, stage, isBehindVersion: false };
  }

  /** Nothing can follow the version read last: now it is clear whether it is one of a plugin. */
  private endVersion(): void {
    const { version, isPlugin, ...state } = this.state;
    if (version === undefined) return;
    if (isPlugin !== undefined && isPlugin !== version.isPlugin) this.tell('dts-versions-differ', version.token);
    this.state = { ...state, isPlugin: isPlugin ?? version.isPlugin };
  }
}

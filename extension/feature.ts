/** What every feature gets when it registers. A feature is a file in `features/` that exports `register`. */

import type * as vscode from 'vscode';
import type { Sessions } from './sessions';

/** The extension's surroundings and the debug sessions. Disposables go to `extension.subscriptions`. */
export interface FeatureContext {
  readonly extension: vscode.ExtensionContext;
  readonly sessions: Sessions;
}

/** Makes one feature available. */
export type RegisterFeature = (context: FeatureContext) => void;

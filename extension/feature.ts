/** What every feature gets when it registers. A feature is a file in `features/` that exports `register`. */

import type * as vscode from 'vscode';
import type { DeviceTrees } from './device-trees';
import type { Sessions } from './sessions';

/** The extension's surroundings, the debug sessions and the language server of device trees. Disposables go to `extension.subscriptions`. */
export interface FeatureContext {
  readonly extension: vscode.ExtensionContext;
  readonly sessions: Sessions;
  readonly deviceTrees: DeviceTrees;
}

/** Makes one feature available. */
export type RegisterFeature = (context: FeatureContext) => void;

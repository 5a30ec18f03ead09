/**
 * The extension's entry: a list of features. Each registers itself; none knows of another but through the debug sessions.
 */

import type * as vscode from 'vscode';
import type { RegisterFeature } from './feature';
import * as consoles from './features/consoles';
import * as debugAdapter from './features/debug-adapter';
import * as deviceTreeBlobs from './features/device-tree-blobs';
import * as deviceTreeDrop from './features/device-tree-drop';
import * as deviceTreePreviews from './features/device-tree-previews';
import * as deviceTreeWizards from './features/device-tree-wizards';
import * as eventBreakpoints from './features/event-breakpoints';
import * as hypercallServices from './features/hypercall-services';
import * as launchConfiguration from './features/launch-configuration';
import * as memoryMap from './features/memory-map';
import * as panelCommands from './features/panel-commands';
import * as panels from './features/panels';
import * as sampleWorkspace from './features/sample-workspace';
import * as snapshots from './features/snapshots';
import * as timeTravel from './features/time-travel';
import * as timelineStatus from './features/timeline-status';
import * as trace from './features/trace';
import * as virtualDocuments from './features/virtual-documents';
import { DeviceTrees } from './device-trees';
import { Sessions } from './sessions';

const FEATURES: readonly RegisterFeature[] = [
  debugAdapter.register,
  launchConfiguration.register,
  panels.register,
  panelCommands.register,
  virtualDocuments.register,
  consoles.register,
  timeTravel.register,
  timelineStatus.register,
  snapshots.register,
  eventBreakpoints.register,
  trace.register,
  memoryMap.register,
  hypercallServices.register,
  sampleWorkspace.register,
  deviceTreePreviews.register,
  deviceTreeBlobs.register,
  deviceTreeWizards.register,
  deviceTreeDrop.register,
];

/** Called by the editor once. */
export function activate(extension: vscode.ExtensionContext): void {
  const sessions = new Sessions();
  const deviceTrees = new DeviceTrees(extension);
  extension.subscriptions.push(sessions, deviceTrees);
  for (const register of FEATURES) register({ extension, sessions, deviceTrees });
}

/**
 * The Memory Map: an editor tab with one VM's stage-2 map as a picture and the walk of any address. Serves its page with data.
 *
 * Asks the adapter only while the tab is visible: at each stop, after travel in time, and now and then while the system runs.
 */

import * as vscode from 'vscode';
import type { FeatureContext } from '../../feature';
import { formatTime } from '../../model/format';
import { PositionHistory } from '../../model/position-history';
import type { Sessions } from '../../sessions';
import { showPage } from '../../webview-html';
import { memoryPanel } from '../memory/panel';
import type { VmMemory } from '../memory/model';
import { parseMapMessage, type FromMapPage, type ToMapPage } from './messages';
import { mapState } from './model';
import { parseWalkAddress, type WalkAddress, type WalkSpace } from './walk-address';
import { messageOf } from '../../model/messages';

const VIEW_TYPE = 'gunyah.memoryMap';
const LIVE_REFRESH_MS = 1000;
const BURST_MS = 15;

/** What else the map needs of the editor: opening memory, evaluating expressions. */
export interface MapHelpers {
  reveal(vm: string, ipa: string): Promise<void>;
  /** The value of an expression, or where it lies in memory; undefined if it has neither. */
  addressOf(expression: string): Promise<WalkAddress | undefined>;
}

/** A walk to show: text as typed, or an address. */
export interface WalkRequest { readonly text: string; readonly space: WalkSpace; readonly vm?: string | undefined }

/** The tab, while it is open. */
export class MemoryMapView implements vscode.Disposable {
  private readonly context: FeatureContext;
  private readonly sessions: Sessions;
  private readonly helpers: MapHelpers;
  private readonly history = new PositionHistory<readonly VmMemory[]>();
  private readonly disposables: vscode.Disposable[] = [];
  private panel: vscode.WebviewPanel | undefined;
  private isReady = false;
  private waiting: ToMapPage[] = [];
  private vmid: number | undefined;
  private vm = '';
  private walk: WalkRequest | undefined;
  private timer: NodeJS.Timeout | undefined;
  private round = 0;

  constructor(context: FeatureContext, helpers: MapHelpers) {
    this.context = context;
    this.sessions = context.sessions;
    this.helpers = helpers;
    this.disposables.push(
      this.sessions.onDidChange(() => { this.schedule(); }),
      vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, { deserializeWebviewPanel: (panel) => {
        this.adopt(panel);
        return Promise.resolve();
      } }),
    );
  }

  /** Opens the tab, on a VM and a range of it if given. */
  open(vmid?: number, ipa?: string): void {
    if (vmid !== undefined) this.vmid = vmid;
    if (this.panel === undefined) {
      this.adopt(vscode.window.createWebviewPanel(VIEW_TYPE, 'Memory Map', { viewColumn: vscode.ViewColumn.Active }, { enableScripts: true }));
    } else this.panel.reveal();
    if (ipa !== undefined) this.afterNextMap = { kind: 'select', ipa: Number(ipa) };
    this.schedule();
  }

  /** Opens the tab and walks an address; without one, asks for it there. */
  async openWalk(request?: WalkRequest): Promise<void> {
    this.open();
    if (request === undefined) this.post({ kind: 'focusWalk' });
    else await this.showWalk(request);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.panel?.dispose();
    for (const disposable of this.disposables) disposable.dispose();
  }

  /** Sent once the page has the map that it is about. */
  private afterNextMap: ToMapPage | undefined;

  private adopt(panel: vscode.WebviewPanel): void {
    this.panel?.dispose();
    this.panel = panel;
    this.isReady = false;
    panel.webview.onDidReceiveMessage((message: unknown) => {
      const parsed = parseMapMessage(message);
      if (parsed !== undefined) void this.serve(parsed);
    });
    panel.onDidChangeViewState(() => { this.schedule(); });
    panel.onDidDispose(() => {
      if (this.panel !== panel) return;
      this.panel = undefined;
      this.waiting = [];
      clearTimeout(this.timer);
    });
    showPage(panel.webview, this.context.extension.extensionUri, { script: 'memory-map', title: 'Memory Map' });
  }

  private post(message: ToMapPage): void {
    if (this.isReady) void this.panel?.webview.postMessage(message);
    else this.waiting.push(message);
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.panel?.visible !== true) {
      this.history.miss();
      return;
    }
    this.timer = setTimeout(() => void this.refresh(), this.sessions.state === 'running' ? LIVE_REFRESH_MS : BURST_MS);
  }

  private async refresh(): Promise<void> {
    const round = ++this.round;
    const { state } = this.sessions;
    try {
      const [vms, timeline] = await Promise.all([memoryPanel.fetch(this.sessions), this.sessions.request('gunyah/timeline', {})]);
      if (round !== this.round) return;
      if (vms === undefined) this.history.clear();
      const before = vms === undefined || timeline === undefined ? undefined : state === 'stopped' ? this.history.stoppedAt(timeline.now, vms) : this.history.whileRunning;
      const map = mapState(vms ?? [], before, { session: state, nowText: timeline === undefined ? '' : formatTime(timeline.now), vmid: this.vmid });
      this.vm = map.vm;
      this.post({ kind: 'map', map });
      if (this.afterNextMap !== undefined) this.post(this.afterNextMap);
      this.afterNextMap = undefined;
      if (this.walk !== undefined && state === 'stopped') await this.showWalk(this.walk);
    } catch {
      // The session is still starting or already ending; the next change of state asks again.
    }
    if (round === this.round && this.sessions.state === 'running') this.schedule();
  }

  private async serve(message: FromMapPage): Promise<void> {
    switch (message.kind) {
      case 'ready':
        this.isReady = true;
        for (const one of this.waiting) this.post(one);
        this.waiting = [];
        this.schedule();
        break;
      case 'vm':
        this.vmid = message.vmid;
        this.schedule();
        break;
      case 'walk': await this.showWalk({ text: message.text, space: message.space, vm: this.vm }); break;
      case 'reveal': await this.reveal(message.ipa); break;
    }
  }

  private async reveal(ipa: number): Promise<void> {
    try {
      await this.helpers.reveal(this.vm, `0x${ipa.toString(16)}`);
    } catch (problem) {
      void vscode.window.showErrorMessage(messageOf(problem));
    }
  }

  /** Walks what was asked, and again at each stop: tables change. */
  private async showWalk(request: WalkRequest): Promise<void> {
    this.walk = request;
    const { text, space } = request;
    try {
      const place = parseWalkAddress(text, space) ?? await this.helpers.addressOf(text);
      if (place === undefined) throw new Error(`"${text}" has no value that is an address. Write an address, a register or a C expression.`);
      const vm = place.vm ?? request.vm ?? this.vm;
      const body = await this.sessions.request('gunyah/translate', { vm, address: place.space === 'pa' ? `pa:${place.address}` : `${vm}:${place.space}:${place.address}`, ...(place.space === 'ipa' ? { stage: 2 } : {}) });
      if (body !== undefined) this.post({ kind: 'walk', walk: { vm, text, address: place.address, space: place.space, body } });
    } catch (problem) {
      this.post({ kind: 'walkProblem', text, problem: messageOf(problem) });
    }
  }
}

/**
 * What VMs and objects were called when: names change, VMIDs are given out again, and RM forgets what was ended. Kept beside the trace, by the numbers of
 * its events, and like it no part of the system's state. Names are looked at when something happens that may change them.
 */

/** Names as they are now. */
export interface NameSource {
  /** VMs that RM knows, by VMID. */
  vms(): ReadonlyMap<number, string>;
  /** What RM calls the hypervisor's objects, by object id. */
  objects(): ReadonlyMap<number, string>;
}

interface Named { readonly from: number; readonly text: string }

/** Keys for which names are kept; beyond, those that were met first are forgotten. */
const KEYS_MAX = 20_000;
/** Changes of one name that are kept. */
const CHANGES_MAX = 1000;

/** The names of one kind of thing. */
class Names {
  private readonly changes = new Map<number, Named[]>();

  /** From this event on the thing is called so. */
  note(key: number, from: number, text: string): void {
    const known = this.changes.get(key);
    if (known?.at(-1)?.text === text) return;
    if (known === undefined) this.add(key, { from, text });
    else known.push({ from, text });
    if (known !== undefined && known.length > CHANGES_MAX) known.shift();
  }

  /** The name at an event, or the first one known after it. */
  at(key: number, number: number): string | undefined {
    const known = this.changes.get(key) ?? [];
    let at = known.length - 1;
    while (at > 0 && (known[at]?.from ?? 0) > number) at--;
    return known[at]?.text;
  }

  get keys(): number[] {
    return [...this.changes.keys()];
  }

  truncate(number: number): void {
    for (const [key, known] of this.changes) {
      while ((known.at(-1)?.from ?? -1) >= number) known.pop();
      if (known.length === 0) this.changes.delete(key);
    }
  }

  clear(): void {
    this.changes.clear();
  }

  private add(key: number, named: Named): void {
    const [oldest] = this.changes.size < KEYS_MAX ? [] : this.changes.keys();
    if (oldest !== undefined) this.changes.delete(oldest);
    this.changes.set(key, [named]);
  }
}

/** Names of VMs and objects through time. */
export class NameHistory {
  /** Set once, by whoever knows names. */
  source: NameSource | undefined;
  private readonly vms = new Names();
  private readonly objects = new Names();

  /** VMs may be called otherwise from the event with this number on. */
  noteVms(number: number): void {
    if (this.source === undefined) return;
    const names = this.source.vms();
    for (const key of this.vms.keys) if (!names.has(key)) this.vms.note(key, number, `vm${key}`);
    for (const [key, name] of names) this.vms.note(key, number, name);
  }

  /** Objects may have got names. A name that RM no longer knows stays the object's. */
  noteObjects(number: number): void {
    for (const [key, name] of this.source?.objects() ?? []) this.objects.note(key, number, name);
  }

  /** What a VM was called at an event; undefined if its name was never another one than now. */
  vm(vmid: number, number: number): string | undefined {
    return this.vms.at(vmid, number);
  }

  /** What an object was called at an event; undefined if no name is known. */
  object(id: number, number: number): string | undefined {
    return this.objects.at(id, number);
  }

  /** Events from this one on never happened. */
  truncate(number: number): void {
    this.vms.truncate(number);
    this.objects.truncate(number);
  }

  clear(): void {
    this.vms.clear();
    this.objects.clear();
  }
}

/** The walk of an address: virtual, intermediate and physical address, descriptors level by level, and who else can see the page. */

import type { WalkState } from '../panels/memory-map/messages';
import { element } from './page';
import { sizeText } from './map-picture';

const SPACE_WORDS: Readonly<Record<'va' | 'ipa' | 'pa', string>> = { va: 'Virtual', ipa: 'Intermediate', pa: 'Physical' };
type Level = WalkState['body']['levels'][number];

/** Everything about one walk. */
export function walkElements(walk: WalkState): readonly HTMLElement[] {
  const { body } = walk;
  return [
    element('div', { 'class': 'steps', 'aria-label': 'Translation' }, ...body.steps.flatMap((step, index) => [
      ...(index === 0 ? [] : [element('span', { 'class': 'arrow', 'aria-hidden': 'true' }, '→')]),
      element('span', { 'class': `step ${step.space}` }, element('span', { 'class': 'space' }, SPACE_WORDS[step.space]), element('code', {}, step.address), element('span', { 'class': 'note' }, step.note)),
    ])),
    ...(body.ok ? [visibility(walk)] : [element('p', { 'class': 'problem', 'role': 'alert' }, body.error ?? 'The address is not mapped.')]),
    ...(body.levels.length > 0 ? [element('div', { 'class': 'table-frame' }, levelTable(body.levels))] : walk.space === 'pa' ? [] : [element('p', { 'class': 'hint' }, 'No descriptors are read: translation is off, or the address is refused before.')]),
  ];
}

function visibility({ vm, space, body }: WalkState): HTMLElement {
  const parts = [
    body.owner === null ? 'Nobody owns the page.' : `Owner: ${body.owner}${body.state === null ? '' : ` (${body.state})`}.`,
    ...(body.memparcel === null ? [] : [`Memory parcel 0x${body.memparcel.toString(16)}.`]),
    body.others.length === 0 ? (space === 'pa' ? 'No virtual machine sees it.' : `Nobody but ${vm} sees it.`) : `${space === 'pa' ? 'Seen by' : 'Also seen by'} ${body.others.map((other) => `${other.vm} at ${other.ipa} (${other.access})`).join(', ')}.`,
  ];
  return element('p', { 'class': 'visibility' }, parts.join(' '));
}

const LEVEL_COLUMNS = ['Stage', 'Level', 'Index', 'Descriptor at', 'Descriptor', 'Kind', 'Covers', 'Meaning'] as const;

function levelTable(levels: readonly Level[]): HTMLElement {
  return element('table', { 'class': 'levels' },
    element('caption', {}, 'Descriptors in the order in which they are read'),
    element('thead', {}, element('tr', {}, ...LEVEL_COLUMNS.map((name) => element('th', { scope: 'col' }, name)))),
    element('tbody', {}, ...levels.map(levelRow)));
}

function levelRow(level: Level): HTMLElement {
  const at = [level.descriptorIpa === null ? '' : `ipa ${level.descriptorIpa}`, level.descriptorPa === null ? '' : `pa ${level.descriptorPa}`].filter((text) => text !== '').join(', ');
  const meaning = element('td', { 'class': 'meaning' }, level.text);
  if (level.fields.length > 0) {
    meaning.replaceChildren(element('details', {}, element('summary', {}, level.text === '' ? 'Fields' : level.text),
      element('dl', {}, ...level.fields.flatMap(({ name, value }) => [element('dt', {}, name), element('dd', {}, value)]))));
  }
  return element('tr', { 'class': level.kind },
    element('td', {}, String(level.stage)), element('td', {}, String(level.level)), element('td', {}, String(level.index)), element('td', {}, element('code', {}, at)),
    element('td', {}, element('code', {}, level.descriptor)), element('td', {}, level.kind), element('td', {}, sizeText(level.spanBytes)), meaning);
}

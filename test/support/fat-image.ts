/**
 * Writes a disk image with a FAT16 file system and no partition table, for guests that read disks. Files lie in the root folder, one after the other,
 * under 8.3 names. Source: Microsoft FAT specification. No long names, no dates.
 */

const SECTOR = 512;
const SECTORS_PER_CLUSTER = 8;
const CLUSTER = SECTOR * SECTORS_PER_CLUSTER;
const ROOT_ENTRIES = 512;
const FATS = 2;
const MEDIA = 0xf8;
const END_OF_CHAIN = 0xffff;
/** With fewer clusters it would be FAT12, with more FAT32. */
const CLUSTERS_MIN = 4200;
const CLUSTERS_MAX = 65_000;

/** A file of the root folder, such as `README.TXT`. */
export interface FatFile { readonly name: string; readonly content: Uint8Array }

/** The image: as large as its files and the format need. */
export function fatImage(files: readonly FatFile[]): Uint8Array {
  const used = files.reduce((sum, { content }) => sum + Math.ceil(content.length / CLUSTER), 0);
  const clusterCount = Math.max(CLUSTERS_MIN, used + 64);
  if (clusterCount > CLUSTERS_MAX) throw new Error('the files do not fit a FAT16 file system');
  const fatSectors = Math.ceil(((clusterCount + 2) * 2) / SECTOR);
  const rootStart = 1 + FATS * fatSectors;
  const dataStart = rootStart + (ROOT_ENTRIES * 32) / SECTOR;
  const sectorCount = dataStart + clusterCount * SECTORS_PER_CLUSTER;
  const image = new Uint8Array(sectorCount * SECTOR);
  writeBootSector(new DataView(image.buffer), { sectorCount, fatSectors });
  const fat = new Uint16Array(clusterCount + 2);
  fat.set([0xff00 | MEDIA, END_OF_CHAIN]);
  let next = 2;
  for (const [index, { name, content }] of files.entries()) {
    const count = Math.ceil(content.length / CLUSTER);
    for (let n = 0; n < count; n++) fat[next + n] = n === count - 1 ? END_OF_CHAIN : next + n + 1;
    image.set(content, (dataStart + (next - 2) * SECTORS_PER_CLUSTER) * SECTOR);
    image.set(directoryEntry(name, count === 0 ? 0 : next, content.length), rootStart * SECTOR + index * 32);
    next += count;
  }
  for (let copy = 0; copy < FATS; copy++) image.set(new Uint8Array(fat.buffer), (1 + copy * fatSectors) * SECTOR);
  return image;
}

function writeBootSector(view: DataView, { sectorCount, fatSectors }: { readonly sectorCount: number; readonly fatSectors: number }): void {
  const bytes = (at: number, ...values: readonly number[]): void => { values.forEach((value, n) => { view.setUint8(at + n, value); }); };
  const text = (at: number, value: string): void => { bytes(at, ...[...value].map((character) => character.charCodeAt(0))); };
  bytes(0, 0xeb, 0x3c, 0x90);
  text(3, 'GUNYAHDB');
  view.setUint16(11, SECTOR, true);
  bytes(13, SECTORS_PER_CLUSTER, 1, 0, FATS);
  view.setUint16(17, ROOT_ENTRIES, true);
  view.setUint16(19, sectorCount < 65536 ? sectorCount : 0, true);
  bytes(21, MEDIA);
  view.setUint16(22, fatSectors, true);
  view.setUint32(32, sectorCount < 65536 ? 0 : sectorCount, true);
  bytes(36, 0x80, 0, 0x29);
  text(43, 'TEST DISK  FAT16   ');
  bytes(510, 0x55, 0xaa);
}

function directoryEntry(name: string, cluster: number, sizeBytes: number): Uint8Array {
  const [stem = '', ending = ''] = name.toUpperCase().split('.');
  const entry = new Uint8Array(32);
  const view = new DataView(entry.buffer);
  [...(stem.padEnd(8) + ending.padEnd(3))].forEach((character, n) => { entry[n] = character.charCodeAt(0); });
  entry[11] = 0x20;
  view.setUint16(26, cluster, true);
  view.setUint32(28, sizeBytes, true);
  return entry;
}

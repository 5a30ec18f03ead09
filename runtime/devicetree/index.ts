/** The public names of the device tree library. */

export { decodeDtb, DTB_SIZE_MAX, encodeDtb, FDT_MAGIC, isDtb, padDtb, type DecodedTree } from './dtb';
export { compileDts, parseDts, type CompiledDts, type ParsedDts, type ParseOptions } from './dts-parser';
export { linkTree, type LinkedTree, type LinkOptions } from './link';
export {
  addressCells, interruptParent, isEnabled, looseChild, nodeByLabel, nodeByPath, nodeByPhandle, nodeByReference, nodesByCompatible, phandleOf,
  regEntries, sizeCells, type RegEntry,
} from './lookup';
export { applyOverlay, makeOverlay, type OverlayFragment } from './overlay';
export { printDts, printDtsLines, printDtsNode, type PrintedLine } from './print';
export { type DtsFiles } from './preprocessor';
export { dtMessages, hasErrors, type DtDiagnostic, type DtDiagnosticCode, type SourceOrigin } from './source';
export { cloneTree, deviceTree, DtNode, DtProperty, node, NODE_DEPTH_MAX, rootNode, type DeviceTree, type MemoryReservation } from './tree';
export {
  byteString, cells, cells64, chunk, pathOf, ref, stringList, toValue, valueBytes,
  type DtChunk, type DtChunkType, type DtMark, type DtReference, type DtValue, type DtValueInput,
} from './value';

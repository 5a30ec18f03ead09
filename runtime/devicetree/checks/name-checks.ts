/** Checks of names, and of properties that must hold text. */

import { isString, isStringList, unitOf, type CheckContext } from './context';
import type { DtNode } from '../tree';

const NODE_CHARACTERS = /^[A-Za-z0-9,._+\-@]*$/;
const NODE_CHARACTERS_STRICT = /^[A-Za-z0-9,-]*$/;
const PROPERTY_CHARACTERS = /^[A-Za-z0-9,._+*#?-]*$/;
const PROPERTY_CHARACTERS_STRICT = /^[A-Za-z0-9,-]*$/;

/** Characters that no node name may have. */
export function nodeNameCharacters(context: CheckContext, node: DtNode): void {
  if (!NODE_CHARACTERS.test(node.name)) context.report(node, `The name has characters that node names cannot have; they have letters, digits and ,._+-@.`);
}

/** Characters that the specification recommends against. */
export function nodeNameCharactersStrict(context: CheckContext, node: DtNode): void {
  if (!NODE_CHARACTERS_STRICT.test(node.baseName)) context.report(node, 'The name should have letters, digits, commas and hyphens only.');
}

/** One unit address at most. */
export function nodeNameFormat(context: CheckContext, node: DtNode): void {
  if (unitOf(node).includes('@')) context.report(node, 'The name has several @. Only the unit address follows one.');
}

/** A child and a property of one name cannot be told apart by path. */
export function nodeNameAgainstProperty(context: CheckContext, node: DtNode): void {
  if (node.parent?.has(node.name) === true) context.report(node, `The parent has a property with the same name, ${node.name}.`);
}

/** True for a property name with characters that none may have. */
export function isBadName(property: string): boolean {
  return !PROPERTY_CHARACTERS.test(property);
}

/** Characters that no property name may have. */
export function propertyNameCharacters(context: CheckContext, node: DtNode): void {
  for (const property of node.properties) if (!PROPERTY_CHARACTERS.test(property.name)) context.report(node, 'The name has characters that property names cannot have; they have letters, digits and ,._+*#?-.', property);
}

/** Characters that the specification recommends against; `#` is fine where a name begins. */
export function propertyNameCharactersStrict(context: CheckContext, node: DtNode): void {
  for (const property of node.properties) {
    const rest = property.name.replace(/^([A-Za-z0-9,-]*,)?#/, '$1');
    if (property.name !== 'device_type' && !PROPERTY_CHARACTERS_STRICT.test(rest)) context.report(node, 'The name should have letters, digits, commas and hyphens only.', property);
  }
}

/** A check that a property is one string. */
export function mustBeString(name: string): (context: CheckContext, node: DtNode) => void {
  return (context, node) => {
    const property = node.property(name);
    if (property !== undefined && !isString(property)) context.report(node, `${name} must be one string.`, property);
  };
}

/** A check that a property is a list of strings. */
export function mustBeStringList(name: string): (context: CheckContext, node: DtNode) => void {
  return (context, node) => {
    const property = node.property(name);
    if (property !== undefined && !isStringList(property)) context.report(node, `${name} must be a list of strings.`, property);
  };
}

/** A check that a property is one cell. */
export function mustBeCell(name: string): (context: CheckContext, node: DtNode) => void {
  return (context, node) => {
    const property = node.property(name);
    if (property !== undefined && property.bytes.length !== 4) context.report(node, `${name} must be one cell.`, property);
  };
}

/** Lists of names are lists of strings. */
export function namesAreStrings(context: CheckContext, node: DtNode): void {
  for (const property of node.properties) if (property.name.endsWith('-names') && !isStringList(property)) context.report(node, `${property.name} must be a list of strings.`, property);
}

/** Aliases are lower-case names of nodes that exist. */
export function aliasPaths(context: CheckContext, node: DtNode): void {
  if (node.name !== 'aliases') return;
  for (const property of node.properties) {
    if (property.name === 'phandle' || property.name === 'linux,phandle') continue;
    const path = property.strings?.[0];
    if (path === undefined || !context.hasPath(path)) context.report(node, `The alias ${property.name} names ${path ?? 'no path'}, which is no node of the tree.`, property);
    if (!/^[a-z0-9-]*$/.test(property.name)) context.report(node, 'Names of aliases have lower-case letters, digits and hyphens.', property);
  }
}

function isChosen(node: DtNode): boolean {
  return node.name === 'chosen' && node.parent?.parent === undefined && node.parent !== undefined;
}

/** What /chosen once held. */
export function obsoleteChosenInterruptController(context: CheckContext, node: DtNode): void {
  const property = node.property('interrupt-controller');
  if (isChosen(node) && property !== undefined) context.report(node, '/chosen/interrupt-controller is obsolete. Give the root an interrupt-parent.', property);
}

/** /chosen has one place. */
export function chosenIsBelowRoot(context: CheckContext, node: DtNode): void {
  if (node.name === 'chosen' && node.parent !== context.root) context.report(node, 'A chosen node has a meaning directly below the root only.');
}

/** The command line is text. */
export function chosenBootargs(context: CheckContext, node: DtNode): void {
  if (isChosen(node)) mustBeString('bootargs')(context, node);
}

/** The console's path is text, under its current name. */
export function chosenStdoutPath(context: CheckContext, node: DtNode): void {
  if (!isChosen(node)) return;
  const old = node.has('stdout-path') ? undefined : node.property('linux,stdout-path');
  if (old !== undefined) context.report(node, 'linux,stdout-path is called stdout-path now.', old);
  mustBeString(old === undefined ? 'stdout-path' : 'linux,stdout-path')(context, node);
}

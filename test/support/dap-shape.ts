/**
 * Checks messages of a debug adapter against the declarations of the protocol's own types (`@vscode/debugprotocol`): presence and
 * kind of every property, and no property that the protocol does not know. Reads the declarations as text, so that what is checked
 * is what the protocol says and not what we remember of it. Events and requests of our own (`gunyah/…`) are not the protocol's.
 */
import { readFileSync } from 'node:fs';
import ts from 'typescript';

type Declarations = ReadonlyMap<string, ts.InterfaceDeclaration | ts.TypeAliasDeclaration>;

const declarations: Declarations = readDeclarations();

function readDeclarations(): Declarations {
  const path = require.resolve('@vscode/debugprotocol/lib/debugProtocol.d.ts');
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2022);
  const found = new Map<string, ts.InterfaceDeclaration | ts.TypeAliasDeclaration>();
  const visit = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) found.set(node.name.text, node);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** What is wrong with a message that an adapter sent; empty if nothing is. */
export function shapeProblems(message: unknown): string[] {
  const problems: string[] = [];
  if (!isRecord(message)) return ['a message is no object'];
  const name = declaredName(message);
  if (name === undefined) return [];
  const declared = declarations.get(name);
  if (declared === undefined) return [`the protocol has no ${name}`];
  checkMembers(message, declared, { path: name, problems });
  return problems;
}

function declaredName(message: Readonly<Record<string, unknown>>): string | undefined {
  const name = String(message['event'] ?? message['command']);
  if (name.startsWith('gunyah/')) return undefined;
  const capital = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  if (message['type'] === 'event') return `${capital}Event`;
  return message['success'] === false ? 'ErrorResponse' : `${capital}Response`;
}

interface Place { readonly path: string; readonly problems: string[] }

function inside(place: Place, step: string): Place {
  return { path: `${place.path}.${step}`, problems: place.problems };
}

function membersOf(declared: ts.InterfaceDeclaration | ts.TypeAliasDeclaration | ts.TypeLiteralNode): readonly ts.TypeElement[] {
  if (ts.isTypeAliasDeclaration(declared)) return ts.isTypeLiteralNode(declared.type) ? declared.type.members : [];
  if (ts.isTypeLiteralNode(declared)) return declared.members;
  const inherited = (declared.heritageClauses ?? []).flatMap(({ types }) => types.flatMap(({ expression }) => {
    const base = declarations.get(textOf(expression));
    return base === undefined ? [] : membersOf(base);
  }));
  const own = new Set(declared.members.map(nameOf));
  return [...inherited.filter((member) => !own.has(nameOf(member))), ...declared.members];
}

function checkMembers(value: Readonly<Record<string, unknown>>, declared: ts.InterfaceDeclaration | ts.TypeAliasDeclaration | ts.TypeLiteralNode, place: Place): void {
  const known = new Set<string>();
  for (const member of membersOf(declared)) {
    if (ts.isIndexSignatureDeclaration(member)) {
      for (const [key, part] of Object.entries(value)) if (!known.has(key)) { known.add(key); checkValue(part, member.type, inside(place, key)); }
    }
    if (!ts.isPropertySignature(member) || member.type === undefined) continue;
    const name = nameOf(member);
    known.add(name);
    if (value[name] === undefined) { if (member.questionToken === undefined) place.problems.push(`${place.path}.${name} is missing`); } else checkValue(value[name], member.type, inside(place, name));
  }
  for (const key of Object.keys(value)) if (!known.has(key)) place.problems.push(`${place.path}.${key} is not in the protocol`);
}

function checkValue(value: unknown, type: ts.TypeNode, place: Place): void {
  if (!fits(value, type, place)) place.problems.push(`${place.path} is ${JSON.stringify(value).slice(0, 80)}`);
}

/** Whether the kind fits; problems deeper down are reported at their own place. */
function fits(value: unknown, type: ts.TypeNode, place: Place): boolean {
  switch (type.kind) {
    case ts.SyntaxKind.AnyKeyword: return true;
    case ts.SyntaxKind.StringKeyword: return typeof value === 'string';
    case ts.SyntaxKind.NumberKeyword: return typeof value === 'number';
    case ts.SyntaxKind.BooleanKeyword: return typeof value === 'boolean';
    case ts.SyntaxKind.ObjectKeyword: return typeof value === 'object';
    default: break;
  }
  if (ts.isLiteralTypeNode(type)) return ts.isStringLiteral(type.literal) ? type.literal.text === value : value === null;
  if (ts.isParenthesizedTypeNode(type)) return fits(value, type.type, place);
  if (ts.isUnionTypeNode(type)) return type.types.some((one) => { const tried: string[] = []; return fits(value, one, { path: place.path, problems: tried }) && tried.length === 0; });
  if (ts.isArrayTypeNode(type)) return Array.isArray(value) && value.every((element, index) => { checkValue(element, type.elementType, inside(place, String(index))); return true; });
  if (ts.isTypeLiteralNode(type)) return isRecord(value) && (checkMembers(value, type, place), true);
  if (ts.isTypeReferenceNode(type)) return fitsReference(value, type, place);
  return false;
}

function fitsReference(value: unknown, type: ts.TypeReferenceNode, place: Place): boolean {
  const declared = declarations.get(textOf(type.typeName));
  if (declared === undefined) return isRecord(value);
  if (ts.isTypeAliasDeclaration(declared)) return fits(value, declared.type, place);
  if (!isRecord(value)) return false;
  checkMembers(value, declared, place);
  return true;
}

function nameOf(member: ts.TypeElement): string {
  return member.name !== undefined && (ts.isIdentifier(member.name) || ts.isStringLiteral(member.name)) ? member.name.text : '';
}

function textOf(node: ts.Node): string {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isQualifiedName(node)) return node.right.text;
  return ts.isPropertyAccessExpression(node) ? node.name.text : '';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Types and enumeration constants by name. C's own types exist even if the program never mentions them. */
import type { NameIndex, NameKind } from './name-index';
import type { UnitTree } from './dwarf/tree';
import type { TypeReader } from './type-reader';
import { type BaseEncoding, type BaseType, type RecordType, type Type, VOID } from './types';

/** Looks up types in the name index of an image. */
export class TypeNames {
  private readonly names: NameIndex;
  private readonly types: TypeReader;

  constructor(names: NameIndex, types: TypeReader) {
    this.names = names;
    this.types = types;
  }

  /** The type a C type name without declarators means: `struct foo`, `uint8_t`, `unsigned long`. */
  find(name: string, near?: UnitTree): Type | undefined {
    const words = name.trim().split(/\s+/);
    const [first = '', second] = words;
    if (second !== undefined && (first === 'struct' || first === 'class')) return this.named(['struct'], second, near);
    if (second !== undefined && first === 'union') return this.named(['union'], second, near);
    if (second !== undefined && first === 'enum') return this.named(['enum'], second, near);
    const builtIn = builtInType(words);
    if (builtIn !== undefined) return builtIn;
    return words.length === 1 ? this.named(['typedef', 'base', 'struct', 'union', 'enum'], first, near) : undefined;
  }

  private named(kinds: readonly NameKind[], name: string, near: UnitTree | undefined): Type | undefined {
    for (const kind of kinds) {
      const die = this.names.first(kind, name, near);
      if (die !== undefined) return this.types.read(die);
    }
    return undefined;
  }

  /** The definition behind a declaration, through typedefs and qualifiers; the type itself if there is none. */
  complete(type: Type): Type {
    if (type.kind === 'typedef' || type.kind === 'qualified') {
      const target = this.complete(type.target);
      return target === type.target ? type : { ...type, target };
    }
    if (type.kind !== 'record' || !type.isDeclaration || type.name === undefined) return type;
    return this.definition(type, type.name) ?? type;
  }

  private definition(type: RecordType, name: string): Type | undefined {
    return this.named([type.keyword === 'union' ? 'union' : 'struct'], name, undefined);
  }

  /** An enumeration constant. */
  enumerator(name: string, near?: UnitTree): { readonly value: bigint; readonly type: Type } | undefined {
    const die = this.names.first('enumerator', name, near);
    const type = die === undefined ? undefined : this.types.read(die);
    const one = type?.kind === 'enum' ? type.enumerators.find((candidate) => candidate.name === name) : undefined;
    return type === undefined || one === undefined ? undefined : { value: one.value, type };
  }
}

function base(name: string, encoding: BaseEncoding, sizeBytes: number, isSigned: boolean): BaseType {
  return { kind: 'base', name, encoding, isSigned, sizeBytes };
}

/** C's types on AArch64 (Procedure Call Standard for the Arm 64-bit Architecture, 10.1): LP64, plain `char` unsigned. */
export const C_TYPES = {
  bool: base('_Bool', 'boolean', 1, false),
  char: base('char', 'character', 1, false),
  signedChar: base('signed char', 'character', 1, true),
  unsignedChar: base('unsigned char', 'character', 1, false),
  short: base('short', 'signed', 2, true),
  unsignedShort: base('unsigned short', 'unsigned', 2, false),
  int: base('int', 'signed', 4, true),
  unsignedInt: base('unsigned int', 'unsigned', 4, false),
  long: base('long', 'signed', 8, true),
  unsignedLong: base('unsigned long', 'unsigned', 8, false),
  longLong: base('long long', 'signed', 8, true),
  unsignedLongLong: base('unsigned long long', 'unsigned', 8, false),
  int128: base('__int128', 'signed', 16, true),
  unsignedInt128: base('unsigned __int128', 'unsigned', 16, false),
  float: base('float', 'float', 4, true),
  double: base('double', 'float', 8, true),
} as const;

const INTEGER_WORDS = new Set(['int', 'long', 'short', 'char', 'signed', 'unsigned', '__int128']);

/** The type of a list of C keywords in any order, such as `long unsigned int`. */
export function builtInType(words: readonly string[]): Type | undefined {
  const joined = words.join(' ');
  if (joined === 'void') return VOID;
  if (joined === '_Bool' || joined === 'bool') return C_TYPES.bool;
  if (joined === 'float') return C_TYPES.float;
  if (joined === 'double') return C_TYPES.double;
  if (words.length === 0 || !words.every((word) => INTEGER_WORDS.has(word))) return undefined;
  const isUnsigned = words.includes('unsigned');
  const longs = words.filter((word) => word === 'long').length;
  if (words.includes('char')) return isUnsigned ? C_TYPES.unsignedChar : words.includes('signed') ? C_TYPES.signedChar : C_TYPES.char;
  if (words.includes('__int128')) return isUnsigned ? C_TYPES.unsignedInt128 : C_TYPES.int128;
  if (words.includes('short')) return isUnsigned ? C_TYPES.unsignedShort : C_TYPES.short;
  if (longs === 0) return isUnsigned ? C_TYPES.unsignedInt : C_TYPES.int;
  if (longs === 1) return isUnsigned ? C_TYPES.unsignedLong : C_TYPES.long;
  return isUnsigned ? C_TYPES.unsignedLongLong : C_TYPES.longLong;
}

/** What BTF tells of members, functions and variables. Ids of types are those of the `Btf` that was asked. */

/** A member of a struct or union as its type declares it. */
export interface BtfMember {
  /** Empty for an anonymous struct or union. */
  readonly name: string;
  readonly typeId: number;
  readonly bitOffset: number;
  /** Bits of a bit field; 0 for any other member. */
  readonly bitfieldSize: number;
}

/** Where a member lies, from the start of the struct that was asked about. */
export interface BtfFieldPlace {
  readonly byteOffset: number;
  /** Bits from `byteOffset` to the first bit of a bit field (counted as the kernel's byte order does); else 0. */
  readonly bitOffset: number;
  readonly bitSize: number;
  /** Bytes of the declared type. */
  readonly size: number;
  readonly typeId: number;
}

/** Parameters and result of a function. */
export interface BtfSignature {
  /** A parameter of type `void` (0) is the `...` that ends the list of a variadic function. */
  readonly parameters: readonly { readonly name: string; readonly typeId: number }[];
  /** Id of the type of the result; 0 for `void`. */
  readonly returns: number;
}

export interface BtfVariable {
  readonly name: string;
  readonly typeId: number;
  /** Bytes from the start of the section. Zero in an object that was compiled but not linked: there the symbol table tells. */
  readonly offset: number;
  readonly size: number;
}

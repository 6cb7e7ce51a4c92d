/** BTF made by hand. */

/** A blob from strings (joined as they are, each ended by NUL) and the words of its types, with a layout section if given. */
export function encodeBtf(strings: string, types: readonly number[], layout: readonly number[] = []): Uint8Array {
  const header = Buffer.alloc(32);
  const typeBytes = Buffer.from(Uint32Array.from(types).buffer);
  const stringBytes = Buffer.from(strings, 'latin1');
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  const fields = [32, 0, typeBytes.length, typeBytes.length, stringBytes.length];
  const layoutFields = [typeBytes.length + stringBytes.length, layout.length];
  [...fields, ...layoutFields].forEach((value, i) => void header.writeUInt32LE(value, 4 + 4 * i));
  return Buffer.concat([header, typeBytes, stringBytes, Buffer.from(layout)]);
}

/** The second word of `struct btf_type`. */
export const typeInfo = (kind: number, vlen = 0, flag = 0): number => ((flag << 31) | (kind << 24) | vlen) >>> 0;

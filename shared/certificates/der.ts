/**
 * Reads DER as strictly as Go's crypto/x509 does (vendor/golang.org/x/crypto/cryptobyte). node:crypto and the ASN.1 packages
 * accept BER and trailing bytes; a forecast made with them would keep certificates that cert-manager orders anew.
 */

/** Tags of the ASN.1 types that X.509 uses. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  numericString: 0x12,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
} as const;

/** The tag byte of a context-specific element: `[n]`, primitive unless said otherwise. */
export function contextTag(number: number, form: 'primitive' | 'constructed' = 'primitive'): number {
  return 0x80 | number | (form === 'constructed' ? 0x20 : 0);
}

/** Thrown while decoding; `attempt` turns it into a value at the border of each decoder. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** What a decoder gives: the value, or what is wrong in the words of cert-manager's decoder. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

/** Runs a decoder. A DecodeError becomes `{ ok: false }`, any other error is a defect and passes. */
export function attempt<T>(decode: () => T): Decoded<T> {
  try {
    return { ok: true, value: decode() };
  } catch (thrown) {
    if (thrown instanceof DecodeError) return { ok: false, error: thrown.message };
    throw thrown;
  }
}

/** One DER element: its tag byte, its content, and the whole with tag and length. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

/** A cursor over consecutive DER elements. `malformed` is the text of the DecodeError when the bytes are not as asked for. */
export class DerReader {
  #rest: Buffer;

  constructor(bytes: Uint8Array) {
    this.#rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether nothing is left. */
  get empty(): boolean {
    return this.#rest.length === 0;
  }

  /** Whether the next element has this tag. */
  nextIs(wanted: number): boolean {
    return this.#rest[0] === wanted;
  }

  /** The next element, whatever it is. */
  any(malformed: string): Element {
    const header = readHeader(this.#rest);
    if (header === undefined) throw new DecodeError(malformed);
    const whole = this.#rest.subarray(0, header.length + header.contentLength);
    this.#rest = this.#rest.subarray(whole.length);
    return { tag: header.tag, content: whole.subarray(header.length), whole };
  }

  /** The next element, which must have this tag. */
  element(wanted: number, malformed: string): Element {
    const found = this.any(malformed);
    if (found.tag !== wanted) throw new DecodeError(malformed);
    return found;
  }

  /** The content of the next element, which must have this tag. */
  read(wanted: number, malformed: string): Buffer {
    return this.element(wanted, malformed).content;
  }

  /** A cursor inside the next element, which must have this tag. */
  enter(wanted: number, malformed: string): DerReader {
    return new DerReader(this.read(wanted, malformed));
  }

  /** The content of the next element if it has this tag; otherwise nothing is read. */
  optional(wanted: number, malformed: string): Buffer | undefined {
    return this.nextIs(wanted) ? this.read(wanted, malformed) : undefined;
  }

  /**
   * An optional field behind an explicit tag, as Go's encoding/asn1 takes it: the length that goes with the tag is not looked at, and
   * a field of another type counts as absent.
   */
  explicit(number: number, wanted: number, malformed: string): Buffer | undefined {
    if (this.empty) return undefined;
    const outer = readTag(this.#rest);
    if (outer === undefined) throw new DecodeError(malformed);
    const isEmpty = outer.contentLength === 0 && outer.tag === contextTag(number);
    if (outer.tag !== contextTag(number, 'constructed') && !isEmpty) return undefined;
    if (outer.contentLength === 0) throw new DecodeError(malformed);
    const behind = this.#rest.subarray(outer.length);
    const inner = readTag(behind);
    if (inner === undefined) throw new DecodeError(malformed);
    if (inner.tag !== wanted) return undefined;
    this.#rest = behind;
    return this.read(wanted, malformed);
  }

  /**
   * Whether what stands where an optional field could be has a tag and a length, as Go's encoding/asn1 wants of it
   * (parseTagAndLength), be it that field or not. Nothing is read, and the content need not be there.
   */
  header(malformed: string): void {
    const at = tagLength(this.#rest);
    const length = at === undefined ? undefined : readLength(this.#rest, at);
    if (length === undefined || length.contentLength >= 2 ** 31) throw new DecodeError(malformed);
  }

  /** The next element as an INTEGER of any size. */
  integer(malformed: string): bigint {
    return integerValue(this.read(tag.integer, malformed), malformed);
  }

  /** The next element as an OBJECT IDENTIFIER in dotted text. */
  oid(malformed: string): string {
    return oidText(this.read(tag.oid, malformed), malformed);
  }

  /** The next element as a BOOLEAN; DER knows only 0x00 and 0xff. */
  boolean(malformed: string): boolean {
    const content = this.read(tag.boolean, malformed);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new DecodeError(malformed);
    return content[0] === 0xff;
  }

  /** The next element as a BIT STRING, from its first bit. */
  bits(malformed: string): Buffer {
    return bitString(this.read(tag.bitString, malformed), malformed).bytes;
  }

  /** The next element as a BIT STRING that holds bytes, moved so that its last bit ends the last byte (Go RightAlign). */
  bitString(malformed: string): Buffer {
    const { bytes, unusedBits } = bitString(this.read(tag.bitString, malformed), malformed);
    if (unusedBits === 0) return bytes;
    return Buffer.from(bytes.map((byte, at) => (byte >> unusedBits) | ((bytes[at - 1] ?? 0) << (8 - unusedBits))));
  }
}

/** The content of a BIT STRING, taken apart. Bits that are not used must be zero. */
export function bitString(content: Buffer, malformed: string): { bytes: Buffer; unusedBits: number } {
  const unusedBits = content[0];
  if (unusedBits === undefined || unusedBits > 7) throw new DecodeError(malformed);
  const bytes = content.subarray(1);
  const last = bytes.at(-1);
  if (last === undefined ? unusedBits !== 0 : (last & ((1 << unusedBits) - 1)) !== 0) throw new DecodeError(malformed);
  return { bytes, unusedBits };
}

/** One element as DER, for the few places where bytes are compared instead of read. */
export function encodeElement(tagByte: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tagByte]), encodeLength(content.length), content]);
}

/** A dotted OBJECT IDENTIFIER as DER, or nothing if it has no DER form. */
export function encodeOid(dotted: string): Buffer | undefined {
  const arcs = dotted.split('.').map(Number);
  const [first, second, ...others] = arcs;
  if (first === undefined || second === undefined || arcs.some((arc) => !Number.isSafeInteger(arc) || arc < 0))
    return undefined;
  if (first > 2 || (first < 2 && second >= 40)) return undefined;
  return encodeElement(tag.oid, Buffer.from([first * 40 + second, ...others].flatMap(base128)));
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) | 0x80);
  return digits;
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const digits: number[] = [];
  for (let left = length; left > 0; left >>>= 8) digits.unshift(left & 0xff);
  return Buffer.from([0x80 | digits.length, ...digits]);
}

interface Header {
  readonly tag: number;
  /** Of the header itself. */
  readonly length: number;
  readonly contentLength: number;
}

function readHeader(bytes: Buffer): Header | undefined {
  const header = readTag(bytes);
  return header === undefined || bytes.length < header.length + header.contentLength ? undefined : header;
}

/** How many bytes a tag takes: one, or more with a number from 31 on, in the fewest that it needs (Go parseBase128Int). */
function tagLength(bytes: Buffer): number | undefined {
  if (bytes[0] === undefined) return undefined;
  if ((bytes[0] & 0x1f) !== 0x1f) return 1;
  const end = bytes.subarray(1, 6).findIndex((byte) => byte < 0x80);
  if (end < 0 || bytes[1] === 0x80) return undefined;
  const number = bytes.subarray(1, 2 + end).reduce((sum, byte) => sum * 128 + (byte & 0x7f), 0);
  return number < 0x1f || number >= 2 ** 31 ? undefined : 2 + end;
}

/** Tag and length, whether or not the content is there. */
function readTag(bytes: Buffer): Header | undefined {
  const tagByte = bytes[0];
  if (tagByte === undefined || (tagByte & 0x1f) === 0x1f) return undefined;
  const found = readLength(bytes, 1);
  return found && { tag: tagByte, ...found };
}

/** The length behind a tag, in the fewest bytes that it needs. @returns it, and how many bytes there are with it and the tag */
function readLength(bytes: Buffer, at: number): Omit<Header, 'tag'> | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  const start = at + 1;
  if (first < 0x80) return { length: start, contentLength: first };
  const digits = first & 0x7f;
  if (digits === 0 || digits > 4 || bytes.length < start + digits) return undefined;
  const contentLength = bytes.readUIntBE(start, digits);
  if (contentLength < 0x80 || contentLength < 2 ** (8 * (digits - 1))) return undefined;
  return { length: start + digits, contentLength };
}

function integerValue(content: Buffer, malformed: string): bigint {
  const [first, second] = content;
  if (first === undefined) throw new DecodeError(malformed);
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw new DecodeError(malformed);
  }
  return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString('hex')}`));
}

/** The content of an OBJECT IDENTIFIER as dotted text. */
export function oidText(content: Buffer, malformed: string): string {
  const values: number[] = [];
  let value = 0;
  let open = false;
  for (const byte of content) {
    // An arc that starts with 0x80 has a leading zero, and Go stops at 31 bits.
    if (!open && byte === 0x80) throw new DecodeError(malformed);
    value = value * 128 + (byte & 0x7f);
    if (value > 0x7fffffff) throw new DecodeError(malformed);
    open = byte >= 0x80;
    if (open) continue;
    values.push(value);
    value = 0;
  }
  const [first, ...others] = values;
  if (first === undefined || open) throw new DecodeError(malformed);
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...others].join('.');
}

import { isUtf8 } from 'node:buffer';
import { withoutEnds } from '../text.js';
import { DecodeError, encodeElement, encodeOid, tag } from './der.js';
import { nameOid } from './names.js';

const attributeOids: ReadonlyMap<string, string> = new Map([
  ['C', nameOid.country],
  ['O', nameOid.organization],
  ['OU', nameOid.organizationalUnit],
  ['CN', nameOid.commonName],
  ['SERIALNUMBER', nameOid.serialNumber],
  ['L', nameOid.locality],
  ['ST', nameOid.province],
  ['STREET', nameOid.streetAddress],
  ['DC', '0.9.2342.19200300.100.1.25'],
  ['UID', '0.9.2342.19200300.100.1.1'],
]);

/**
 * The DER that cert-manager puts into a request for `spec.literalSubject`: RDNs in reverse, strings printable where they can be
 * and UTF-8 otherwise. Throws DecodeError where cert-manager cannot parse the text.
 * Source: cert-manager pkg/util/pki/subject.go UnmarshalSubjectStringToRDNSequence, go-ldap ParseDN, Go encoding/asn1.
 */
export function literalSubjectDer(text: string): Buffer {
  const groups = parseNames(text).map((group) =>
    // DER orders the members of a SET by their bytes.
    encodeElement(tag.set, Buffer.concat(group.map(attributeDer).sort(Buffer.compare))),
  );
  return encodeElement(tag.sequence, Buffer.concat(groups.reverse()));
}

/** What a PrintableString holds. */
const printableText = /^[A-Za-z0-9'()+,\-./ :=?]*$/;

interface Attribute {
  readonly type: string;
  readonly value: Buffer;
}

function attributeDer({ type, value }: Attribute): Buffer {
  const oid = encodeOid(attributeOids.get(type) ?? type);
  if (oid === undefined) throw new DecodeError('asn1: structure error: invalid object identifier');
  const printable = printableText.test(value.toString('latin1'));
  if (!isUtf8(value)) throw new DecodeError('asn1: string not valid UTF-8');
  return encodeElement(
    tag.sequence,
    Buffer.concat([oid, encodeElement(printable ? tag.printableString : tag.utf8String, value)]),
  );
}

function parseNames(text: string): Attribute[][] {
  if (text.trim() === '') return [];
  const groups: Attribute[][] = [[]];
  let type = '';
  let start = 0;
  let escaped = false;
  const finish = (at: number) => {
    if (type === '') throw new DecodeError('incomplete type, value pair');
    groups.at(-1)?.push({ type, value: attributeValue(text.slice(start, at)) });
    type = '';
    start = at + 1;
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (escaped) {
      escaped = false;
    } else if (char === '\\') {
      escaped = true;
    } else if (char === '=' && type === '') {
      type = unescapeText(text.slice(start, at)).toString();
      start = at + 1;
    } else if (char === ',' || char === ';' || char === '+') {
      finish(at);
      if (char !== '+') groups.push([]);
    }
  }
  finish(text.length);
  return groups;
}

function attributeValue(text: string): Buffer {
  return text.startsWith('#') ? berValue(text.slice(1)) : unescapeText(text);
}

/** The content of the BER that follows a `#` in hex: of a primitive string of a length that needs no further byte. */
function berValue(hex: string): Buffer {
  const unreadable = new DecodeError('failed to decode BER encoding');
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(hex)) throw unreadable;
  const bytes = Buffer.from(hex, 'hex');
  const [type = 0, length = 0x80] = bytes;
  const content = bytes.subarray(2, 2 + length);
  const text = content.toString('latin1');
  const isText =
    (type === tag.utf8String && isUtf8(content)) ||
    (type === tag.printableString && printableText.test(text)) ||
    (type === tag.ia5String && !content.some((byte) => byte >= 0x7f)) ||
    plainTypes.has(type);
  if (length >= 0x80 || content.length < length || !isText) throw unreadable;
  return content;
}

const plainTypes: ReadonlySet<number> = new Set([
  tag.octetString,
  tag.numericString,
  tag.t61String,
  tag.bmpString,
  tag.bitString,
  tag.integer,
  tag.boolean,
]);

function unescapeText(text: string): Buffer {
  const trimmed = withoutEnds(text, ' ');
  const kept = trimmed.endsWith('\\') && text.endsWith(' ') ? `${trimmed} ` : trimmed;
  const bytes: Buffer[] = [];
  for (const [piece] of kept.matchAll(/\\(?:[ "#+,;<=>\\]|[0-9a-fA-F]{2})|\\|[^\\]+/g)) {
    if (piece === '\\') throw new DecodeError(`got corrupted escaped character: '${kept}'`);
    if (!piece.startsWith('\\')) bytes.push(Buffer.from(piece));
    else bytes.push(piece.length === 2 ? Buffer.from(piece.slice(1)) : Buffer.from(piece.slice(1), 'hex'));
  }
  return Buffer.concat(bytes);
}

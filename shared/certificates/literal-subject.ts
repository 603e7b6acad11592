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

interface Attribute {
  readonly type: string;
  readonly value: string;
}

function attributeDer({ type, value }: Attribute): Buffer {
  const oid = encodeOid(attributeOids.get(type) ?? type);
  if (oid === undefined) throw new DecodeError('asn1: structure error: invalid object identifier');
  const printable = /^[A-Za-z0-9'()+,\-./ :=?]*$/.test(value);
  return encodeElement(
    tag.sequence,
    Buffer.concat([oid, encodeElement(printable ? tag.printableString : tag.utf8String, Buffer.from(value))]),
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
      type = unescapeText(text.slice(start, at));
      start = at + 1;
    } else if (char === ',' || char === ';' || char === '+') {
      finish(at);
      if (char !== '+') groups.push([]);
    }
  }
  finish(text.length);
  return groups;
}

function attributeValue(text: string): string {
  // The `#` form holds BER, which no Certificate of this platform uses; treated as unreadable, it counts as matching.
  if (text.startsWith('#')) throw new DecodeError('failed to decode BER encoding');
  return unescapeText(text);
}

function unescapeText(text: string): string {
  const trimmed = withoutEnds(text, ' ');
  const kept = trimmed.endsWith('\\') && text.endsWith(' ') ? `${trimmed} ` : trimmed;
  const bytes: Buffer[] = [];
  for (const [piece] of kept.matchAll(/\\(?:[ "#+,;<=>\\]|[0-9a-fA-F]{2})|\\|[^\\]+/g)) {
    if (piece === '\\') throw new DecodeError(`got corrupted escaped character: '${kept}'`);
    if (!piece.startsWith('\\')) bytes.push(Buffer.from(piece));
    else bytes.push(piece.length === 2 ? Buffer.from(piece.slice(1)) : Buffer.from(piece.slice(1), 'hex'));
  }
  return Buffer.concat(bytes).toString();
}

/** Distinguished names of certificates and requests, as Go's crypto/x509 reads them. */
import { bitString, DecodeError, DerReader, type Element, encodeElement, oidText, tag } from './der.js';

/** One attribute of a distinguished name. `tag` is the ASN.1 string type that it is written in. */
export interface NameAttribute {
  readonly oid: string;
  readonly value: string;
  readonly tag: number;
}

/** A distinguished name: its attributes in order, grouped as written, and the DER that two names are compared by. */
export interface DistinguishedName {
  readonly groups: readonly (readonly NameAttribute[])[];
  readonly der: Buffer;
}

/** The attributes that cert-manager compares, by the last arc of their identifier under 2.5.4. */
export const nameOid = {
  commonName: '2.5.4.3',
  serialNumber: '2.5.4.5',
  country: '2.5.4.6',
  locality: '2.5.4.7',
  province: '2.5.4.8',
  streetAddress: '2.5.4.9',
  organization: '2.5.4.10',
  organizationalUnit: '2.5.4.11',
  postalCode: '2.5.4.17',
} as const;

/**
 * Reads a name from the DER of its SEQUENCE. Throws DecodeError. In a certificate a value that is no text is an error (Go
 * crypto/x509 parseName); in a request it is passed over (Go encoding/asn1).
 */
export function readName(der: Buffer, mode: 'text only' | 'skip other types' = 'text only'): DistinguishedName {
  const groups: NameAttribute[][] = [];
  const sequence = new DerReader(der).enter(tag.sequence, 'x509: invalid RDNSequence');
  while (!sequence.empty) {
    const set = sequence.enter(tag.set, 'x509: invalid RDNSequence');
    const group: NameAttribute[] = [];
    while (!set.empty) {
      const attribute = set.enter(tag.sequence, 'x509: invalid RDNSequence: invalid attribute');
      const oid = attribute.oid('x509: invalid RDNSequence: invalid attribute type');
      const value = attribute.any('x509: invalid RDNSequence: invalid attribute value');
      if (mode === 'skip other types' && !textTags.has(value.tag)) {
        requireForm(value);
        continue;
      }
      group.push({ oid, value: stringValue(value.tag, value.content), tag: value.tag });
    }
    groups.push(group);
  }
  return { groups, der };
}

const malformedValue = 'asn1: syntax error: malformed value';
/** Of UTCTime, with or without seconds, and of GeneralizedTime. */
const timeForms: ReadonlyMap<number, RegExp> = new Map([
  [tag.utcTime, /^\d{10}(?:\d\d)?(?:Z|[+-]\d{4})$/],
  [tag.generalizedTime, /^\d{14}(?:Z|[+-]\d{4})$/],
]);

/** A value of another type is passed over, once it was read as what it says it is (Go encoding/asn1 parseField, the ANY type). */
function requireForm({ tag: type, content, whole }: Element): void {
  if (type === tag.boolean) new DerReader(whole).boolean(malformedValue);
  if (type === tag.integer) {
    new DerReader(whole).integer(malformedValue);
    // Go has room for 64 bits there.
    if (content.length > 8) throw new DecodeError(malformedValue);
  }
  if (type === tag.bitString) bitString(content, malformedValue);
  if (type === tag.oid) oidText(content, malformedValue);
  if (timeForms.get(type)?.test(content.toString('latin1')) === false) throw new DecodeError(malformedValue);
}

/** All values of one attribute, in order. */
export function nameValues(name: DistinguishedName, oid: string): string[] {
  return name.groups.flat().flatMap((attribute) => (attribute.oid === oid ? [attribute.value] : []));
}

/** The value that Go takes for an attribute that should be there once: the last one, or nothing. */
export function nameValue(name: DistinguishedName, oid: string): string {
  return nameValues(name, oid).at(-1) ?? '';
}

const shortNames: ReadonlyMap<string, string> = new Map([
  [nameOid.country, 'C'],
  [nameOid.organization, 'O'],
  [nameOid.organizationalUnit, 'OU'],
  [nameOid.commonName, 'CN'],
  [nameOid.serialNumber, 'SERIALNUMBER'],
  [nameOid.locality, 'L'],
  [nameOid.province, 'ST'],
  [nameOid.streetAddress, 'STREET'],
  [nameOid.postalCode, 'POSTALCODE'],
]);

/** The name as text, most specific attribute first: `CN=R11,O=Let's Encrypt,C=US` (RFC 4514; Go pkix RDNSequence.String). */
export function nameText(name: DistinguishedName): string {
  return name.groups
    .toReversed()
    .map((group) => group.map(attributeText).join('+'))
    .join(',');
}

function attributeText(attribute: NameAttribute): string {
  const short = shortNames.get(attribute.oid);
  if (short !== undefined) return `${short}=${escapeValue(attribute.value)}`;
  const der = encodeElement(tag.utf8String, Buffer.from(attribute.value));
  return `${attribute.oid}=#${der.toString('hex')}`;
}

function escapeValue(value: string): string {
  return value.replace(/[,+"\\<>;]|^[ #]| $/g, (special) => `\\${special}`);
}

const textTags: ReadonlySet<number> = new Set([
  tag.t61String,
  tag.printableString,
  tag.utf8String,
  tag.bmpString,
  tag.ia5String,
  tag.numericString,
]);

const printable = /^[A-Za-z0-9'()+,\-./ :=?*&]*$/;

function stringValue(tagByte: number, content: Buffer): string {
  const invalid = (kind: string) =>
    new DecodeError(`x509: invalid RDNSequence: invalid attribute value: invalid ${kind}`);
  switch (tagByte) {
    case tag.t61String:
      return content.toString('latin1');
    case tag.printableString:
      if (!printable.test(content.toString('latin1'))) throw invalid('PrintableString');
      return content.toString('latin1');
    case tag.utf8String:
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
      } catch {
        throw invalid('UTF-8 string');
      }
    case tag.bmpString:
      return bmpValue(content, invalid('BMPString'));
    case tag.ia5String:
      if (content.some((byte) => byte > 0x7f)) throw invalid('IA5String');
      return content.toString('latin1');
    case tag.numericString:
      if (!/^[0-9 ]*$/.test(content.toString('latin1'))) throw invalid('NumericString');
      return content.toString('latin1');
    default:
      throw new DecodeError(`x509: invalid RDNSequence: invalid attribute value: unsupported string type: ${tagByte}`);
  }
}

function bmpValue(content: Buffer, invalid: DecodeError): string {
  if (content.length % 2 !== 0) throw invalid;
  const text = Buffer.from(content).swap16().toString('utf16le').replace(/\0$/, '');
  // Surrogates and noncharacters, which Go refuses.
  if (/[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]/.test(text)) throw invalid;
  return text;
}

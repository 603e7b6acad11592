/**
 * Certificates and requests as bytes, quickly and with whatever mistakes are asked for. Nobody checks a signature here: neither
 * cert-manager's policies nor the forecast do.
 */
import { contextTag, encodeElement, encodeOid, tag } from '../../../shared/certificates/der.js';

/** One attribute of a name, in the string type that it is written in. */
export interface Attribute {
  readonly oid: string;
  readonly value: Buffer;
  readonly tag: number;
}

/**
 * One name of the extension, by its kind: [0] other, [1] e-mail, [2] DNS, [3] X.400, [4] directory, [5] EDI party, [6] URI, [7] address,
 * [8] registered identifier.
 */
export interface AlternativeName {
  readonly kind: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;
  readonly content: Buffer;
}

/** What a certificate or request says. */
export interface Content {
  readonly spki: Buffer;
  readonly subject: Buffer;
  readonly names: readonly AlternativeName[];
  readonly extensions: readonly Buffer[];
}

/** When a certificate is valid. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const signatureAlgorithm = sequence(oid('1.2.840.10045.4.3.2'));
const signature = encodeElement(tag.bitString, Buffer.from(`00${'5a'.repeat(64)}`, 'hex'));
/** The kinds that hold further elements. */
const structured: ReadonlySet<number> = new Set([0, 3, 4, 5]);
const alternativeNamesOid = '2.5.29.17';
const extensionRequestOid = '1.2.840.113549.1.9.14';

/** A SEQUENCE of elements. */
export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return encodeElement(tag.sequence, Buffer.concat(parts));
}

/** An OBJECT IDENTIFIER that has a DER form. */
export function oid(dotted: string): Buffer {
  const der = encodeOid(dotted);
  if (der === undefined) throw new Error(`${dotted} has no DER form`);
  return der;
}

/** A distinguished name, one attribute in each group. */
export function nameDer(attributes: readonly Attribute[]): Buffer {
  return sequence(
    ...attributes.map((one) => encodeElement(tag.set, sequence(oid(one.oid), encodeElement(one.tag, one.value)))),
  );
}

/** An extension with its value. */
export function extensionDer(id: string, value: Uint8Array, isCritical = false): Buffer {
  const critical = isCritical ? [encodeElement(tag.boolean, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...critical, encodeElement(tag.octetString, value));
}

/** The value of an otherName with a UTF-8 text. */
export function otherName(id: string, text: string): AlternativeName {
  const value = encodeElement(tag.utf8String, Buffer.from(text));
  return {
    kind: 0,
    content: Buffer.concat([oid(id), encodeElement(contextTag(0, 'constructed'), value)]),
  };
}

/** A certificate as DER. */
export function certificateDer(content: Content & Validity & { readonly issuer: Buffer }): Buffer {
  const { issuer, subject, spki, notBefore, notAfter } = content;
  const extensions = extensionsOf(content);
  const body = sequence(
    encodeElement(contextTag(0, 'constructed'), encodeElement(tag.integer, Buffer.from([2]))),
    encodeElement(tag.integer, Buffer.from('0a1b2c3d', 'hex')),
    signatureAlgorithm,
    issuer,
    sequence(timeDer(notBefore), timeDer(notAfter)),
    subject,
    spki,
    ...(extensions.length === 0 ? [] : [encodeElement(contextTag(3, 'constructed'), sequence(...extensions))]),
  );
  return sequence(body, signatureAlgorithm, signature);
}

/** A certificate request as DER. */
export function requestDer(content: Content): Buffer {
  const extensions = extensionsOf(content);
  const attribute = sequence(oid(extensionRequestOid), encodeElement(tag.set, sequence(...extensions)));
  const body = sequence(
    encodeElement(tag.integer, Buffer.from([0])),
    content.subject,
    content.spki,
    encodeElement(contextTag(0, 'constructed'), extensions.length === 0 ? Buffer.alloc(0) : attribute),
  );
  return sequence(body, signatureAlgorithm, signature);
}

function extensionsOf({ names, extensions }: Content): Buffer[] {
  const list = names.map(({ kind, content }) =>
    encodeElement(contextTag(kind, structured.has(kind) ? 'constructed' : 'primitive'), content),
  );
  return [...(list.length === 0 ? [] : [extensionDer(alternativeNamesOid, sequence(...list))]), ...extensions];
}

/** X.509 has two digits for the years up to 2049. */
function timeDer(time: Date): Buffer {
  const digits = `${time.toISOString().replace(/\..*|[-:T]/g, '')}Z`;
  const isShort = time.getUTCFullYear() >= 1950 && time.getUTCFullYear() < 2050;
  return isShort
    ? encodeElement(tag.utcTime, Buffer.from(digits.slice(2)))
    : encodeElement(tag.generalizedTime, Buffer.from(digits));
}

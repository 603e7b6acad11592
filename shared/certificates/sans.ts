/** Subject alternative names, from the DER of the extension: the display string of node:crypto quotes and escapes them. */
import { isUtf8 } from 'node:buffer';
import { isIP } from 'node:net';
import { contextTag, DecodeError, DerReader, type Element, encodeElement, oidText, tag } from './der.js';
import { readName } from './names.js';
import { readUri } from './uri.js';
import type { CertManagerVersion } from './version.js';

/** An otherName with a UTF-8 value. */
export interface OtherNameSan {
  readonly oid: string;
  readonly value: string;
}

/** Names by kind, in the order of the extension, spelled as the certificate spells them. Addresses are in canonical text. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
}

/** No names at all. */
export const noNames: AlternativeNames = { dns: [], ip: [], uri: [], email: [] };

/** Reads the extension's value (Go crypto/x509 parseSANExtension). Throws DecodeError with Go's words. */
export function readAlternativeNames(der: Buffer, rules: CertManagerVersion): AlternativeNames {
  const names: Record<keyof AlternativeNames, string[]> = { dns: [], ip: [], uri: [], email: [] };
  const sequence = new DerReader(der).enter(tag.sequence, 'x509: invalid subject alternative names');
  while (!sequence.empty) {
    const name = sequence.any('x509: invalid subject alternative name');
    switch (name.tag) {
      case contextTag(1):
        names.email.push(ascii(name.content, 'rfc822Name'));
        break;
      case contextTag(2):
        names.dns.push(ascii(name.content, 'dNSName'));
        break;
      case contextTag(6):
        names.uri.push(readUri(ascii(name.content, 'uniformResourceIdentifier'), rules));
        break;
      case contextTag(7):
        if (name.content.length !== 4 && name.content.length !== 16) {
          throw new DecodeError(`x509: cannot parse IP address of length ${name.content.length}`);
        }
        names.ip.push(addressText(name.content));
        break;
    }
  }
  return names;
}

/**
 * The otherNames of the extension's value (cert-manager pkg/util/pki/sans.go UnmarshalSANs, match.go matchOtherNames). Throws
 * DecodeError where cert-manager gives up on the request as a whole: it reads names of all kinds for it, by other rules than Go.
 */
export function readOtherNames(der: Buffer): OtherNameSan[] {
  const found: OtherNameSan[] = [];
  const outer = new DerReader(der);
  const sequence = outer.enter(tag.sequence, 'bad SAN sequence');
  if (!outer.empty) throw new DecodeError('x509: trailing data after X.509 extension');
  while (!sequence.empty) {
    const name = sequence.any('asn1: syntax error');
    const kind = name.tag & 0x1f;
    if (kind === 0) found.push(readOtherName(name));
    else checkName(kind, name);
  }
  return found;
}

const mismatch = "asn1: structure error: tags don't match";

function readOtherName(name: Element): OtherNameSan {
  if (name.tag !== contextTag(0, 'constructed')) throw new DecodeError(mismatch);
  const fields = new DerReader(name.content);
  const oid = fields.oid('asn1: syntax error');
  const value = fields.enter(contextTag(0, 'constructed'), 'asn1: syntax error').any('asn1: syntax error');
  if (value.tag !== tag.utf8String || !isUtf8(value.content)) throw new DecodeError('otherName is not an utf8 value');
  return { oid, value: value.content.toString() };
}

/** Whatever the class of its tag is: only its number counts for most kinds. */
function checkName(kind: number, { tag: own, content }: Element): void {
  switch (kind) {
    case 1:
    case 2:
    case 6:
      ascii(content, 'name');
      break;
    case 3:
      break;
    case 4:
      // Read as if it were not tagged explicitly, so a name as others write it is refused.
      if (own !== contextTag(4, 'constructed')) throw new DecodeError(mismatch);
      readName(encodeElement(tag.sequence, content), 'skip other types');
      break;
    case 5: {
      if (own !== contextTag(5, 'constructed')) throw new DecodeError(mismatch);
      const fields = new DerReader(content);
      fields.optional(contextTag(0), mismatch);
      fields.read(contextTag(1), mismatch);
      break;
    }
    case 7:
      if (content.length !== 4 && content.length !== 16) {
        throw new DecodeError(`x509: cannot parse IP address of length ${content.length}`);
      }
      break;
    case 8:
      if (own !== contextTag(8)) throw new DecodeError(mismatch);
      oidText(content, mismatch);
      break;
    default:
      throw new DecodeError('asn1: structure error: bad SAN choice');
  }
}

/**
 * The 16 bytes of an address as hex, equal for an IPv4 address and its IPv6-mapped form, or undefined if the text is no
 * address (Go net.ParseIP and To16; zones are refused).
 */
export function addressKey(text: string): string | undefined {
  if (text.includes('%')) return undefined;
  const family = isIP(text);
  if (family === 0) return undefined;
  return family === 4 ? `${'0'.repeat(20)}ffff${ipv4Hex(text)}` : ipv6Hex(text);
}

/** Names that a CA is asked for, as Let's Encrypt counts them: lower case, sorted, each once. The budget's key, joined. */
export function identifierSet(names: Iterable<string>): string[] {
  const spelled = [...names].filter((name) => name !== '').map((name) => canonicalAddress(name) ?? name.toLowerCase());
  return [...new Set(spelled)].sort();
}

function canonicalAddress(text: string): string | undefined {
  const key = addressKey(text);
  return key === undefined ? undefined : addressText(Buffer.from(key, 'hex'));
}

function ascii(content: Buffer, kind: string): string {
  if (content.some((byte) => byte > 0x7f)) throw new DecodeError(`x509: SAN ${kind} is malformed`);
  return content.toString('latin1');
}

function addressText(bytes: Buffer): string {
  const mapped = bytes.length === 16 && bytes.subarray(0, 12).toString('hex') === `${'0'.repeat(20)}ffff`;
  if (bytes.length === 4 || mapped) return [...bytes.subarray(-4)].join('.');
  const words = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return compress(words);
}

/** RFC 5952: the first longest run of two or more zero words becomes `::`. */
function compress(words: readonly string[]): string {
  const runs = [...words.join(':').matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map((match) => match[0]);
  const longest = runs.reduce((best, run) => (zeros(run) > zeros(best) ? run : best), '');
  if (longest === '') return words.join(':');
  const text = words.join(':');
  const at = text.indexOf(longest);
  return `${text.slice(0, at)}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}

function zeros(run: string): number {
  return run.split('0').length - 1;
}

function ipv4Hex(text: string): string {
  return Buffer.from(text.split('.').map(Number)).toString('hex');
}

function ipv6Hex(text: string): string {
  const plain = text.replace(/(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})$/, (ipv4) => {
    const hex = ipv4Hex(ipv4);
    return `${hex.slice(0, 4)}:${hex.slice(4)}`;
  });
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(gap).fill('0'), ...right]
    .map((word) => word.padStart(4, '0'))
    .join('')
    .toLowerCase();
}

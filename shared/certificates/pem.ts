/**
 * PEM as cert-manager sees it: Go's encoding/pem under the size caps of cert-manager internal/pem/decode.go. node:crypto finds a
 * block behind a byte order mark, and looks past a block that it cannot use; cert-manager does neither, so nothing in this
 * project hands PEM to node:crypto.
 */
import { withoutEnd } from '../text.js';
import { has } from './backports.js';
import { DecodeError } from './der.js';
import type { CertManagerVersion } from './version.js';

/** One PEM block: its label, the DER inside, and what follows it. */
export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
  readonly rest: Buffer;
}

/** What cert-manager says where it finds no block at all. */
export const noPemData = 'no PEM data was found in given input';

/** The largest input, in bytes, that cert-manager decodes per kind. It refuses the whole input when it is larger. */
export interface PemLimits {
  readonly privateKey: number;
  readonly certificates: number;
  readonly request: number;
}

/** The caps of one cert-manager version with default flags (internal/pem/decode.go). */
export function pemLimits(version: CertManagerVersion): PemLimits {
  return {
    privateKey: 13_000,
    certificates: has(version, 'certificatesAsBundle') ? 330_000 : 65_000,
    request: has(version, 'longRequests') ? 36_500 : 6_500,
  };
}

/**
 * The first PEM block of the input, or undefined if there is none.
 * @param limit the cap in bytes; more throws a DecodeError (internal/pem safeDecodeInternal)
 */
export function firstPemBlock(input: Buffer, limit: number): PemBlock | undefined {
  if (input.length > limit) throw new DecodeError(`provided PEM data was larger than the maximum ${limit}B`);
  return scan(input);
}

const begin = '-----BEGIN ';
const end = '\n-----END ';
const dashes = '-----';

/** Go encoding/pem Decode, step by step: the first END line, and the last BEGIN before it, decide what a block is. */
function scan(input: Buffer): PemBlock | undefined {
  let rest = input;
  let from = 0;
  for (;;) {
    rest = rest.subarray(from);
    let endAt = rest.indexOf(end);
    if (endAt < 0) return undefined;
    from = endAt + end.length;
    const beginAt = rest.subarray(0, endAt).lastIndexOf(begin);
    if (beginAt < 0 || (beginAt > 0 && rest[beginAt - 1] !== newline)) continue;
    rest = rest.subarray(beginAt + begin.length);
    endAt -= beginAt + begin.length;
    from -= beginAt + begin.length;

    const labelLine = takeLine(rest);
    rest = labelLine.rest;
    endAt -= labelLine.consumed;
    from -= labelLine.consumed;
    if (!labelLine.text.endsWith(dashes)) continue;
    const label = labelLine.text.slice(0, -dashes.length);

    let headers = 0;
    for (;;) {
      if (rest.length === 0) return undefined;
      const line = takeLine(rest);
      if (!line.text.includes(':')) break;
      headers += 1;
      rest = line.rest;
      endAt -= line.consumed;
      from -= line.consumed;
    }
    if (headers > 0 && endAt < 0) continue;

    const trailer = rest.subarray(from).toString('latin1');
    const wanted = label + dashes;
    if (!trailer.startsWith(wanted)) continue;
    if (takeLine(rest.subarray(from + wanted.length)).text !== '') continue;

    const der = endAt > 0 ? decodeBase64(rest.subarray(0, endAt).toString('latin1')) : Buffer.alloc(0);
    if (der === undefined) continue;
    // One less than the length of the END mark, because an empty block matched it without its newline.
    return { label, der, rest: takeLine(rest.subarray(endAt + end.length - 1)).rest };
  }
}

const newline = 0x0a;

/** One line without its end and without trailing blanks. The text keeps bytes as they are (latin1). */
function takeLine(bytes: Buffer): { text: string; rest: Buffer; consumed: number } {
  const at = bytes.indexOf(newline);
  const consumed = at < 0 ? bytes.length : at + 1;
  const line = bytes.subarray(0, at < 0 ? bytes.length : at).toString('latin1');
  const withoutReturn = at >= 0 && line.endsWith('\r') ? line.slice(0, -1) : line;
  return { text: withoutEnd(withoutReturn, ' \t'), rest: bytes.subarray(consumed), consumed };
}

/** Go base64.StdEncoding, which skips line ends and wants its padding; undefined if the text is not that. */
function decodeBase64(text: string): Buffer | undefined {
  const packed = text.replace(/[ \t\r\n]/g, '');
  const valid = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(packed);
  return valid ? Buffer.from(packed, 'base64') : undefined;
}

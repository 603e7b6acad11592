import { pem } from '../../../shared/certificates/testing/fixtures.js';
import type { Dice } from './dice.js';

const letters = ['!', ' ', '\t', '\r', '\n', '-', ':', 'A', '=', '#', '\u00e4', '\0'];

/** Spoils a PEM text, or only spells it otherwise: who decides which it was are the decoders. */
export function spoiledPem(dice: Dice, text: string): string {
  const lines = text.split('\n');
  const at = dice.below(Math.max(1, lines.length));
  const change = dice.pick<() => string>([
    () => text.replaceAll('\n', '\r\n'),
    () => text.trimEnd(),
    () => `\ufeff${text}`,
    () => `${text}junk\n`,
    () => `notes\n${text}`,
    () => `Bag Attributes\n    friendlyName: x\n${text}`,
    () => text.replaceAll('\n', dice.pick([' \n', '\t\n', ' \t\n', '\n\n'])),
    () => text.replace(/^/gm, ' '),
    () => text.replace('-----\n', '-----\nComment: x\n\n'),
    () => text.replace('-----\n', '-----\nComment: x\n'),
    () => text.replace(/-----\n$/, dice.pick(['----- \n', '-----x\n', '-----\t', '----\n', '-----\r'])),
    () =>
      text.replace(
        /^-----BEGIN ([A-Z0-9 ]+)-----/,
        dice.pick([
          '----BEGIN $1-----',
          '-----BEGIN $1',
          ' -----BEGIN $1-----',
          'x-----BEGIN $1-----',
          '-----BEGIN  $1-----',
          '-----BEGIN $1----- ',
        ]),
      ),
    () => text.replace(/BEGIN ([A-Z ]+)/, 'BEGIN OTHER'),
    () =>
      text.replaceAll(
        /(BEGIN|END) [A-Z0-9 ]+/g,
        `$1 ${dice.pick(['CERTIFICATE', 'PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'X', 'TRUSTED CERTIFICATE', 'CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST', ''])}`,
      ),
    () => lines.toSpliced(at, 1).join('\n'),
    () => lines.toSpliced(at, 0, lines[at] ?? '').join('\n'),
    () => lines.toSpliced(at, 0, dice.pick(['', ' ', 'x', 'a: b', '-----END X-----', '-----BEGIN X-----'])).join('\n'),
    () => inserted(text, dice.below(text.length + 1), dice.pick(letters)),
    () => inserted(text, dice.below(text.length + 1), dice.pick(letters)),
    () => text.slice(0, dice.below(text.length + 1)),
    () => Buffer.from(text).toString('base64'),
    () => `${text.split('\n')[0]}\n${text}`,
    () => text + text,
    () => 'garbage',
    () => text.replace(/\n([^-\n]{10})/, '\n$1 \t'),
    () => text.replaceAll(/\n(?=[^-\n]*\n[^-])/g, ''),
    () =>
      text.replace(
        /=*\n-----END/,
        dice.pick(['\n-----END', '=\n-----END', '==\n-----END', '-----END', '\n \n-----END']),
      ),
  ]);
  return change();
}

function inserted(text: string, at: number, letter: string): string {
  return text.slice(0, at) + letter + text.slice(at);
}

/** The same PEM with other bytes inside. */
export function spoiledInside(dice: Dice, text: string): string {
  const [, label = '', body = ''] = /-----BEGIN ([^-]+)-----\n([\s\S]*?)\n-----END/.exec(text) ?? [];
  const der = Buffer.from(body, 'base64');
  return pem(label, spoiledDer(dice, der));
}

/** DER with a byte or two of it changed, left out, added, or its end cut off. */
export function spoiledDer(dice: Dice, der: Buffer): Buffer {
  if (der.length === 0) return der;
  const at = dice.below(der.length);
  const change = dice.weighted<() => Buffer>([
    [4, () => changed(der, at, dice.below(256))],
    [4, () => changed(der, at, (der[at] ?? 0) ^ (1 << dice.below(8)))],
    // Headers and lengths are near the start.
    [3, () => changed(der, Math.min(dice.below(24), der.length - 1), dice.below(256))],
    [1, () => Buffer.concat([der.subarray(0, at), der.subarray(at + 1)])],
    [1, () => Buffer.concat([der.subarray(0, at), dice.bytes(1), der.subarray(at)])],
    [1, () => der.subarray(0, at)],
    [1, () => Buffer.concat([der, dice.bytes(1)])],
  ]);
  return change();
}

function changed(der: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(der);
  copy[at] = value;
  return copy;
}

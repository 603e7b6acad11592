/**
 * URLs as Go's net/url reads and prints them (url.go Parse and String): cert-manager compares what is printed with the spec's text, so
 * a URL that Go spells otherwise never matches. Texts are bytes, one for each character, as unescaping may give any.
 */
import { isIP } from 'node:net';

/** A URL as Go takes it apart. */
export interface GoUrl {
  readonly scheme: string;
  readonly opaque: string;
  /** Unescaped, with what is before `@` and, behind a colon, the password. */
  readonly user: { readonly name: string; readonly password: string | undefined } | undefined;
  readonly host: string;
  readonly path: Escaped;
  readonly omitHost: boolean;
  readonly forceQuery: boolean;
  readonly query: string;
  readonly fragment: Escaped;
}

/** A part that is kept unescaped, and as it was written. */
interface Escaped {
  readonly text: string;
  readonly raw: string;
}

/** What Go refuses, in its words. */
export class UrlError extends Error {
  override readonly name = 'UrlError';
}

type Part = 'host' | 'zone' | 'user' | 'path' | 'fragment';

/** What need not be escaped besides letters, digits and `-_.~` (encoding_table.go). */
const plain: Readonly<Record<Part, string>> = {
  host: '!$&\'()*+,;=:[]<>"',
  zone: '!$&\'()*+,;=:[]<>"',
  user: '$&+,;=',
  path: '$&+,/:;=@',
  fragment: '$&+,/:;=?@!()*',
};

/** What Go's own settings decide. */
export interface UrlRules {
  /** Whether a host of http and https may have one colon only, the port's (GODEBUG urlstrictcolons). */
  readonly oneColon: boolean;
}

/** Parses a URL. @throws UrlError */
export function parseUrl(text: string, rules: UrlRules): GoUrl {
  const [start = '', fragment = ''] = cut(text, '#');
  const url = saying(start, () => parseWithoutFragment(start, rules));
  if (fragment === '') return url;
  return saying(text, () => ({ ...url, fragment: { text: unescaped(fragment, 'fragment'), raw: fragment } }));
}

/** Prints a URL. */
export function urlText({ scheme, opaque, user, host, path, omitHost, forceQuery, query, fragment }: GoUrl): string {
  let text = scheme === '' ? '' : `${scheme}:`;
  if (opaque !== '') {
    text += opaque;
  } else {
    if ((scheme !== '' || host !== '' || user !== undefined) && !(omitHost && host === '' && user === undefined)) {
      if (host !== '' || path.text !== '' || user !== undefined) text += '//';
      if (user !== undefined) text += `${userText(user)}@`;
      text += escaped(host, 'host');
    }
    const printed = path.text === '*' ? '*' : escapedText(path, 'path');
    if (printed !== '' && !printed.startsWith('/') && host !== '') text += '/';
    if (text === '' && cut(printed, '/')[0]?.includes(':')) text += './';
    text += printed;
  }
  if (forceQuery || query !== '') text += `?${query}`;
  return fragment.text === '' ? text : `${text}#${escapedText(fragment, 'fragment')}`;
}

const nothing: Escaped = { text: '', raw: '' };

/** Says of which text an error is. */
function saying<T>(quoted: string, parse: () => T): T {
  try {
    return parse();
  } catch (thrown) {
    if (thrown instanceof UrlError) throw new UrlError(`parse ${JSON.stringify(quoted)}: ${thrown.message}`);
    throw thrown;
  }
}

function parseWithoutFragment(text: string, rules: UrlRules): GoUrl {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that Go refuses.
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new UrlError('net/url: invalid control character in URL');
  const empty: GoUrl = {
    scheme: '',
    opaque: '',
    user: undefined,
    host: '',
    path: nothing,
    omitHost: false,
    forceQuery: false,
    query: '',
    fragment: nothing,
  };
  if (text === '*') return { ...empty, path: { text: '*', raw: '*' } };
  const [scheme, behindScheme] = schemeOf(text);
  const forceQuery = behindScheme.endsWith('?') && behindScheme.indexOf('?') === behindScheme.length - 1;
  const [rest = '', query = ''] = cut(behindScheme, '?');
  const base = { ...empty, scheme, forceQuery, query };
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...base, opaque: rest };
    if (cut(rest, '/')[0]?.includes(':')) throw new UrlError('first path segment in URL cannot contain colon');
  }
  if (rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'))) {
    const [, authority = '', behind = ''] = /^\/\/([^/]*)(.*)$/s.exec(rest) ?? [];
    const { user, host } = readAuthority(authority, isStrict(scheme, rules));
    return { ...base, user, host, path: readPath(behind) };
  }
  return { ...base, omitHost: scheme !== '' && rest.startsWith('/'), path: readPath(rest) };
}

function schemeOf(text: string): [scheme: string, rest: string] {
  if (text.startsWith(':')) throw new UrlError('missing protocol scheme');
  const found = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(text);
  if (found === null) return ['', text];
  return [(found[1] ?? '').toLowerCase(), text.slice(found[0].length)];
}

function readPath(raw: string): Escaped {
  return { text: unescaped(raw, 'path'), raw };
}

function isStrict(scheme: string, { oneColon }: UrlRules): boolean {
  return oneColon && (scheme === 'http' || scheme === 'https');
}

function readAuthority(authority: string, isStrictHost: boolean): Pick<GoUrl, 'user' | 'host'> {
  const at = authority.lastIndexOf('@');
  const host = readHost(authority.slice(at + 1), isStrictHost);
  if (at < 0) return { user: undefined, host };
  const info = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(info)) throw new UrlError('net/url: invalid userinfo');
  const [name = '', password] = cut(info, ':');
  return {
    user: {
      name: unescaped(name, 'user'),
      password: password === undefined ? undefined : unescaped(password, 'user'),
    },
    host,
  };
}

function readHost(host: string, isStrictHost: boolean): string {
  const open = host.lastIndexOf('[');
  if (open > 0) throw new UrlError('invalid IP-literal');
  if (open === 0) return readLiteral(host);
  const first = host.indexOf(':');
  // Databases have several hosts with ports.
  if (first >= 0) checkPort(host.slice(isStrictHost ? first : host.lastIndexOf(':')));
  return unescaped(host, 'host');
}

function readLiteral(host: string): string {
  const close = host.lastIndexOf(']');
  if (close < 0) throw new UrlError("missing ']' in host");
  const port = host.slice(close + 1);
  checkPort(port);
  const inside = host.slice(1, close);
  const zoneAt = inside.indexOf('%25');
  const address =
    zoneAt < 0
      ? unescaped(inside, 'host')
      : unescaped(inside.slice(0, zoneAt), 'host') + unescaped(inside.slice(zoneAt), 'zone');
  const [plainAddress = '', zone] = cut(address, '%');
  if (isIP(plainAddress) === 0 || zone === '')
    throw new UrlError(`invalid host: ParseAddr(${JSON.stringify(address)})`);
  if (isIP(plainAddress) === 4) throw new UrlError('invalid IP-literal');
  return `[${address}]${port}`;
}

function checkPort(port: string): void {
  if (!/^(?::\d*)?$/.test(port)) throw new UrlError(`invalid port ${JSON.stringify(port)} after host`);
}

function userText({ name, password }: NonNullable<GoUrl['user']>): string {
  return escaped(name, 'user') + (password === undefined ? '' : `:${escaped(password, 'user')}`);
}

/** As it was written, where that is a valid way to write it. */
function escapedText({ text, raw }: Escaped, part: 'path' | 'fragment'): string {
  const isValid = [...raw].every((char) => "!$&'()*+,;=:@[]%".includes(char) || !mustEscape(char, part));
  return isValid ? raw : escaped(text, part);
}

function escaped(text: string, part: Part): string {
  return text.replace(/[\s\S]/g, (char) =>
    mustEscape(char, part) ? `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}` : char,
  );
}

function mustEscape(char: string, part: Part): boolean {
  return !/[A-Za-z0-9\-_.~]/.test(char) && !plain[part].includes(char);
}

function unescaped(text: string, part: Part): string {
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    const isHost = part === 'host' || part === 'zone';
    if (char === '%') {
      const code = text.slice(at, at + 3);
      if (!/^%[0-9a-fA-F]{2}$/.test(code)) throw badEscape(code);
      const byte = Number.parseInt(code.slice(1), 16);
      // In hosts only other bytes than ASCII are escaped, in zones also what a host may hold unescaped, and blanks.
      if (part === 'host' && byte < 0x80 && code !== '%25') throw badEscape(code);
      const isPlain = byte === 0x20 || !mustEscape(String.fromCharCode(byte), 'host');
      if (part === 'zone' && code !== '%25' && !isPlain) throw badEscape(code);
      at += 2;
    } else if (isHost && char < '\u0080' && mustEscape(char, part)) {
      throw new UrlError(`invalid character ${JSON.stringify(char)} in host name`);
    }
  }
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function badEscape(code: string): UrlError {
  return new UrlError(`invalid URL escape ${JSON.stringify(code)}`);
}

function cut(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

import { DecodeError } from './der.js';

/**
 * A URI of a certificate as cert-manager compares it: with its scheme in lower case, as Go prints a parsed URL. Throws DecodeError
 * for what Go's net/url and crypto/x509 refuse, since that makes the whole certificate unreadable.
 */
export function readUri(text: string): string {
  const problem = problemOf(text);
  if (problem !== undefined) throw new DecodeError(`x509: cannot parse URI ${JSON.stringify(text)}: ${problem}`);
  return text.replace(schemePattern, (scheme) => scheme.toLowerCase());
}

const schemePattern = /^[a-z][a-z0-9+.-]*:/i;

function problemOf(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that Go refuses.
  if (/[\u0000-\u001f\u007f]/.test(text)) return parseError(text, 'net/url: invalid control character in URL');
  if (text.startsWith(':')) return parseError(text, 'missing protocol scheme');
  const scheme = schemePattern.exec(text)?.[0] ?? '';
  const [beforeFragment = '', fragment = ''] = splitOnce(text.slice(scheme.length), '#');
  const badEscape = /%(?![0-9a-fA-F]{2}).{0,2}/;
  const rest = splitOnce(beforeFragment, '?')[0] ?? '';
  if (badEscape.test(fragment)) return parseError(text, `invalid URL escape "${badEscape.exec(fragment)?.[0]}"`);
  if (!rest.startsWith('/')) {
    // Anything may follow a scheme; without one, a colon would look like one.
    if (scheme === '' && /^[^/]*:/.test(rest))
      return parseError(text, 'first path segment in URL cannot contain colon');
    if (scheme !== '') return undefined;
  }
  const authority = /^\/\/(?!\/)([^/]*)/.exec(rest)?.[1];
  const path = authority === undefined ? rest : rest.slice(2 + authority.length);
  if (authority !== undefined) {
    const problem = authorityProblem(authority);
    if (problem !== undefined) return problem === invalidDomain ? problem : parseError(text, problem);
  }
  const escaped = badEscape.exec(path)?.[0];
  return escaped === undefined ? undefined : parseError(text, `invalid URL escape "${escaped}"`);
}

const invalidDomain = 'invalid domain';

function authorityProblem(authority: string): string | undefined {
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  if (at >= 0 && !/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(authority.slice(0, at))) return 'net/url: invalid userinfo';
  const port = /:[^:\]]*$/.exec(host)?.[0];
  if (port !== undefined && !/^:\d*$/.test(port)) return `invalid port "${port}" after host`;
  // Escapes of ASCII are refused in hosts, and escapes of other bytes are no domain.
  const escaped = /%.{0,2}/.exec(host)?.[0];
  if (escaped !== undefined)
    return /^%[89a-f][0-9a-f]$/i.test(escaped) ? invalidDomain : `invalid URL escape "${escaped}"`;
  const odd = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"]/.exec(host)?.[0];
  if (odd !== undefined) return `invalid character "${odd}" in host name`;
  if (host !== '' && host.split('.').includes('')) return invalidDomain;
  return undefined;
}

function parseError(text: string, why: string): string {
  return `parse ${JSON.stringify(text)}: ${why}`;
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

import { has } from './backports.js';
import { DecodeError } from './der.js';
import { parseUrl, UrlError, urlText } from './go-url.js';
import type { CertManagerVersion } from './version.js';

/**
 * A URI of a certificate as cert-manager compares it: as Go prints the URL that it has parsed, so with its scheme in lower case, and
 * with `%20` for a blank. Throws DecodeError for what Go's net/url and crypto/x509 refuse, since that makes the whole certificate
 * unreadable.
 */
export function readUri(text: string, rules: CertManagerVersion): string {
  try {
    const url = parseUrl(text, { oneColon: has(rules, 'oneColon') });
    if (!isDomain(url.host)) throw new UrlError('invalid domain');
    return urlText(url);
  } catch (thrown) {
    if (!(thrown instanceof UrlError)) throw thrown;
    throw new DecodeError(`x509: cannot parse URI ${JSON.stringify(text)}: ${thrown.message}`);
  }
}

/** Go crypto/x509 domainNameValid. Ports and brackets count as what they are written with. */
export function isDomain(host: string): boolean {
  return host === '' || (/^[!-~]*$/.test(host) && !host.split('.').includes(''));
}

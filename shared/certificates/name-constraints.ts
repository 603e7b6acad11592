import { isIP } from 'node:net';
import { contextTag, DecodeError, DerReader, tag } from './der.js';
import { isDomain } from './uri.js';

const malformed = 'x509: invalid NameConstraints extension';

/** Refuses name constraints that Go refuses (crypto/x509 parseNameConstraintsExtension). Throws DecodeError. */
export function checkNameConstraints(value: Buffer): void {
  const outer = new DerReader(value);
  const fields = outer.enter(tag.sequence, malformed);
  const permitted = fields.optional(contextTag(0, 'constructed'), malformed) ?? Buffer.alloc(0);
  const excluded = fields.optional(contextTag(1, 'constructed'), malformed) ?? Buffer.alloc(0);
  if (!outer.empty || !fields.empty) throw new DecodeError(malformed);
  if (permitted.length + excluded.length === 0) throw new DecodeError('x509: empty name constraints extension');
  for (const subtrees of [permitted, excluded]) checkSubtrees(new DerReader(subtrees));
}

function checkSubtrees(subtrees: DerReader): void {
  while (!subtrees.empty) {
    const base = subtrees.enter(tag.sequence, malformed).any(malformed);
    switch (base.tag) {
      case contextTag(1):
        checkEmail(ascii(base.content));
        break;
      case contextTag(2):
        checkDomain('dnsName', ascii(base.content));
        break;
      case contextTag(6):
        checkUriDomain(ascii(base.content));
        break;
      case contextTag(7):
        checkAddress(base.content);
        break;
    }
  }
}

function ascii(content: Buffer): string {
  if (content.some((byte) => byte > 0x7f)) throw new DecodeError('x509: invalid constraint value');
  return content.toString('latin1');
}

/** A constraint may start with a dot: it then counts for what is below. */
function checkDomain(kind: string, domain: string): void {
  if (!isDomain(domain.replace(/^\./, '')) || domain === '.') {
    throw new DecodeError(`x509: failed to parse ${kind} constraint ${JSON.stringify(domain)}`);
  }
}

function checkUriDomain(domain: string): void {
  if (isIP(domain) !== 0) {
    throw new DecodeError(`x509: failed to parse URI constraint ${JSON.stringify(domain)}: cannot be IP address`);
  }
  checkDomain('URI', domain);
}

/** A mailbox is taken where its parts can be told; quoted ones are not taken apart any further. */
function checkEmail(text: string): void {
  const [, domain] =
    /^(?:"(?:[^"\\]|\\.)+"|[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*)@(.+)$/.exec(text) ??
    [];
  if (!text.includes('@')) checkDomain('rfc822Name', text);
  else if (domain === undefined || !isDomain(domain)) {
    throw new DecodeError(`x509: failed to parse rfc822Name constraint ${JSON.stringify(text)}`);
  }
}

/** An address and a mask whose ones stand before its zeros. */
function checkAddress(content: Buffer): void {
  if (content.length !== 8 && content.length !== 32) {
    throw new DecodeError(`x509: IP constraint contained value of length ${content.length}`);
  }
  const mask = content.subarray(content.length / 2);
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  if (!/^1*0*$/.test(bits)) throw new DecodeError(`x509: IP constraint contained invalid mask ${mask.toString('hex')}`);
}

import { signerText } from '../support/canaries.js';
import type { Case, Material } from './material.js';

interface Content {
  identities: string[];
  signers: string[];
}

const prefix = 'mcprt-restore-key-1.';

/** A valid backup and keys that must not open it. */
export function wrongKeys({ keys, foreign, newest, random, each }: Material): Case[] {
  const own = contentOf(keys.restore);
  const other = contentOf(foreign.restore);
  const [identity = ''] = own.identities;
  const typo = (text: string): string => {
    const at = 20 + random.below(text.length - 20);
    const letter = text[at] === 'Q' ? 'P' : 'Q';
    return text.slice(0, at) + letter + text.slice(at + 1);
  };
  const refused = (kind: string, name: string, code: Case['code'], restoreKey: string): Case => ({
    class: kind,
    name,
    code,
    bytes: newest,
    restoreKey,
    secrets: [restoreKey, ...identitiesIn(restoreKey)],
  });
  return [
    refused('no key', 'empty', 'key-missing', ''),
    refused('no key', 'spaces', 'key-missing', ' \n\t'),
    refused('backup key as restore key', 'own', 'key-wrong-kind', keys.backup),
    refused('backup key as restore key', 'foreign', 'key-wrong-kind', foreign.backup),
    refused('key of another set', 'whole', 'backup-unsigned', foreign.restore),
    refused('key of another set', 'identity only', 'key-mismatch', pack({ ...own, identities: other.identities })),
    refused('key of another set', 'signer only', 'backup-unsigned', pack({ ...own, signers: other.signers })),
    ...Array.from({ length: Math.max(4, each) }, (_, at) =>
      refused('identity with a typo', `letter ${at}`, 'key-invalid', pack({ ...own, identities: [typo(identity)] })),
    ),
    refused(
      'identity with a typo',
      'second of two',
      'key-invalid',
      pack({ ...own, identities: [identity, typo(identity)] }),
    ),
    refused('identity with a typo', 'cut', 'key-invalid', pack({ ...own, identities: [identity.slice(0, -1)] })),
    refused('identity with a typo', 'twice', 'key-invalid', pack({ ...own, identities: [identity + identity] })),
    refused(
      'identity with a typo',
      'a recipient',
      'key-invalid',
      pack({ ...own, identities: ['age1qqqqqqqqqqqqqqqqqqqq'] }),
    ),
    ...Array.from({ length: each }, (_, at) =>
      refused(
        'damaged key',
        `cut ${at}`,
        'key-invalid',
        keys.restore.slice(0, random.below(keys.restore.length - 1) + 1),
      ),
    ),
    refused('damaged key', 'identity alone', 'key-invalid', identity),
    refused('damaged key', 'offline key', 'key-invalid', keys.offline),
    refused('damaged key', 'in quotes', 'key-invalid', `"${keys.restore}"`),
    refused('damaged key', 'other version', 'key-invalid', keys.restore.replace('key-1.', 'key-2.')),
    refused('damaged key', 'no identity', 'key-invalid', pack({ ...own, identities: [] })),
    refused('damaged key', 'no signer', 'key-invalid', pack({ ...own, signers: [] })),
    refused('damaged key', 'odd signer', 'key-invalid', pack({ ...own, signers: ['AAAA'] })),
    refused('damaged key', 'private signer', 'key-invalid', pack({ ...own, signers: [signerText(keys.backup)] })),
    refused('damaged key', 'words', 'key-invalid', 'correct horse battery staple'),
  ];
}

function contentOf(restoreKey: string): Content {
  return JSON.parse(Buffer.from(restoreKey.slice(prefix.length), 'base64url').toString()) as Content;
}

function pack(content: Content): string {
  return prefix + Buffer.from(JSON.stringify(content)).toString('base64url');
}

function identitiesIn(restoreKey: string): string[] {
  try {
    return contentOf(restoreKey).identities;
  } catch {
    return [];
  }
}

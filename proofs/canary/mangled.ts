import { createHash, generateKeyPairSync } from 'node:crypto';
import type { KeySet } from '../../shared/backup/keys.js';
import { kubeconfigOf, manglings } from '../../shared/cluster/testing/mangled.js';
import { identitiesIn, withTypo } from '../support/canaries.js';
import type { Canary } from '../support/leaks.js';

/** A secret as it comes into an input, in place or out of place, and what of it must not be found anywhere. */
export interface MangledSecret {
  name: string;
  text: string;
}

export interface Mangled {
  secrets: MangledSecret[];
  canaries: Canary[];
}

const hexOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Secrets of every kind, as they are and as they were damaged on their way. @param server `host:port` of an API server */
export function mangledSecrets(keys: KeySet, server: string, ca: string): Mangled {
  const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const token = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(hexOf('claims')).toString('base64url')}.${Buffer.from(hexOf('signature')).toString('base64url')}`;
  const hex = hexOf('a token in hex');
  const password = 'c0rrect h@rse/b#ttery%stäple';
  const encoded = encodeURIComponent(password);
  const pat = `ghp_${Buffer.from(hexOf('a token of a person'))
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, 36)}`;
  const yaml = kubeconfigOf({ token, password, key: rsa }, server).replace(
    '    insecure-skip-tls-verify: false',
    `    tls-server-name: platform.example.com\n    certificate-authority-data: ${Buffer.from(ca).toString('base64')}`,
  );
  const identity = identitiesIn(keys.restore)[0] ?? '';
  const forms: [string, string][] = [
    ['restore key', keys.restore],
    ['backup key', keys.backup],
    ['offline key', keys.offline],
    ['restore key, cut off', keys.restore.slice(0, 150)],
    ['restore key with a typo', withTypo(keys.restore)],
    ['restore key in quotes', JSON.stringify(keys.restore)],
    ['restore key in two lines', `${keys.restore.slice(0, 90)}\n${keys.restore.slice(90)}`],
    ['restore key in base64', Buffer.from(keys.restore).toString('base64')],
    ['two keys in a line', `${keys.restore} ${keys.backup}`],
    ['identity', identity],
    ['identity in lower case', identity.toLowerCase()],
    ['PEM', key],
    ['PEM on one line', key.replaceAll('\n', ' ')],
    ['PEM with line ends written out', key.replaceAll('\n', '\\n')],
    ['PEM without its frame', rsa.split('\n').slice(1, -2).join('\n')],
    ['PEM in base64', Buffer.from(rsa).toString('base64')],
    ['PEM after a certificate', `${ca}${key}`],
    ['token', token],
    ['token with a line end inside', `${token.slice(0, 60)}\n${token.slice(60)}`],
    ['token with a letter that no header has', `${token}ä`],
    ['token after its scheme', `Bearer ${token}`],
    ['token with its name', `token: ${token}`],
    ['token in hex', hex],
    ['token of a person', pat],
    ['password in an address', `https://admin:${encoded}@registry.example.com/v2/`],
    ['password in the address of a proxy', `http://proxy:${encoded}@127.0.0.1:1`],
    ['password in an override', `platform.example.com=https://u:${encoded}@1.2.3.4`],
    ['password as a line of a build', `NAME value ${token}`],
    ['password in JSON', JSON.stringify({ password, token })],
    ['password in JSON that is cut off', JSON.stringify({ token, password }).slice(0, -1)],
  ];
  const parts = { token: token.split('.').slice(1).join('\n'), hex, password, pat, key, rsa, identity };
  return {
    secrets: [
      ...forms.map(([name, text]) => ({ name, text })),
      ...manglings.map(({ name, of }) => ({ name: `kubeconfig, ${name}`, text: of(yaml) })),
    ],
    canaries: [
      ...Object.entries(parts).map(([name, value]): Canary => ({ name, value })),
      { name: 'restore key', value: keys.restore },
      { name: 'backup key', value: keys.backup },
      { name: 'identity in lower case', value: identity.toLowerCase() },
    ],
  };
}

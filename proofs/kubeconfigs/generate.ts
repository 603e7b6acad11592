import { stringify } from 'yaml';
import type { Random } from '../random.js';

/** Keys and certificates that the kubeconfigs of a run share, in PEM. */
export interface Material {
  ca: string;
  otherCa: string;
  cert: string;
  key: string;
  otherKey: string;
}

/** A kubeconfig as somebody has it. */
export interface KubeconfigCase {
  name: string;
  /** In their order, as KUBECONFIG lists them; one alone may also be given as its text. */
  files: readonly Buffer[];
  /** The context that is asked for; the current one when it is empty. */
  context: string;
}

/** Names of files beside each kubeconfig; `missing` is not there. */
export const beside = { ca: 'ca.crt', cert: 'client.crt', key: 'client.key', token: 'token' } as const;

const names = ['a', 'b', 'prod', 'k3s default', 'user@cluster', 'grün', '7', 'c/d:e'];
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** One of many kubeconfigs: most are good ones. */
export function randomKubeconfig(random: Random, material: Material, index: number): KubeconfigCase {
  const count = oneIn(random, 4) ? 2 + random.below(2) : 1;
  const files = Array.from({ length: count }, () => written(random, randomFields(random, material)));
  const context = oneIn(random, 10) ? pick(random, names.slice(0, 4)) : '';
  return { name: `random ${index}`, files, context };
}

const oneIn = (random: Random, count: number): boolean => random.below(count) === 0;

/** One of the good ones, or, one time in four, one of those that are odd. */
function often<T>(random: Random, good: readonly T[], odd: readonly T[]): T {
  return pick(random, oneIn(random, 4) ? odd : good);
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)] as T;
}

function randomFields(random: Random, material: Material): Record<string, unknown> {
  const own = oneIn(random, 3) ? names : names.slice(0, 2);
  const some = (): string[] => own.filter(() => !oneIn(random, 3));
  const list = <T>(taken: readonly string[], make: (name: string) => T): T[] =>
    (oneIn(random, 60) ? [...taken, ...taken.slice(0, 1)] : taken).map(make);
  const known = (taken: readonly string[]): string =>
    pick(random, taken.length === 0 || oneIn(random, 20) ? own : taken);
  const [clusters, users, contexts] = [some(), some(), some()];
  const fields = {
    ...(oneIn(random, 8) ? {} : { apiVersion: 'v1', kind: 'Config' }),
    ...(oneIn(random, 12) ? {} : { 'current-context': known(contexts) }),
    ...(oneIn(random, 12) ? { preferences: {} } : {}),
    clusters: list(clusters, (name) => ({ name, cluster: randomCluster(random, material) })),
    users: list(users, (name) => ({ name, user: randomUser(random, material) })),
    contexts: list(contexts, (name) => {
      const context = { cluster: known(clusters), user: oneIn(random, 20) ? '' : known(users), namespace: 'default' };
      return { name, context };
    }),
  };
  if (oneIn(random, 40)) return { ...fields, [pick(random, ['clusters', 'users', 'contexts'])]: null };
  return fields;
}

function randomCluster(random: Random, { ca, otherCa }: Material): Record<string, unknown> {
  const server = often(
    random,
    [
      'https://10.0.0.1:6443',
      'https://k3s.example.com',
      'https://[::1]:6443',
      'https://rancher.example.com/k8s/clusters/c-1',
      'https://rancher.example.com/k8s/clusters/c-1/',
      'https://K3S.example.com:443/?a=b#c',
      'https://user:p%40ss@k3s.example.com:6443',
    ],
    ['10.0.0.1:6443', 'k3s.example.com:6443', 'k3s.example.com', 'http://10.0.0.1:8080', ''],
  );
  const authority = often<Record<string, unknown>>(
    random,
    [
      { 'certificate-authority-data': base64(ca) },
      { 'certificate-authority-data': base64(ca) },
      { 'certificate-authority-data': base64(`${ca}${otherCa}`) },
      { 'certificate-authority-data': `${base64(ca).slice(0, 76)}\n${base64(ca).slice(76)}` },
      { 'certificate-authority': beside.ca },
      { 'certificate-authority': `./${beside.ca}` },
      {},
      { 'certificate-authority': null, 'certificate-authority-data': '' },
    ],
    [
      { 'certificate-authority': beside.ca, 'certificate-authority-data': base64(ca) },
      { 'certificate-authority': 'missing.crt' },
      { 'certificate-authority-data': 'no base64!' },
      { 'certificate-authority-data': base64('no certificate') },
      { 'certificate-authority-data': base64(`${ca}and more`) },
    ],
  );
  return {
    server,
    ...authority,
    ...(oneIn(random, 8)
      ? { 'insecure-skip-tls-verify': pick<unknown>(random, [true, true, false, false, null, null, 'true']) }
      : {}),
    ...(oneIn(random, 5) ? { 'tls-server-name': pick(random, ['kubernetes', 'api.example.com', '']) } : {}),
    ...(oneIn(random, 8)
      ? {
          'proxy-url': pick(random, [
            'http://u:p@p.example:3128',
            'https://p.example',
            'socks5://p.example',
            'ftp://p',
            '',
          ]),
        }
      : {}),
    ...(oneIn(random, 10)
      ? { 'disable-compression': true, extensions: [{ name: 'minikube.sigs.k8s.io', extension: { version: 'v1' } }] }
      : {}),
  };
}

function randomUser(random: Random, { cert, key, otherKey }: Material): Record<string, unknown> {
  const packed = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
  const way = often<Record<string, unknown>>(
    random,
    [
      packed,
      packed,
      { token: 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln' },
      { token: 'abcdefghij.0123456789' },
      { token: ' padded-token-0123456789\n' },
      { tokenFile: beside.token },
      { token: 'of-the-kubeconfig', tokenFile: beside.token },
      { username: 'admin', password: 'pa:ss wörd' },
      { 'client-certificate': beside.cert, 'client-key': beside.key },
      { 'client-certificate': beside.cert, 'client-key-data': base64(key) },
      { token: 'with-a-certificate', ...packed },
      { token: null, username: '', ...packed },
    ],
    [
      { token: 1234567890 },
      { tokenFile: 'missing' },
      { username: 'admin' },
      { password: 'only-the-password' },
      { username: 'admin', password: 'p', token: 'both' },
      { ...packed, 'client-key-data': base64(otherKey) },
      { 'client-certificate-data': base64(cert) },
      { 'client-key-data': base64(key) },
      { ...packed, 'client-certificate': beside.cert },
      { ...packed, 'client-key': beside.key },
      { 'client-certificate': 'missing.crt', 'client-key': beside.key },
      { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'aws', interactiveMode: 'Never' } },
      { 'auth-provider': { name: 'gcp', config: {} } },
      {},
    ],
  );
  const impersonation = pick<Record<string, unknown>>(random, [
    ...Array.from({ length: 8 }, () => ({})),
    { as: 'system:admin' },
    { as: 'u', 'as-uid': '42', 'as-groups': ['g1', 'g2'], 'as-user-extra': { 'acme.com/x': ['1', '2'], empty: [] } },
    { as: 'u', 'as-groups': [] },
    { 'as-groups': ['g1'] },
    { as: '', 'as-groups': null },
  ]);
  return { ...way, ...impersonation };
}

/** In one of the ways in which tools, editors and people write it. */
function written(random: Random, fields: Record<string, unknown>): Buffer {
  const indent = pick(random, [2, 4]);
  const text = pick(random, [
    () => stringify(fields),
    () => stringify(fields, { indent }),
    () => stringify(fields, { defaultKeyType: 'QUOTE_DOUBLE', defaultStringType: 'QUOTE_SINGLE' }),
    () => stringify(fields, { collectionStyle: 'flow' }),
    () => stringify(fields, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE' }),
    () => JSON.stringify(fields),
    () => JSON.stringify(fields, null, indent),
    () => JSON.stringify(fields, null, '\t'),
  ])();
  const around = pick(random, [
    (one: string) => one,
    (one: string) => one,
    (one: string) => one.replaceAll('\n', '\r\n'),
    (one: string) => `# ours\n---\n${one}`,
    (one: string) => `${one}\n---\nkind: Other\n`,
    (one: string) => `\n\n${one}\n# the end\n`,
  ]);
  return Buffer.from(around(text));
}

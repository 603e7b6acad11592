import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { Github } from '../../lab/github/github.js';
import type { KeySet } from '../../shared/backup/keys.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import type { World } from '../world/world.js';
import { type Canary, secretText } from './leaks.js';

/** A value that log commands, Markdown, URLs and JSON all have to escape: it must not get out in pieces either. */
export const awkward = [
  'first line of the canary "quoted" with 100%25 and \\backslash',
  '::error::second line of the canary',
  '<b>third</b> | `line` of the cänary & more',
].join('\n');

/** Every value of every Secret of the cluster but certificates: account key, CA and TLS keys, passwords, pull Secrets. */
export async function clusterCanaries(cluster: Cluster): Promise<Canary[]> {
  const { items } = await cluster.list<KubeObject & { data?: Record<string, string> }>(kinds.secret);
  return items.flatMap(({ metadata, data }) =>
    Object.entries(data ?? {})
      .filter(([key]) => !key.endsWith('.crt') && key !== 'truststore.p12')
      .map(
        ([key, value]): Canary => ({
          name: `Secret ${metadata.namespace}/${metadata.name} ${key}`,
          value: secretText(value),
        }),
      ),
  );
}

/** What runs on a cluster must not tell: its Secrets, and how it and GitHub are reached. */
export async function canariesOf(
  { cluster, kubeconfig }: Pick<World, 'cluster' | 'kubeconfig'>,
  views: readonly Github[] = [],
): Promise<Canary[]> {
  return [...(await clusterCanaries(cluster)), ...(await accessCanaries(kubeconfig, views))];
}

/** A set of keys: each text as it is stored, and the signing key and identities inside. */
export function keyCanaries(owner: string, { backup, restore, offline }: KeySet): Canary[] {
  return [
    { name: `${owner} backup key`, value: ownPartsOf(backup) },
    { name: `${owner} signing key`, value: signerText(backup) },
    { name: `${owner} restore key`, value: ownPartsOf(restore) },
    ...identitiesIn(restore).map((value): Canary => ({ name: `${owner} identity`, value })),
    { name: `${owner} offline key`, value: offline.replace(/^#.*$/gm, '') },
  ];
}

/** How a signer's key or an age identity or recipient begins in every key, at most, in characters. */
const sameInEveryKey = 22;

/**
 * The text of a key without its format, one line for each value in it. What every key has in common is no secret: a signed
 * statement names its recipients as a backup key does, and one in a hundred holds the same characters.
 */
function ownPartsOf(keyText: string): string {
  const content = keyText.split('.')[1] ?? '';
  const json = Buffer.from(content, 'base64url').toString();
  return Object.values(JSON.parse(json) as Record<string, string | string[]>)
    .flat()
    .map((value) => {
      const at = json.indexOf(value);
      return content.slice(Math.ceil(((at + sameInEveryKey) * 4) / 3), Math.floor(((at + value.length) * 4) / 3));
    })
    .join('\n');
}

/** What the job was given to reach the cluster and GitHub. */
export async function accessCanaries(kubeconfig: string, views: readonly Github[]): Promise<Canary[]> {
  const { users } = parse(await readFile(kubeconfig, 'utf8')) as { users: { user: { token: string } }[] };
  return [
    ...users.map(({ user }): Canary => ({ name: 'kubeconfig’s token', value: user.token })),
    ...views.flatMap(({ env, token }): Canary[] => [
      { name: 'github-token', value: token },
      // The header of a JWT is the same for everyone.
      { name: 'runtime token', value: String(env.ACTIONS_RUNTIME_TOKEN).split('.').slice(1).join('\n') },
    ]),
  ];
}

/** The age identities in a restore key. */
export function identitiesIn(restoreKey: string): string[] {
  const content = JSON.parse(Buffer.from(restoreKey.split('.')[1] ?? '', 'base64url').toString()) as {
    identities: string[];
  };
  return content.identities;
}

/** A restore key whose identity has one wrong letter, as after copying it by hand. */
export function withTypo(restoreKey: string): string {
  const [prefix = '', content = ''] = restoreKey.split('.');
  const [identity = ''] = identitiesIn(restoreKey);
  const letter = identity.at(-9) === 'Q' ? 'P' : 'Q';
  const text = Buffer.from(content, 'base64url').toString();
  const wrong = text.replace(identity, `${identity.slice(0, -9)}${letter}${identity.slice(-8)}`);
  return `${prefix}.${Buffer.from(wrong).toString('base64url')}`;
}

/** The signer's key of a set, from the text of its backup key. */
export function signerText(backupKey: string): string {
  const content: unknown = JSON.parse(Buffer.from(backupKey.split('.')[1] ?? '', 'base64url').toString());
  const { signer } = content as { signer: string };
  createPrivateKey({ key: Buffer.from(signer, 'base64'), format: 'der', type: 'pkcs8' });
  return signer;
}

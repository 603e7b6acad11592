import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import type { Credentials } from '../cluster/credentials.js';

/** A kubeconfig on disk for a program that takes no other: one context, readable by its owner only. */
export interface KubeconfigFile {
  path: string;
  remove(): Promise<void>;
}

const kubeconfigFolder = 'mcprt-kubeconfig-';

/**
 * Removes a kubeconfig that a process has left which was killed.
 *
 * @param path as `onFolder` was told it; another folder is left alone
 * @returns whether there was one
 */
export async function removeKubeconfig(path: string): Promise<boolean> {
  if (!basename(path).startsWith(kubeconfigFolder)) return false;
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  await rm(path, { recursive: true, force: true });
  return isThere;
}

/**
 * Writes the credentials in use as a kubeconfig of their own. A program that is given the user's file could switch its
 * context, or choose another one.
 *
 * @param folder of the job, emptied at its end
 * @param onFolder told where it will be, before it is there: whoever outlives this process removes it
 */
export async function writeKubeconfig(
  credentials: Credentials,
  folder: string,
  onFolder: (path: string) => void,
): Promise<KubeconfigFile> {
  const own = await mkdtemp(join(folder, kubeconfigFolder));
  onFolder(own);
  const path = join(own, 'kubeconfig');
  await writeFile(path, kubeconfigText(credentials), { mode: 0o600, flag: 'wx' });
  return { path, remove: () => rm(own, { recursive: true, force: true }) };
}

function kubeconfigText({ server, headers, tls, proxyUrl }: Credentials): string {
  const [scheme, value = ''] = (headers.authorization ?? '').split(' ');
  const [username, ...password] = Buffer.from(value, 'base64').toString('utf8').split(':');
  const base64 = (data: string | Buffer): string => Buffer.from(data).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'mcprt',
        cluster: {
          server,
          ...(tls.ca === undefined ? {} : { 'certificate-authority-data': base64(tls.ca) }),
          ...(tls.servername === undefined ? {} : { 'tls-server-name': tls.servername }),
          ...(tls.rejectUnauthorized === false ? { 'insecure-skip-tls-verify': true } : {}),
          ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
        },
      },
    ],
    users: [
      {
        name: 'mcprt',
        user: {
          ...(scheme === 'Bearer' ? { token: value } : {}),
          ...(scheme === 'Basic' ? { username, password: password.join(':') } : {}),
          ...(tls.cert === undefined ? {} : { 'client-certificate-data': base64(tls.cert) }),
          ...(tls.key === undefined ? {} : { 'client-key-data': base64(tls.key) }),
        },
      },
    ],
    contexts: [{ name: 'mcprt', context: { cluster: 'mcprt', user: 'mcprt' } }],
    'current-context': 'mcprt',
  });
}

import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import type { Credentials } from '../cluster/credentials.js';
import type { TokenSource } from '../cluster/token-source.js';
import { messageOf } from '../errors.js';

/** A kubeconfig on disk for a program that takes no other: one context, readable by its owner only. */
export interface KubeconfigFile {
  path: string;
  remove(): Promise<void>;
}

/** How often a token is looked after, in ms. Kubernetes' own client reads the file each minute. */
const every = 10_000;

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
 * context, or choose another one. Where they are tokens that end, it names a file that is kept fresh until it is removed.
 *
 * @param folder of the job, emptied at its end
 * @param onFolder told where it will be, before it is there: whoever outlives this process removes it
 * @param warn told when no fresh token is to be had; the present one stays, and is tried for again
 */
export async function writeKubeconfig(
  credentials: Credentials,
  folder: string,
  { onFolder, warn }: { onFolder: (path: string) => void; warn: (line: string) => void },
): Promise<KubeconfigFile> {
  const own = await mkdtemp(join(folder, kubeconfigFolder));
  onFolder(own);
  const path = join(own, 'kubeconfig');
  const tokenFile = join(own, 'token');
  const { tokens } = credentials;
  const stop = tokens === undefined ? () => undefined : await keepFresh(tokens, tokenFile, warn);
  await writeFile(path, kubeconfigText(credentials, tokenFile), { mode: 0o600, flag: 'wx' });
  return {
    path,
    async remove() {
      await stop();
      await rm(own, { recursive: true, force: true });
    },
  };
}

/** @returns ends it, once a write that is under way is done */
async function keepFresh(
  tokens: TokenSource,
  file: string,
  warn: (line: string) => void,
): Promise<() => Promise<void>> {
  let written = '';
  const write = async (): Promise<void> => {
    const token = await tokens.current();
    if (token === written) return;
    // Whoever reads it meanwhile gets the one or the other, and never a half.
    await writeFile(`${file}.next`, token, { mode: 0o600 });
    await rename(`${file}.next`, file);
    written = token;
  };
  await write();
  let under: Promise<void> | undefined;
  const timer = setInterval(() => {
    under ??= write()
      .catch((error: unknown) => warn(`the installer’s token is not renewed yet: ${messageOf(error)}`))
      .finally(() => {
        under = undefined;
      });
  }, every);
  return async () => {
    clearInterval(timer);
    await under;
  };
}

function kubeconfigText(
  { server, headers, impersonation, tokens, tls, proxyUrl }: Credentials,
  tokenFile: string,
): string {
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
          ...(tokens === undefined ? {} : { tokenFile }),
          ...(scheme === 'Bearer' ? { token: value } : {}),
          ...(scheme === 'Basic' ? { username, password: password.join(':') } : {}),
          ...(tls.cert === undefined ? {} : { 'client-certificate-data': base64(tls.cert) }),
          ...(tls.key === undefined ? {} : { 'client-key-data': base64(tls.key) }),
          ...(impersonation && {
            as: impersonation.user,
            'as-uid': impersonation.uid,
            'as-groups': impersonation.groups,
            'as-user-extra': impersonation.extra,
          }),
        },
      },
    ],
    contexts: [{ name: 'mcprt', context: { cluster: 'mcprt', user: 'mcprt' } }],
    'current-context': 'mcprt',
  });
}

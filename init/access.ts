import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { secretNamesOf } from '../shared/backup/secret-names.js';
import type { Cluster } from '../shared/cluster/cluster.js';
import { connectWithKubeconfig } from '../shared/cluster/connect.js';
import { McprtError, messageOf } from '../shared/errors.js';
import type { OperationName } from '../shared/permissions/operations.js';
import { withoutEnd } from '../shared/text.js';
import { type Account, isLoopback, makeAccount, renewAccount, type Server } from './accounts.js';
import { authenticationConfiguration, firstMinor, githubIssuer } from './authentication.js';
import type { Environment } from './environments.js';
import { askGithub } from './github.js';
import { type Granted, grantIdentities, type Reception, receptionOf } from './identities.js';
import type { Facts } from './look.js';
import { removeFromCluster } from './removal.js';

export interface AccessOptions {
  /** Folder for what is written. */
  folder: string;
  server: string;
  audience: string;
  issuer: string;
  /** Path of the PEM with the issuer's CA; empty for one that the control plane trusts. */
  issuerAuthority: string;
  repositoryId: string;
}

/** How the jobs of a repository reach its cluster, as it was made. */
export type Access =
  | {
      by: 'identity';
      granted: Granted[];
      /** Of the API server, and where its CA was written; none where the kubeconfig names none. */
      server: string;
      authorityFile: string | undefined;
      audience: string;
      /** Path of the file for the control plane. */
      file: string;
      reception: Reception;
      isRepositoryKnown: boolean;
    }
  | { by: 'token'; accounts: Pick<Account, 'environment' | 'missing' | 'ends'>[] };

type Named = Facts & { repository: string };

/** The environments whose jobs work on the cluster, and what they do there. */
export function clusterEnvironments(
  environments: readonly Environment[],
): (Environment & { operation: OperationName })[] {
  return environments.filter(
    (one): one is Environment & { operation: OperationName } =>
      one.operation !== undefined && one.secrets.includes('KUBECONFIG'),
  );
}

/**
 * Grants the jobs of each environment what they do, by the identity that GitHub gives them, and writes the file by which the
 * API server takes these identities. No credential is made.
 *
 * @throws McprtError `init-repository`, `init-server`, `init-kubernetes`, `init-issuer`
 */
export async function makeIdentities(
  facts: Facts,
  environments: readonly Environment[],
  options: AccessOptions,
): Promise<Access> {
  const { repository } = requireRepository(facts);
  return withCluster(facts, options.server, async (cluster, server) => {
    const minor = minorOf(await cluster.version());
    if (minor < firstMinor) {
      throw new McprtError('init-kubernetes', {
        what: `the API server is of Kubernetes 1.${minor}, which takes no identities of GitHub’s by a file`,
        why: `that came with 1.${firstMinor}`,
        next: 'run it with --accounts --tokens: accounts with tokens that end, to be renewed by hand',
      });
    }
    const wanted = clusterEnvironments(environments);
    const audience = options.audience || server.address;
    const issuer = options.issuer || githubIssuer;
    const repositoryId = options.repositoryId || (await askGithub(repository, facts.branch, process.env)).id;
    const text = authenticationConfiguration({
      issuer,
      issuerAuthority: options.issuerAuthority === '' ? '' : await readAuthority(options.issuerAuthority),
      audience,
      repository,
      repositoryId,
      branch: facts.branch,
      environments: wanted,
      minor,
    });
    const names = await secretNamesOf(cluster);
    const granted = await grantIdentities(
      cluster,
      repository,
      wanted.map(({ name, operation }) => ({ environment: name, operation })),
      names,
    );
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const file = join(options.folder, 'authentication.yaml');
    await writeFile(file, text);
    const authority = server.certificateAuthority;
    const authorityFile = authority === undefined ? undefined : join(options.folder, 'certificate-authority.pem');
    if (authority !== undefined && authorityFile !== undefined)
      await writeFile(authorityFile, Buffer.from(authority, 'base64'));
    return {
      by: 'identity',
      granted,
      server: server.address,
      authorityFile,
      audience,
      file,
      reception: await receptionOf(cluster, issuer, audience),
      isRepositoryKnown: repositoryId !== '',
    };
  });
}

/**
 * Makes an account with a token for each environment, or only new tokens for accounts that are there.
 *
 * @throws McprtError `init-server`, `init-token`
 */
export async function makeTokens(
  facts: Facts,
  environments: readonly Environment[],
  { folder, server: address, renews }: { folder: string; server: string; renews: boolean },
): Promise<Access> {
  return withCluster(facts, address, async (cluster, server) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const names = renews ? [] : await secretNamesOf(cluster);
    const accounts: Account[] = [];
    for (const { name: environment, operation } of clusterEnvironments(environments)) {
      const one = { environment, operation };
      const account = renews
        ? { environment, missing: [], ...(await renewAccount(cluster, one, server)) }
        : await makeAccount(cluster, one, server, names);
      await writeFile(join(folder, `${environment}.kubeconfig`), account.kubeconfig, { mode: 0o600 });
      accounts.push(account);
    }
    return { by: 'token', accounts };
  });
}

/** Takes everything of mcprt's off the cluster. @throws McprtError `restore-locked` */
export async function removeAccess(facts: Facts): Promise<string[]> {
  return withCluster(facts, '', removeFromCluster);
}

async function withCluster<T>(
  { kubeconfig }: Facts,
  given: string,
  work: (cluster: Cluster, server: Server) => Promise<T>,
): Promise<T> {
  if (given !== '' && !(URL.canParse(given) && given.startsWith('https://'))) {
    throw new McprtError('init-server', {
      what: `"${given}" is no address of an API server`,
      why: 'it is no https URL',
      next: 'give it as https://HOST:6443',
    });
  }
  const { cluster, credentials } = await connectWithKubeconfig(kubeconfig);
  try {
    const address = withoutEnd(given || credentials.server, '/');
    if (isLoopback(address)) {
      process.stderr.write(
        `${address} leads to this machine itself: a runner elsewhere needs --server with the address that it reaches.\n`,
      );
    }
    const { ca } = credentials.tls;
    return await work(cluster, {
      address,
      certificateAuthority: ca === undefined ? undefined : Buffer.from(ca).toString('base64'),
    });
  } finally {
    await cluster.close();
  }
}

function requireRepository(facts: Facts): Named {
  if (facts.repository !== '') return facts;
  throw new McprtError('init-repository', {
    what: 'it is not known which repository’s jobs are to be let in',
    why: 'git knows no remote of this folder on github.com',
    next: 'give it with --repository OWNER/NAME, or add the remote: git remote add origin https://github.com/OWNER/NAME',
  });
}

async function readAuthority(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new McprtError('init-issuer', {
      what: 'the CA of the issuer cannot be read',
      why: messageOf(cause),
      next: 'give the path of a PEM file with --issuer-ca',
    });
  });
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new McprtError('init-issuer', {
    what: 'the file of --issuer-ca holds no certificate',
    why: 'it has no PEM block of one',
    next: 'give the path of a PEM file with --issuer-ca',
  });
}

/** `v1.32.4+k3s1` → 32. */
function minorOf(version: string): number {
  return Number(/^v?1\.(\d+)/.exec(version)?.[1] ?? 0);
}

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectionTypes } from '../shared/action/connection.js';
import { certificates } from '../shared/action/inputs.js';
import { secretNamesOf } from '../shared/backup/secret-names.js';
import type { Cluster } from '../shared/cluster/cluster.js';
import { connectWithKubeconfig } from '../shared/cluster/connect.js';
import { McprtError, messageOf } from '../shared/errors.js';
import type { OperationName } from '../shared/permissions/operations.js';
import { proxiesIn } from '../shared/proxy.js';
import { withoutEnd } from '../shared/text.js';
import { type Account, isLoopback, makeAccounts, renewAccount, type Server } from './accounts.js';
import { authenticationConfiguration, firstMinor, githubIssuer } from './authentication.js';
import type { Environment } from './environments.js';
import { askGithub } from './github.js';
import { type Granted, grantIdentities, type Reception, receptionOf } from './identities.js';
import { publicHost } from './remotes.js';
import { removeFromCluster } from './removal.js';
import { type Facts, noKubeconfig } from './repository-facts.js';
import { checkServer } from './server-check.js';

export interface AccessOptions {
  /** Folder for what is written. */
  folder: string;
  server: string;
  /** Whether the address of the server is taken as it is. */
  isUnchecked: boolean;
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
      /** Accounts with tokens that ended by it. */
      retired: string[];
      /** Whether jobs of another repository are let in as well. */
      hasOthers: boolean;
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

/** The environments whose jobs work on the cluster, and what they do there. */
function clusterEnvironments(environments: readonly Environment[]): (Environment & { operation: OperationName })[] {
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
  const repository = requireRepository(facts);
  const issuer = issuerOf(options, facts.host);
  if (options.repositoryId !== '' && !/^\d{1,20}$/.test(options.repositoryId)) throw noNumber();
  return withCluster(facts, { ...options, keepsName: false }, async (cluster, server) => {
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
    const repositoryId =
      options.repositoryId ||
      (await askGithub({ repository, host: hostFor(issuer, facts) }, facts.branch, process.env)).id;
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
    const identities = await grantIdentities(
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
      ...identities,
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
  { folder, renews, ...options }: { folder: string; server: string; isUnchecked: boolean; renews: boolean },
): Promise<Access> {
  return withCluster(facts, { ...options, keepsName: true }, async (cluster, server) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const names = renews ? [] : await secretNamesOf(cluster);
    const wanted = clusterEnvironments(environments).map(({ name, operation }) => ({ environment: name, operation }));
    const accounts = renews
      ? await Promise.all(
          wanted.map(async (one) => ({
            environment: one.environment,
            missing: [],
            ...(await renewAccount(cluster, one, server)),
          })),
        )
      : await makeAccounts(cluster, facts.repository, wanted, { server, secrets: names });
    for (const { environment, kubeconfig } of accounts)
      await writeFile(join(folder, `${environment}.kubeconfig`), kubeconfig, { mode: 0o600 });
    return { by: 'token', accounts };
  });
}

/** Tries the API server as the jobs will reach it, and makes nothing. @throws McprtError `init-server` */
export async function tryServer(facts: Facts, given: { server: string; isUnchecked: boolean }): Promise<void> {
  await withCluster(facts, { ...given, keepsName: false }, (cluster) => cluster.version());
}

/** Takes everything of mcprt's off the cluster, or says what it would take. @throws McprtError `restore-locked` */
export async function removeAccess(kubeconfig: string, isDry: boolean): Promise<string[]> {
  return withCluster({ kubeconfig }, { server: undefined, isUnchecked: true, keepsName: true }, (cluster) =>
    removeFromCluster(cluster, isDry),
  );
}

/** How the jobs will reach the server. */
interface Way {
  /** Address that was given; empty for the one of the kubeconfig; undefined where no job is to reach it. */
  server: string | undefined;
  isUnchecked: boolean;
  /** Whether what the jobs get can hold a name of its certificate besides the address. */
  keepsName: boolean;
}

async function withCluster<T>(
  { kubeconfig }: Pick<Facts, 'kubeconfig'>,
  { server: given, isUnchecked, keepsName }: Way,
  work: (cluster: Cluster, server: Server) => Promise<T>,
): Promise<T> {
  const wanted = serverOf(given ?? '');
  if (kubeconfig === '') {
    throw new McprtError('kubeconfig-missing', {
      what: 'it is not known which cluster is meant',
      why: noKubeconfig,
      next: 'set KUBECONFIG to the kubeconfig of an administrator of the cluster',
    });
  }
  const proxies = proxiesIn(process.env);
  const { cluster, credentials } = await connectWithKubeconfig(kubeconfig, { proxies });
  try {
    const address = wanted || withoutEnd(credentials.server, '/');
    if (given === '' && isLoopback(address)) {
      process.stderr.write(
        `${address} leads to this machine itself: a runner elsewhere needs --server with the address that it reaches.\n`,
      );
    }
    const { ca, servername } = credentials.tls;
    const isOther = wanted !== '' || (servername !== undefined && !keepsName);
    if (isOther && !isUnchecked) {
      await checkServer({ address, authority: ca, name: keepsName ? servername : undefined, proxies });
    }
    return await work(cluster, {
      address,
      certificateAuthority: ca === undefined ? undefined : Buffer.from(ca).toString('base64'),
      name: servername,
    });
  } finally {
    await cluster.close();
  }
}

/** @throws McprtError `init-server` */
function serverOf(given: string): string {
  try {
    return connectionTypes.server.parse(given);
  } catch (cause) {
    throw new McprtError('init-server', {
      what: 'what --server names is no address of an API server',
      why: messageOf(cause),
      next: 'give it as https://HOST:6443',
    });
  }
}

/** @throws McprtError `init-issuer` */
function issuerOf({ issuer, audience }: AccessOptions, host: string): string {
  const isAddress = URL.canParse(issuer) && new URL(issuer).protocol === 'https:' && !/[?#@\s]/.test(issuer);
  if (issuer !== '' && !isAddress) {
    throw new McprtError('init-issuer', {
      what: 'what --issuer names can issue no identities',
      why: 'it is no https address without user and query, and no API server would start with it',
      next: 'give it as https://HOST/_services/token, or leave it out for github.com',
    });
  }
  if (audience !== '' && !/^[\x21-\x7e]{1,500}$/.test(audience)) {
    throw new McprtError('init-issuer', {
      what: 'what --audience names is no audience',
      why: 'it has blanks or other characters than letters, digits and signs',
      next: 'leave it out: the address of the API server is a good one',
    });
  }
  return issuer || issuerOfHost(host);
}

/** Who issues the identities of a GitHub. */
function issuerOfHost(host: string): string {
  if (host === publicHost) return githubIssuer;
  return host.endsWith('.ghe.com') ? `https://token.actions.${host}` : `https://${host}/_services/token`;
}

function requireRepository({ repository }: Facts): string {
  if (repository !== '') return repository;
  throw new McprtError('init-repository', {
    what: 'it is not known which repository’s jobs are to be let in',
    why: 'git knows no remote of this folder on a GitHub, or several and none of them is origin',
    next: 'give it with --repository OWNER/NAME, or add the remote: git remote add origin https://github.com/OWNER/NAME',
  });
}

function noNumber(): McprtError {
  return new McprtError('init-repository', {
    what: 'what --repository-id names is no number of a repository',
    why: 'it is not of digits only',
    next: 'take it from `gh api repos/OWNER/NAME --jq .id`',
  });
}

/** Which GitHub knows the repository: the one that was found, or else the one that issues. */
function hostFor(issuer: string, { host }: Facts): string {
  return issuer === issuerOfHost(host) ? host : new URL(issuer).hostname;
}

async function readAuthority(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new McprtError('init-issuer', {
      what: 'the CA of the issuer cannot be read',
      why: messageOf(cause),
      next: 'give the path of a PEM file with --issuer-ca',
    });
  });
  try {
    if (certificates.parse(text) !== '') return text;
  } catch {
    // told below
  }
  throw new McprtError('init-issuer', {
    what: 'the file of --issuer-ca holds no certificate, or a damaged one',
    why: 'no API server would start with it',
    next: 'give the path of a PEM file with --issuer-ca',
  });
}

/** `v1.32.4+k3s1` → 32. */
function minorOf(version: string): number {
  return Number(/^v?1\.(\d+)/.exec(version)?.[1] ?? 0);
}

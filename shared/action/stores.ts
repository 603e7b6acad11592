import { actionsService, type GithubRest } from '../backup/stores/actions-service.js';
import { artifactStore } from '../backup/stores/artifact-store.js';
import { cacheStore } from '../backup/stores/cache-store.js';
import { directoryStore } from '../backup/stores/directory-store.js';
import { ociFate } from '../backup/stores/oci/oci-address.js';
import { parseS3Address, s3Fate } from '../backup/stores/s3/s3-address.js';
import type { S3Credentials } from '../backup/stores/s3/s3-call.js';
import type { Store } from '../backup/stores/store.js';
import { storeNames } from '../backup/stores/store.js';
import { McprtError } from '../errors.js';
import type { Credentials } from '../images/route.js';
import type { Proxies } from '../proxy.js';
import { branchOf, defaultBranchOf, githubOf, proxiesOf } from './github.js';
import { type GithubApi, githubAnswer } from './github-api.js';
import type { Inputs } from './inputs.js';
import { mask } from './mask.js';
import type { storeTypes } from './store-inputs.js';
import { uploadToArtifact, uploadToCache } from './upload.js';

export interface StoreInputs extends Omit<Inputs<typeof storeTypes>, 'stores'> {
  stores: Store['name'][];
  'retention-days': number;
  's3-lock-days': number;
  'ca-bundle': string;
  'github-token': string;
}

/** What a store cannot be opened without, by the input that has it. */
const needed = {
  directory: 'the folder',
  oci: 'the repository, as HOST/PATH',
  s3: 'the bucket, as BUCKET/PREFIX',
} as const;

/**
 * The stores that a step names, wired to the runner's environment.
 *
 * @param signal ends whatever they do @throws McprtError `input-invalid`
 */
export function openStores(inputs: StoreInputs, env: NodeJS.ProcessEnv, signal: AbortSignal): Store[] {
  if (inputs.stores.length === 0) {
    throw invalid('`stores` names none', `name at least one of ${storeNames.join(', ')}`);
  }
  for (const name of inputs.stores) {
    if ((name === 'directory' || name === 'oci' || name === 's3') && !inputs[name]) {
      throw invalid(`\`stores\` names ${name}, and \`${name}\` is empty`, `give ${needed[name]} in \`${name}\``);
    }
  }
  const proxies = proxiesOf(env);
  const service = actionsService({
    resultsUrl: env.ACTIONS_RESULTS_URL,
    runtimeToken: env.ACTIONS_RUNTIME_TOKEN,
    rest: restOf({ ...githubOf(inputs['github-token'], env), signal }),
    defaultBranch: defaultBranchOf(env),
    proxies,
    signal,
  });
  const repository = env.GITHUB_REPOSITORY ?? '';
  const limit = Number(env.GITHUB_RETENTION_DAYS);
  const now = (): Date => new Date();
  const web = { caBundle: inputs['ca-bundle'], proxies, signal };
  const open: Record<Store['name'], () => Store> = {
    cache: () =>
      cacheStore({
        service,
        upload: uploadToCache,
        mode: env.ACTIONS_CACHE_MODE,
        ref: env.GITHUB_REF ?? '',
        repository,
        now,
      }),
    artifact: () =>
      artifactStore({
        service,
        upload: uploadToArtifact,
        retentionDays: inputs['retention-days'],
        retentionLimit: limit > 0 ? limit : undefined,
        now,
        origin: { repositoryId: env.GITHUB_REPOSITORY_ID ?? '', repository, branch: branchOf(env) },
      }),
    directory: () => directoryStore(inputs.directory),
    oci: () => openOci(inputs, env, web),
    s3: () => openS3(inputs, env, { ...web, now }),
  };
  return inputs.stores.map((name) => open[name]());
}

interface Web {
  caBundle: string;
  proxies: Proxies;
  signal: AbortSignal;
}

function openOci(inputs: StoreInputs, env: NodeJS.ProcessEnv, { caBundle, proxies, signal }: Web): Store {
  const address = inputs.oci;
  if (address === undefined) throw invalid('`oci` is empty', `give ${needed.oci} in \`oci\``);
  const isGithub = isGithubRegistry(address.host, env);
  const credentials = ociCredentials(inputs, isGithub, env);
  if (credentials !== undefined && address.origin.startsWith('http:')) {
    throw invalid(
      '`oci` is asked by http, and has credentials',
      'leave http:// out; a CA of your own goes into `ca-bundle`',
      'everybody on the way could read them',
    );
  }
  const reach = { overrides: [], dnsServer: '', caBundle, proxies };
  const fate = ociFate(address);
  return later({ name: 'oci', fate }, async () => {
    const [{ ociStore }, { webRoute }] = await Promise.all([
      import('../backup/stores/oci/oci-store.js'),
      import('../images/route.js'),
    ]);
    const route = webRoute({ origin: address.origin, name: fate }, credentials, reach);
    return ociStore({ route, address, isGithub, hasCredentials: credentials !== undefined, signal });
  });
}

/** Whether a registry is the one of the GitHub that this job runs on: nobody else may see the job's token. */
export function isGithubRegistry(host: string, env: NodeJS.ProcessEnv): boolean {
  const server = URL.parse(env.GITHUB_SERVER_URL || 'https://github.com')?.host ?? '';
  return server === 'github.com' ? host === 'ghcr.io' : host === `containers.${server}`;
}

function ociCredentials(inputs: StoreInputs, isGithub: boolean, env: NodeJS.ProcessEnv): Credentials | undefined {
  const given = inputs['oci-credentials'];
  if (given === '') {
    const password = inputs['github-token'];
    return isGithub && password !== '' ? { username: env.GITHUB_ACTOR || 'mcprt', password } : undefined;
  }
  const colon = given.indexOf(':');
  mask(given.slice(colon + 1));
  if (colon < 1 || colon === given.length - 1) {
    throw invalid('`oci-credentials` is not of the form USER:PASSWORD', 'give it in this form, from a secret');
  }
  return { username: given.slice(0, colon), password: given.slice(colon + 1) };
}

function openS3(inputs: StoreInputs, env: NodeJS.ProcessEnv, { now, ...web }: Web & { now: () => Date }): Store {
  const address = parseS3Address(inputs.s3, inputs['s3-endpoint']);
  if (address === undefined) throw invalid('`s3` is empty', `give ${needed.s3} in \`s3\``);
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || '';
  const credentials = s3Credentials(inputs, env);
  const keysFrom = inputs['s3-credentials'] === '' ? 'environment' : 'input';
  return later({ name: 's3', fate: s3Fate(address) }, async () => {
    const [{ s3Store }, { s3Calls }] = await Promise.all([
      import('../backup/stores/s3/s3-store.js'),
      import('../backup/stores/s3/s3-call.js'),
    ]);
    const calls = s3Calls({ address, credentials, region, ...web });
    return s3Store({ calls, address, keysFrom, lockDays: inputs['s3-lock-days'], now });
  });
}

/** A store whose code is loaded when it is first asked: most steps have no use for it. */
function later(known: Pick<Store, 'name' | 'fate'>, load: () => Promise<Store>): Store {
  let opened: Promise<Store> | undefined;
  const store = (): Promise<Store> => {
    opened ??= load();
    return opened;
  };
  return {
    ...known,
    save: async (name, bytes) => (await store()).save(name, bytes),
    read: async (name) => (await store()).read(name),
    list: async (wanted) => (await store()).list(wanted),
    holds: async (name) => (await store()).holds(name),
  };
}

/** Of the step, or as aws-actions/configure-aws-credentials leaves them for the steps after it. */
function s3Credentials(inputs: StoreInputs, env: NodeJS.ProcessEnv): S3Credentials {
  const given = inputs['s3-credentials'];
  const parts =
    given === ''
      ? [env.AWS_ACCESS_KEY_ID ?? '', env.AWS_SECRET_ACCESS_KEY ?? '', env.AWS_SESSION_TOKEN ?? '']
      : given.split(':');
  const [accessKeyId = '', secretAccessKey = '', sessionToken = '', ...more] = parts.map((part) => part.trim());
  [secretAccessKey, sessionToken].forEach(mask);
  if (accessKeyId !== '' && secretAccessKey !== '' && more.length === 0) {
    return { accessKeyId, secretAccessKey, sessionToken };
  }
  throw invalid(
    given === '' ? 'the store s3 has no credentials' : '`s3-credentials` is not of the form ID:SECRET',
    'give ID:SECRET in `s3-credentials`, from a secret, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as aws-actions/configure-aws-credentials does in a step before',
  );
}

/** GitHub's REST API for the stores; undefined where a job gives no token, or nobody says which repository. */
export function restOf(api: GithubApi): GithubRest | undefined {
  if (api.token === '' || api.repository === '') return undefined;
  return (method, path) => githubAnswer(api, method, path);
}

function invalid(what: string, next: string, why = 'a backup that is kept nowhere is none'): McprtError {
  return new McprtError('input-invalid', { what, why, next });
}

import { actionsService, type GithubRest } from '../backup/stores/actions-service.js';
import { artifactStore } from '../backup/stores/artifact-store.js';
import { cacheStore } from '../backup/stores/cache-store.js';
import { directoryStore } from '../backup/stores/directory-store.js';
import type { Store } from '../backup/stores/store.js';
import { storeNames } from '../backup/stores/store.js';
import { McprtError } from '../errors.js';
import { branchOf, defaultBranchOf, githubOf, proxiesOf } from './github.js';
import { type GithubApi, githubAnswer } from './github-api.js';
import { uploadToArtifact, uploadToCache } from './upload.js';

export interface StoreInputs {
  stores: Store['name'][];
  directory: string;
  'retention-days': number;
  'github-token': string;
}

/**
 * The stores that a step names, wired to the runner's environment.
 *
 * @param signal ends whatever they do @throws McprtError `input-invalid`
 */
export function openStores(inputs: StoreInputs, env: NodeJS.ProcessEnv, signal: AbortSignal): Store[] {
  if (inputs.stores.length === 0) {
    throw invalid('`stores` names none', `name at least one of ${storeNames.join(', ')}`);
  }
  if (inputs.stores.includes('directory') && inputs.directory === '') {
    throw invalid('`stores` names directory, and `directory` is empty', 'give the folder in `directory`');
  }
  const service = actionsService({
    resultsUrl: env.ACTIONS_RESULTS_URL,
    runtimeToken: env.ACTIONS_RUNTIME_TOKEN,
    rest: restOf({ ...githubOf(inputs['github-token'], env), signal }),
    defaultBranch: defaultBranchOf(env),
    proxies: proxiesOf(env),
    signal,
  });
  const repository = env.GITHUB_REPOSITORY ?? '';
  const limit = Number(env.GITHUB_RETENTION_DAYS);
  const open: Record<Store['name'], () => Store> = {
    cache: () =>
      cacheStore({
        service,
        upload: uploadToCache,
        mode: env.ACTIONS_CACHE_MODE,
        ref: env.GITHUB_REF ?? '',
        repository,
        now: () => new Date(),
      }),
    artifact: () =>
      artifactStore({
        service,
        upload: uploadToArtifact,
        retentionDays: inputs['retention-days'],
        retentionLimit: limit > 0 ? limit : undefined,
        now: () => new Date(),
        origin: { repositoryId: env.GITHUB_REPOSITORY_ID ?? '', repository, branch: branchOf(env) },
      }),
    directory: () => directoryStore(inputs.directory),
  };
  return inputs.stores.map((name) => open[name]());
}

/** GitHub's REST API for the stores; undefined where a job gives no token, or nobody says which repository. */
export function restOf(api: GithubApi): GithubRest | undefined {
  if (api.token === '' || api.repository === '') return undefined;
  return (method, path) => githubAnswer(api, method, path);
}

function invalid(what: string, next: string): McprtError {
  return new McprtError('input-invalid', { what, why: 'a backup that is kept nowhere is none', next });
}

import { McprtError, messageOf } from '../../errors.js';
import { limits } from '../limits.js';
import type { ActionsService, RemoteArtifact } from './actions-service.js';
import { isWanted, repositoryFate, type Store } from './store.js';
import { memberOfZip } from './zip.js';

/** The one file in the artifact's zip. */
const member = 'backup.tar';

export interface ArtifactPorts {
  service: ActionsService;
  /** Uploads with the official client. */
  upload: (name: string, member: string, bytes: Buffer, retentionDays: number) => Promise<void>;
  /** Days asked for; 0 for the repository's setting. */
  retentionDays: number;
  /** GITHUB_RETENTION_DAYS: the most that the repository grants; undefined when the runner does not say. */
  retentionLimit: number | undefined;
  now: () => Date;
  /** Whose runs may hold the keys. */
  origin: Origin;
}

/** What a run says of itself that uploads are compared with. */
export interface Origin {
  /** GITHUB_REPOSITORY_ID; empty when the runner does not say. */
  repositoryId: string;
  /** As `owner/name`. */
  repository: string;
  /** Branch of this run, whose jobs are trusted as this one is; undefined for a tag or a pull request. */
  branch: string | undefined;
}

/** GitHub's artifacts: durable for as long as the repository's retention allows, and never changed once uploaded. */
export function artifactStore(ports: ArtifactPorts): Store {
  const { service } = ports;
  const fetchZip = async (url: string): Promise<Buffer> => {
    const zip = await service.download(url, limits.archiveBytes);
    return memberOfZip(zip, member, limits.archiveBytes);
  };
  return {
    name: 'artifact',
    fate: repositoryFate(ports.origin.repository),
    async save(name, bytes) {
      try {
        await ports.upload(name, member, bytes, ports.retentionDays);
      } catch (cause) {
        throw uploadFailed(name, cause);
      }
      const { days, notes } = granted(ports);
      const until = days === undefined ? undefined : new Date(ports.now().getTime() + days * 24 * 3600_000);
      return { where: `artifact ${name}`, until, notes };
    },
    async read(name) {
      const url = await service.findOwnArtifact(name);
      if (url === undefined) {
        throw new McprtError('store-miss', {
          what: `this run has no artifact ${name}`,
          why: 'the service does not list it',
          next: 'run the job again',
        });
      }
      return fetchZip(url);
    },
    async list(wanted) {
      const asked = 'name' in wanted ? wanted.name : undefined;
      const [{ items, cut }, branch] = await Promise.all([service.listArtifacts(asked), service.defaultBranch()]);
      const named = items.filter(({ name }) => isWanted(name, wanted));
      return {
        entries: named.map((artifact) => ({
          name: artifact.name,
          foreign: foreignBecause(artifact, ports.origin, branch),
          fetch: async () => fetchZip(await service.artifactUrl(artifact.id)),
          remove: () => service.remove('artifacts', artifact.id),
        })),
        cut,
        where: `${items.length} artifacts of the repository were looked through, and none is called so; they go when their retention is over`,
      };
    },
    async holds(name) {
      const { items } = await service.listArtifacts(name);
      const ends = items.flatMap(({ expiresAt }) => expiresAt ?? []).sort((a, b) => b.getTime() - a.getTime());
      return { until: ends[0], words: 'its retention; who deletes the run deletes it too' };
    },
  };
}

/**
 * Why an artifact is not a backup of this repository: names prove nothing, as every pull request can upload under any,
 * but GitHub says whose run it was. What GitHub does not say counts for nothing.
 */
export function foreignBecause(
  { run }: Pick<RemoteArtifact, 'run'>,
  { repositoryId, branch }: Pick<Origin, 'repositoryId' | 'branch'>,
  defaultBranch: string | undefined,
): string | undefined {
  if (run?.repositoryId !== undefined && repositoryId !== '' && String(run.repositoryId) !== repositoryId) {
    return 'it was uploaded by a run for another repository, such as the pull request of a fork';
  }
  if (run?.branch === undefined || defaultBranch === undefined) return undefined;
  if (run.branch === defaultBranch || run.branch === branch) return undefined;
  return `it was uploaded by a run of branch ${run.branch}, and backups are made on ${defaultBranch}`;
}

function granted({ retentionDays, retentionLimit }: ArtifactPorts): { days: number | undefined; notes: string[] } {
  if (retentionLimit !== undefined && retentionDays > retentionLimit) {
    return {
      days: retentionLimit,
      notes: [
        `asked to be kept for ${retentionDays} days, granted ${retentionLimit}: the repository’s or organization’s retention setting is lower`,
      ],
    };
  }
  return { days: retentionDays > 0 ? retentionDays : retentionLimit, notes: [] };
}

function uploadFailed(name: string, cause: unknown): McprtError {
  const why = messageOf(cause).slice(0, 300);
  if (/conflict|already exists|409/i.test(why)) {
    return new McprtError('store-duplicate', {
      what: `this run already has an artifact ${name}`,
      why,
      next: 'run the job again: each attempt stores under a name of its own',
    });
  }
  if (/quota|insufficient usage/i.test(why)) {
    return new McprtError('store-full', {
      what: 'the account’s artifact storage is full',
      why,
      next: 'delete old artifacts, or raise the storage budget in the billing settings; GitHub counts again every 6 to 12 hours',
    });
  }
  if (/ACTIONS_RUNTIME_TOKEN|ACTIONS_RESULTS_URL|invalid token|\(40[13]\)/i.test(why)) {
    return new McprtError('store-unavailable', {
      what: 'this process may not upload artifacts',
      why,
      next: 'run the action from a workflow, or use `stores: directory`',
    });
  }
  if (/\(5\d\d\)|attempts|ECONN|ENOTFOUND|ETIMEDOUT/.test(why)) {
    return new McprtError('store-unavailable', {
      what: 'GitHub’s service does not answer',
      why,
      next: 'run the operation again; see githubstatus.com when it stays',
    });
  }
  return new McprtError('store-write', {
    what: 'the artifact was not accepted',
    why,
    next: 'run the job again; see githubstatus.com when it stays',
  });
}

import pMap from 'p-map';
import { ApiError } from '../cluster/api-error.js';
import type { Cluster } from '../cluster/cluster.js';
import { kinds } from '../cluster/objects.js';
import { isRecord } from '../json.js';
import type { ApiCaller } from '../platform/api.js';
import type { MadeThing } from './made.js';
import { repositoryMark } from './pull-request.js';
import { serverOfKeySecret } from './servers.js';

/** Something on the platform that bears a name of ours. */
export interface Leftover extends MadeThing {
  /** An invalid date when the platform does not say: it counts as new. */
  createdAt: Date;
  /** The server that a grant, a session or a Secret is for; empty for a server. */
  server: string;
}

/** What to remove, or to leave, and why. */
export interface CleanupLine {
  thing: Leftover;
  isRemoved: boolean;
  reason: string;
}

export interface CleanupRules {
  now: Date;
  repository: string;
  /** Only the previews of this pull request; all leftovers when undefined. */
  pullRequest: number | undefined;
  /** A server that stays with all that is for it: the one that the pull request has now. */
  keep?: string | undefined;
  /** Age from which leftovers of tests and previews go, in ms. */
  olderThan: number;
  previewsOlderThan: number;
  /** Pull requests that are closed. */
  closed: ReadonlySet<number>;
}

/** The number of the pull request that a name of a preview is of; undefined for any other name. */
export function previewOf(name: string): number | undefined {
  const [, number] = /^pr-(\d+)-/.exec(name) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** Decides about each leftover. Names that are not ours, and previews of other repositories, are not among the lines. */
export function planCleanup(things: readonly Leftover[], rules: CleanupRules): CleanupLine[] {
  const lines = planByName(things, rules);
  return [...lines, ...planAdapterSessions(things, lines)];
}

/** Sessions that an adapter asked for bear the platform's names: they go with the server that they are for. */
function planAdapterSessions(things: readonly Leftover[], lines: readonly CleanupLine[]): CleanupLine[] {
  return things.flatMap((thing): CleanupLine[] => {
    // Of one that names no server it is not known whose it is.
    if (thing.kind !== 'session' || !thing.name.startsWith('adapter-') || thing.server === '') return [];
    const isFor = (one: Leftover): boolean =>
      one.kind === 'server' && one.namespace === thing.namespace && one.name === thing.server;
    const isGoing = lines.some((line) => line.isRemoved && isFor(line.thing));
    if (!isGoing && things.some(isFor)) return [];
    return [{ thing, isRemoved: true, reason: isGoing ? 'its server goes' : 'its server is gone' }];
  });
}

function planByName(things: readonly Leftover[], rules: CleanupRules): CleanupLine[] {
  return things.flatMap((thing): CleanupLine[] => {
    const age = rules.now.getTime() - thing.createdAt.getTime();
    const unknown = Number.isNaN(age) ? 'its age is not known' : undefined;
    const name = nameOf(thing);
    const number = previewOf(name);
    if (number !== undefined) {
      if (!isOf(rules.repository, name) || (rules.pullRequest !== undefined && number !== rules.pullRequest)) return [];
      if (rules.keep !== undefined) {
        const isKept = [rules.keep, `${rules.keep}-grant`].includes(name);
        return isKept ? [] : [{ thing, isRemoved: true, reason: `its server is called ${rules.keep} now` }];
      }
      if (rules.pullRequest !== undefined || rules.closed.has(number)) {
        return [{ thing, isRemoved: true, reason: `pull request ${number} is closed` }];
      }
      // A push makes the server anew, and leaves its grant as it is: the preview is as old as its newest part.
      const newest = Math.min(
        ...things
          .filter((one) => previewOf(nameOf(one)) === number && isOf(rules.repository, nameOf(one)))
          .map(({ createdAt }) => rules.now.getTime() - createdAt.getTime()),
      );
      const isOld = newest > rules.previewsOlderThan;
      const reason = isOld ? `${ageText(newest)} old` : (unknown ?? `pull request ${number} is open`);
      return [{ thing, isRemoved: isOld, reason }];
    }
    if (!name.startsWith('smoke-') || rules.pullRequest !== undefined) return [];
    const isOld = age > rules.olderThan;
    return [{ thing, isRemoved: isOld, reason: isOld ? `${ageText(age)} old` : (unknown ?? 'its run may continue') }];
  });
}

/** The name that says whose a thing is: of a Secret that of its server. */
function nameOf({ kind, name, server }: Leftover): string {
  return kind === 'secret' ? server : name;
}

function isOf(repository: string, preview: string): boolean {
  return preview.replace(/-grant$/, '').endsWith(`-${repositoryMark(repository)}`);
}

/** All servers, grants and sessions of the tests' namespaces. @throws McprtError of the calls */
export async function findLeftovers(admin: ApiCaller, namespaces: readonly string[]): Promise<Leftover[]> {
  const lists = namespaces.flatMap((namespace) =>
    (['server', 'grant', 'session'] as const).map((kind) => ({ namespace, kind })),
  );
  const found = await pMap(
    lists,
    async ({ namespace, kind }) => {
      const path = `/runtime/${kind}s?namespace=${namespace}`;
      const { body } = await admin.call('GET', path, { accept: [200, 404] });
      const items = isRecord(body) && Array.isArray(body[`${kind}s`]) ? body[`${kind}s`] : [];
      return (Array.isArray(items) ? items : []).filter(isRecord).map(
        (item): Leftover => ({
          kind,
          namespace,
          name: String(item.name ?? ''),
          // The API calls the time of creation `age`.
          createdAt: new Date(String(item.age)),
          server: isRecord(item.serverRef) ? String(item.serverRef.name ?? '') : '',
        }),
      );
    },
    { concurrency: 6 },
  );
  return found.flat();
}

/** The Secrets that servers of the tests' namespaces have left; `unseen` where these credentials may not look. */
export async function findKeySecrets(
  cluster: Cluster | undefined,
  namespaces: readonly string[],
): Promise<{ found: Leftover[]; unseen: string[] }> {
  if (cluster === undefined) return { found: [], unseen: [...namespaces] };
  const unseen: string[] = [];
  const found = await pMap(namespaces, async (namespace) => {
    try {
      const { items } = await cluster.list(kinds.secret, { namespace });
      return items.flatMap(({ metadata: { name, creationTimestamp } }): Leftover[] => {
        const server = serverOfKeySecret(name);
        if (server === undefined) return [];
        return [{ kind: 'secret', namespace, name, createdAt: new Date(creationTimestamp ?? ''), server }];
      });
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 403)) throw error;
      unseen.push(namespace);
      return [];
    }
  });
  return { found: found.flat(), unseen };
}

function ageText(ms: number): string {
  const hours = Math.floor(ms / 3600_000);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

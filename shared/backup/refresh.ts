import { timingSafeEqual } from 'node:crypto';
import type { Anchor } from '../facts/anchor.js';
import type { RunContext } from '../run-context.js';
import { clockTolerance } from './limits.js';
import type { BackupContext } from './statement.js';
import { nameFor, type Store } from './stores/store.js';
import type { Candidate } from './walk.js';

/** The newest backup, where every store that was asked for still holds it. */
export interface HeldBackup {
  context: BackupContext;
  name: string;
  stores: Store['name'][];
}

export interface RefreshFacts {
  /** Of each store what it holds as the newest, read and authenticated. */
  found: readonly Candidate[];
  anchor: Anchor | undefined;
  /** Digest of what a backup would hold now, bound to a statement (see contentDigest). */
  digestFor: (statement: string) => string;
  run: RunContext;
  fingerprint: string;
  now: Date;
  /** A backup of this age is old, in ms. */
  refreshAfter: number;
}

/**
 * Decides whether the newest backup can stand: nothing that belongs into it has changed, it is young enough, and every
 * store gave it back just now.
 *
 * @returns that backup, or why a new one is due
 */
export function standing(facts: RefreshFacts): { held: HeldBackup } | { due: string[] } {
  const { found, anchor, run, fingerprint, now, refreshAfter } = facts;
  if (anchor === undefined || anchor.content === '') {
    return { due: ['the cluster does not remember what the newest backup holds'] };
  }
  const lost: string[] = [];
  const holding: Required<Pick<Candidate, 'store' | 'backup'>>[] = [];
  for (const one of found) {
    const { store, name, standing, backup, error } = one;
    // A copy of an older backup under a newer name is there beside the newest one, and not in its place.
    if (standing === 'foreign' || isBehind(one, found)) continue;
    if (backup === undefined) {
      lost.push(`${store}: ${error?.message ?? 'nothing was found'}`);
    } else if (backup.digest !== anchor.statement || name !== nameFor(run.domain, anchor.generation, backup.context)) {
      lost.push(`${store} gives ${name} as its newest, and the cluster remembers generation ${anchor.generation}`);
    } else {
      holding.push({ store, backup });
    }
  }
  const [first] = holding;
  if (lost.length > 0 || first === undefined) return { due: lost };
  const { context } = first.backup;
  const age = now.getTime() - Date.parse(context.createdAt);
  const due = [
    ...(isSame(facts.digestFor(anchor.statement), anchor.content) ? [] : ['what belongs into a backup has changed']),
    ...(age > -clockTolerance && age < refreshAfter
      ? []
      : [`generation ${anchor.generation} was made on ${context.createdAt}`]),
    ...(context.fingerprint === fingerprint && context.repositoryId === run.repositoryId
      ? []
      : [`generation ${anchor.generation} belongs to another cluster or repository`]),
  ];
  if (due.length > 0) return { due };
  const name = nameFor(context.domain, context.generation, context);
  return { held: { context, name, stores: holding.map(({ store }) => store) } };
}

function isBehind({ store, backup }: Candidate, found: readonly Candidate[]): boolean {
  if (backup === undefined) return false;
  const { generation } = backup.context;
  return found.some((other) => other.store === store && (other.backup?.context.generation ?? 0) > generation);
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

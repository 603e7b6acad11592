import { kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import type { Journal } from './journal.js';

/** How a wipe begins: with a backup of its own, or on the one of an earlier wipe that did not finish. */
export type Start =
  | { kind: 'fresh'; because: string }
  | { kind: 'resume'; journal: Journal }
  | { kind: 'refuse'; error: McprtError };

export interface StartFacts {
  journal: Journal | undefined;
  /** `namespace/name` of the live Secrets that a backup must hold → resourceVersion, without those that are leaving. */
  live: ReadonlyMap<string, string>;
  /** Whether the wipe takes a namespace. */
  isGoing: (namespace: string) => boolean;
  /** Whether a store still holds the journal's backup, authentic. */
  held: boolean;
  /** Whether the user accepts a backup without these, which the last one holds. */
  allowsFewer: (keys: readonly string[]) => boolean;
}

/**
 * Decides on which backup a wipe stands. A complete cluster is backed up afresh. Of a cluster that is partly wiped a
 * fresh backup would be worse than the earlier one: that one stays the proof, as long as it is stored and holds
 * everything that would go, unchanged.
 */
export function decideStart({ journal, live, isGoing, held, allowsFewer }: StartFacts): Start {
  if (journal === undefined) return { kind: 'fresh', because: 'no earlier wipe is unfinished' };
  const gone = [...journal.secrets.keys()].filter((key) => !live.has(key));
  if (gone.length === 0) return { kind: 'fresh', because: 'everything that the earlier backup holds is there' };

  const unsaved = unsavedOf(journal, live, isGoing);
  if (held && unsaved.length === 0) return { kind: 'resume', journal };
  if (allowsFewer(gone)) return { kind: 'fresh', because: '`allow` names fewer-objects' };
  return { kind: 'refuse', error: held ? unsavedError(journal, unsaved) : lostError(journal, gone.length) };
}

/**
 * Live Secrets that would go and that a journal's backup does not hold, or not as they are now, or of whose namespace it
 * was not as strict as about what goes. What stays may change: certificates of others are renewed while a wipe is stuck,
 * and are not lost with it.
 */
export function unsavedOf(
  { secrets, targets }: Pick<Journal, 'secrets' | 'targets'>,
  live: ReadonlyMap<string, string>,
  isGoing: StartFacts['isGoing'],
): string[] {
  const wasToGo = new Set(
    targets
      .map((line) => line.split(' '))
      .flatMap(([kind, name = '']) => (kind === kinds.namespace.kind ? [name] : [])),
  );
  return [...live]
    .map(([key, version]) => ({ key, version, namespace: key.split('/')[0] ?? '' }))
    .filter(({ namespace }) => isGoing(namespace))
    .filter(({ key, version, namespace }) => secrets.get(key) !== version || !wasToGo.has(namespace))
    .map(({ key }) => key);
}

/** The refusal to go on with a wipe whose backup has become incomplete. */
export function unsavedError({ backup, scope }: Journal, unsaved: readonly string[]): McprtError {
  return new McprtError('wipe-unsaved', {
    what: 'a wipe was begun, and the cluster now holds what its backup does not',
    why: unsaved
      .map((key) => `Secret ${key} is new or was changed since ${backup.name}, or was not to go then`)
      .join('\n'),
    next: `run \`operation: restore\` and setup, so that the cluster is whole again, then wipe. Where this run only takes more than that one: finish it as it was begun, with \`scope: ${scope}\` and its \`also\`. ${instead}`,
  });
}

const instead =
  'Or set `allow: fewer-objects` once: the wipe then backs up what is left, and what is gone is only in earlier backups';

function lostError({ backup }: Journal, gone: number): McprtError {
  return new McprtError('wipe-proof-lost', {
    what: 'a wipe was begun, and the backup that it stands on is in no store',
    why: `${backup.name} is not to be had, or is not the one that was proven; ${gone} of its Secrets are gone from the cluster`,
    next: `name the store that holds it in \`stores\`. ${instead}`,
  });
}

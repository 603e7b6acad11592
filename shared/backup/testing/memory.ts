import type { McprtError } from '../../errors.js';
import type { RunContext } from '../../run-context.js';
import { type BackupKey, type KeySet, makeKeys, type RestoreKey, readBackupKey, readRestoreKey } from '../keys.js';
import { sealBackup } from '../seal.js';
import type { BackupContext } from '../statement.js';
import { isWanted, nameFor, type Store } from '../stores/store.js';

export const now = new Date('2026-03-01T00:00:00Z');
const day = 24 * 3600_000;

export const run: RunContext = {
  repository: 'acme/platform',
  repositoryId: '42',
  workflow: 'restore.yml',
  runId: '9',
  runAttempt: '1',
  job: 'restore',
  domain: 'example.com',
  tool: 'test',
};

export interface Keys {
  text: KeySet;
  backup: BackupKey;
  restore: RestoreKey;
}

const unmasked = (): void => undefined;

/** A set of keys, as text and read. */
export async function keysOf(): Promise<Keys> {
  const text = await makeKeys('classic');
  return { text, backup: readBackupKey(text.backup, unmasked), restore: readRestoreKey(text.restore, unmasked) };
}

/** An empty backup of a generation, one day old, and the name that it is stored under. */
export async function sealedBackup(
  { backup }: Pick<Keys, 'backup'>,
  generation: number,
  change: Partial<BackupContext> = {},
): Promise<{ name: string; bytes: Buffer }> {
  const { job: _, ...bound } = run;
  const context = {
    ...bound,
    schema: 'mcprt.backup/1',
    runId: String(100 + generation),
    fingerprint: 'a-cluster',
    layout: 'split' as const,
    generation,
    createdAt: new Date(now.getTime() - day).toISOString(),
    expiresAt: new Date(now.getTime() + 60 * day).toISOString(),
    previous: '',
    inventory: { certificates: 0, secrets: 0, configMaps: 0, namespaces: 0 },
    certManager: 'v1.21.2',
    ...change,
  };
  const bytes = await sealBackup({ objects: [], certificates: [], ledger: [] }, context, backup);
  return { name: nameFor(run.domain, generation, context), bytes };
}

/** What lies in a store in memory. */
export interface Thing {
  name: string;
  bytes: Buffer | McprtError;
  foreign?: string;
}

/** A store in memory that counts what is fetched. */
export function memoryStore(
  name: Store['name'],
  things: readonly Thing[],
  cut?: McprtError,
): Store & { fetched: string[] } {
  const fetched: string[] = [];
  const unused = (): never => {
    throw new Error('not asked for');
  };
  return {
    name,
    fate: name,
    fetched,
    save: unused,
    read: unused,
    list: async (wanted) => ({
      entries: things
        .filter((one) => isWanted(one.name, wanted))
        .map((one) => ({
          name: one.name,
          foreign: one.foreign,
          remove: unused,
          fetch: async () => {
            fetched.push(one.name);
            if (one.bytes instanceof Error) throw one.bytes;
            return one.bytes;
          },
        })),
      cut,
      where: 'looked everywhere',
    }),
    holds: async () => ({ until: undefined, words: 'as long as the test' }),
  };
}

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { McprtError } from '../errors.js';
import { changesOf, commitOf } from '../platform/source-commit.js';
import { isSecret } from '../profile/values.js';
import { isSpelling } from '../spelling.js';
import type { Mode } from './mode.js';
import type { SetupOptions } from './options.js';

/** What somebody approves who approves a setup: which source is run, on which cluster, and how it is called. */
export interface SetupPlan {
  /** SHA-256, in hex. */
  digest: string;
  /** Commit of the source; empty outside of git. */
  commit: string;
}

/**
 * The plan of a setup. How many certificates are ordered is not in it: a plan is made without the key that reads backups,
 * and `max-orders` holds a setup to that number. Of the profile's secrets only the names are in it, as a digest of a weak
 * one would tell it.
 */
export async function planSetup(
  options: SetupOptions,
  { fingerprint, mode }: { fingerprint: string; mode: Mode },
): Promise<SetupPlan> {
  const source = resolve(options.source);
  const commit = await commitOf(source);
  const { domain, profile, settings, platformMode, certManager, doctor } = options;
  const parts = [
    fingerprint,
    mode,
    [commit, await changesOf(source, commit)],
    options.binary === '' ? '' : await fileDigest(resolve(options.binary)),
    domain,
    [...profile]
      .map(([name, value]) => [name, isSecret(name) ? '' : value])
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)),
    [platformMode.wanted, platformMode.agreed],
    [certManager.manifest, certManager.version],
    doctor,
  ];
  return { digest: createHash('sha256').update(JSON.stringify(parts)).digest('hex'), commit };
}

/**
 * Refuses a setup that is not the one that was approved, or of which nobody can tell.
 *
 * @param expected digest of the approved plan; empty where none was
 * @throws McprtError `setup-plan-moved`, `setup-unbound`
 */
export function requireSetupPlan({ digest, commit }: SetupPlan, expected: string): void {
  if (expected === '') return;
  if (!isSpelling(expected, digest)) {
    throw new McprtError('setup-plan-moved', {
      what: 'what would be set up is not what was approved',
      why: `the plan is ${digest} now, of commit ${commit || 'unknown'}, and ${expected} was approved: the source, the profile, an input or the cluster has moved`,
      next: 'nothing was changed: make a new plan with `dry-run: true`, and give its output `plan` as `expect-plan`',
    });
  }
  if (commit !== '') return;
  throw new McprtError('setup-unbound', {
    what: 'what would be set up is not what was approved, as far as anybody can tell',
    why: 'the source is no git checkout, so that a plan holds no commit of it',
    next: 'give a git checkout of the source in `source` (a clone, or in a job actions/checkout in an earlier step); then make a new plan, and have it approved',
  });
}

async function fileDigest(path: string): Promise<string> {
  const content = await readFile(path).catch(() => Buffer.alloc(0));
  return createHash('sha256').update(content).digest('hex');
}

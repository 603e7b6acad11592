import { describe, expect, it } from '@jest/globals';
import type { Allowance } from '../../shared/backup/allowance.js';
import type { Pruned } from '../../shared/backup/prune.js';
import { now, scene } from '../../shared/backup/testing/scene.js';
import { kinds } from '../../shared/cluster/objects.js';
import { McprtError } from '../../shared/errors.js';
import { backupSummary, restoreSummary } from './report.js';

const allow: Allowance[] = [{ rule: 'nothing-to-back-up' }];

/** A cluster on which the platform is no more. */
async function bare() {
  const made = await scene();
  const { api } = made;
  for (const kind of [kinds.certificate, kinds.secret, kinds.clusterIssuer])
    for (const { metadata } of api.objects(kind)) api.remove(kind, metadata);
  for (const name of ['registry', 'mcp-sentinel']) api.remove(kinds.namespace, { name });
  return made;
}

describe('summaries', () => {
  it('tell until when a backup is good, and what a restore has written', async () => {
    const { backUp, restore } = await scene();
    const made = backupSummary(await backUp(), { dryRun: false, because: [], pruned: [], now }).text();
    expect(made).toMatch(/is good until 2027-02-12, when its last certificate expires\.$/);
    const plan = restoreSummary(await restore({ dryRun: true }), true, now).text();
    expect(plan).toContain('A restore would order **nothing**. Nothing was written.');
    const done = restoreSummary(await restore(), false, now).text();
    expect(done).toContain('**0 orders** at the certificate authority, and no object had to be written.');
  });

  it('say what a store without a copy, or with one that is not as it was asked for, still needs', async () => {
    const { backUp } = await scene();
    const made = await backUp();
    const shown = (stored: typeof made.stored): string =>
      backupSummary({ ...made, stored }, { dryRun: false, because: [], pruned: [], now }).text();
    const gone = new McprtError('store-unavailable', { what: 'no bucket', why: 'NoSuchBucket', next: 'create it' });
    const kept = { where: 'w', until: undefined, notes: [] };
    expect(shown([...made.stored, { store: 's3', error: gone }])).toContain('**Next:** s3 has no copy: create it.');
    const doubted = shown([{ store: 's3', kept: { ...kept, doubt: 'no lock was seen' } }]);
    expect(doubted).toContain('| ⚠️ read back and verified |');
    expect(doubted).toContain('**Next:** s3: no lock was seen.');
    expect(shown([{ store: 's3', kept }])).toContain('**Next:** nothing.');
  });

  it('name a machine once, and tell of stores only where something was deleted or left', async () => {
    const { backUp } = await scene();
    const made = await backUp();
    const machine = { ...made, context: { ...made.context, repository: 'local/vm', repositoryId: 'local/vm' } };
    const none = { store: 'directory' as const, removed: [], odd: [] };
    const told = (pruned: Pruned[]): string =>
      backupSummary(machine, { dryRun: false, because: [], pruned, now }).text();
    expect(told([none])).toContain('| Repository | `local/vm` |');
    expect(told([none])).not.toContain('Left alone');
    const some = told([none, { ...none, store: 'oci', removed: ['old'] }]);
    expect(some).toContain('| oci | `old` | – |');
    expect(some).not.toContain('| directory | – | – |');
    expect(told([{ ...none, odd: ['odd'] }])).toContain('| directory | – | `odd`: not certainly');
    expect(told([{ ...none, error: new McprtError('store-prune', { what: 'w', why: 'y', next: 'n' }) }])).toContain(
      '❌ w',
    );
    const job = backupSummary(made, { dryRun: false, because: [], pruned: [], now }).text();
    expect(job).toMatch(/\| Repository \| `[^`]+ \(\d+\)` \|/);
  });

  it('promise nothing of a backup without certificates', async () => {
    const { backUp, restore } = await bare();
    const made = backupSummary(await backUp({ allow }), { dryRun: false, because: [], pruned: [], now }).text();
    expect(made).toMatch(/holds no valid certificate, and does not expire\.$/);
    const plan = restoreSummary(await restore({ dryRun: true }), true, now).text();
    expect(plan).toContain('no object of this backup is to be restored');
    expect(plan).toContain('**Next:** nothing, or choose another backup');
    expect(plan).not.toMatch(/good until|<summary>0 objects/);
  });
});

import { describe, expect, it } from '@jest/globals';
import { withCode } from '../../shared/action/markdown.js';
import type { Allowance } from '../../shared/backup/allowance.js';
import type { Overrides } from '../../shared/backup/choose-backup.js';
import type { Pruned } from '../../shared/backup/prune.js';
import { fateWarning } from '../../shared/backup/stores/safety.js';
import type { State } from '../../shared/backup/testing/memory-world.js';
import { now, scene } from '../../shared/backup/testing/scene.js';
import type { VerifyResult } from '../../shared/backup/verify.js';
import { kinds } from '../../shared/cluster/objects.js';
import { McprtError } from '../../shared/errors.js';
import { backupSummary, restoreSummary, verifySummary } from './report.js';

const allow: Allowance[] = [{ rule: 'nothing-to-back-up' }];

const chosen = { overrides: { older: false }, now };

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
    const plan = restoreSummary(await restore({ dryRun: true }), { ...chosen, dryRun: true }).text();
    expect(plan).toContain('A restore would order **nothing**. Nothing was written.');
    const done = restoreSummary(await restore(), { ...chosen, dryRun: false }).text();
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

  it('name the backup that was planned as what is to be restored, and nothing where all of it is there', async () => {
    const { api, backUp, restore } = await scene();
    await backUp();
    const { name } = await backUp();
    const nextOf = async (overrides: Overrides): Promise<string> => {
      const result = await restore({ dryRun: true, overrides });
      const text = restoreSummary(result, { dryRun: true, overrides, now }).text();
      return (text.split('**Next:** ')[1] ?? '').trim().replace(result.planDigest, 'DIGEST');
    };
    expect(await nextOf({ older: true, generation: 1 })).toBe('nothing to restore: what this backup has is there.');
    const lost = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };
    api.remove(kinds.secret, lost);
    const [run, held] = [
      'run `operation: restore` with the same inputs, and with',
      '`expect-plan: DIGEST` holds it to this plan.',
    ];
    expect(await nextOf({ older: false })).toBe(`${run} \`generation: 2\`. ${held}`);
    expect(await nextOf({ older: true, generation: 1 })).toBe(`${run} \`generation: 1\`. ${held}`);
    expect(await nextOf({ older: false, name })).toBe(`${run} \`name: ${name}\`. ${held}`);
    const fromCluster = String(api.find(kinds.namespace, { name: 'kube-system' })?.metadata.uid);
    expect(await nextOf({ older: false, fromCluster, fromRepository: '42' })).toBe(
      `${run} \`generation: 2\`, \`from-cluster: ${fromCluster}\`, \`from-repository: 42\`. ${held}`,
    );
  });

  it.each<[string, State, boolean, string]>([
    ['one Secret was lost', 'running', false, 'nothing.'],
    [
      'cert-manager is stopped',
      'stopped',
      false,
      'start cert-manager again: `kubectl scale -n cert-manager deploy/cert-manager --replicas=1`.',
    ],
    [
      'a namespace was lost',
      'running',
      true,
      'run setup, as whole namespaces were missing. It adopts the Secrets; do not restore again after it.',
    ],
    [
      'a namespace was lost and cert-manager is stopped',
      'stopped',
      true,
      'start cert-manager again: `kubectl scale -n cert-manager deploy/cert-manager --replicas=1`. Then run setup, as',
    ],
  ])('say what is left to do after a restore where %s', async (_, state, isWhole, next) => {
    const { api, backUp, restore } = await scene(state);
    await backUp();
    const of = (namespace: string | undefined): boolean => namespace === 'mcp-sentinel';
    for (const { metadata } of api.objects(kinds.secret))
      if (of(metadata.namespace)) api.remove(kinds.secret, metadata);
    if (isWhole) {
      for (const { metadata } of api.objects(kinds.certificate))
        if (of(metadata.namespace)) api.remove(kinds.certificate, metadata);
      api.remove(kinds.namespace, { name: 'mcp-sentinel' });
    }
    const text = restoreSummary(await restore(), { ...chosen, dryRun: false }).text();
    expect(text).toContain(`**Next:** ${next}`);
    expect(text).not.toContain('no object had to be written');
  });

  it('say so too where a restore before has made the namespaces, and did not end', async () => {
    const { backUp, restore } = await scene();
    await backUp();
    const text = restoreSummary({ ...(await restore()), takenOver: true }, { ...chosen, dryRun: false }).text();
    expect(text).toContain('**Next:** run setup where the platform does not run yet');
  });

  it('tell once what verify has warned of', async () => {
    const together = 'the only copy is in directory: it goes with the folder /`x`';
    const { context, name } = await (await scene()).backUp();
    const result: VerifyResult = {
      context: { ...context, recipients: [] },
      name,
      stores: ['directory'],
      found: [],
      snapshot: undefined,
      decrypted: false,
      copies: [],
      together,
    };
    const text = verifySummary(result, now).text();
    // What the log has told is added to a summary that does not say it: main.ts looks for it by these words.
    expect(text).toContain(withCode(fateWarning(together)));
    expect(text).toContain('**Next:** name a store of another fate');
    expect(verifySummary({ ...result, together: undefined }, now).text()).toContain('**Next:** nothing.');
  });

  it('promise nothing of a backup without certificates', async () => {
    const { backUp, restore } = await bare();
    const made = backupSummary(await backUp({ allow }), { dryRun: false, because: [], pruned: [], now }).text();
    expect(made).toMatch(/holds no valid certificate, and does not expire\.$/);
    const plan = restoreSummary(await restore({ dryRun: true }), { ...chosen, dryRun: true }).text();
    expect(plan).toContain('no object of this backup is to be restored');
    expect(plan).toContain('**Next:** nothing, or choose another backup');
    expect(plan).not.toMatch(/good until|<summary>0 objects/);
  });
});

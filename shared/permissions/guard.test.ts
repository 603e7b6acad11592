import { describe, expect, it } from '@jest/globals';
import { kinds } from '../cluster/objects.js';
import { lookRules } from './backup-rules.js';
import { guarded, requirePermissions } from './guard.js';
import { rulesOf } from './operations.js';
import type { PermissionRule } from './rule.js';
import { readsOf } from './rule.js';
import { answeringCluster, askedCluster } from './testing/asked-cluster.js';

function recorded() {
  const sent: string[] = [];
  const cluster = answeringCluster(async ({ method }) => {
    sent.push(method);
    return { status: 200, body: JSON.stringify({ kind: 'Secret', metadata: { name: 'one' } }) };
  });
  return { cluster, sent };
}

const ref = { name: 'one', namespace: 'web' };

describe('guarded', () => {
  it('sends a read beside the question, and hands its answer over after it', async () => {
    const { cluster, sent } = recorded();
    const question = Promise.withResolvers<void>();
    let isAnswered = false;
    const read = guarded(cluster, question.promise).get(kinds.secret, ref);
    void read.then(() => (isAnswered = true));
    await new Promise(setImmediate);
    expect([sent, isAnswered]).toEqual([['GET'], false]);
    question.resolve();
    expect((await read)?.metadata.name).toBe('one');
  });

  it('sends no write before the question is answered, and none when something is missing', async () => {
    const { cluster, sent } = recorded();
    const guard = guarded(cluster, Promise.reject(new Error('missing')));
    await expect(guard.delete(kinds.secret, ref)).rejects.toThrow('missing');
    await expect(guard.patch(kinds.secret, ref, [])).rejects.toThrow('missing');
    await expect(guard.get(kinds.secret, ref)).rejects.toThrow('missing');
    expect(sent).toEqual(['GET']);
  });
});

/** What a cluster says that it grants for some rules. */
function grantsOf(rules: readonly PermissionRule[]) {
  return rules.map(({ on, subresource, verbs, names = [] }) => ({
    verbs,
    apiGroups: [on.group],
    resources: [subresource === undefined ? on.plural : `${on.plural}/${subresource}`],
    resourceNames: names,
  }));
}

describe('requirePermissions', () => {
  const options = { names: ['backup'] as const, dryRun: false, warn: () => undefined };

  it('names all that is missing, and the manifest that grants it', async () => {
    const { cluster } = askedCluster({ '-': grantsOf(readsOf(rulesOf('backup'))) });
    await expect(requirePermissions(cluster, { ...options, names: ['backup'] })).rejects.toMatchObject({
      code: 'permission-missing',
      why: 'create configmaps in kube-system\npatch configmaps mcprt-anchor in kube-system',
      next: expect.stringContaining('docs/rbac/backup.yaml'),
    });
  });

  it('asks of a dry run what it reads', async () => {
    const { cluster } = askedCluster({ '-': grantsOf(readsOf(rulesOf('backup'))) });
    await requirePermissions(cluster, { ...options, names: ['backup'], dryRun: true });
  });

  it('ends only by what is essential, where that is said', async () => {
    const { cluster } = askedCluster({ '-': grantsOf(lookRules) });
    await requirePermissions(cluster, { ...options, names: ['check'], essential: lookRules });
    const { cluster: blind } = askedCluster({ '-': grantsOf(lookRules.slice(1)) });
    await expect(
      requirePermissions(blind, { ...options, names: ['check'], essential: lookRules }),
    ).rejects.toMatchObject({ why: expect.stringContaining('list nodes') });
  });

  it('says that it could not ask, and goes on', async () => {
    const warnings: string[] = [];
    const { cluster } = askedCluster({}, { deny: 403 });
    await requirePermissions(cluster, { ...options, names: ['backup'], warn: (line) => warnings.push(line) });
    expect(warnings).toEqual([expect.stringContaining('does not tell')]);
  });
});

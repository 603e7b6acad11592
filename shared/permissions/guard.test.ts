import { describe, expect, it } from '@jest/globals';
import { observeRules } from './backup-rules.js';
import { requirePermissions } from './guard.js';
import { rulesOf } from './operations.js';
import type { PermissionRule } from './rule.js';
import { readsOf } from './rule.js';
import { askedCluster } from './testing/asked-cluster.js';

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
  const options = { names: ['backup'] as const, warn: () => undefined };

  it('names all that is missing, and the manifest that grants it', async () => {
    const { cluster } = askedCluster({ '-': grantsOf(readsOf(rulesOf('backup'))) });
    await expect(requirePermissions(cluster, { ...options, names: ['backup'] })).rejects.toMatchObject({
      code: 'permission-missing',
      why: 'create configmaps in kube-system\npatch configmaps mcprt-anchor in kube-system',
      next: expect.stringContaining('docs/rbac/backup.yaml'),
    });
  });

  it('asks for no more than it is told, as of a dry run', async () => {
    const rules = readsOf(rulesOf('backup'));
    const { cluster } = askedCluster({ '-': grantsOf(rules) });
    await requirePermissions(cluster, { ...options, names: ['backup'], rules });
  });

  it('ends only by what is essential, where that is said', async () => {
    const { cluster } = askedCluster({ '-': grantsOf(observeRules) });
    await requirePermissions(cluster, { ...options, names: ['check'], essential: observeRules });
    const { cluster: blind } = askedCluster({ '-': grantsOf(observeRules.slice(1)) });
    await expect(
      requirePermissions(blind, { ...options, names: ['check'], essential: observeRules }),
    ).rejects.toMatchObject({ why: expect.stringContaining('list nodes') });
  });

  it('says that it could not ask, and goes on', async () => {
    const warnings: string[] = [];
    const { cluster } = askedCluster({}, { deny: 403 });
    await requirePermissions(cluster, { ...options, names: ['backup'], warn: (line) => warnings.push(line) });
    expect(warnings).toEqual([expect.stringContaining('does not tell')]);
  });
});

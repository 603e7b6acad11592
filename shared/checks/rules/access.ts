import type { Finding } from '../finding.js';
import type { World } from '../world.js';

/** What the credentials may not do, all at once, so that one visit to the cluster's administrator is enough. */
export function checkAccess({ permissions }: World): Finding[] {
  const missing = permissions.filter(({ allowed }) => !allowed);
  if (missing.length === 0) return [];
  return [
    {
      code: 'permission-missing',
      severity: 'error',
      subject: 'kubeconfig',
      cause: `the credentials lack ${missing.length} of the permissions that this operation needs`,
      evidence: missing.map(
        ({ verb, resource, namespace }) => `${verb} ${resource}${namespace === undefined ? '' : ` in ${namespace}`}`,
      ),
      remedy: 'grant them: docs/permissions.md has the rules for each operation',
      confidence: 'certain',
    },
  ];
}

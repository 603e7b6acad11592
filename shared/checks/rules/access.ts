import type { PlatformFacts } from '../../facts/observe-platform.js';
import { wordsOf } from '../../permissions/rule.js';
import type { Finding } from '../finding.js';
import { finding } from '../finding.js';

/** What the credentials may not do, all at once, so that one visit to the cluster's administrator is enough. */
export function checkAccess({ lacking }: PlatformFacts): Finding[] {
  if (lacking.length === 0) return [];
  return [
    finding('permission-missing', {
      subject: 'kubeconfig',
      cause: `the credentials lack ${lacking.length} of the permissions that this operation needs`,
      evidence: lacking.map(wordsOf),
      remedy: 'grant them: docs/permissions.md has a manifest with exactly these for each operation',
    }),
  ];
}

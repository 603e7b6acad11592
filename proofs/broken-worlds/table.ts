import type { FindingCode } from '../../shared/checks/catalog.js';
import { access } from './access.js';
import type { Topic } from './case.js';
import { certManager, certManagerKinds } from './cert-manager.js';
import { certificates } from './certificates.js';
import { challenges } from './challenges.js';
import { installer } from './installer.js';
import { kubeSystem } from './kube-system.js';
import { limits } from './limits.js';
import { namespaces } from './namespaces.js';
import { nodes } from './nodes.js';
import { platform } from './platform.js';
import { reachable } from './reach.js';
import { serving } from './serving.js';
import { workloads } from './workloads.js';

/**
 * Every broken world, in the order in which they are made: one after the other, on the same cluster. Nodes come last,
 * since one that goes away leaves pods behind for a while.
 */
export const topics: readonly Topic[] = [
  access,
  kubeSystem,
  namespaces,
  reachable,
  certManager,
  challenges,
  certificates,
  installer,
  platform,
  workloads,
  serving,
  limits,
  nodes,
  certManagerKinds,
];

/** Codes that no case shows as its first finding, and why. */
export const unshown: Partial<Record<FindingCode, string>> = {
  'challenge-pending': 'on the lab cert-manager always says a reason that is known; see shared/checks/diagnose.test.ts',
  'reach-unseen': 'behind a proxy: proof proxy',
  'renewal-blocked': 'the healthy world has it',
  'platform-missing': 'proof setup shows it, on a cluster that was wiped',
  'rollout-overwritten': 'seen while a rollout goes on: proof rollout-failures',
  'pod-config': 'seen while a rollout goes on: proof rollout-failures',
  'probe-failing': 'seen while a rollout goes on: proof rollout-failures',
  'endpoint-failing': 'seen while a rollout goes on: proof rollout-failures',
  'image-other': 'a node of the lab tells the truth; see shared/rollout/verify.test.ts',
  'pod-ended': 'seen while a rollout goes on: proof rollout-failures',
  'workload-skipped': 'the plan of a rollout says it; see shared/rollout/plan.test.ts',
  doctor: 'the platform’s own doctor says it, not a look at the cluster',
};

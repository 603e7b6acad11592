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

import type { Finding } from '../checks/finding.js';
import type { Phase } from '../phases.js';
import type { EndpointState } from '../platform/endpoints.js';
import type { Layout } from '../platform/resources.js';
import type { RolloutPlan, WantedImage } from './plan.js';
import type { RolledBack } from './rollback.js';
import type { RunningImage } from './verify.js';

/** Phases that a report tells from the others. */
export const phaseNames = { putBack: 'roll back', seeBack: 'see it back' } as const;

/** What happened so far. It is filled on the way, so that a failed or cancelled run has a report as well. */
export interface RolloutRecord {
  layout: Layout;
  fingerprint: string;
  /** Commit of the source; empty when nothing is built. */
  commit: string;
  plan: RolloutPlan | undefined;
  images: WantedImage[];
  /** Whether the cluster was written to, and how often. */
  writes: number;
  /** Whether a rollout that was cut off was gone on with. */
  isResumed: boolean;
  running: RunningImage[];
  endpoints: EndpointState[];
  findings: Finding[];
  policiesPatched: number;
  rolledBack: RolledBack | undefined;
  /** Whether what was put back has been seen to run. */
  isRollbackVerified: boolean;
  /** What it has cost; `podsStarted` is undefined where nobody could look. */
  rollbackCost: { seconds: number; podsStarted: number | undefined } | undefined;
  phases: Phase[];
}

export function newRolloutRecord(): RolloutRecord {
  return {
    layout: 'unknown',
    fingerprint: '',
    commit: '',
    plan: undefined,
    images: [],
    writes: 0,
    isResumed: false,
    running: [],
    endpoints: [],
    findings: [],
    policiesPatched: 0,
    rolledBack: undefined,
    isRollbackVerified: false,
    rollbackCost: undefined,
    phases: [],
  };
}

import type { Finding } from '../checks/finding.js';
import type { EndpointState } from '../platform/endpoints.js';
import type { Layout } from '../platform/resources.js';
import type { RolloutPlan, WantedImage } from './plan.js';
import type { RolledBack } from './rollback.js';
import type { RunningImage } from './verify.js';

/** A part of a rollout, on the clock of the run. */
export interface Phase {
  name: string;
  /** Seconds since the beginning. */
  from: number;
  seconds: number;
  /** RFC 3339, by the runner's clock. */
  endedAt: string;
}

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
    phases: [],
  };
}

/** Does a part of the work, and notes when and how long, also when it failed. */
export type Timed = <T>(name: string, work: () => Promise<T>) => Promise<T>;

export function timedInto(record: RolloutRecord, begun = performance.now()): Timed {
  return async (name, work) => {
    const started = performance.now();
    try {
      return await work();
    } finally {
      record.phases.push({
        name,
        from: (started - begun) / 1000,
        seconds: (performance.now() - started) / 1000,
        endedAt: new Date().toISOString(),
      });
    }
  };
}

import { releaseSettings } from '../../certificates/controller-settings.js';
import type { Observation } from '../observation.js';

/** An observation of a cluster with cert-manager and nothing else, for tests; `parts` stand in place of its own. */
export function observation(parts: Partial<Observation> = {}): Observation {
  return {
    fingerprint: 'f',
    now: new Date('2026-11-24T12:00:00Z'),
    certificates: [],
    requests: [],
    issuers: [],
    ingresses: [],
    gateways: [],
    namespaces: [],
    certManager: { state: 'running', version: 'v1.21.2', namespace: 'cert-manager', settings: releaseSettings },
    layout: 'split',
    anchor: undefined,
    groups: new Map(),
    canBrake: true,
    ...parts,
  };
}

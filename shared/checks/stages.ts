import type { PlatformFacts } from '../facts/observe-platform.js';
import type { FindingCode } from './catalog.js';
import { missingTraefikFiles } from './rules/kube-system.js';

/** How far a setup has come: what it is doing, or has failed at. */
export const setupStages = ['looking', 'cert-manager', 'issuer', 'installer', 'verifying'] as const;

export type SetupStage = (typeof setupStages)[number];

/** Whether a setup has come as far as this. */
export function hasReached(stage: SetupStage, wanted: SetupStage): boolean {
  return setupStages.indexOf(stage) >= setupStages.indexOf(wanted);
}

/**
 * What setup itself mends, and from which stage on it may be why setup fails. Before that it is the ordinary state of a
 * cluster on which setup is due: it stands in nobody's way, and "run setup" is no way out of a setup that has failed.
 */
const mendedBySetup: ReadonlyMap<FindingCode, SetupStage> = new Map<FindingCode, SetupStage>([
  // That it does not come up is why its installation fails; that it is not there is not.
  ['certmanager-unready', 'cert-manager'],
  ['certmanager-webhook-down', 'cert-manager'],
  ['certmanager-missing', 'issuer'],
  ['certmanager-gone', 'issuer'],
  ['brake-left', 'cert-manager'],
  ['issuer-not-ready', 'issuer'],
  ['issuer-missing', 'installer'],
  ['admission-webhook-orphaned', 'installer'],
  // What the installer changes is forecast, and counted against `max-orders`.
  ['certificate-names', 'installer'],
  ['certificate-missing', 'installer'],
  ['certificate-not-ready', 'installer'],
  ['certificate-expired', 'installer'],
  ['certificate-backoff', 'installer'],
  // The installer makes these on its way: one that has stopped need not have come to them.
  ['platform-missing', 'verifying'],
  ['passwords-missing', 'verifying'],
  ['pull-secret-missing', 'verifying'],
  ['pull-secret-stale', 'verifying'],
]);

/** What says no more than that setup is due: beside a restore or a wipe, which come before it, that is as it should be. */
const awaitingSetup: readonly FindingCode[] = [
  'certmanager-missing',
  'issuer-missing',
  'platform-missing',
  'pull-secret-missing',
  'pull-secret-stale',
];

/** Whether a finding may be why an operation has failed that needs no platform. */
export function concernsMoreThanSetup(code: FindingCode): boolean {
  return !awaitingSetup.includes(code);
}

/** What a Traefik that cannot start brings about. */
const withoutTraefik: readonly FindingCode[] = ['traefik-down', 'port-80-closed', 'port-443-closed'];

/** From which stage on a finding may be why setup fails; undefined where setup does nothing about it. */
export function mendedUntil(code: FindingCode, facts: PlatformFacts): SetupStage | undefined {
  // The installer makes the files that such a Traefik waits for.
  if (withoutTraefik.includes(code) && missingTraefikFiles(facts).length > 0) return 'verifying';
  return mendedBySetup.get(code);
}

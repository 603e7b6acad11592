import { isTrue } from '../cluster/fields.js';
import { McprtError } from '../errors.js';
import type { Observation } from '../facts/observation.js';
import { platformNamespaces } from '../platform/resources.js';

/** What a user may ask for; `auto` looks at the cluster. */
export type WantedMode = 'auto' | 'first-install' | 'rerun';

/** Which of the installer's two ways is taken: it makes the ACME issuer, or uses the one that is there. */
export type Mode = 'first-install' | 'rerun';

/**
 * What was found, for people and scripts. `new-cluster` is a first install with a backup of a lost cluster,
 * `cert-manager-gone` a rerun on a cluster whose cert-manager must be installed again first.
 */
export type SetupCase =
  | 'first-install'
  | 'first-install-resumed'
  | 'new-cluster'
  | 'rerun'
  | 'rerun-after-wipe'
  | 'cert-manager-gone';

export interface ModeDecision {
  mode: Mode;
  case: SetupCase;
  /** Why, a sentence each. */
  reasons: string[];
}

export interface ModeFacts {
  seen: Pick<Observation, 'issuers' | 'namespaces' | 'groups' | 'certificates'> & {
    certManager: Pick<Observation['certManager'], 'state'>;
  };
  issuer: string;
  hasBackup: boolean;
  /** When a first install was begun that was not finished. */
  unfinishedSince: string | undefined;
}

/**
 * Decides how the installer is run. It makes the issuer only where there is none: applying it anew on a cluster that
 * has it gains nothing, and a second account costs one of few registrations (runbook: first install and reruns).
 *
 * @throws McprtError `setup-mode` when what was asked for does not fit the cluster
 */
export function decideMode(wanted: WantedMode, facts: ModeFacts): ModeDecision {
  const { seen, issuer, hasBackup, unfinishedSince } = facts;
  const found = seen.issuers.find(({ kind, metadata }) => kind === 'ClusterIssuer' && metadata.name === issuer);
  const others = seen.issuers.filter(({ kind, spec }) => kind === 'ClusterIssuer' && spec.acme !== undefined);
  if (found === undefined && (others.length > 0 || issuer !== installersOwn)) throw unknownIssuer(issuer, others);
  const mode: Mode = found === undefined ? 'first-install' : 'rerun';
  const state = isTrue(found, 'Ready') ? 'is there and Ready' : 'is there and not Ready yet';
  const issuerReason =
    found === undefined ? `ClusterIssuer ${issuer} is not there` : `ClusterIssuer ${issuer} ${state}`;
  if (wanted !== 'auto' && wanted !== mode) {
    throw new McprtError('setup-mode', {
      what: `mode ${wanted} does not fit this cluster`,
      why:
        wanted === 'rerun'
          ? `${issuerReason}, and a rerun uses the issuer that is there`
          : `${issuerReason}: a first install would apply it again, and could register another ACME account`,
      next: 'use `mode: auto`, or give the name of the issuer in `tls-cluster-issuer`',
    });
  }
  const isInstalled = [platformNamespaces.registry, platformNamespaces.sentinel].every((name) =>
    seen.namespaces.some(({ metadata }) => metadata.name === name && metadata.deletionTimestamp === undefined),
  );
  if (mode === 'rerun' && unfinishedSince !== undefined) {
    const since = `a first install was begun at ${unfinishedSince} and not finished`;
    return { mode, case: 'first-install-resumed', reasons: [issuerReason, since] };
  }
  return { mode, ...caseOf(mode, isInstalled, hasBackup, seen.certManager.state, issuerReason) };
}

/** The only issuer that the installer makes. */
const installersOwn = 'letsencrypt-prod';

/** A name that is mistyped must not make a first install of a platform that runs. */
function unknownIssuer(issuer: string, others: ModeFacts['seen']['issuers']): McprtError {
  return new McprtError('setup-mode', {
    what: `ClusterIssuer ${issuer} is not there`,
    why:
      others.length > 0
        ? `the cluster has ${others.map(({ metadata }) => metadata.name).join(', ')}: it is no first install`
        : `a first install makes ${installersOwn} and no other`,
    next: 'correct `tls-cluster-issuer`, or make that issuer before',
  });
}

function caseOf(
  mode: Mode,
  isInstalled: boolean,
  hasBackup: boolean,
  certManager: Observation['certManager']['state'],
  issuerReason: string,
): Omit<ModeDecision, 'mode'> {
  const platform = isInstalled ? 'the platform’s namespaces are there' : 'the platform’s namespaces are not there';
  const backup = hasBackup ? 'a backup is there to restore from' : 'there is no backup to restore from';
  if (mode === 'first-install') {
    return { case: hasBackup ? 'new-cluster' : 'first-install', reasons: [issuerReason, backup] };
  }
  if (certManager === 'absent') {
    return {
      case: 'cert-manager-gone',
      reasons: [issuerReason, 'cert-manager’s controller is not there', platform, backup],
    };
  }
  return { case: isInstalled ? 'rerun' : 'rerun-after-wipe', reasons: [issuerReason, platform, backup] };
}

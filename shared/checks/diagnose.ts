import type { PlatformFacts } from '../facts/observe-platform.js';
import { type Finding, ordered, type Rule } from './finding.js';
import { checkAccess } from './rules/access.js';
import { checkCertManager } from './rules/cert-manager.js';
import { checkCertificates } from './rules/certificates.js';
import { checkInstaller } from './rules/installer.js';
import { checkIssuance } from './rules/issuance.js';
import { checkKubeSystem, missingTraefikFiles } from './rules/kube-system.js';
import { checkNamespaces } from './rules/namespaces.js';
import { checkNodes } from './rules/nodes.js';
import { checkPlatform } from './rules/platform.js';
import { checkReach } from './rules/reach.js';
import { checkServing } from './rules/serving.js';
import { checkWorkloads } from './rules/workloads.js';

/** What must be right before anything is changed. */
const preflightRules: readonly Rule[] = [
  checkAccess,
  checkNodes,
  checkKubeSystem,
  checkNamespaces,
  checkReach,
  checkCertManager,
  checkCertificates,
];

const allRules: readonly Rule[] = [
  ...preflightRules,
  checkIssuance,
  checkInstaller,
  checkPlatform,
  checkWorkloads,
  checkServing,
];

/** Findings of all rules about a facts, the likeliest root cause first. */
export function diagnose(facts: PlatformFacts): Finding[] {
  return ordered(allRules.flatMap((rule) => rule(facts)));
}

/** Codes that setup itself mends: before it they are reported, and do not stand in its way. */
const mendedBySetup: readonly Finding['code'][] = [
  'certmanager-missing',
  'certmanager-gone',
  'certmanager-unready',
  'certmanager-webhook-down',
  'brake-left',
  'issuer-missing',
  'issuer-not-ready',
  'admission-webhook-orphaned',
  // What the installer changes is forecast, and counted against `max-orders`.
  'certificate-names',
  'certificate-missing',
  'certificate-not-ready',
  'certificate-expired',
  'certificate-backoff',
];

/** What a Traefik that cannot start brings about. */
const withoutTraefik: readonly Finding['code'][] = ['traefik-down', 'port-80-closed', 'port-443-closed'];

/** Findings that matter before setup; what setup mends, and what is only a doubt, is at most a warning. */
export function preflight(facts: PlatformFacts): Finding[] {
  const mended = [...mendedBySetup, ...(missingTraefikFiles(facts).length > 0 ? withoutTraefik : [])];
  return ordered(
    preflightRules
      .flatMap((rule) => rule(facts))
      .map((finding) =>
        finding.severity === 'error' && (mended.includes(finding.code) || finding.confidence === 'possible')
          ? { ...finding, severity: 'warning' as const }
          : finding,
      ),
  );
}

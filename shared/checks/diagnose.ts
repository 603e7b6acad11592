import type { PlatformFacts } from '../facts/observe-platform.js';
import { type Finding, ordered, type Rule } from './finding.js';
import { checkAccess } from './rules/access.js';
import { checkCertManager } from './rules/cert-manager.js';
import { checkCertificates } from './rules/certificates.js';
import { checkInstaller } from './rules/installer.js';
import { checkIssuance } from './rules/issuance.js';
import { checkKubeSystem } from './rules/kube-system.js';
import { checkNamespaces } from './rules/namespaces.js';
import { checkNodes } from './rules/nodes.js';
import { checkPlatform } from './rules/platform.js';
import { checkReach } from './rules/reach.js';
import { checkServing } from './rules/serving.js';
import { checkWorkloads } from './rules/workloads.js';
import { hasReached, mendedUntil, type SetupStage } from './stages.js';

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

/** Findings of all rules about these facts, root causes before what they bring about. */
export function diagnose(facts: PlatformFacts): Finding[] {
  return ordered(allRules.flatMap((rule) => rule(facts)));
}

/**
 * Findings that matter before setup. What setup mends is told, and what is only a doubt: both are a warning at most, as
 * neither stands in its way.
 */
export function preflight(facts: PlatformFacts): Finding[] {
  return ordered(
    beforehand(facts).map((finding) =>
      mendedUntil(finding.code, facts) === undefined ? finding : atMostWarning(finding),
    ),
  );
}

/**
 * What may be why a setup has failed, or cannot begin, when it has come so far. What it would have mended later is left
 * out: before an installation that is the ordinary state.
 */
export function diagnoseSetup(facts: PlatformFacts, reached: SetupStage): Finding[] {
  const findings = hasReached(reached, 'installer') ? diagnose(facts) : ordered(beforehand(facts));
  return findings.filter(({ code }) => hasReached(reached, mendedUntil(code, facts) ?? 'looking'));
}

function beforehand(facts: PlatformFacts): Finding[] {
  return preflightRules
    .flatMap((rule) => rule(facts))
    .map((finding) => (finding.confidence === 'possible' ? atMostWarning(finding) : finding));
}

function atMostWarning(finding: Finding): Finding {
  return finding.severity === 'error' ? { ...finding, severity: 'warning' } : finding;
}

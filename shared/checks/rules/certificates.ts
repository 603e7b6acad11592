import { backoffUntil } from '../../certificates/backoff.js';
import { exactSetBudget } from '../../certificates/budget.js';
import { annotation, controllerUid, isIssuing } from '../../certificates/model.js';
import { certManagerVersion } from '../../certificates/version.js';
import { conditionOf, isTrue, recordsAt, textAt } from '../../cluster/fields.js';
import { keyOf } from '../../cluster/objects.js';
import { rulesVersion } from '../../facts/cert-manager.js';
import { type LiveCertificate, publicCertificateOf } from '../../facts/observation.js';
import type { PlatformFacts } from '../../facts/observe-platform.js';
import { momentText } from '../../moment.js';
import { platformNamespaces } from '../../platform/resources.js';
import type { Finding } from '../finding.js';
import { finding } from '../finding.js';
import { policiesAgainstSolvers } from './issuance.js';

const day = 24 * 3600_000;

/** The Certificates as they stand: owners, names, state, lifetime, budget. */
export function checkCertificates(facts: PlatformFacts): Finding[] {
  return [
    ...staleOwners(facts),
    ...names(facts),
    ...missing(facts),
    ...facts.seen.certificates.flatMap((one) => stateOf(one, facts)),
    ...budgets(facts),
    ...renewals(facts),
  ];
}

/** Two Certificates for one Secret take turns overwriting it (runbook: a stale Certificate owns registry-tls). */
function staleOwners({ seen }: PlatformFacts): Finding[] {
  const bySecret = new Map<string, LiveCertificate[]>();
  for (const one of seen.certificates) {
    const key = `${one.metadata.namespace}/${one.spec.secretName}`;
    bySecret.set(key, [...(bySecret.get(key) ?? []), one]);
  }
  return [...bySecret].flatMap(([secret, owners]): Finding[] => {
    if (owners.length < 2) return [];
    const stale = owners.filter(({ metadata }) => metadata.name !== rightfulOwner(secret));
    return [
      finding('certificate-stale-owner', {
        subject: `Secret ${secret}`,
        cause: `${owners.length} Certificates claim the Secret, and each issuance of one makes the other issue again`,
        evidence: owners.map((one) => `Certificate ${keyOf(one.metadata)} of ${one.metadata.creationTimestamp}`),
        remedy: stale
          .slice(0, owners.length - 1)
          .map(({ metadata }) => `\`kubectl delete certificate ${metadata.name} -n ${metadata.namespace}\``)
          .join('; '),
      }),
    ];
  });
}

/** The Certificate that the platform's installer makes for a Secret; an older ingress-shim made one of the Secret's name. */
function rightfulOwner(secret: string): string {
  return secret === `${platformNamespaces.registry}/registry-tls` ? 'registry-cert' : (secret.split('/')[1] ?? '');
}

function names({ seen, hosts }: PlatformFacts): Finding[] {
  const registry = seen.certificates.find(
    ({ metadata }) => metadata.namespace === platformNamespaces.registry && metadata.name === 'registry-cert',
  );
  if (registry === undefined) return [];
  const lacking = [hosts.registry, hosts.mcp].filter((host) => !(registry.spec.dnsNames ?? []).includes(host));
  if (lacking.length === 0) return [];
  return [
    finding('certificate-names', {
      subject: 'Certificate registry/registry-cert',
      cause:
        'the Certificate is for other names than the profile’s: setup would change them, and the change is a new order',
      evidence: [
        `dnsNames: ${(registry.spec.dnsNames ?? []).join(', ')}`,
        `the profile: ${hosts.registry}, ${hosts.mcp}`,
      ],
      remedy:
        'correct MCP_PLATFORM_DOMAIN or the hosts in the profile; if the new names are wanted, allow the order with `max-orders: 1`',
    }),
  ];
}

/** A public host that an Ingress serves and no Certificate is for: nothing will renew what is served, if anything is. */
function missing({ seen, hosts }: PlatformFacts): Finding[] {
  const served = (namespace: string, host: string): boolean =>
    seen.ingresses.some(
      (one) =>
        one.metadata.namespace === namespace &&
        recordsAt(one, 'spec', 'rules').some((rule) => textAt(rule, 'host') === host),
    );
  const expected = [
    ...(served(platformNamespaces.registry, hosts.registry) ? [hosts.registry, hosts.mcp] : []),
    ...(served(platformNamespaces.sentinel, hosts.platform) ? [hosts.platform] : []),
  ];
  const lacking = expected.filter((host) => publicCertificateOf(seen, host) === undefined);
  // Under other names it is there: that is a finding of its own.
  const renamed = seen.certificates.some(
    ({ metadata }) => metadata.namespace === platformNamespaces.registry && metadata.name === 'registry-cert',
  );
  const gone = lacking.filter((host) => !(renamed && host !== hosts.platform));
  if (gone.length === 0) return [];
  return [
    finding('certificate-missing', {
      subject: gone.join(', '),
      cause: 'no Certificate is for the name, so what it is served with is never renewed',
      evidence: gone.map((host) => `an Ingress serves ${host}, and no Certificate has it in dnsNames`),
      remedy: 'run setup, which makes it; the Secret that is there is adopted',
    }),
  ];
}

function stateOf(one: LiveCertificate, facts: PlatformFacts): Finding[] {
  const subject = `Certificate ${keyOf(one.metadata)}`;
  const { now } = facts.seen;
  const notAfter = Date.parse(textAt(one, 'status', 'notAfter'));
  if (notAfter <= now.getTime()) {
    return [
      finding('certificate-expired', {
        subject,
        cause: 'the certificate has expired and was not renewed',
        evidence: [`notAfter: ${textAt(one, 'status', 'notAfter')}`],
        remedy:
          'see the other findings for why it is not renewed; a restore brings back a newer one if a backup holds it',
      }),
    ];
  }
  const version = certManagerVersion(rulesVersion(facts.seen.certManager));
  const next = facts.seen.requests.find(
    (request) =>
      controllerUid(request.metadata) === one.metadata.uid &&
      Number(request.metadata.annotations?.[annotation.revision]) === (one.status?.revision ?? 0) + 1,
  );
  const until = backoffUntil(one, next, now, version);
  const due = Date.parse(textAt(one, 'status', 'renewalTime'));
  // A restored certificate is Ready while the failure before it is still remembered.
  const isFine = isTrue(one, 'Ready') && due > now.getTime();
  if (until !== undefined && !isIssuing(one) && !isFine) {
    return [
      finding('certificate-backoff', {
        subject,
        cause: `cert-manager holds back after ${failuresOf(one)}, until ${momentText(until, now)}`,
        evidence: [conditionText(one, 'Issuing')],
        remedy: `fix the cause first, then \`cmctl renew -n ${one.metadata.namespace} ${one.metadata.name}\` tries at once`,
      }),
    ];
  }
  if (isTrue(one, 'Ready') && notAfter - now.getTime() < 14 * day && now.getTime() - due > day) {
    return [
      finding('certificate-expiring', {
        severity: 'warning',
        subject,
        cause: `the certificate expires on ${textAt(one, 'status', 'notAfter').slice(0, 10)}, and its renewal is overdue`,
        evidence: [`renewalTime: ${textAt(one, 'status', 'renewalTime')}`],
        remedy: `\`kubectl describe certificate -n ${one.metadata.namespace} ${one.metadata.name}\``,
      }),
    ];
  }
  if (isTrue(one, 'Ready')) return [];
  return [
    finding('certificate-not-ready', {
      subject,
      cause: isIssuing(one) ? 'the certificate is being issued' : 'the certificate is not Ready',
      evidence: [conditionText(one, 'Ready'), ...(isIssuing(one) ? [conditionText(one, 'Issuing')] : [])],
      remedy: `\`kubectl describe certificate -n ${one.metadata.namespace} ${one.metadata.name}\``,
      confidence: 'likely',
    }),
  ];
}

function conditionText(one: LiveCertificate, type: string): string {
  const found = conditionOf(one, type);
  return found === undefined
    ? `${type}: no such condition yet`
    : `${type}=${found.status} ${found.reason}: ${found.message}`;
}

/** A set of names that has used up its week: the next loss of a Secret could not be made good by an order. */
function budgets({ seen }: PlatformFacts): Finding[] {
  const issued = (seen.anchor?.ledger ?? []).map((entry) => ({ ...entry, at: new Date(entry.at) }));
  const sets = new Map(issued.map(({ identifiers }) => [[...identifiers].sort().join(', '), identifiers]));
  return [...sets].flatMap(([subject, identifiers]): Finding[] => {
    const { used, left, nextRefill } = exactSetBudget(identifiers, issued, seen.now);
    if (left > 0) return [];
    return [
      finding('budget-exhausted', {
        severity: 'warning',
        subject,
        cause: `${used} certificates were issued for these names within 7 days: Let’s Encrypt issues no further one before ${nextRefill === undefined ? 'the week has passed' : momentText(nextRefill, seen.now)}`,
        evidence: issued
          .filter((entry) => [...entry.identifiers].sort().join(', ') === subject)
          .map(({ at, serial }) => `${at.toISOString()} ${serial}`),
        remedy: 'delete no Secret and no namespace until then; back up now, and restore instead of ordering',
      }),
    ];
  });
}

function failuresOf({ status }: LiveCertificate): string {
  const count = status?.failedIssuanceAttempts ?? 1;
  return `${count} failed issuance${count === 1 ? '' : 's'}`;
}

/** The next renewal would fail where the network is closed to the solver, weeks after everything looked well. */
function renewals(facts: PlatformFacts): Finding[] {
  const namespaces = [...new Set(facts.seen.certificates.map(({ metadata }) => metadata.namespace ?? ''))];
  return namespaces.flatMap((namespace): Finding[] => {
    const policies = policiesAgainstSolvers(facts, namespace);
    const isBeingIssued = facts.challenges.some(({ metadata }) => metadata.namespace === namespace);
    const isAcme = facts.seen.certificates.some(
      (one) =>
        one.metadata.namespace === namespace &&
        facts.seen.issuers.some(
          ({ metadata, spec }) => metadata.name === one.spec.issuerRef.name && spec.acme !== undefined,
        ),
    );
    if (policies.length === 0 || isBeingIssued || !isAcme) return [];
    return [
      finding('renewal-blocked', {
        severity: 'notice',
        subject: `Namespace ${namespace}`,
        cause:
          'where NetworkPolicies are enforced, the next renewal fails: Traefik cannot reach the pod that answers the check',
        evidence: policies.map((name) => `NetworkPolicy ${name} selects every pod, and none allows TCP 8089`),
        remedy: `allow TCP 8089 to pods with the label acme.cert-manager.io/http01-solver=true in namespace ${namespace}`,
        confidence: 'likely',
      }),
    ];
  });
}

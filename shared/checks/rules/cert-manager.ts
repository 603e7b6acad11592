import { certManagerVersion } from '../../certificates/version.js';
import { at, conditionOf, isTrue, textAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import { rolloutState } from '../../cluster/rollout-state.js';
import { policyLock } from '../../facts/lock.js';
import type { PlatformFacts } from '../../facts/observe-platform.js';
import { momentText } from '../../moment.js';
import type { Finding } from '../finding.js';
import { finding } from '../finding.js';

const parts = ['cert-manager', 'cert-manager-webhook', 'cert-manager-cainjector'] as const;

/** cert-manager itself: its kinds, its three Deployments, its admission, its version (runbook: "already installed" and pods gone). */
export function checkCertManager(facts: PlatformFacts): Finding[] {
  const { seen, workloads } = facts;
  const hasKinds = seen.groups.has('cert-manager.io');
  const own = workloads.filter(({ metadata }) => metadata.namespace === seen.certManager.namespace);
  if (!hasKinds) return [missing()];
  if (seen.certManager.state === 'absent') return [gone(own)];
  const { state, runsAs } = seen.certManager;
  const isOther = state === 'running' && runsAs !== undefined;
  const broken = parts.slice(isOther ? 1 : 0).flatMap((name) => brokenPart(name, own));
  return [
    ...broken,
    ...brakeLeft(facts),
    ...(broken.length === 0 ? admission(facts) : []),
    ...version(facts),
    ...issuers(facts),
  ];
}

/** A killed restore or wipe keeps every certificate from being renewed until its brake is taken off. */
function brakeLeft({ lock, seen }: PlatformFacts): Finding[] {
  if (lock === undefined) return [];
  const isOver = lock.expires === undefined || lock.expires <= seen.now;
  return [
    finding('brake-left', {
      severity: isOver ? 'error' : 'notice',
      subject: `${lock.place.kind.kind} ${lock.place.ref.name}`,
      cause: [
        isOver ? 'a restore or wipe was stopped and left the lock behind' : 'a restore or wipe is under way',
        lock.place === policyLock ? 'no certificate is ordered or renewed meanwhile' : 'nothing else begins meanwhile',
      ].join(': '),
      evidence: [
        `held by ${lock.run} until ${lock.expires === undefined ? 'an unknown time' : momentText(lock.expires, seen.now)}`,
      ],
      remedy: `run that restore or wipe again, or setup, which releases it; by hand: ${lock.place.byHand}`,
    }),
  ];
}

function missing(): Finding {
  return finding('certmanager-missing', {
    subject: 'cert-manager',
    cause: 'cert-manager is not installed',
    evidence: ['the API group cert-manager.io is not served'],
    remedy: 'setup installs it; by itself: `kubectl apply --server-side -f` its release manifest',
  });
}

function gone(own: readonly KubeObject[]): Finding {
  return finding('certmanager-gone', {
    subject: 'Deployment cert-manager/cert-manager',
    cause:
      'cert-manager’s kinds are there and its controller is not: nothing issues or renews, and the platform’s installer takes it for installed',
    evidence: [`workloads in its namespace: ${own.map(({ metadata }) => metadata.name).join(', ') || 'none'}`],
    remedy: 'run setup, which installs it again; or apply its release manifest',
  });
}

function brokenPart(name: string, own: readonly KubeObject[]): Finding[] {
  const found = own.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name);
  const state = found === undefined ? { complete: false, why: 'it is not there' } : rolloutState(found);
  const scaled = at(found, 'spec', 'replicas') === 0;
  if (state.complete && !scaled) return [];
  return [
    finding('certmanager-unready', {
      severity: name === 'cert-manager-cainjector' ? 'warning' : 'error',
      subject: `Deployment cert-manager/${name}`,
      cause: `cert-manager’s ${name === 'cert-manager' ? 'controller' : name.replace('cert-manager-', '')} does not run, so ${effectOf(name)}`,
      evidence: [scaled ? 'spec.replicas is 0' : state.why],
      remedy: scaled
        ? `\`kubectl scale -n cert-manager deploy/${name} --replicas=1\``
        : `\`kubectl describe pod -n cert-manager -l app=${name.replace('cert-manager-', '')}\`; \`kubectl logs -n cert-manager deploy/${name}\``,
    }),
  ];
}

function effectOf(name: string): string {
  if (name === 'cert-manager') return 'nothing is issued or renewed';
  return name === 'cert-manager-webhook'
    ? 'every Certificate and issuer that is written is refused'
    : 'its webhook’s certificate is not renewed';
}

function admission({ admission: { state, message } }: PlatformFacts): Finding[] {
  if (state !== 'failing') return [];
  return [
    finding('certmanager-webhook-down', {
      subject: 'Service cert-manager/cert-manager-webhook',
      cause: 'cert-manager’s webhook does not answer, so every Certificate and issuer that is written is refused',
      evidence: [message],
      remedy:
        '`kubectl rollout restart -n cert-manager deploy/cert-manager-webhook`; if the message speaks of x509, also deploy/cert-manager-cainjector',
    }),
  ];
}

function version({ seen }: PlatformFacts): Finding[] {
  const text = seen.certManager.version;
  if (text === undefined) return [];
  if (certManagerVersion(text).atLeast(1, 16)) return [];
  return [
    finding('certmanager-old', {
      severity: 'warning',
      subject: 'cert-manager',
      cause: `cert-manager ${text} is older than 1.16, the oldest whose rules the forecast knows`,
      evidence: [`label app.kubernetes.io/version: ${text}`],
      remedy: 'upgrade cert-manager one minor version after the other',
    }),
  ];
}

/** Issuers that the platform's certificates name: there, Ready, and not for tests. */
function issuers({ seen }: PlatformFacts): Finding[] {
  const named = [...new Set(seen.certificates.map(({ spec }) => spec.issuerRef.name))];
  return [
    ...named.flatMap((name): Finding[] => {
      if (seen.issuers.some(({ metadata }) => metadata.name === name)) return [];
      return [
        finding('issuer-missing', {
          subject: `ClusterIssuer ${name}`,
          cause: 'Certificates name an issuer that is not there, so nothing is issued for them',
          evidence: seen.certificates
            .filter(({ spec }) => spec.issuerRef.name === name)
            .map(({ metadata }) => `Certificate ${metadata.namespace}/${metadata.name}`),
          remedy:
            'run setup with `acme-email`, which makes it; with the account key restored first, the account stays the same',
        }),
      ];
    }),
    ...seen.issuers.flatMap((issuer): Finding[] => {
      const name = `${issuer.kind} ${issuer.metadata.name}`;
      const ready = conditionOf(issuer, 'Ready');
      if (!isTrue(issuer, 'Ready')) {
        return [
          finding('issuer-not-ready', {
            subject: name,
            cause: 'the issuer is not Ready, so nothing is issued by it',
            evidence: [ready === undefined ? 'it has no status yet' : `${ready.reason}: ${ready.message}`],
            remedy: `\`kubectl describe ${issuer.kind.toLowerCase()} ${issuer.metadata.name}\`; the message says whether the CA, the account key or the network is the matter`,
          }),
        ];
      }
      const server = textAt(issuer, 'spec', 'acme', 'server');
      return server.includes('staging') && named.includes(issuer.metadata.name)
        ? [
            finding('issuer-staging', {
              severity: 'warning',
              subject: name,
              cause: 'the issuer orders from a staging CA, which no browser trusts',
              evidence: [`server: ${server}`],
              remedy: 'use the production issuer when the setup works; restored certificates of it are kept',
            }),
          ]
        : [];
    }),
  ];
}

import type { PlatformFacts } from '../../facts/observe-platform.js';
import type { PublicName } from '../../platform/reach.js';
import type { ServedCertificate } from '../../platform/served-certificate.js';
import { type Finding, merged } from '../finding.js';

/** Whether the public names serve the certificates that are in the cluster, and that a client accepts them. */
export function checkServing(facts: PlatformFacts): Finding[] {
  return merged(
    facts.names.flatMap((name) =>
      name.tls !== undefined && 'serial' in name.tls ? served(name, name.tls, facts) : [],
    ),
  );
}

function served({ host }: PublicName, tls: ServedCertificate, { secretsServed }: PlatformFacts): Finding[] {
  const expected = secretsServed.get(host);
  if (expected === undefined) return [];
  const held = `Secret ${expected.secret}${expected.serial === undefined ? ' is not there, or holds no certificate' : `: serial ${expected.serial}`}`;
  const base = { severity: 'error' as const, subject: host, confidence: 'certain' as const };
  if (/TRAEFIK DEFAULT CERT/i.test(tls.subject)) {
    return [
      {
        ...base,
        code: 'tls-default-certificate',
        cause:
          'Traefik serves its own default certificate: the Ingress’ Secret is not there, or Traefik cannot read it',
        evidence: [`served: ${tls.subject}, serial ${tls.serial}`, held],
        remedy: `\`kubectl get secret -n ${expected.secret.replace('/', ' ')}\`; \`kubectl logs -n kube-system deploy/traefik\``,
      },
    ];
  }
  if (expected.serial !== undefined && tls.serial !== expected.serial) {
    return [
      {
        ...base,
        code: 'tls-other-certificate',
        cause:
          'another certificate is served than the one in the cluster: a proxy in front, another cluster, or a Traefik that has not noticed the change',
        evidence: [`served: serial ${tls.serial} of ${tls.issuer}`, held],
        remedy:
          'check where the name points; `kubectl rollout restart -n kube-system deploy/traefik` makes Traefik read all Secrets again',
      },
    ];
  }
  return tls.problem === ''
    ? []
    : [
        {
          ...base,
          code: 'tls-untrusted',
          cause: 'clients do not accept the certificate that is served',
          evidence: [tls.problem, `issued by ${tls.issuer}, until ${tls.notAfter.toISOString()}`],
          remedy:
            'for a CA of your own or a staging CA, give its certificate in `ca-bundle`; otherwise see the other findings',
        },
      ];
}

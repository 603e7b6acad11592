import { annotation } from '../../certificates/model.js';
import { refusedUntil, saysRateLimited } from '../../certificates/rate-limit.js';
import { at, isTrue, recordsAt, textAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import type { PlatformFacts } from '../../facts/observe-platform.js';
import { momentText } from '../../moment.js';
import { type Finding, finding, merged } from '../finding.js';

/** What a challenge or order says, and what it means for whoever runs the cluster. */
interface Meaning {
  code: Finding['code'];
  cause: string;
  remedy: string;
}

/** Issuances under way or failed, and why: challenges first, then orders (runbook: TLS cert not issued, rate limit hit). */
export function checkIssuance(facts: PlatformFacts): Finding[] {
  const pending = facts.challenges.filter((one) => !['valid', 'ready'].includes(textAt(one, 'status', 'state')));
  const orders = facts.orders.filter((one) => isWanted(one, facts));
  const limited = orders.filter(isRateLimited);
  const failed = orders.filter(
    (one) => ['errored', 'invalid', 'expired'].includes(textAt(one, 'status', 'state')) && !limited.includes(one),
  );
  return [
    ...limited.map((order) => rateLimited(order, facts)),
    ...merged(
      pending.filter((one) => textAt(one, 'status', 'state') !== 'invalid').map((one) => challenge(one, facts)),
    ),
    ...merged(failed.map((order) => orderFailed(order, facts))),
  ];
}

/** An order that failed is history once its Certificate is Ready again, as after a restore, and not due for renewal. */
function isWanted(order: KubeObject, { seen }: PlatformFacts): boolean {
  const owner = seen.certificates.find(
    ({ metadata }) =>
      metadata.namespace === order.metadata.namespace &&
      metadata.name === order.metadata.annotations?.[annotation.certificateName],
  );
  return !(isTrue(owner, 'Ready') && Date.parse(textAt(owner, 'status', 'renewalTime')) > seen.now.getTime());
}

function challenge(one: KubeObject, facts: PlatformFacts): Finding {
  const host = textAt(one, 'spec', 'dnsName');
  const reason = textAt(one, 'status', 'reason');
  const blocking = policiesAgainstSolvers(facts, one.metadata.namespace ?? '');
  const meaning = meaningOf(reason, host);
  // Traefik cannot reach the solver's pod behind such a policy and answers for it with 502 or 504, or not at all.
  const isBlocked =
    blocking.length > 0 &&
    reason !== '' &&
    (meaning === undefined || /timeout|deadline|status code '50[234]'/.test(reason));
  const told: Meaning = isBlocked
    ? {
        code: 'challenge-network-policy',
        cause: 'a NetworkPolicy keeps Traefik from the pod that answers Let’s Encrypt’s check',
        remedy: `allow TCP 8089 to pods with the label acme.cert-manager.io/http01-solver=true in namespace ${one.metadata.namespace}`,
      }
    : (meaning ?? {
        code: 'challenge-pending',
        cause: 'a challenge is waiting, and says no reason that is known',
        remedy: `\`kubectl describe challenge -n ${one.metadata.namespace} ${one.metadata.name}\`; \`kubectl logs -n cert-manager deploy/cert-manager --tail=60\``,
      });
  return {
    ...told,
    severity: 'error',
    subject: host,
    evidence: [
      `Challenge ${one.metadata.namespace}/${one.metadata.name}: ${reason || 'no reason given yet'}`,
      ...(isBlocked ? blocking.map((name) => `NetworkPolicy ${name} selects every pod, and none allows TCP 8089`) : []),
    ],
    confidence: meaning === undefined || isBlocked ? 'likely' : 'certain',
  };
}

function orderFailed(order: KubeObject, facts: PlatformFacts): Finding {
  const hosts = recordsAt(order, 'status', 'authorizations').map((one) => textAt(one, 'identifier'));
  const reasons = facts.challenges
    .filter((one) => one.metadata.ownerReferences?.some(({ uid }) => uid === order.metadata.uid))
    .map((one) => textAt(one, 'status', 'reason'));
  const events = facts.warnings
    .filter((one) => textAt(one, 'involvedObject', 'uid') === order.metadata.uid)
    .map((one) => textAt(one, 'message'));
  const reason = [...reasons, textAt(order, 'status', 'reason'), ...events].filter((text) => text !== '').join(' | ');
  const host = hosts.find((one) => one !== '') ?? recordsOf(order);
  const meaning = meaningOf(reason, host) ?? {
    code: 'order-failed' as const,
    cause: 'the CA refused the order',
    remedy: `\`kubectl describe order -n ${order.metadata.namespace} ${order.metadata.name}\`; cert-manager tries again after an hour, sooner with \`cmctl renew\``,
  };
  return {
    ...meaning,
    severity: 'error',
    subject: host,
    evidence: [
      `Order ${order.metadata.namespace}/${order.metadata.name} is ${textAt(order, 'status', 'state')}: ${reason || 'no reason given'}`,
    ],
    confidence: meaning.code === 'order-failed' ? 'likely' : 'certain',
  };
}

/**
 * What a reason of cert-manager's self check, or of the CA's problem document (RFC 8555 section 6.7), means. Several
 * stand in one text; the first that is known counts.
 */
function meaningOf(reason: string, host: string): Meaning | undefined {
  if (/no such host|NXDOMAIN|SERVFAIL|server misbehaving|error:dns|DNS problem/i.test(reason)) {
    return {
      code: 'challenge-dns',
      cause: 'the name has no DNS record that can be looked up',
      remedy: `make the record for ${host}; check with \`dig +short ${host}\``,
    };
  }
  if (/redirect/i.test(reason) || reason.split(/ \| |Error accepting authorization/).some(leadsElsewhere)) {
    return {
      code: 'challenge-redirect',
      cause: 'the check is redirected to another server, which does not know the answer',
      remedy: `take away the redirect for http://${host}/.well-known/acme-challenge/, or the proxy in front that makes it`,
    };
  }
  if (
    /connection refused|i\/o timeout|deadline exceeded|no route to host|network is unreachable|connection reset|error:connection|EOF/i.test(
      reason,
    )
  ) {
    return {
      code: 'challenge-port-80',
      cause: 'port 80 of the name does not answer',
      remedy: `open port 80 and check that Traefik runs: \`curl -sm5 http://${host}/\` must answer "404 page not found"`,
    };
  }
  if (
    /wrong status code|did not get expected response|error:unauthorized|Invalid response|error:incorrectResponse/i.test(
      reason,
    )
  ) {
    return {
      code: 'challenge-wrong-answer',
      cause:
        'the name is answered by something that is not this cluster’s solver: another machine, or a proxy in front',
      remedy: `check where ${host} points: \`dig +short ${host}\` must be the node with Traefik`,
    };
  }
  return undefined;
}

/** Whether a check of one name ended at another one. An order tells of all its names in one text, each in its part. */
function leadsElsewhere(part: string): boolean {
  const asked = /(?:GET request '|Get ")([a-z]+:\/\/[^/'"]+)/.exec(part)?.[1];
  const answered = [...part.matchAll(/Get "([a-z]+:\/\/[^/"]+)/g)].at(-1)?.[1];
  return asked !== undefined && answered !== undefined && hostOf(asked) !== hostOf(answered);
}

function hostOf(url: string): string {
  return url.replace(/^[a-z]+:\/\//, '').replace(/:\d+$/, '');
}

function isRateLimited(order: KubeObject): boolean {
  return saysRateLimited(textAt(order, 'status', 'reason'));
}

function rateLimited(order: KubeObject, { backup, seen }: PlatformFacts): Finding {
  const reason = textAt(order, 'status', 'reason');
  const told = refusedUntil(reason);
  const until = told && momentText(told, seen.now);
  const restore =
    backup === undefined
      ? 'if a backup holds this certificate, restore it with `operation: restore` of action-backup'
      : `restore it instead: generation ${backup.generation} of ${backup.createdAt.slice(0, 10)} in ${backup.store}, with \`operation: restore\``;
  return finding('rate-limited', {
    subject: recordsOf(order),
    cause: `Let’s Encrypt issues no further certificate for these names${until === undefined ? ' for now' : ` before ${until}`}`,
    evidence: [`Order ${order.metadata.namespace}/${order.metadata.name}: ${reason}`],
    remedy: `${restore}; otherwise wait${until === undefined ? '' : ` until ${until}`}: each further try costs nothing and gains nothing`,
  });
}

function recordsOf(order: KubeObject): string {
  const names = at(order, 'spec', 'dnsNames');
  return Array.isArray(names) ? names.join(', ') : `Order ${order.metadata.namespace}/${order.metadata.name}`;
}

/** Policies that select every pod of a namespace for ingress, when none of the others lets the solver's port in. */
export function policiesAgainstSolvers(
  { networkPolicies }: Pick<PlatformFacts, 'networkPolicies'>,
  namespace: string,
): string[] {
  const own = networkPolicies.filter(({ metadata }) => metadata.namespace === namespace);
  const closing = own.filter(
    (one) =>
      isEmptySelector(at(one, 'spec', 'podSelector')) &&
      isIngress(one) &&
      recordsAt(one, 'spec', 'ingress').length === 0,
  );
  const opening = own.filter((one) => {
    const labels = at(one, 'spec', 'podSelector', 'matchLabels');
    const selectsSolver =
      isEmptySelector(at(one, 'spec', 'podSelector')) ||
      (typeof labels === 'object' && labels !== null && 'acme.cert-manager.io/http01-solver' in labels);
    return (
      selectsSolver &&
      recordsAt(one, 'spec', 'ingress').some((rule) => {
        const ports = recordsAt(rule, 'ports');
        return ports.length === 0 || ports.some((port) => port.port === 8089);
      })
    );
  });
  return opening.length > 0 ? [] : closing.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

function isIngress(policy: KubeObject): boolean {
  const types = at(policy, 'spec', 'policyTypes');
  return !Array.isArray(types) || types.includes('Ingress');
}

function isEmptySelector(selector: unknown): boolean {
  return JSON.stringify(selector ?? {}) === '{}';
}

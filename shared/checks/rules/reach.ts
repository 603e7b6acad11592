import { recordsAt, textAt } from '../../cluster/fields.js';
import type { PlatformFacts } from '../../facts/observe-platform.js';
import { type Failed, type HttpAnswer, nobodysName, type PublicName } from '../../platform/reach.js';
import type { Finding } from '../finding.js';
import { finding } from '../finding.js';

/** The way from outside to the three public names: DNS, port 80 and 443 (runbook: port 80 check, TLS cert not issued). */
export function checkReach(facts: PlatformFacts): Finding[] {
  const { names } = facts;
  const unresolved = names.filter(({ dns }) => failed(dns));
  const resolved = names.filter((name) => !unresolved.includes(name));
  const closed80 = resolved.filter(({ http }) => failed(http));
  const closed443 = resolved.filter(({ tls }) => failed(tls));
  return [
    ...group(unresolved, 'dns-missing', 'DNS', ({ dns }) => dns as Failed, {
      cause: 'the name has no address, so neither users nor Let’s Encrypt find the cluster',
      remedy:
        'make a DNS record for it (or a wildcard for the domain) that points at the node with Traefik; check with `dig +short NAME`',
    }),
    ...elsewhere(facts, resolved),
    ...group(closed80, 'port-80-closed', 'port 80', ({ http }) => http as Failed, {
      cause: 'port 80 does not answer, and Let’s Encrypt checks a name only there',
      remedy:
        'open port 80 in the firewall in front of the node, and check that Traefik runs: `curl -sm5 http://NAME/` must answer "404 page not found"',
    }),
    ...foreign(facts, resolved),
    ...group(
      closed443.filter((name) => !isRefusedName(name)),
      'port-443-closed',
      'port 443',
      ({ tls }) => tls as Failed,
      {
        cause: 'port 443 does not answer with TLS',
        remedy: 'open port 443 in the firewall in front of the node, and check that Traefik runs',
      },
    ),
    ...group(closed443.filter(isRefusedName), 'port-443-closed', 'port 443', ({ tls }) => tls as Failed, {
      cause:
        'what answers on port 443 refuses the name in TLS, as a Traefik with strict SNI does that has no certificate for it',
      remedy:
        'if Traefik answers there, setup makes the certificate; otherwise find out what does: `curl -v https://NAME/`',
      confidence: 'possible',
    }),
    ...behindProxy(names),
  ];
}

/** What nobody has looked at, because a proxy stands between. A port that was not seen may be closed. */
function behindProxy(names: readonly PublicName[]): Finding[] {
  const hidden = names.filter(({ unseen }) => unseen.length > 0);
  const isPort = hidden.some(({ unseen }) => unseen.some((one) => /^port (?:80|443): /.test(one)));
  if (hidden.length === 0) return [];
  return [
    {
      code: 'reach-unseen',
      severity: isPort ? 'warning' : 'notice',
      subject: hidden.map(({ host }) => host).join(', '),
      cause: 'a proxy stands between this machine and the name, and keeps some of the way from being seen',
      evidence: hidden.flatMap(({ host, unseen }) => unseen.map((one) => `${host}: ${one}`)),
      remedy:
        'where this machine reaches the name without the proxy, put it into NO_PROXY; otherwise look from a machine that does: `dig +short NAME`, `curl -v http://NAME/`'.replaceAll(
          'NAME',
          hidden[0]?.host ?? '',
        ),
      confidence: 'certain',
    },
  ];
}

/** One finding for all names that share a trouble: the same cause three times would hide the others. */
function group(
  names: readonly PublicName[],
  code: Finding['code'],
  what: string,
  failure: (name: PublicName) => Failed,
  text: { cause: string; remedy: string; confidence?: Finding['confidence'] },
): Finding[] {
  const [first] = names;
  if (first === undefined) return [];
  // Not to get there may be the proxy's own trouble, and nothing of the cluster's.
  const { next } = failure(first);
  return [
    finding(code, {
      subject: names.map(({ host }) => host).join(', '),
      cause: next === undefined ? text.cause : `${text.cause}, as a proxy has seen it`,
      evidence: names.map((name) => `${what} of ${name.host}: ${failure(name).error}`),
      remedy: `${next === undefined ? '' : `${next}. If that is as it should be: `}${text.remedy.replaceAll('NAME', first.host)}`,
      confidence: text.confidence ?? (next === undefined ? 'certain' : 'likely'),
    }),
  ];
}

/** Addresses that the cluster is known by: nodes and Traefik's load balancer. NAT in between makes a difference possible. */
function elsewhere({ nodes, services }: PlatformFacts, names: readonly PublicName[]): Finding[] {
  const own = new Set([
    ...nodes.flatMap((node) => recordsAt(node, 'status', 'addresses').map((one) => textAt(one, 'address'))),
    ...services
      .filter(({ metadata }) => metadata.name === 'traefik')
      .flatMap((service) => recordsAt(service, 'status', 'loadBalancer', 'ingress').map((one) => textAt(one, 'ip'))),
  ]);
  const away = names.flatMap((name) =>
    name.dns !== undefined && 'addresses' in name.dns && !name.dns.addresses.some((address) => own.has(address))
      ? [{ name, addresses: name.dns.addresses }]
      : [],
  );
  if (away.length === 0) return [];
  const answers = away.every(({ name }) => isTraefik(name));
  return [
    finding('dns-elsewhere', {
      severity: answers ? 'notice' : 'error',
      subject: away.map(({ name }) => name.host).join(', '),
      cause: answers
        ? 'the name points at an address that no node of this cluster has, and Traefik answers there: an address translation in between'
        : 'the name points at another machine than this cluster’s, so Let’s Encrypt would ask there',
      evidence: [
        ...away.map(({ name, addresses }) => `${name.host} is ${addresses.join(', ')}`),
        `this cluster: ${[...own].filter((one) => one !== '').join(', ') || 'no known address'}`,
      ],
      remedy: 'correct the DNS record, and wait until its old time to live has passed',
      confidence: answers ? 'likely' : 'certain',
    }),
  ];
}

/**
 * What answers on port 80 instead of Traefik. It is told by what answers to a name that nobody has, as what stands behind
 * ours may be down, and setup is what brings it back. A doubt is only a warning: a router for every name, which this
 * cluster has, may answer in Traefik's place, and so may a proxy: its own answer is that something behind it is away, or
 * stands in place of whatever this runner may not see.
 */
function foreign(facts: PlatformFacts, names: readonly PublicName[]): Finding[] {
  const strangers = names.filter((name) => name.http !== undefined && !failed(name.http) && !isTraefik(name));
  const doubtful = strangers.filter((name) => name.isHandedOn || routesEveryName(facts) || isOnlyAway(name));
  return [
    ...foreignFinding(
      strangers.filter((name) => !doubtful.includes(name)),
      {
        severity: 'error',
        cause: 'something else than Traefik answers on port 80, and would answer Let’s Encrypt’s check wrongly',
        confidence: 'likely',
      },
    ),
    ...foreignFinding(doubtful, {
      severity: 'warning',
      cause: 'it cannot be told whether Traefik answers on port 80, as Let’s Encrypt’s check needs it',
      confidence: 'possible',
    }),
  ];
}

function foreignFinding(
  names: readonly PublicName[],
  about: Pick<Finding, 'severity' | 'cause' | 'confidence'>,
): Finding[] {
  const [first] = names;
  if (first === undefined) return [];
  return [
    {
      code: 'port-80-foreign',
      subject: names.map(({ host }) => host).join(', '),
      evidence: names.flatMap(({ host, http, unnamed }) => [
        ...answerLine(host, http),
        ...answerLine(`${nobodysName} at the same address`, unnamed),
      ]),
      remedy: `find out what listens there (a proxy, a CDN, another web server): \`curl -v http://${first.host}/\`; Traefik answers "404 page not found" to \`curl -H 'Host: ${nobodysName}' http://${first.host}/\``,
      ...about,
    },
  ];
}

function answerLine(subject: string, answer: PublicName['http']): string[] {
  if (answer === undefined) return [];
  if ('error' in answer) return [`${subject}: ${answer.error}`];
  const { status, server, location, body } = answer;
  const by = server === '' ? '' : ` from ${server}`;
  return [`${subject}: ${status}${by}${location === '' ? '' : ` to ${location}`}: ${body.slice(0, 80)}`];
}

/** An Ingress without a host takes every name that no other is for. */
function routesEveryName({ seen }: PlatformFacts): boolean {
  return seen.ingresses.some(({ spec }) => {
    const rules = recordsAt(spec, 'rules');
    return rules.length === 0 || rules.some((rule) => textAt(rule, 'host') === '');
  });
}

/** Both answers only say that whoever should answer is away. */
function isOnlyAway({ http, unnamed }: PublicName): boolean {
  return [http, unnamed].every((answer) => answer !== undefined && 'status' in answer && answer.status >= 502);
}

/**
 * Traefik answers 404 for a name that no Ingress is for. For a name of ours it says that nobody is behind it, or the
 * platform sends to its own https address.
 */
function isTraefik({ host, http, unnamed }: PublicName): boolean {
  return (
    isNotFound(unnamed) ||
    isNotFound(http) ||
    sendsToItself(host, http) ||
    sendsToItself(nobodysName, unnamed) ||
    (answered(http)?.status === 503 && answered(http)?.body.startsWith('no available server') === true)
  );
}

function isNotFound(answer: PublicName['http']): boolean {
  const { status, body } = answered(answer) ?? { status: 0, body: '' };
  return status === 404 && body.startsWith('404 page not found');
}

/** With a redirection of the whole entry point also for a name that nobody has. */
function sendsToItself(host: string, answer: PublicName['http']): boolean {
  const { status, location } = answered(answer) ?? { status: 0, location: '' };
  const target = URL.canParse(location) ? new URL(location) : undefined;
  return status >= 300 && status < 400 && target?.protocol === 'https:' && target.hostname === host.toLowerCase();
}

function answered(answer: PublicName['http']): HttpAnswer | undefined {
  return answer !== undefined && 'status' in answer ? answer : undefined;
}

/** A TLS alert is an answer: the port is open, and the certificate is what is missing. */
function isRefusedName({ tls }: PublicName): boolean {
  return failed(tls) && /ERR_SSL_\w*ALERT|UNRECOGNIZED_NAME/.test(tls.error);
}

function failed(part: PublicName['dns'] | PublicName['http'] | PublicName['tls']): part is Failed {
  return part !== undefined && 'error' in part;
}

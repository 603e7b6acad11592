import { isIP } from 'node:net';
import type { Cluster } from '../../../shared/cluster/cluster.js';
import { conditionOf, isTrue } from '../../../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { issuer as acmeIssuerName, namespaces } from '../names.js';
import type { Console } from './console.js';
import { CliError } from './errors.js';
import type { SetupOptions } from './setup-options.js';

type Pod = KubeObject & { status?: { phase?: string } };
type Claim = KubeObject & { status?: { phase?: string } };
type Secret = KubeObject & { data?: Record<string, string> };
type Ingress = KubeObject & { spec?: { rules?: { host?: string }[] } };
type Certificate = KubeObject & { spec?: { secretName?: string; dnsNames?: string[] } };

/** What preflight saw. A field is undefined where its call failed: the installer passes over such checks in silence. */
export type Observed = Awaited<ReturnType<typeof observe>>;

export interface PreflightFinding {
  severity: 'blocker' | 'warning';
  text: string;
  fix: string;
}

const own = [namespaces.runtime, namespaces.registry, namespaces.sentinel] as const;

/** Reads everything that preflight looks at, at once. */
export async function observe(cluster: Cluster) {
  const quietly = async <T extends KubeObject>(kind: Kind, namespace?: string): Promise<T[] | undefined> => {
    const found = await cluster.list<T>(kind, namespace === undefined ? {} : { namespace }).catch(() => undefined);
    return found?.items;
  };
  const crds = quietly(kinds.crd);
  const named = async (name: string): Promise<KubeObject[] | undefined> =>
    (await crds)?.filter(({ metadata }) => metadata.name === name);
  const secrets = async (): Promise<Secret[] | undefined> => {
    const lists = await Promise.all(own.map((namespace) => quietly<Secret>(kinds.secret, namespace)));
    return lists.includes(undefined) ? undefined : lists.flatMap((list) => list ?? []);
  };
  return allOf({
    namespaces: quietly(kinds.namespace),
    serverKind: named('mcpservers.mcpruntime.org'),
    certManagerKind: named('certificates.cert-manager.io'),
    claims: quietly<Claim>(kinds.persistentVolumeClaim, namespaces.registry),
    certificates: quietly<Certificate>(kinds.certificate, namespaces.registry),
    issuers: quietly(kinds.clusterIssuer),
    pods: quietly<Pod>(kinds.pod),
    ingresses: quietly<Ingress>(kinds.ingress, namespaces.registry),
    secrets: secrets(),
    requests: quietly(kinds.certificateRequest, namespaces.registry),
    jobs: quietly(kinds.job, namespaces.sentinel),
  });
}

/** What promises come to, under their names. */
async function allOf<T extends Record<string, Promise<unknown>>>(asked: T) {
  const found = await Promise.all(Object.entries(asked).map(async ([name, one]) => [name, await one]));
  return Object.fromEntries(found) as { [K in keyof T]: Awaited<T[K]> };
}

/** The installer's preflight rules, in its order: blockers, then warnings. */
export function preflightFindings(seen: Observed, options: SetupOptions): PreflightFinding[] {
  const findings: PreflightFinding[] = [];
  const add = (severity: PreflightFinding['severity'], text: string, fix: string): void =>
    void findings.push({ severity, text, fix });
  const blocker = (text: string, fix: string): void => add('blocker', text, fix);
  const warning = (text: string, fix: string): void => add('warning', text, fix);
  const { registry: host, mcp } = options.hosts;

  for (const { metadata } of seen.namespaces ?? []) {
    if (metadata.deletionTimestamp !== undefined && own.some((name) => name === metadata.name)) {
      blocker(
        `namespace ${metadata.name} is stuck in Terminating`,
        `kubectl get namespace ${metadata.name} -o json | jq '.spec.finalizers = []' | kubectl replace --raw "/api/v1/namespaces/${metadata.name}/finalize" -f -`,
      );
    }
  }
  if (seen.serverKind?.some(({ metadata }) => metadata.deletionTimestamp !== undefined)) {
    blocker('CRD mcpservers.mcpruntime.org is stuck in Terminating', 'kubectl get mcpservers -A');
  }
  if (
    seen.claims?.some(({ metadata, status }) => metadata.name === 'registry-storage' && status?.phase === 'Pending')
  ) {
    blocker('PVC registry/registry-storage is Pending', 'kubectl describe pvc registry-storage -n registry');
  }
  if ((options.acme || options.clusterIssuer) && !isPublic(host)) {
    blocker(`registry host "${host}" is not a public host name`, 'export MCP_PLATFORM_DOMAIN=<your public domain>');
  }
  const registryCert = seen.certificates?.find(({ metadata }) => metadata.name === 'registry-cert');
  if (registryCert && registryCert.spec?.dnsNames?.includes(host) !== true) {
    blocker(
      `Certificate registry/registry-cert has dnsNames ${registryCert.spec?.dnsNames?.join(', ')} without ${host}`,
      'kubectl delete certificate registry-cert -n registry',
    );
  }
  // A failed call counts as a missing CRD, which makes an unreachable server look like a missing cert-manager.
  if (options.skipCertManager && (seen.certManagerKind ?? []).length === 0) {
    blocker(
      'cert-manager CRDs not found, but --skip-cert-manager-install is set',
      'install cert-manager, or run setup without --skip-cert-manager-install',
    );
  }
  const { clusterIssuer } = options;
  if (clusterIssuer && seen.issuers && (seen.certManagerKind ?? []).length > 0 && !has(seen.issuers, clusterIssuer)) {
    blocker(`ClusterIssuer "${clusterIssuer}" not found`, `kubectl get clusterissuer ${clusterIssuer}`);
  }
  const claimants = seen.certificates?.filter(({ spec }) => spec?.secretName === 'registry-tls') ?? [];
  if (claimants.length > 1) {
    const names = claimants.map(({ metadata }) => metadata.name).join(', ');
    blocker(
      `Secret registry/registry-tls is claimed by several Certificates: ${names}`,
      'kubectl delete certificate registry-tls -n registry --ignore-not-found',
    );
  }

  for (const { metadata, status } of seen.pods ?? []) {
    if (
      own.some((name) => name === metadata.namespace) &&
      (status?.phase === 'Pending' || status?.phase === 'Failed')
    ) {
      warning(
        `pod ${metadata.namespace}/${metadata.name} is ${status.phase}`,
        `kubectl describe pod ${metadata.name} -n ${metadata.namespace}`,
      );
    }
  }
  const ingress = seen.ingresses?.find(({ metadata }) => metadata.name === 'registry');
  if (ingress && ingress.spec?.rules?.some((rule) => rule.host === host) !== true) {
    warning(
      `Ingress registry/registry has another host than ${host}`,
      'kubectl get ingress registry -n registry -o yaml',
    );
  }
  const secret = (namespace: string, name: string): Secret | undefined =>
    seen.secrets?.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  if (secret(namespaces.registry, 'registry-tls') && claimants.length === 0) {
    warning(
      'orphaned Secret registry/registry-tls: no Certificate owns it and cert-manager will not update it - delete the secret',
      'kubectl delete secret registry-tls -n registry',
    );
  }
  for (const request of seen.requests ?? []) {
    const { name } = request.metadata;
    if (conditionOf(request, 'Ready')?.reason !== 'Failed') continue;
    warning(`CertificateRequest registry/${name} failed`, `kubectl describe certificaterequest ${name} -n registry`);
  }
  const uiKey = Buffer.from(
    secret(namespaces.sentinel, 'mcp-sentinel-secrets')?.data?.UI_API_KEY ?? '',
    'base64',
  ).toString();
  for (const namespace of [namespaces.sentinel, namespaces.runtime]) {
    const pull = secret(namespace, 'mcp-runtime-registry-pull')?.data?.['.dockerconfigjson'];
    if (pull !== undefined && uiKey !== '' && !Buffer.from(pull, 'base64').toString().includes(JSON.stringify(uiKey))) {
      warning(
        `pull Secret ${namespace}/mcp-runtime-registry-pull does not match UI_API_KEY`,
        `kubectl delete secret mcp-runtime-registry-pull -n ${namespace}`,
      );
    }
  }
  if (seen.jobs?.some((job) => job.metadata.name === 'clickhouse-init' && failed(job))) {
    warning('Job mcp-sentinel/clickhouse-init failed', 'kubectl delete job clickhouse-init -n mcp-sentinel');
  }
  if (mcp === '') {
    warning('no host for MCP servers', 'export MCP_MCP_INGRESS_HOST=<host>');
  }
  return findings;
}

/** Prints the findings. @throws CliError when a blocker is among them */
export function reportPreflight(findings: readonly PreflightFinding[], console: Console): void {
  if (findings.length === 0) {
    console.info('Pre-flight checks passed');
    return;
  }
  findings.forEach(({ severity, text, fix }, index) => {
    console[severity === 'blocker' ? 'error' : 'warning'](`Pre-flight [${index + 1}/${findings.length}] ${text}`);
    console.plain(`  Run to fix:\n    ${fix}`);
  });
  const blockers = findings.filter(({ severity }) => severity === 'blocker').length;
  if (blockers > 0) {
    throw new CliError(`pre-flight checks found ${blockers} blocker(s) — resolve the issues above and re-run setup`);
  }
}

/** The issuer that the Certificates of this run name. */
export function publicIssuer(options: SetupOptions): string | undefined {
  return options.clusterIssuer ?? (options.acme && (options.acme.staging ? 'letsencrypt-staging' : acmeIssuerName));
}

const has = (objects: readonly KubeObject[], name: string): boolean =>
  objects.some(({ metadata }) => metadata.name === name);

const failed = (object: KubeObject): boolean => isTrue(object, 'Failed');

function isPublic(host: string): boolean {
  return host.includes('.') && isIP(host) === 0 && !/(?:^|\.)(?:local|localhost|internal|svc)$/.test(host);
}

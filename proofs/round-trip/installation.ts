import { day, encoded, handMade, issuedSecret } from '../../shared/backup/testing/issued.js';
import type { Certificate, CertificateSpec } from '../../shared/certificates/model.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import type { Random } from '../random.js';
import { randomIssuers } from './issuers.js';

/**
 * What state a Certificate is in. `healthy`: kept by cert-manager. `stuck`: never issued, as its issuer does not exist.
 * `issuing`: an issuance is under way beside a valid pair. `due`: valid, and past its renewal time. `lapsed`: expired.
 * `broken`: key and certificate do not belong together.
 */
export type Health = 'healthy' | 'stuck' | 'issuing' | 'due' | 'lapsed' | 'broken';

export interface Expected {
  key: string;
  secret: string;
  health: Health;
  isOurs: boolean;
}

/** A cluster with the platform and whatever else people have on theirs. */
export interface Installation {
  /** Everything but cert-manager, in an order in which it can be made. */
  objects: KubeObject[];
  certificates: Expected[];
  /** Flags of cert-manager's controller, and its configuration file. */
  controller: { args: string[]; file?: string };
  /** Where the Secrets of ClusterIssuers are. */
  clusterResources: string;
}

export interface Bounds {
  now: Date;
  /** The least and the most tenants. */
  tenants: readonly [least: number, most: number];
  /** The address and CA of an ACME server, and only settings that a running controller of the lab has. */
  lab?: { directory: string; caBundle: string };
}

const namespaceLabels: readonly Record<string, string>[] = [
  {},
  { 'pod-security.kubernetes.io/enforce': 'baseline' },
  { 'istio-injection': 'enabled', team: 'a' },
];

/** Makes an installation. The same seed makes the same one, but for its keys. */
export function randomInstallation(random: Random, { now, tenants, lab }: Bounds): Installation {
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)] as T;
  const chance = (percent: number): boolean => random.below(100) < percent;
  const controller =
    lab === undefined ? randomController(random) : { args: ['--cluster-resource-namespace=cert-manager'] };
  const clusterResources =
    /namespace(?:=|: )([a-z-]+)/.exec(controller.file ?? controller.args.join(' '))?.[1] ?? 'kube-system';
  const namespaces = new Map<string, KubeObject>();
  const needed = (name: string, labels: Record<string, string> = {}): void => {
    const known = namespaces.get(name)?.metadata.labels;
    const annotations = chance(20) ? { 'field.cattle.io/projectId': 'c:p' } : {};
    namespaces.set(
      name,
      objectOf(kinds.namespace, { metadata: { name, labels: { ...known, ...labels }, annotations } }),
    );
  };
  const secrets = new Map<string, KubeObject>();
  const secret = (object: KubeObject): void => {
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    if (!secrets.has(key)) secrets.set(key, object);
  };
  const others: KubeObject[] = [];
  const certificates = new Map<string, Expected>();

  for (const name of ['mcp-runtime', 'mcp-sentinel', 'registry', 'mcp-servers']) needed(name, pick(namespaceLabels));
  for (const name of ['default', 'kube-system', 'cert-manager']) needed(name);
  for (const object of platformObjects(random)) {
    if (object.kind === 'Secret') secret(object);
    else others.push(object);
  }

  const issuers = randomIssuers(random, { clusterResources, now, ...(lab === undefined ? {} : { lab }) });
  for (const object of issuers.objects) {
    if (object.metadata.namespace !== undefined) needed(object.metadata.namespace);
    if (object.kind === 'Secret') secret(object);
    else others.push(object);
  }

  const addCertificate = (name: string, namespace: string, more: Partial<CertificateSpec>, health: Health): void => {
    const key = `${namespace}/${name}`;
    if (certificates.has(key)) return;
    const spec: CertificateSpec = {
      secretName: name,
      dnsNames: [`${name}.${namespace}.example.com`],
      privateKey: { algorithm: 'ECDSA', size: 256 },
      ...more,
      issuerRef: health === 'stuck' ? { name: 'nowhere', kind: 'Issuer' } : (more.issuerRef ?? pick(issuers.refs)),
    };
    const taken = [...certificates.values()].find((one) => one.secret === `${namespace}/${spec.secretName}`);
    if (taken !== undefined && taken.health !== 'healthy') return;
    const certificate = objectOf(kinds.certificate, { metadata: { name, namespace }, spec }) as KubeObject &
      Certificate;
    needed(namespace);
    others.push(health === 'issuing' ? { ...certificate, status: { conditions: [issuing] } } : certificate);
    certificates.set(key, { key, secret: `${namespace}/${spec.secretName}`, health, isOurs: isOurs(namespace) });
    if (spec.keystores !== undefined) {
      const password = spec.keystores.pkcs12?.passwordSecretRef?.name ?? '';
      secret(
        objectOf(kinds.secret, { metadata: { name: password, namespace }, type: 'Opaque', data: encoded({ p: 'x' }) }),
      );
    }
    // A controller would see a Secret that another Certificate owns; this one is then never issued.
    if (health === 'stuck' || taken !== undefined) return;
    const ages: Record<Exclude<Health, 'stuck'>, { age: number; life: number }> = {
      healthy: pick([
        { age: 10 * day, life: 90 * day },
        { age: day, life: 45 * day },
        { age: 0.5 * day, life: 6 * day },
      ]),
      issuing: { age: 10 * day, life: 90 * day },
      due: pick([
        { age: 70 * day, life: 90 * day },
        { age: 5 * day, life: 6 * day },
      ]),
      lapsed: { age: 91 * day, life: 90 * day },
      broken: { age: 10 * day, life: 90 * day },
    };
    secret(
      issuedSecret({
        certificate,
        now,
        ...ages[health],
        isBroken: health === 'broken',
        ...(chance(10) ? { type: 'Opaque' } : {}),
        ...(chance(10) ? { more: { 'ca.crt': 'x', 'extra.pem': 'y' } } : {}),
      }),
    );
  };

  const health = (ours: boolean): Health => {
    const roll = random.below(100);
    if (roll < (ours ? 97 : 70)) return 'healthy';
    // A running controller mends at once what it can.
    if (lab !== undefined) return ours ? 'healthy' : 'stuck';
    return pick(['stuck', 'issuing', 'due', 'lapsed', 'broken'] as const);
  };
  addCertificate('registry-cert', 'registry', { secretName: 'registry-tls', issuerRef: issuers.main }, health(true));
  addCertificate('mcp-sentinel-platform-tls', 'mcp-sentinel', { issuerRef: issuers.main }, health(true));
  for (const ca of issuers.selfMade) addCertificate(ca.name, ca.namespace, { ...ca.spec }, 'healthy');
  const places = [
    'default',
    'kube-system',
    'kube-prometheus',
    'monitoring',
    'blog',
    'a.very'.replace('.', '-'),
    'registry',
  ];
  for (let count = random.below(14); count > 0; count--) {
    const namespace = pick(places);
    const shared = chance(12)
      ? [...certificates.values()].find(({ key }) => key.startsWith(`${namespace}/`))
      : undefined;
    const extras: Partial<CertificateSpec> = {
      ...(chance(15) ? { secretTemplate: { labels: { app: 'x' }, annotations: { 'x.example.com/y': 'z' } } } : {}),
      ...(chance(15) ? { commonName: `c${count}.example.com`, dnsNames: [`c${count}.example.com`] } : {}),
      ...(chance(12)
        ? {
            keystores: { pkcs12: { create: true, passwordSecretRef: { name: `p${count}`, key: 'p' } } } as NonNullable<
              CertificateSpec['keystores']
            >,
          }
        : {}),
      ...(shared === undefined ? {} : { secretName: shared.secret.split('/')[1] ?? '' }),
    };
    addCertificate(`c${count}`, namespace, extras, shared === undefined ? health(isOurs(namespace)) : 'healthy');
  }
  const teams = randomTeams(random, tenants);
  for (const team of teams) {
    needed(team.namespace, team.labels);
    secret(pullSecret(team.namespace));
    if (team.hasCertificate) addCertificate(team.certificate, team.namespace, { issuerRef: issuers.main }, 'healthy');
  }
  for (const object of randomIngresses(random, issuers.main.name)) {
    others.push(object);
    needed(object.metadata.namespace ?? '');
  }
  if (chance(30)) secret(handMade('by-hand', 'default', now));
  return {
    objects: [...namespaces.values(), ...secrets.values(), ...others],
    certificates: [...certificates.values()],
    controller,
    clusterResources,
  };
}

const issuing = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'by hand' };

function isOurs(namespace: string): boolean {
  return (
    ['registry', 'mcp-sentinel', 'mcp-runtime', 'mcp-servers'].includes(namespace) || namespace.startsWith('mcp-team-')
  );
}

function randomController(random: Random): Installation['controller'] {
  switch (random.below(5)) {
    case 0:
      return { args: ['--v=2'] };
    case 1:
      return {
        args: [
          '--cluster-resource-namespace',
          'kube-system',
          '--default-issuer-name=main',
          '--default-issuer-kind=ClusterIssuer',
        ],
      };
    case 2:
      return {
        args: ['--config=/var/cert-manager/config/config.yaml'],
        file: 'clusterResourceNamespace: cert-manager\ningressShimConfig:\n  defaultIssuerName: main\n  defaultIssuerKind: ClusterIssuer\n',
      };
    default:
      return { args: ['--v=2', '--cluster-resource-namespace=cert-manager'] };
  }
}

function platformObjects(random: Random): KubeObject[] {
  const namespace = 'mcp-sentinel';
  const keys = ['ADMIN_API_KEYS', 'JWT_SECRET', 'POSTGRES_PASSWORD', 'PLATFORM_DEV_USER'];
  const data = encoded(
    Object.fromEntries(keys.map((key) => [key, key.includes('DEV') ? '' : `${key}-${random.below(1e6)}`])),
  );
  const config = { MCP_PLATFORM_DOMAIN: 'example.com', OIDC_ISSUER: 'https://id.example.com', KAFKA_BROKERS: 'x:9092' };
  return [
    objectOf(kinds.secret, { metadata: { name: 'mcp-sentinel-secrets', namespace }, type: 'Opaque', data }),
    ...(random.below(2) === 0
      ? [
          objectOf(kinds.secret, {
            metadata: { name: 'mcp-sentinel-user-api-keys', namespace },
            type: 'Opaque',
            data: encoded({ a: 'b' }),
          }),
        ]
      : []),
    ...['mcp-sentinel', 'mcp-runtime'].map(pullSecret),
    objectOf(kinds.configMap, { metadata: { name: 'mcp-sentinel-config', namespace }, data: config }),
  ];
}

function pullSecret(namespace: string): KubeObject {
  const data = encoded({ '.dockerconfigjson': '{"auths":{}}' });
  return objectOf(kinds.secret, {
    metadata: { name: 'mcp-runtime-registry-pull', namespace },
    type: 'kubernetes.io/dockerconfigjson',
    data,
  });
}

function randomTeams(
  random: Random,
  [least, most]: Bounds['tenants'],
): { namespace: string; labels: Record<string, string>; hasCertificate: boolean; certificate: string }[] {
  const labels = {
    'platform.mcpruntime.org/managed': 'true',
    'mcpruntime.org/scope': 'team',
    'mcpruntime.org/team-id': 'f00',
    'pod-security.kubernetes.io/enforce': 'restricted',
  };
  const share = least === most ? 100 : random.below(101);
  const isShared = random.below(2) === 0;
  return Array.from({ length: least + random.below(most - least + 1) }, (_, index) => ({
    namespace: `mcp-team-t${index}`,
    labels,
    hasCertificate: random.below(100) < share,
    certificate: isShared ? 'server-tls' : `server-${index}`,
  }));
}

function randomIngresses(random: Random, issuer: string): KubeObject[] {
  const one = (name: string, annotations: Record<string, string>, secretName: string): KubeObject =>
    objectOf(kinds.ingress, {
      metadata: { name, namespace: 'blog', annotations },
      spec: {
        defaultBackend: { service: { name: 'x', port: { number: 80 } } },
        tls: [{ hosts: [`${name}.example.com`], secretName }],
      },
    });
  const all = [
    one('refused', { 'kubernetes.io/tls-acme': 'false' }, 'refused-tls'),
    one('without', {}, 'without-tls'),
    one('asking', { 'cert-manager.io/cluster-issuer': issuer }, 'asking-tls'),
    one('automatic', { 'kubernetes.io/tls-acme': 'true' }, 'automatic-tls'),
  ];
  return all.filter(() => random.below(3) === 0);
}

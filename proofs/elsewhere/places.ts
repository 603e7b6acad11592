import pMap from 'p-map';
import type { LabState } from '../../lab/driver/lab.js';
import { readManifests } from '../../lab/platform/cert-manager.js';
import { encoded, handMade } from '../../shared/backup/testing/issued.js';
import { namespace, opaque } from '../../shared/backup/testing/scene.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { apiVersionOf, type KubeObject, kinds } from '../../shared/cluster/objects.js';
import type { Inputs } from '../world/actions.js';
import { type Installed, released } from './controller.js';
import { acmeIssuer, certified, definitionOf, filledFor, gateway, ingress, ingressRoute, others } from './objects.js';
import { externalSecrets, type Operator, sealedSecrets } from './secret-operators.js';

/** A cluster that is not as the lab makes it. */
export interface Place {
  name: string;
  /** Whether it is among those that CI affords. */
  quick?: true;
  controller: Installed;
  /** Definitions of kinds. */
  definitions?: KubeObject[];
  /** Everything else, namespaces and Secrets first. */
  objects: KubeObject[];
  inputs?: Inputs;
  /** Whether the restore finds cert-manager gone too. */
  losesController?: true;
  /** What the backup must say. */
  told?: RegExp;
  /** What runs beside, and makes the platform's Secret. */
  operator?: (cluster: Cluster) => Operator;
  /** What a policy says that refuses Secrets, and is in the way of the first restore. */
  forbids?: string;
  /** Makes what is too much for a list. */
  crowd?: (cluster: Cluster) => Promise<unknown>;
}

const cluster = (name: string) => ({ name, kind: 'ClusterIssuer' });
const local = (name: string) => ({ name, kind: 'Issuer' });

/** @param version of cert-manager, with `v` */
export async function placesOf(state: LabState, version: string, small: boolean): Promise<Place[]> {
  const usual = released(version);
  const prod = acmeIssuer(state, 'le-prod');
  const web = (home: string): KubeObject[] => [
    namespace(home),
    prod,
    ...certified(home, 'web', cluster('le-prod')),
    filledFor(home, 'ui-tls', `ui.${home}.example.com`, cluster('le-prod')),
    ingress(home, 'ui', 'le-prod'),
  ];
  const crowded = small ? 2_000 : 20_000;
  return [
    {
      name: 'cert-manager in a namespace of its own, as Helm makes it under another name',
      quick: true,
      controller: {
        ...usual,
        namespace: 'security',
        name: 'certs-cert-manager',
        labels: {
          ...usual.labels,
          'app.kubernetes.io/instance': 'certs',
          'app.kubernetes.io/managed-by': 'Helm',
          'helm.sh/chart': `cert-manager-${version}`,
        },
      },
      objects: web('shop'),
      losesController: true,
    },
    {
      name: 'cert-manager with other labels, its version in the image’s tag',
      quick: true,
      controller: {
        ...usual,
        namespace: 'infra',
        name: 'tls',
        labels: { app: 'tls' },
        image: `mirror.example.com:5000/jetstack/cert-manager-controller:${version}@sha256:${'0'.repeat(64)}`,
      },
      objects: web('labels'),
    },
    {
      name: 'cert-manager that says its version nowhere',
      controller: {
        ...usual,
        labels: { app: 'tls' },
        image: `mirror.example.com/cert-manager-controller@sha256:${'0'.repeat(64)}`,
      },
      objects: web('unknown'),
      told: /tells no version: its rules are assumed/,
    },
    {
      name: 'cert-manager that runs as a StatefulSet',
      quick: true,
      controller: { ...usual, namespace: 'sets', labels: { app: 'tls' }, runsAs: 'StatefulSet' },
      objects: web('set'),
      losesController: true,
    },
    {
      name: 'a policy that refuses Secrets',
      quick: true,
      controller: usual,
      objects: web('strict'),
      forbids: 'Secrets come from the vault',
      losesController: true,
    },
    {
      name: 'ClusterIssuers whose Secrets are in another namespace',
      controller: { ...usual, args: ['--cluster-resource-namespace=issuers'] },
      objects: [
        namespace('issuers'),
        handMade('house-ca', 'issuers', new Date()),
        objectOf(kinds.clusterIssuer, { metadata: { name: 'house' }, spec: { ca: { secretName: 'house-ca' } } }),
        ...web('elsewhere'),
        ...certified('elsewhere', 'inside', cluster('house')),
      ],
      losesController: true,
    },
    {
      name: 'Issuers of namespaces, staging and production side by side',
      controller: usual,
      objects: [
        namespace('team-a'),
        namespace('team-b'),
        acmeIssuer(state, 'acme', 'team-a'),
        acmeIssuer(state, 'acme', 'team-b'),
        acmeIssuer(state, 'acme-staging', 'team-b'),
        ...certified('team-a', 'api', local('acme')),
        ...certified('team-b', 'api', local('acme')),
        ...certified('team-b', 'try', local('acme-staging')),
      ],
      losesController: true,
    },
    {
      name: 'Gateways that ask for certificates',
      quick: true,
      controller: { ...usual, args: [...usual.args, '--enable-gateway-api'] },
      definitions: await readManifests(state.program.gatewayCrds),
      objects: [
        namespace('edge'),
        prod,
        filledFor('edge', 'shop-tls', 'shop.edge.example.com', cluster('le-prod')),
        gateway('edge', 'shop', 'le-prod'),
      ],
      losesController: true,
    },
    {
      name: 'IngressRoutes of Traefik beside Certificates made by hand',
      controller: usual,
      definitions: [definitionOf(others.ingressRoute)],
      objects: [
        namespace('routes'),
        prod,
        ...certified('routes', 'web', cluster('le-prod')),
        ingressRoute('routes', 'web'),
      ],
    },
    {
      name: 'DNS-01 with the token of a provider, and a wildcard',
      controller: usual,
      objects: [
        namespace('cert-manager'),
        namespace('wild'),
        opaque('cert-manager', 'dns-token', { token: 'not-a-token' }),
        acmeIssuer(state, 'le-dns', undefined, [
          { dns01: { cloudflare: { apiTokenSecretRef: { name: 'dns-token', key: 'token' } } } },
        ]),
        ...certified('wild', 'all', cluster('le-dns'), { dnsNames: ['wild.example.com', '*.wild.example.com'] }),
      ],
      losesController: true,
    },
    {
      name: 'External Secrets that keep the platform’s Secret',
      quick: true,
      controller: usual,
      definitions: [definitionOf(others.externalSecret)],
      objects: [...web('mcp-sentinel'), ownerOf(others.externalSecret)],
      operator: externalSecrets,
    },
    {
      name: 'Sealed Secrets that keep the platform’s Secret',
      controller: usual,
      definitions: [definitionOf(others.sealedSecret)],
      objects: [...web('mcp-sentinel'), ownerOf(others.sealedSecret)],
      operator: sealedSecrets,
    },
    {
      name: `${crowded} Secrets that are nobody’s business`,
      controller: usual,
      objects: [namespace('crowd'), ...web('shop')],
      crowd: (api) =>
        pMap(
          Array.from({ length: crowded }, (_, index) =>
            opaque('crowd', `release-${index}`, { chart: 'x'.repeat(900) }),
          ),
          (object) => api.create(kinds.secret, object),
          { concurrency: 64 },
        ),
    },
    {
      name: 'no MCP Runtime',
      quick: true,
      controller: usual,
      objects: [...web('blog'), ...web('wiki').filter(({ kind }) => kind !== 'ClusterIssuer')],
      inputs: { profile: 'none', domain: 'cluster.example.com' },
      losesController: true,
    },
    {
      name: 'a CA of its own, made by cert-manager itself',
      controller: usual,
      objects: [
        namespace('cert-manager'),
        namespace('mesh'),
        objectOf(kinds.clusterIssuer, { metadata: { name: 'self' }, spec: { selfSigned: {} } }),
        ...certified('cert-manager', 'root', cluster('self'), { isCA: true, commonName: 'root', dnsNames: [] }),
        objectOf(kinds.clusterIssuer, { metadata: { name: 'root' }, spec: { ca: { secretName: 'root-tls' } } }),
        ...certified('mesh', 'node', cluster('root')),
      ],
      losesController: true,
    },
  ];
}

const values = { ADMIN_API_KEYS: 'a', JWT_SECRET: 'b', POSTGRES_PASSWORD: 'c' };
const platformSecret = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };

/** What a Secret of the platform is made from, in a place where another program makes it. */
function ownerOf(kind: (typeof others)[keyof typeof others]): KubeObject {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { ...platformSecret },
    spec: { data: encoded(values) },
  };
}

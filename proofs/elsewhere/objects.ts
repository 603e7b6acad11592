import type { LabState } from '../../lab/driver/lab.js';
import { day, issuedSecret } from '../../shared/backup/testing/issued.js';
import type { Certificate, CertificateSpec, IssuerRef } from '../../shared/certificates/model.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { apiVersionOf, type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';

/** Kinds of other programs that the places have; the lab has their definitions, and runs none of the programs. */
export const others = {
  ingressRoute: {
    kind: 'IngressRoute',
    group: 'traefik.io',
    version: 'v1alpha1',
    plural: 'ingressroutes',
    namespaced: true,
  },
  externalSecret: {
    kind: 'ExternalSecret',
    group: 'external-secrets.io',
    version: 'v1',
    plural: 'externalsecrets',
    namespaced: true,
  },
  sealedSecret: {
    kind: 'SealedSecret',
    group: 'bitnami.com',
    version: 'v1alpha1',
    plural: 'sealedsecrets',
    namespaced: true,
  },
} as const satisfies Record<string, Kind>;

/** The definition of a kind whose fields nothing here depends on. */
export function definitionOf({ kind, group, version, plural }: Kind): KubeObject {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return objectOf(kinds.crd, {
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  });
}

/** An issuer of the lab's ACME server. @param home of an Issuer; without it a ClusterIssuer */
export function acmeIssuer(state: LabState, name: string, home?: string, solvers?: readonly object[]): KubeObject {
  const { directory, caBundle } = state.acme;
  const acme = {
    server: directory,
    caBundle,
    privateKeySecretRef: { name: `${name}-account` },
    solvers: solvers ?? [{ http01: { ingress: { ingressClassName: 'traefik' } } }],
  };
  const metadata = { name, ...(home === undefined ? {} : { namespace: home }) };
  return objectOf(home === undefined ? kinds.clusterIssuer : kinds.issuer, { metadata, spec: { acme } });
}

/** A Certificate, and the Secret that its issuer has filled some days ago. */
export function certified(
  home: string,
  name: string,
  issuerRef: IssuerRef,
  more: Partial<CertificateSpec> = {},
): KubeObject[] {
  const spec: CertificateSpec = {
    secretName: `${name}-tls`,
    dnsNames: [`${name}.${home}.example.com`],
    privateKey: { algorithm: 'ECDSA', size: 256 },
    issuerRef,
    ...more,
  };
  const certificate = objectOf(kinds.certificate, { metadata: { name, namespace: home }, spec }) as KubeObject &
    Certificate;
  return [certificate, filled(certificate)];
}

/** The Secret of a Certificate that a shim will make: it is called as its Secret. */
export function filledFor(home: string, name: string, dnsName: string, issuerRef: IssuerRef): KubeObject {
  const spec: CertificateSpec = { secretName: name, dnsNames: [dnsName], issuerRef };
  return filled(objectOf(kinds.certificate, { metadata: { name, namespace: home }, spec }) as KubeObject & Certificate);
}

const filled = (certificate: KubeObject & Certificate): KubeObject =>
  issuedSecret({ certificate, now: new Date(), age: 10 * day, life: 90 * day });

export function ingress(home: string, name: string, issuer: string): KubeObject {
  return objectOf(kinds.ingress, {
    metadata: { name, namespace: home, annotations: askingFor(issuer) },
    spec: {
      defaultBackend: { service: { name: 'x', port: { number: 80 } } },
      tls: [{ hosts: [`${name}.${home}.example.com`], secretName: `${name}-tls` }],
    },
  });
}

export function gateway(home: string, name: string, issuer: string): KubeObject {
  return objectOf(kinds.gateway, {
    metadata: { name, namespace: home, annotations: askingFor(issuer) },
    spec: {
      gatewayClassName: 'traefik',
      listeners: [
        { name: 'http', port: 80, protocol: 'HTTP' },
        {
          name: 'https',
          port: 443,
          protocol: 'HTTPS',
          hostname: `${name}.${home}.example.com`,
          tls: { mode: 'Terminate', certificateRefs: [{ name: `${name}-tls` }] },
        },
      ],
    },
  });
}

const askingFor = (issuer: string): Record<string, string> => ({
  'cert-manager.io/cluster-issuer': issuer,
  'cert-manager.io/private-key-algorithm': 'ECDSA',
});

export function ingressRoute(home: string, name: string): KubeObject {
  return {
    apiVersion: apiVersionOf(others.ingressRoute),
    kind: others.ingressRoute.kind,
    metadata: { name, namespace: home },
    spec: {
      entryPoints: ['websecure'],
      routes: [{ match: `Host(\`${name}.${home}.example.com\`)`, kind: 'Rule', services: [{ name: 'x', port: 80 }] }],
      tls: { secretName: `${name}-tls` },
    },
  };
}

import { describe, expect, it } from '@jest/globals';
import { releaseSettings } from '../certificates/controller-settings.js';
import type { KubeObject } from '../cluster/objects.js';
import { inventory } from './inventory.js';
import type { LiveCertificate, LiveIngress, LiveIssuer } from './observation.js';

const certManager = {
  state: 'running' as const,
  version: 'v1.21.2',
  namespace: 'cert-manager',
  settings: releaseSettings,
};
const object = (
  kind: string,
  name: string,
  namespace: string | undefined,
  spec: object,
  annotations = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, ...(namespace ? { namespace } : {}), annotations },
  spec,
});
const found = (parts: {
  certificates?: KubeObject[];
  issuers?: KubeObject[];
  ingresses?: KubeObject[];
  namespaces?: KubeObject[];
}): string[] =>
  inventory({
    certificates: (parts.certificates ?? []) as LiveCertificate[],
    issuers: (parts.issuers ?? []) as LiveIssuer[],
    ingresses: (parts.ingresses ?? []) as LiveIngress[],
    gateways: [],
    namespaces: parts.namespaces ?? [],
    certManager,
  }).map(({ roles, namespace, name }) => `${roles.join('+')} ${namespace}/${name}`);

describe('inventory', () => {
  it('follows Certificates to their Secrets and keystore passwords', () => {
    const spec = {
      secretName: 'tls',
      issuerRef: { name: 'i' },
      keystores: { jks: { create: true, passwordSecretRef: { name: 'password', key: 'p' } } },
    };
    expect(found({ certificates: [object('Certificate', 'c', 'a', spec)] })).toEqual([
      'keystore-password a/password',
      'tls a/tls',
    ]);
  });

  it('follows issuers to account, EAB, DNS-01 and CA Secrets, in the namespace where cert-manager looks for them', () => {
    const acme = {
      privateKeySecretRef: { name: 'account' },
      externalAccountBinding: { keySecretRef: { name: 'eab' } },
      solvers: [{ dns01: { webhook: { config: { nested: [{ apiTokenSecretRef: { name: 'dns' } }] } } } }],
    };
    const issuers = [
      object('ClusterIssuer', 'le', undefined, { acme }),
      object('Issuer', 'ca', 'team', { ca: { secretName: 'root' } }),
    ];
    expect(found({ issuers })).toEqual([
      'account-key cert-manager/account',
      'issuer-secret cert-manager/eab',
      'issuer-secret cert-manager/dns',
      'ca-key team/root',
    ]);
  });

  it('takes TLS Secrets of Ingresses only where cert-manager looks after them', () => {
    const spec = { tls: [{ secretName: 'tls', hosts: ['a'] }, { hosts: ['b'] }] };
    const ingresses = [
      object('Ingress', 'mine', 'a', spec, { 'cert-manager.io/cluster-issuer': 'le' }),
      object('Ingress', 'by-hand', 'b', spec),
    ];
    expect(found({ ingresses })).toEqual(['tls a/tls']);
  });

  it('names a Secret with several uses once, and takes the platform’s own from namespaces that exist', () => {
    const spec = { secretName: 'tls', issuerRef: { name: 'i' } };
    const certificates = [object('Certificate', 'c', 'a', spec), object('Certificate', 'd', 'a', spec)];
    const namespaces = [object('Namespace', 'mcp-sentinel', undefined, {})];
    expect(found({ certificates, namespaces })).toEqual([
      'tls a/tls',
      'platform-secret mcp-sentinel/mcp-sentinel-secrets',
      'platform-secret mcp-sentinel/mcp-sentinel-user-api-keys',
      'platform-secret mcp-sentinel/mcp-runtime-registry-pull',
    ]);
  });
});

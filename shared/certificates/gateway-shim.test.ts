import { describe, expect, it } from '@jest/globals';
import { gatewayAsIngress } from './gateway-shim.js';
import { shimCertificates } from './ingress-shim.js';

const annotations = { 'cert-manager.io/cluster-issuer': 'letsencrypt' };
const ref = (name: string, more: object = {}) => ({ group: '', kind: 'Secret', name, ...more });
const listener = (name: string, hostname: string | undefined, refs: readonly object[], more: object = {}) => ({
  name,
  protocol: 'HTTPS',
  ...(hostname === undefined ? {} : { hostname }),
  tls: { mode: 'Terminate', certificateRefs: refs },
  ...more,
});

function blocksOf(listeners: readonly unknown[], version = 'v1.21.2', more: Record<string, string> = {}): unknown {
  const metadata = { name: 'web', namespace: 'edge', annotations: { ...annotations, ...more } };
  return gatewayAsIngress({ metadata, spec: { listeners } }, version).spec.tls;
}

describe('a Gateway as an Ingress', () => {
  it('has a TLS block for each Secret, with the hosts of all listeners that name it', () => {
    const listeners = [
      listener('a', 'a.org', [ref('one')]),
      listener('b', 'b.org', [ref('one'), ref('two', { namespace: 'edge' })], { protocol: 'TLS' }),
    ];
    expect(blocksOf(listeners)).toEqual([
      { secretName: 'one', hosts: ['a.org', 'b.org'] },
      { secretName: 'two', hosts: ['b.org'] },
    ]);
  });

  it.each([
    ['without a host', listener('a', undefined, [ref('one')])],
    ['with an empty host', listener('a', '', [ref('one')])],
    ['without encryption', listener('a', 'a.org', [ref('one')], { protocol: 'HTTP' })],
    ['of a protocol of its own', listener('a', 'a.org', [ref('one')], { protocol: 'example.com/https' })],
    ['that lets through', listener('a', 'a.org', [], { tls: { mode: 'Passthrough', certificateRefs: [ref('one')] } })],
    ['without a Secret', listener('a', 'a.org', [])],
    ['with a Secret elsewhere', listener('a', 'a.org', [ref('one'), ref('two', { namespace: 'other' })])],
    ['with another kind', listener('a', 'a.org', [ref('one', { kind: 'Vault' })])],
    ['with another group', listener('a', 'a.org', [ref('one', { group: 'x.org' })])],
    ['without TLS', { name: 'a', protocol: 'HTTPS', hostname: 'a.org' }],
  ])('leaves out a listener %s', (_, one) => {
    expect(blocksOf([one])).toEqual([]);
  });

  it('leaves out listeners that are to be ignored, from 1.21 on', () => {
    const listeners = [listener('a', 'a.org', [ref('one')]), listener('b', 'b.org', [ref('two')])];
    const more = { 'cert-manager.io/ignore-tls-listeners': 'x, a' };
    expect(blocksOf(listeners, 'v1.21.0', more)).toEqual([{ secretName: 'two', hosts: ['b.org'] }]);
    expect(blocksOf(listeners, 'v1.20.3', more)).toHaveLength(2);
  });
});

describe('what gateway-shim makes', () => {
  const gateway = (given: Record<string, string>) =>
    gatewayAsIngress(
      {
        metadata: { name: 'web', namespace: 'edge', uid: 'u', annotations: given },
        spec: { listeners: [listener('a', 'a.org', [ref('one')])] },
      },
      'v1.21.2',
    );
  const options = { certManagerVersion: 'v1.21.2', gateways: true };

  it('is controlled by the Gateway', () => {
    const [made] = shimCertificates(gateway(annotations), options).certificates;
    expect(made?.spec).toMatchObject({ secretName: 'one', dnsNames: ['a.org'], issuerRef: { kind: 'ClusterIssuer' } });
    expect(made?.metadata.annotations).toEqual({
      'acme.cert-manager.io/http01-parentrefkind': 'Gateway',
      'acme.cert-manager.io/http01-parentrefname': 'web',
    });
    const older = { ...options, certManagerVersion: 'v1.19.5' };
    expect(shimCertificates(gateway(annotations), older).certificates[0]?.metadata.annotations).toEqual({});
    expect(made?.metadata.ownerReferences).toMatchObject([
      { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', name: 'web', controller: true },
    ]);
  });

  it('is nothing where it does not run, whether ingress-shim does or not', () => {
    const asked = gateway(annotations);
    expect(shimCertificates(asked, { certManagerVersion: 'v1.21.2' }).certificates).toEqual([]);
    expect(shimCertificates(asked, { ...options, disabled: true }).certificates).toHaveLength(1);
  });

  it('is nothing for the annotations by which Ingresses ask a default issuer', () => {
    const given = { 'kubernetes.io/tls-acme': 'true' };
    expect(shimCertificates(gateway(given), { ...options, defaultIssuerName: 'x' }).certificates).toEqual([]);
  });
});

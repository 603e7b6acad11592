import { describe, expect, it } from '@jest/globals';
import { controllerSettings } from '../certificates/controller-settings.js';
import { objectOf } from '../cluster/cluster.js';
import { kinds } from '../cluster/objects.js';
import { askedFor, unseenGateways } from './asked-for.js';
import type { CertManager } from './cert-manager.js';
import type { LiveGateway, LiveIngress } from './observation.js';

const annotations = { 'cert-manager.io/cluster-issuer': 'le' };
const certManager: CertManager = {
  state: 'running',
  version: 'v1.21.2',
  namespace: 'cert-manager',
  settings: controllerSettings({ args: ['--enable-gateway-api'] }, 'cert-manager', undefined),
};
const ingress = objectOf(kinds.ingress, {
  metadata: { name: 'ui', namespace: 'web', annotations },
  spec: { tls: [{ hosts: ['a.org'], secretName: 'a' }] },
}) as LiveIngress;
const gateway = objectOf(kinds.gateway, {
  metadata: { name: 'gate', namespace: 'web', annotations },
  spec: {
    listeners: [
      { name: 'b', protocol: 'HTTPS', hostname: 'b.org', tls: { mode: 'Terminate', certificateRefs: [{ name: 'b' }] } },
    ],
  },
}) as LiveGateway;

describe('who asks for a Certificate', () => {
  it('are Ingresses and Gateways', () => {
    const asked = askedFor({ ingresses: [ingress], gateways: [gateway], certManager });
    expect(asked.map(({ certificate, by }) => [by, certificate.spec.dnsNames])).toEqual([
      [{ kind: 'Ingress', name: 'ui' }, ['a.org']],
      [{ kind: 'Gateway', name: 'gate' }, ['b.org']],
    ]);
  });

  it('is told where Gateways count and cannot be seen', () => {
    expect(unseenGateways({ gateways: undefined, certManager })).toHaveLength(1);
    expect(unseenGateways({ gateways: [], certManager })).toEqual([]);
    const settings = controllerSettings({}, 'cert-manager', undefined);
    expect(unseenGateways({ gateways: undefined, certManager: { ...certManager, settings } })).toEqual([]);
  });
});

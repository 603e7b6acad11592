import { gatewayAsIngress } from '../certificates/gateway-shim.js';
import { shimCertificates } from '../certificates/ingress-shim.js';
import type { Certificate } from '../certificates/model.js';
import { rulesVersion } from './cert-manager.js';
import type { Observation } from './observation.js';

/** A Certificate that an Ingress or Gateway asks for. */
export interface Asked {
  certificate: Certificate;
  by: { kind: 'Ingress' | 'Gateway'; name: string };
}

type Asking = Pick<Observation, 'ingresses' | 'gateways' | 'certManager'>;

/**
 * The Certificates that cert-manager's shims make, or have made, for live Ingresses and Gateways: the one answer to who asks.
 *
 * @param version of cert-manager whose rules count
 */
export function askedFor(
  { ingresses, gateways = [], certManager }: Asking,
  version = rulesVersion(certManager),
): Asked[] {
  const options = { ...certManager.settings.shim, certManagerVersion: version };
  const asking = [...ingresses, ...gateways.map((gateway) => gatewayAsIngress(gateway, version))];
  return asking.flatMap((one) => {
    const kind = one.kind === 'Gateway' ? 'Gateway' : 'Ingress';
    const by = { kind, name: one.metadata.name } as const;
    return shimCertificates(one, options).certificates.map((certificate) => ({ certificate, by }));
  });
}

/** What to know where Gateways may ask and cannot be seen. */
export function unseenGateways({ gateways, certManager }: Pick<Observation, 'gateways' | 'certManager'>): string[] {
  return gateways === undefined && certManager.settings.shim.gateways === true
    ? [
        'cert-manager makes Certificates for Gateways, and the credentials may not list them: what a Gateway asks for is known only where its Certificate is there. Run `init --accounts` again, or grant list on gateways.gateway.networking.k8s.io',
      ]
    : [];
}

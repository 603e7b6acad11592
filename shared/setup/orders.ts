import { type CertificateForecast, isCounted } from '../backup/restore-plan.js';
import type { CertificateRecord } from '../backup/snapshot.js';
import { burst } from '../certificates/budget.js';
import { keyOf } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { platformNamespaces } from '../platform/resources.js';
import type { Hosts } from '../profile/values.js';
import type { SetupCase } from './mode.js';

/** How many orders may follow: a number, or as many as a first install needs. */
export type OrderLimit = 'auto' | number;

/** The two public Certificates that the installer brings about, whether they are there yet or not. */
export function installerCertificates(hosts: Hosts, issuer: string): CertificateRecord[] {
  const issuerRef = { name: issuer, kind: 'ClusterIssuer' };
  return [
    {
      metadata: { namespace: platformNamespaces.registry, name: 'registry-cert' },
      spec: { secretName: 'registry-tls', dnsNames: [hosts.registry, hosts.mcp], issuerRef },
      origin: 'explicit',
      acme: true,
    },
    {
      metadata: { namespace: platformNamespaces.sentinel, name: 'mcp-sentinel-platform-tls' },
      spec: {
        secretName: 'mcp-sentinel-platform-tls',
        dnsNames: [hosts.platform],
        issuerRef,
        usages: ['digital signature', 'key encipherment'],
      },
      origin: 'shim',
      acme: true,
    },
  ];
}

/** The certificates that would be ordered from an ACME server, where an order counts, and that nothing else brings about. */
export function ordering(certificates: readonly CertificateForecast[]): CertificateForecast[] {
  return certificates.filter(isCounted);
}

/**
 * Refuses when more orders would follow than are allowed, or one that the CA would refuse. A first install without a
 * backup needs those of the installer; whoever gives a number has decided.
 *
 * @returns how many orders are allowed
 * @throws McprtError `setup-orders`, `setup-budget`
 */
export function checkOrders(
  certificates: readonly CertificateForecast[],
  limit: OrderLimit,
  { found, hasBackup, issuer, hosts }: { found: SetupCase; hasBackup: boolean; issuer: string; hosts: Hosts },
): number {
  const due = ordering(certificates);
  const own = new Set(installerCertificates(hosts, issuer).map(({ metadata }) => keyOf(metadata)));
  const isFirst = found === 'first-install' || found === 'first-install-resumed';
  const needed = isFirst && !hasBackup ? due.filter((one) => own.has(keyOf(one))).length : 0;
  const allowed = limit === 'auto' ? needed : limit;
  const lines = due.map(
    (one) => `${one.namespace}/${one.name} (${one.identifiers.join(', ')}): ${one.reason}: ${one.message}`,
  );
  if (due.length > allowed) {
    throw new McprtError('setup-orders', {
      what: `setup would lead to ${due.length} certificate order${due.length === 1 ? '' : 's'}, and ${allowed === 0 ? 'none is' : `${allowed} are`} allowed`,
      why: lines.join('\n'),
      next: hasBackup
        ? `the backup does not hold them: if these orders are wanted, set \`max-orders: ${due.length}\``
        : `give \`restore-key\` and the stores of a backup that holds them; if these orders are wanted, set \`max-orders: ${due.length}\``,
    });
  }
  const spent = due.filter(({ budget }) => budget?.left === 0);
  if (limit === 'auto' && spent.length > 0) {
    throw new McprtError('setup-budget', {
      what: 'Let’s Encrypt would refuse an order that setup leads to',
      why: spent
        .map(
          (one) =>
            `${one.identifiers.join(', ')}: ${one.budget?.used} of ${burst} certificates in 7 days; the next is possible at ${one.budget?.nextRefill?.toISOString()}`,
        )
        .join('\n'),
      next: `wait until then, or restore a backup that holds the certificate; to try all the same, set \`max-orders: ${due.length}\``,
    });
  }
  return allowed;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../lab/driver/until.js';
import { certificateOf } from '../../lab/platform/resources.js';
import { at, textAt } from '../../shared/cluster/fields.js';
import { kinds } from '../../shared/cluster/objects.js';
import type { Topic } from './case.js';
import { freezeCertManager } from './freeze.js';
import { hosts, issuer, privateIssuer, refs } from './names.js';
import { deleteQuietly, mustGet, type Site } from './site.js';

const day = 24 * 3600_000;
const own = { namespace: 'mcp-servers', name: 'shop' };
const frozen = 'a controller that hangs: its process is stopped';

/** Certificates: owners, names, lifetime, failed orders. */
export const certificates: Topic = {
  topic: 'certificates',
  cases: [
    {
      name: 'no Certificate is for two of the public names',
      code: 'certificate-missing',
      evidence: /an Ingress serves registry\.example\.com.*no Certificate/s,
      remedy: /run setup/,
      make: (site) => site.remove(kinds.certificate, { namespace: 'registry', name: 'registry-cert' }),
    },
    {
      name: 'a second Certificate claims registry-tls',
      code: 'certificate-stale-owner',
      evidence: /Certificate registry\/registry-cert of .*\n?.*Certificate registry\/registry-tls of/s,
      remedy: /^`kubectl delete certificate registry-tls -n registry`$/,
      small: true,
      bundle: true,
      make: (site) => addStaleOwner(site),
    },
    {
      name: 'the profile has another host for MCP than the Certificate',
      code: 'certificate-names',
      evidence: /dnsNames: registry\.example\.com, mcp\.example\.com\nthe profile: .*gateway\.example\.com/,
      remedy: /max-orders: 1/,
      make: async (site) =>
        site.lookWith({
          profile: { MCP_MCP_INGRESS_HOST: 'gateway.example.com' },
          resolve: [
            `gateway.example.com:80=127.0.0.1:${site.front.httpPort}`,
            `gateway.example.com:443=127.0.0.1:${site.front.httpsPort}`,
          ],
        }),
    },
    {
      name: 'the CA refuses an order for a name that no name may be',
      code: 'order-failed',
      evidence: /Order mcp-servers\/shop-1-\d+ is errored: .*illegal character/,
      remedy: /kubectl describe order -n mcp-servers/,
      follows: ['certificate-backoff'],
      make: (site) => orderBadName(site),
    },
    {
      name: 'cert-manager holds back after an order that nobody finds any more',
      code: 'certificate-backoff',
      evidence: /Issuing=False Failed/,
      remedy: /cmctl renew -n mcp-servers shop/,
      make: async (site) => {
        await orderBadName(site);
        await untilHeldBack(site);
        const { items } = await site.cluster.list(kinds.order, { namespace: own.namespace });
        await Promise.all(items.map(({ metadata }) => site.cluster.delete(kinds.order, metadata)));
      },
    },
    {
      name: 'a certificate has expired',
      code: 'certificate-expired',
      evidence: /notAfter: \d{4}/,
      standIn: frozen,
      make: async (site) => {
        await addShort(site);
        await untilNotAfter(site);
        await freezeCertManager(site);
        await sleep(Math.max(0, (await notAfter(site)) - Date.now() + 1000));
      },
    },
    {
      name: 'a renewal is overdue',
      code: 'certificate-expiring',
      severity: 'warning',
      evidence: /renewalTime: \d{4}/,
      standIn: `${frozen}; the dates in the Certificate’s status are set back`,
      make: async (site) => {
        await freezeCertManager(site);
        const date = (days: number): string => new Date(Date.now() + days * day).toISOString().replace(/\.\d+/, '');
        await site.set(kinds.certificate, refs.platformTls, ['status', 'renewalTime'], date(-3), 'status');
        await site.set(kinds.certificate, refs.platformTls, ['status', 'notAfter'], date(9), 'status');
      },
    },
    {
      name: 'a Certificate that nobody looks at',
      code: 'certificate-not-ready',
      evidence: /Ready: no such condition yet/,
      standIn: frozen,
      make: async (site) => {
        await freezeCertManager(site);
        await addOwn(site, { dnsNames: ['shop.mcp-servers.svc'], issuer: privateIssuer });
      },
    },
  ],
};

/** What an older ingress-shim made of the registry's Ingress, and nobody has deleted. */
export async function addStaleOwner(site: Site): Promise<void> {
  const spec = { secretName: 'registry-tls', dnsNames: [hosts.registry, hosts.mcp], issuer };
  await site.add(kinds.certificate, certificateOf('registry', 'registry-tls', spec));
}

async function addOwn(
  site: Site,
  spec: { dnsNames: string[]; issuer: string; [field: string]: unknown },
): Promise<void> {
  site.mendWith(() => deleteQuietly(site.cluster, kinds.secret, own));
  await site.add(kinds.certificate, certificateOf(own.namespace, own.name, { secretName: own.name, ...spec }));
}

function orderBadName(site: Site): Promise<void> {
  return addOwn(site, { dnsNames: ['under_score.example.com'], issuer });
}

/** The shortest life that leaves time to look: cert-manager renews it until it hangs. */
function addShort(site: Site): Promise<void> {
  const times = { duration: '10s', renewBefore: '2s' };
  return addOwn(site, { dnsNames: ['shop.mcp-servers.svc'], issuer: privateIssuer, ...times });
}

async function notAfter({ cluster }: Site): Promise<number> {
  return Date.parse(textAt(await mustGet(cluster, kinds.certificate, own), 'status', 'notAfter'));
}

async function untilNotAfter(site: Site): Promise<void> {
  await until('the short-lived certificate', async () => !Number.isNaN(await notAfter(site)));
}

async function untilHeldBack(site: Site): Promise<void> {
  await until('cert-manager to hold back', async () => {
    const found = await mustGet(site.cluster, kinds.certificate, own);
    return at(found, 'status', 'lastFailureTime') !== undefined;
  });
}

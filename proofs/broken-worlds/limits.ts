import { setLimit } from '../../lab/driver/meter.js';
import { until } from '../../lab/driver/until.js';
import { at, isTrue, recordsAt, textAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { writeAnchor } from '../../shared/facts/anchor.js';
import { mustWork } from '../support/runs.js';
import type { Topic } from './case.js';
import { refs } from './names.js';
import { mustGet, type Site } from './site.js';

const certificate = refs.platformTls;

/** Let's Encrypt's limits, really used up at the lab's ACME server. */
export const limits: Topic = {
  topic: 'limits',
  cases: [
    {
      name: 'five certificates a week are used up, by the ledger',
      code: 'budget-exhausted',
      severity: 'warning',
      evidence: /./,
      small: true,
      make: async (site) => {
        const at = new Date(Date.now() - 3600_000).toISOString();
        const ledger = [1, 2, 3, 4, 5].map((serial) => ({
          identifiers: ['platform.example.com'],
          serial: `a${serial}`,
          at,
        }));
        const anchor = { namespace: 'kube-system', name: 'mcprt-anchor' };
        site.mendWith(async () => void (await site.cluster.delete(kinds.configMap, anchor)));
        await writeAnchor(site.cluster, {
          generation: 1,
          statement: '0'.repeat(64),
          inventory: [],
          ledger,
          content: '',
        });
      },
    },
    {
      name: 'the Secret was lost six times in a week',
      code: 'rate-limited',
      evidence: /429 urn:ietf:params:acme:error:rateLimited: too many certificates \(5\)/,
      remedy: /if a backup holds this certificate, restore it.*wait until \d{4}/,
      follows: ['certificate-backoff', 'tls-default-certificate'],
      bundle: true,
      make: async (site) => {
        await useUp(site);
        site.mendWith(() => renewAtOnce(site));
      },
    },
    {
      name: 'the same, and a backup holds it',
      code: 'rate-limited',
      evidence: /rateLimited/,
      remedy: /restore it instead: generation 1 of .* in directory/,
      make: async (site) => {
        const backup = await site.backup('backup');
        const generation = Number(backup.outputs.generation);
        await useUp(site);
        site.mendWith(async () => {
          mustWork('the restore', await site.backup('restore'));
        });
        site.lookWith({ backup: { generation, createdAt: new Date().toISOString(), store: 'directory' } });
      },
    },
  ],
};

/** Loses the Secret again and again until the ACME server refuses the next order. */
async function useUp(site: Site): Promise<void> {
  const { cluster } = site;
  const { control } = site.state.acme;
  site.mendWith(() => setLimit(control, false));
  await setLimit(control, true);
  let isUsedUp = false;
  while (!isUsedUp) {
    const revision = await revisionOf(site);
    await cluster.delete(kinds.secret, certificate);
    await until('an answer of the ACME server', async () => {
      isUsedUp = await isRefused(site);
      return isUsedUp || (await revisionOf(site)) > revision;
    });
  }
}

async function revisionOf({ cluster }: Site): Promise<number> {
  const found = await mustGet(cluster, kinds.certificate, certificate);
  return isTrue(found, 'Ready') && !isTrue(found, 'Issuing') ? Number(at(found, 'status', 'revision') ?? 0) : 0;
}

/** Whether the newest order was refused, and cert-manager has given up on it. */
async function isRefused({ cluster }: Site): Promise<boolean> {
  const found = await mustGet(cluster, kinds.certificate, certificate);
  const { items } = await cluster.list(kinds.order, { namespace: certificate.namespace });
  const refused = items.some((order: KubeObject) => /rateLimited/.test(textAt(order, 'status', 'reason')));
  return refused && at(found, 'status', 'lastFailureTime') !== undefined && !isTrue(found, 'Ready');
}

/** What `cmctl renew` does: it asks cert-manager to issue now, whatever failed before. */
async function renewAtOnce({ cluster }: Site): Promise<void> {
  const found = await mustGet(cluster, kinds.certificate, certificate);
  const others = recordsAt(found, 'status', 'conditions').filter(({ type }) => type !== 'Issuing');
  const issuing = {
    type: 'Issuing',
    status: 'True',
    reason: 'ManuallyTriggered',
    message: 'Certificate re-issuance manually triggered',
    lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
  };
  const value = [...others, issuing];
  await cluster.patch(kinds.certificate, certificate, [{ op: 'add', path: '/status/conditions', value }], 'status');
}

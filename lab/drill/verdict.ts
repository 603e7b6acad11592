import type { DrilledCertificate } from './judge.js';
import type { Recovery } from './recovery.js';
import type { Restored } from './restore.js';
import { type DrillFinding, type DrillResult, resultSchema } from './result.js';
import type { OpenedBackup } from './sealed.js';

export interface Drilled {
  backup: Pick<OpenedBackup, 'name' | 'context'>;
  restored: Restored;
  recovery: Pick<Recovery, 'issuers' | 'seconds'>;
  certificates: DrilledCertificate[];
  orders: number;
  /** cert-manager's, in the lab. */
  version: string;
  now: Date;
  /** What the API server did not take of a backup that the restore had refused. */
  notTaken: string[];
}

const mend = 'fix it in the cluster, as the lines of each certificate say, then back up, and drill again';

/** Sums a drill up: all is well when nothing is issued anew and everything is Ready. Pure. */
export function resultOf(drilled: Drilled): DrillResult {
  const { backup, restored, recovery, certificates, orders, version, now, notTaken } = drilled;
  const { context, name } = backup;
  const { certManager, certificates: ready } = recovery.seconds;
  const acme = new Set(certificates.filter((one) => one.acme).map((one) => `${one.namespace}/${one.name}`));
  const refused = [
    ...restored.objects.filter(({ action }) => action === 'refuse').map((one) => `${one.subject}: ${one.reason}`),
    ...notTaken,
  ];
  const findings = findingsOf(drilled, refused);
  return {
    schema: resultSchema,
    ok: findings.length === 0,
    findings,
    domain: context.domain,
    generation: context.generation,
    name,
    fingerprint: context.fingerprint,
    createdAt: context.createdAt,
    age: Math.max(0, Math.round((now.getTime() - Date.parse(context.createdAt)) / 1000)),
    orders,
    reissued: certificates.filter(({ outcome }) => outcome === 'reissued').length,
    forecast: {
      orders: restored.forecast.filter((one) => one.verdict === 'order' && acme.has(`${one.namespace}/${one.name}`))
        .length,
    },
    counts: {
      certificates: certificates.length,
      kept: certificates.filter(({ outcome }) => outcome === 'kept').length,
      secrets: context.inventory.secrets,
      namespaces: context.inventory.namespaces,
    },
    seconds: {
      restore: tenths(restored.seconds),
      certManager: tenths(certManager),
      certificates: tenths(ready),
      total: tenths(restored.seconds + certManager + ready),
    },
    versions: { backup: context.certManager, lab: version },
    certificates,
    issuers: recovery.issuers,
    refused,
  };
}

function findingsOf({ certificates, orders, restored, backup, version }: Drilled, refused: string[]): DrillFinding[] {
  const findings: DrillFinding[] = [];
  const told = (chosen: readonly DrilledCertificate[]): string =>
    chosen.map((one) => `${one.namespace}/${one.name}: ${one.reason}: ${one.message}`).join('\n');
  if (restored.isRefused) {
    findings.push({
      code: 'drill-refused',
      what: `a restore refuses this backup for ${count(refused.length, 'object')}, and writes nothing`,
      why: refused.join('\n'),
      next: mend,
    });
  }
  if (certificates.length === 0) {
    findings.push({
      code: 'drill-empty',
      what: 'the backup holds no Certificate, so there is nothing to drill',
      why: 'it was made of a cluster without any, by a job that allows `nothing-to-back-up`',
      next: 'back up a cluster with the platform on it, and drill again',
    });
  }
  const isIssued = ({ outcome }: DrilledCertificate): boolean => outcome === 'ordered' || outcome === 'reissued';
  const issued = certificates.filter((one) => isIssued(one) && !one.isExcused);
  const excused = certificates.filter((one) => one.outcome === 'ordered' && one.isExcused).length;
  if (issued.length > 0 || orders > excused) {
    const own = issued.filter(({ acme }) => !acme).length;
    findings.push({
      code: 'drill-orders',
      what: `after a restore of this backup ${count(issued.length - own, 'certificate')} would be ordered${own === 0 ? '' : `, and ${own} reissued by other issuers`}`,
      why: told(issued) || `the lab’s ACME server counted ${count(orders, 'order')}, and no Certificate tells for what`,
      next: issued.length > 0 ? mend : 'report this with the drill’s result: it should not be possible',
    });
  }
  const waiting = certificates.filter(({ outcome, isExcused }) => outcome === 'not-ready' && !isExcused);
  if (waiting.length > 0) {
    findings.push({
      code: 'drill-not-ready',
      what: `${count(waiting.length, 'certificate')} would not be Ready after a restore`,
      why: told(waiting),
      next: mend,
    });
  }
  const surprising = certificates.filter(({ disagreement }) => disagreement !== '');
  if (surprising.length > 0) {
    const { certManager } = backup.context;
    findings.push({
      code: 'drill-forecast',
      what: `the restore’s forecast was wrong for ${count(surprising.length, 'certificate')}`,
      why: surprising.map((one) => `${one.namespace}/${one.name}: ${one.disagreement}`).join('\n'),
      next: isSameVersion(certManager, version)
        ? 'report this with the drill’s result: the forecast is held to be what cert-manager does'
        : `the forecast is for cert-manager ${certManager}, and the lab runs ${version}: what changed between them may be the cause`,
    });
  }
  return findings;
}

/** With and without the `v`: both are in use. A backup that was made without cert-manager has no version. */
export function isSameVersion(recorded: string, lab: string): boolean {
  return recorded === '' || recorded.replace(/^v/, '') === lab.replace(/^v/, '');
}

/** `1 certificate`, `2 certificates`. */
export function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

function tenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

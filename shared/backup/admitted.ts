import pMap from 'p-map';
import { ApiError } from '../cluster/api-error.js';
import type { Cluster } from '../cluster/cluster.js';
import { McprtError } from '../errors.js';
import { hasRole } from '../facts/roles.js';
import { asSecret, type LiveSecret } from '../facts/secrets.js';
import { write } from './apply.js';
import type { PlanLine } from './restore-plan.js';

/** Questions in all, and at a time. */
const [most, width] = [48, 16];

/**
 * Asks whether policies and webhooks let through what a plan writes, by dry runs of one object of each type in each namespace:
 * one that refuses would stop a restore in its middle. What keeps the question itself from an answer is met by the write.
 *
 * @param lines of a plan
 * @param isThere whether a namespace is there: in one that is not, nothing can be asked
 * @throws McprtError of the refusal, by which nothing was written
 */
export async function requireAdmitted(
  cluster: Cluster,
  lines: readonly PlanLine[],
  { live, isThere }: { live: (line: PlanLine) => LiveSecret | undefined; isThere: (namespace: string) => boolean },
  signal: AbortSignal,
): Promise<void> {
  const asked = lines.filter(
    ({ action, item }) =>
      ['create', 'replace'].includes(action) &&
      !hasRole(item, 'namespace') &&
      isThere(item.object.metadata.namespace ?? ''),
  );
  const alike = Map.groupBy(asked, ({ action, item: { object } }) =>
    [action, object.kind, object.metadata.namespace, asSecret(object).type].join(' '),
  );
  const samples = [...alike.values()].flatMap(([first]) => first ?? []).slice(0, most);
  await pMap(
    samples,
    async (line) => {
      const refusal = await write(cluster, line, line, live(line), { dryRun: true }).then(() => undefined, refusalOf);
      if (refusal === undefined) return;
      throw new McprtError(refusal.code, {
        what: `${line.subject} would be refused: ${refusal.message}`,
        why: refusal.why,
        next: `no Secret was written; ${refusal.next}`,
        cause: refusal,
      });
    },
    { concurrency: width, signal },
  );
}

function refusalOf(error: unknown): ApiError | undefined {
  if (!(error instanceof ApiError)) return undefined;
  // Somebody was faster, or it is busy; or a webhook that can be asked in earnest only.
  const isNone = [404, 409, 429].includes(error.status) || error.detail.includes('does not support dry run');
  const isOfWebhook = error.code.startsWith('cluster-webhook-');
  return !isNone && (error.status < 500 || isOfWebhook) ? error : undefined;
}

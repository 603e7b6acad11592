import type { Cluster } from '../cluster/cluster.js';
import { keyOf, kinds } from '../cluster/objects.js';
import { messageOf } from '../errors.js';
import { inventoryNames, writeAnchor } from '../facts/anchor.js';
import type { Observation } from '../facts/observation.js';
import { kindOf } from '../facts/roles.js';
import type { Ports } from './ports.js';
import type { RestorePlan } from './restore-plan.js';
import { mergedLedger, type Snapshot } from './snapshot.js';

/** A backup that is restored, and what is done with each of its objects. */
interface Restored {
  generation: number;
  /** SHA-256 of its statement. */
  statement: string;
  snapshot: Pick<Snapshot, 'ledger'>;
  plan: Pick<RestorePlan, 'lines'>;
}

/**
 * Has a cluster that knows no backup as new as the one that is restored remember it, before anything is written: a backup that
 * is made before setup has made again what asks for these Secrets would leave them out, and take the place of this one.
 */
export async function rememberRestored(
  cluster: Cluster,
  { anchor, now }: Pick<Observation, 'anchor' | 'now'>,
  { generation, statement, snapshot, plan }: Restored,
  { warn }: Pick<Ports, 'warn'>,
): Promise<void> {
  if (anchor !== undefined && anchor.generation >= generation) return;
  const secrets = plan.lines
    .filter(({ item, action }) => kindOf(item) === kinds.secret && action !== 'refuse')
    .map(({ item }) => keyOf(item.object.metadata));
  const ledger = mergedLedger([...(anchor?.ledger ?? []), ...snapshot.ledger], now);
  const remembered = { generation, statement, inventory: inventoryNames(secrets), ledger, content: '' };
  await writeAnchor(cluster, remembered).catch((error: unknown) => {
    warn(
      `the cluster cannot remember which backup is restored, so that one that is made before setup has run may hold less: ${messageOf(error)}`,
    );
  });
}

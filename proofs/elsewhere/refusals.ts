import { kinds } from '../../shared/cluster/objects.js';
import type { Findings } from '../support/findings.js';
import type { Inputs } from '../world/actions.js';
import type { World } from '../world/world.js';
import { certified } from './objects.js';

const stuck = { namespace: 'blog', name: 'stuck' };

/** What is refused on a cluster without MCP Runtime, where every Certificate counts; nothing is stored or changed. */
export async function tryRefusals(findings: Findings, world: World, inputs: Inputs): Promise<void> {
  const { cluster, backup } = world;
  const [certificate] = certified(stuck.namespace, stuck.name, { name: 'nowhere', kind: 'Issuer' });
  if (certificate === undefined) throw new Error('there is a Certificate');
  await cluster.create(kinds.certificate, certificate);
  findings.expectRefused('a backup without one of its certificates', 'backup-refused', await backup('backup', inputs));
  await cluster.delete(kinds.certificate, stuck);
  findings.expectRefused('a backup without a name', 'input-invalid', await backup('backup', { ...inputs, domain: '' }));
  const wipe = { ...inputs, confirm: inputs.domain ?? '' };
  findings.expectRefused('a wipe', 'input-invalid', await backup('wipe', wipe));
  const listed = await backup('list', inputs);
  findings.expectSame('what is stored', JSON.parse(listed.outputs.backups ?? '{}').backups, []);
}

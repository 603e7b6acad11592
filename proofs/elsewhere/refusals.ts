import { until } from '../../lab/driver/until.js';
import { applier } from '../../lab/platform/cert-manager.js';
import { opaque } from '../../shared/backup/testing/scene.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { kinds } from '../../shared/cluster/objects.js';
import { brakeOf } from '../support/brake.js';
import type { Findings } from '../support/findings.js';
import { said } from '../support/runs.js';
import type { Inputs } from '../world/actions.js';
import type { World } from '../world/world.js';
import { certified } from './objects.js';

/**
 * A policy lets no Secret of some namespaces through: a restore says so before it writes one, where those namespaces are lost, and
 * where they are there, where it changes nothing at all.
 */
export async function refusedByPolicy(
  findings: Findings,
  { cluster, backup }: World,
  inputs: Inputs,
  { homes, message }: { homes: readonly string[]; message: string },
): Promise<void> {
  const name = 'no-secrets';
  const rule = { apiGroups: [''], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: ['secrets'] };
  const apply = applier(cluster);
  const expression = `!(object.metadata.namespace in ${JSON.stringify([...homes, 'default'])})`;
  const spec = {
    failurePolicy: 'Fail',
    matchConstraints: { resourceRules: [rule] },
    validations: [{ expression, message }],
  };
  await apply(kinds.admissionPolicy, objectOf(kinds.admissionPolicy, { metadata: { name }, spec }));
  const binding = { metadata: { name }, spec: { policyName: name, validationActions: ['Deny'] } };
  await apply(kinds.admissionPolicyBinding, objectOf(kinds.admissionPolicyBinding, binding));
  const probe = opaque('default', 'probe', { a: 'b' });
  await until('the policy to count', async () =>
    cluster.create(kinds.secret, probe, { dryRun: true }).then(
      () => false,
      () => true,
    ),
  );
  // What the first one has made are namespaces: the next one takes the brake over, and off.
  for (const brakeLeft of [2, 0]) {
    const run = await backup('restore', inputs);
    findings.expectRefused('a restore that a policy refuses', /^cluster-(?:invalid|forbidden|refused)$/, run);
    findings.expect(said(run).includes(message), 'the refusal does not say why', run);
    const lists = await Promise.all(homes.map((namespace) => cluster.list(kinds.secret, { namespace })));
    findings.expectSame('Secrets after a refusal', lists.flatMap(({ items }) => items).length, 0);
    findings.expectSame('what is left of the brake', (await brakeOf(cluster)).length, brakeLeft);
  }
  await cluster.delete(kinds.admissionPolicyBinding, { name });
  await cluster.delete(kinds.admissionPolicy, { name });
  await until('the policy to count no more', async () =>
    cluster.create(kinds.secret, probe, { dryRun: true }).then(
      () => true,
      () => false,
    ),
  );
}

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

import { namespaces } from '../../lab/platform/names.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { isRecord, parsedJson } from '../../shared/json.js';
import { type Rig, scaleCertManager, tlsSecrets } from '../rig.js';
import type { PlayedWorkflow, Repository } from './repository.js';
import { type Expected, play, type Stage } from './stage.js';

const planned = ['list@mcprt-backup', 'plan@mcprt-restore'];
const whole = [...planned, 'restore@mcprt-restore'];
const given = { operation: 'restore', generation: '', name: '', 'from-cluster': '', 'from-repository': '', allow: '' };

/** What is lost while cert-manager stands still, as after a rate limit: a certificate and the platform's own Secret. */
const lost = [
  { namespace: namespaces.registry, name: 'registry-tls' },
  { namespace: namespaces.sentinel, name: 'mcp-sentinel-secrets' },
];

/**
 * Restores by hand: what was lost, from the artifact as the cache has no entry any more; a generation that is named; a plan
 * alone; and an approval that is overtaken.
 */
export async function restores(stage: Stage, rig: Rig, repository: Repository): Promise<PlayedWorkflow[]> {
  const { problems, context } = stage;
  const { cluster } = rig;
  const { github } = repository;
  const runs: PlayedWorkflow[] = [];
  const run = async (scene: string, change: Partial<typeof given>, expected: Omit<Expected, 'event'>) => {
    const payload = { inputs: { ...given, 'max-orders': '0', ...change } };
    const options = { event: 'workflow_dispatch', payload, ...expected };
    const played = await play(stage, repository, scene, 'restore.yml', options);
    runs.push(played);
    return played;
  };
  const secrets = async (): Promise<string> => {
    const own = await Promise.all(lost.map((ref) => cluster.get<KubeObject & { data?: unknown }>(kinds.secret, ref)));
    return JSON.stringify([[...(await tlsSecrets(cluster))].sort(), own.map((one) => one?.data)]);
  };
  const before = await secrets();
  const isWhole = async (scene: string): Promise<void> => {
    if ((await secrets()) !== before) problems.push(`${scene}: other Secrets than before`);
  };

  const newest =
    github
      .cacheEntries()
      .map(({ key }) => key)
      .sort()
      .at(-1) ?? '';
  for (const { key } of github.cacheEntries()) github.evict(key);
  await scaleCertManager(cluster, 0);
  for (const ref of lost) await cluster.delete(kinds.secret, ref);
  const first = await run('restored from the artifact', {}, { jobs: whole });
  if (first.outputs.stores !== 'artifact' || first.outputs.orders !== '0') {
    problems.push(`restored from ${first.outputs.stores} with ${first.outputs.orders} orders`);
  }
  await isWhole('restored from the artifact');
  await scaleCertManager(cluster, 1);
  const listed = parsedJson(first.outputs.backups ?? '');
  const backups = isRecord(listed) && Array.isArray(listed.backups) ? listed.backups.filter(isRecord) : [];
  const [latest = {}, older = {}] = backups;
  if (latest.name !== newest || first.outputs.name !== newest) problems.push(`${newest} is not the first of the list`);

  const generation = String(older.generation);
  const second = await run('a generation that is named', { generation }, { jobs: whole });
  if (second.outputs.name !== older.name || second.outputs.orders !== '0') {
    problems.push(`generation ${generation}: ${second.outputs.name} with ${second.outputs.orders} orders`);
  }
  await isWhole('a generation that is named');

  // Whoever lets the second job start has seen a plan: what has moved since is not what was approved.
  const [, own] = lost;
  const approvals: string[] = [];
  await run(
    'somebody changes the cluster meanwhile',
    {},
    {
      jobs: whole,
      fails: /restore-plan-moved/,
      review: async (environment) => {
        approvals.push(environment);
        if (approvals.length === 2 && own) await cluster.delete(kinds.secret, own);
        return true;
      },
    },
  );
  if (approvals.join() !== 'mcprt-restore,mcprt-restore') problems.push(`approvals: ${approvals.join(', ')}`);
  if (own && (await cluster.get(kinds.secret, own)) !== undefined)
    problems.push('something else was restored than approved');
  await run('a plan of what is missing', { operation: 'plan' }, { jobs: planned });
  if (!context.small)
    await run('no such generation', { generation: '999' }, { jobs: planned, fails: /backup-missing/ });
  await run('restored again', {}, { jobs: whole });
  await isWhole('restored again');
  return runs;
}

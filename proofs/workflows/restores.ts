import { namespaces } from '../../lab/platform/names.js';
import { recordsAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { parsedJson } from '../../shared/json.js';
import { scaleCertManager, tlsSecrets } from '../world/installation.js';
import type { World } from '../world/world.js';
import { type Expected, play, type Story } from './play.js';
import type { Repository } from './repository.js';

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
export async function restores(story: Story, world: World, repository: Repository): Promise<void> {
  const { context } = story;
  const { cluster } = world;
  const { github } = repository;
  const run = (scene: string, change: Partial<typeof given>, expected: Omit<Expected, 'event'>) => {
    const payload = { inputs: { ...given, 'max-orders': '0', ...change } };
    return play(story, repository, scene, 'restore.yml', { event: 'workflow_dispatch', payload, ...expected });
  };
  const secrets = async (): Promise<string> => {
    const own = await Promise.all(lost.map((ref) => cluster.get<KubeObject & { data?: unknown }>(kinds.secret, ref)));
    return JSON.stringify([await tlsSecrets(cluster), own.map((one) => one?.data)]);
  };
  const before = await secrets();
  const isWhole = async (scene: string): Promise<void> => {
    context.expect((await secrets()) === before, `${scene}: other Secrets than before`);
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
  const { stores, orders, name } = first.outputs;
  context.expectSame('restored from, and orders', [stores, orders], ['artifact', '0']);
  await isWhole('restored from the artifact');
  await scaleCertManager(cluster, 1);
  const [latest = {}, older = {}] = recordsAt(parsedJson(first.outputs.backups ?? ''), 'backups');
  context.expectSame('the first of the list, and what was restored', [latest.name, name], [newest, newest]);

  const generation = String(older.generation);
  const second = await run('a generation that is named', { generation }, { jobs: whole });
  const seen = [second.outputs.name, second.outputs.orders];
  context.expectSame(`generation ${generation}, and orders`, seen, [older.name, '0']);
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
  context.expectSame('approvals', approvals, ['mcprt-restore', 'mcprt-restore']);
  const isLost = own && (await cluster.get(kinds.secret, own)) === undefined;
  context.expect(isLost ?? false, 'something else was restored than approved');
  await run('a plan of what is missing', { operation: 'plan' }, { jobs: planned });
  if (!context.small)
    await run('no such generation', { generation: '999' }, { jobs: planned, fails: /backup-missing/ });
  await run('restored again', {}, { jobs: whole });
  await isWhole('restored again');
}

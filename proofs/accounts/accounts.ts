import { environmentsOf } from '../../init/environments.js';
import type { LabState } from '../../lab/driver/lab.js';
import { grant, withToken } from '../../lab/driver/rbac.js';
import { found } from '../../lab/driver/until.js';
import { applyObject } from '../../lab/platform/objects.js';
import { secretNamesOf } from '../../shared/backup/secret-names.js';
import { ApiError } from '../../shared/cluster/api-error.js';
import { type Cluster, pathOf } from '../../shared/cluster/cluster.js';
import { loadCredentials } from '../../shared/cluster/credentials.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { openTransport, type Transport } from '../../shared/cluster/transport.js';
import { messageOf } from '../../shared/errors.js';
import { accountNamespace, accountOf, grants, type OperationName } from '../../shared/permissions/operations.js';
import { extended } from '../../shared/permissions/rule.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { inWorld, type World } from '../world/world.js';
import { called, exampleCalls } from './environments.js';
import { type Attempt, escalations } from './escalations.js';

/** In effect administrators, as their manifests say: an installer makes roles. They belong behind reviewers. */
const administrators: readonly OperationName[] = ['install', 'rollout-permissions'];
/** Reads and writes whatever Secret a backup holds, and no token of the cluster's. */
const readsAll: readonly OperationName[] = ['restore', ...administrators];

export const accounts: Proof = {
  name: 'accounts',
  claim:
    'each account tries each other one’s credentials, each Secret of the cluster and each way to more rights: refused, but for what its manifest says; who may more stands behind reviewers',
  run: (context) => inWorld(context, ['platform'], (world) => everyAttempt(context, world)),
};

async function everyAttempt(context: ProofContext, { cluster, state }: World) {
  const names = [...grants.keys()].filter((name) => grants.get(name)?.accounts.includes(accountOf(name)));
  await strangers(cluster);
  const secrets = await secretNamesOf(cluster);
  const tokens = new Map<OperationName, string>();
  for (const name of names) tokens.set(name, (await grant(state, cluster, [name])).token);
  await policyInForce(state, tokens.get('restore') ?? '');
  const figures = { accounts: names.length, credentials: 0, secrets: 0, escalations: 0 };
  for (const name of names) {
    const token = tokens.get(name) ?? '';
    const others = names.filter((other) => other !== name);
    figures.credentials += await credentialsOfOthers(context, state, { name, token, others });
    figures.secrets += await everySecret(context, { cluster, state }, { name, token, secrets });
    figures.escalations += await everyEscalation(context, state, { name, token });
    context.progress(`  ${name}: tried`);
  }
  for (const open of await unreviewed()) context.fail(open);
  return figures;
}

/** What others have in their clusters: a token of an administrator's in a Secret, as dashboards have it. */
async function strangers(cluster: Cluster): Promise<void> {
  const account = { namespace: accountNamespace, name: 'dashboard' };
  await applyObject(cluster, kinds.serviceAccount, { metadata: account }, { manager: 'lab' });
  await applyObject(
    cluster,
    kinds.clusterRoleBinding,
    {
      metadata: { name: 'dashboard' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    },
    { manager: 'lab' },
  );
  await applyObject(
    cluster,
    kinds.secret,
    {
      metadata: {
        namespace: accountNamespace,
        name: 'dashboard-token',
        annotations: { 'kubernetes.io/service-account.name': 'dashboard' },
      },
      type: 'kubernetes.io/service-account-token',
    },
    { manager: 'lab' },
  );
}

/** A policy is in force a moment after it was made. */
async function policyInForce(state: LabState, token: string): Promise<void> {
  const [attempt] = escalations.filter(({ name }) => name.startsWith('a Secret that the cluster fills'));
  if (attempt === undefined) throw new Error('there is no attempt that the policy refuses');
  await found(async () => (await attempted(state, token, attempt)) === 'refused', { seconds: 15 });
}

async function credentialsOfOthers(
  { expect }: ProofContext,
  state: LabState,
  { name, token, others }: { name: OperationName; token: string; others: readonly OperationName[] },
): Promise<number> {
  const attempts = others.flatMap((other): Attempt[] => {
    const account = accountOf(other);
    return [
      {
        name: `a token of ${account}`,
        method: 'POST',
        path: `/api/v1/namespaces/${accountNamespace}/serviceaccounts/${account}/token`,
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          metadata: { name: account, namespace: accountNamespace },
          spec: { expirationSeconds: 600 },
        },
      },
      {
        name: `to act as ${account}`,
        method: 'GET',
        path: '/api/v1/namespaces',
        headers: { 'impersonate-user': `system:serviceaccount:${accountNamespace}:${account}` },
      },
    ];
  });
  for (const attempt of attempts) {
    const answer = await attempted(state, token, attempt);
    expect(answer === 'refused', `${name} gets ${attempt.name}: ${answer}`);
  }
  return attempts.length;
}

/** Asks for each Secret of the cluster: those that the manifest names are given, and no other. */
async function everySecret(
  { expect }: ProofContext,
  { cluster, state }: Pick<World, 'cluster' | 'state'>,
  { name, token, secrets }: { name: OperationName; token: string; secrets: readonly string[] },
): Promise<number> {
  const rules = (grants.get(name)?.rules ?? []).map((rule) => extended(rule, secrets));
  const may = (ref: KubeObject['metadata']): boolean =>
    rules.some(
      ({ on, verbs, namespace, names }) =>
        on.plural === 'secrets' &&
        verbs.includes('get') &&
        (namespace === undefined || namespace === ref.namespace) &&
        (names === undefined || names.includes(ref.name)),
    );
  const { items } = await cluster.list(kinds.secret);
  for (const { metadata, type } of items) {
    const attempt: Attempt = { name: metadata.name, method: 'GET', path: pathOf(kinds.secret, metadata) };
    const answer = await attempted(state, token, attempt);
    const where = `${metadata.namespace}/${metadata.name}`;
    expect((answer === 'allowed') === may(metadata), `${name}: Secret ${where}: ${answer}`);
    if (answer !== 'allowed') continue;
    const isToken = type === 'kubernetes.io/service-account-token';
    expect(!isToken || readsAll.includes(name), `${name} reads the token ${where}`);
    expect(!name.endsWith('pull-request'), `${name} reads ${where}`);
  }
  return items.length;
}

async function everyEscalation(
  { expect }: ProofContext,
  state: LabState,
  { name, token }: { name: OperationName; token: string },
): Promise<number> {
  if (administrators.includes(name)) return 0;
  for (const attempt of escalations) {
    const answer = await attempted(state, token, attempt);
    expect(answer === 'refused', `${name}: ${attempt.name}: ${answer}`);
  }
  return escalations.length;
}

async function attempted(state: LabState, token: string, attempt: Attempt): Promise<string> {
  const credentials = await loadCredentials(await withToken(state, token), { trusted: false });
  const headers = { ...credentials.headers, ...attempt.headers };
  const transport: Transport = openTransport({ ...credentials, headers }, { userAgent: 'thief', deadline: 20_000 });
  try {
    await transport.call({
      method: attempt.method,
      path: attempt.path,
      ...(attempt.body === undefined ? {} : { body: JSON.stringify(attempt.body) }),
      ...(attempt.contentType === undefined ? {} : { contentType: attempt.contentType }),
    });
    return 'allowed';
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return 'refused';
    return `neither allowed nor refused: ${messageOf(error)}`;
  } finally {
    await transport.close();
  }
}

/** Environments in which more than its operation can be read or made, and whose jobs nobody lets start. */
async function unreviewed(): Promise<string[]> {
  const texts = await called();
  const open = [false, true].flatMap((installs) =>
    environmentsOf(exampleCalls(texts, installs)).filter(
      ({ operation, hasReviewers }) => operation !== undefined && readsAll.includes(operation) && !hasReviewers,
    ),
  );
  return open.map(({ name, operation }) => `${name} may ${operation}, and has no reviewers`);
}

import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import pRetry from 'p-retry';
import { parseDocument, stringify } from 'yaml';
import { ApiError } from '../../../shared/cluster/api-error.js';
import { type Cluster, isConflict, openCluster, pathOf } from '../../../shared/cluster/cluster.js';
import { loadCredentials } from '../../../shared/cluster/credentials.js';
import { type Kind, type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { openTransport } from '../../../shared/cluster/transport.js';
import { isRecord } from '../../../shared/json.js';
import { proxiesIn } from '../../../shared/proxy.js';
import { CliError } from './errors.js';

/** A cluster as the installer writes to it. */
export interface Client {
  cluster: Cluster;
  /** Looks an object up, gives it annotations and replaces it (PUT); again where a controller has written it in between. */
  annotate(
    kind: Kind,
    find: () => Promise<KubeObject>,
    change: (annotations: Annotations) => Annotations,
  ): Promise<void>;
  /** Creates, or merges into what is there and replaces it: lists are replaced, removed keys stay. */
  merge(kind: Kind, ...objects: KubeObject[]): Promise<void>;
  /**
   * Runs something in a pod as kubectl does: it asks by the GET of a WebSocket, for which the API server wants `create` as
   * well since 1.35, and in older versions by a POST. Both are asked, without an upgrade, and authorised for real. In a lab
   * without containers nothing can run: what is no refusal of an authorizer counts as done, which is a guess.
   *
   * @throws CliError in kubectl's words, when RBAC refuses
   */
  exec(pod: { namespace: string; name: string }, command: readonly string[]): Promise<void>;
  /** Reads a pod's log as kubectl does. @throws CliError when RBAC refuses; a pod that has none counts as silent, as above */
  logs(pod: { namespace: string; name: string }): Promise<void>;
  close(): Promise<void>;
}

type Annotations = Readonly<Record<string, string>>;

/** A controller may write a status between a look and a write: as with kubectl's patches, that is no failure. */
const untilNoConflict = (write: () => Promise<void>): Promise<void> =>
  pRetry(write, { retries: 5, minTimeout: 50, shouldRetry: ({ error }) => isConflict(error) });

const deadline = 60_000;
const inClusterFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Connects as the installer does: with KUBERNETES_SERVICE_HOST and _PORT set it believes to be in a pod and takes that
 * cluster, whatever the kubeconfig says.
 *
 * @throws CliError when there is no usable configuration; no call is made yet
 */
export async function openClient(kubeconfig: string, env: NodeJS.ProcessEnv): Promise<Client> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const text = host && port ? await inClusterConfig(host, port) : kubeconfig;
  if (!(host && port) && !existsSync(kubeconfig)) throw new CliError(`stat ${kubeconfig}: no such file or directory`);
  const transport = openTransport(await loadCredentials(text, { trusted: true }), {
    userAgent: 'mcp-runtime',
    deadline,
    proxies: proxiesIn(env),
  });
  const cluster = openCluster(transport);
  const put = async (kind: Kind, object: KubeObject): Promise<void> => {
    const path = `${pathOf(kind, object.metadata)}?fieldManager=mcp-runtime`;
    await transport.call({ method: 'PUT', path, body: JSON.stringify(object) });
  };
  const ask = async (method: 'GET' | 'POST', pod: { namespace: string; name: string }, rest: string): Promise<void> => {
    try {
      await transport.call({ method, path: `${pathOf(kinds.pod, pod)}/${rest}` });
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 403)) return;
      throw new CliError(`Error from server (Forbidden): ${error.detail}`);
    }
  };
  return {
    cluster,
    async annotate(kind, find, change) {
      await untilNoConflict(async () => {
        const found = await find();
        await put(kind, {
          ...found,
          metadata: { ...found.metadata, annotations: change(found.metadata.annotations ?? {}) },
        });
      });
    },
    async exec(pod, command) {
      const query = new URLSearchParams({ stdout: 'true' });
      for (const word of command) query.append('command', word);
      for (const method of ['GET', 'POST'] as const) await ask(method, pod, `exec?${query}`);
    },
    logs: (pod) => ask('GET', pod, 'log?sinceSeconds=600'),
    async merge(kind, ...objects) {
      const once = async (object: KubeObject): Promise<void> => {
        const found = await cluster.get<KubeObject>(kind, object.metadata);
        await (found === undefined ? cluster.create(kind, object) : put(kind, merged(found, object)));
      };
      for (const object of objects) await untilNoConflict(() => once(object));
    },
    close: () => cluster.close(),
  };
}

/** Where the first half of setup, and every other command, looks: the given path, else KUBECONFIG, else the home's. */
export function earlyKubeconfig(given: string, env: NodeJS.ProcessEnv): string {
  return given || env.KUBECONFIG || homeKubeconfig(env);
}

/** Where setup looks from step cluster on: KUBECONFIG of the caller counts for nothing. */
export function lateKubeconfig(given: string, env: NodeJS.ProcessEnv): string {
  return given || homeKubeconfig(env);
}

/** Edits the kubeconfig file, as `kubectl config use-context` does. @throws CliError for a context that it lacks */
export async function useContext(kubeconfig: string, context: string): Promise<void> {
  const document = parseDocument(await readFile(kubeconfig, 'utf8'));
  const config: unknown = document.toJS();
  const contexts = isRecord(config) && Array.isArray(config.contexts) ? config.contexts.filter(isRecord) : [];
  if (!contexts.some(({ name }) => name === context)) {
    throw new CliError(`no context exists with the name: "${context}"`);
  }
  document.set('current-context', context);
  await writeFile(kubeconfig, document.toString());
}

function homeKubeconfig(env: NodeJS.ProcessEnv): string {
  return join(env.HOME || homedir(), '.kube', 'config');
}

async function inClusterConfig(host: string, port: string): Promise<string> {
  const token = await readFile(join(inClusterFolder, 'token'), 'utf8').catch((error: Error) => {
    throw new CliError(`in-cluster configuration for ${host}:${port}: ${error.message}`);
  });
  const cluster = { server: `https://${host}:${port}`, 'certificate-authority': join(inClusterFolder, 'ca.crt') };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'in-cluster', cluster }],
    users: [{ name: 'in-cluster', user: { token } }],
    contexts: [{ name: 'in-cluster', context: { cluster: 'in-cluster', user: 'in-cluster' } }],
    'current-context': 'in-cluster',
  });
}

function merged<T>(live: T, wanted: unknown): T {
  if (!isRecord(live) || !isRecord(wanted)) return wanted as T;
  const result: Record<string, unknown> = { ...live };
  for (const [key, value] of Object.entries(wanted)) {
    result[key] = merged(live[key], value);
  }
  return result as T;
}

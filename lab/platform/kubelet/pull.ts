import { createHash } from 'node:crypto';
import type { Cluster } from '../../../shared/cluster/cluster.js';
import { at, recordsAt, textAt } from '../../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { parseReference } from '../../../shared/images/reference.js';
import { isRecord } from '../../../shared/json.js';

/** A registry as the nodes reach it by its public name. */
export interface NodeRegistry {
  /** Where it really is. */
  url: string;
  /** Whether what guards it lets a user in. */
  authorise(username: string, password: string): Promise<boolean>;
}

/** An image as a node has it. */
export interface PulledImage {
  digest: string;
  labels: Readonly<Record<string, string>>;
  architecture: string;
}

/** A pull that failed, in containerd's words. */
export class PullError extends Error {}

const accept = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/**
 * Pulls an image as containerd does for a kubelet: manifest and config are really fetched and their digests compared,
 * with the credentials of the pod's pull Secrets. Layers are left, as nothing of them is run. Images of other registries
 * count as there.
 *
 * @throws PullError
 */
export async function pull(
  cluster: Cluster,
  pod: KubeObject,
  image: string,
  registries: ReadonlyMap<string, NodeRegistry>,
): Promise<PulledImage> {
  const reference = parseReference(image);
  if (reference === undefined) throw new PullError(`couldn't parse image name "${image}": invalid reference format`);
  const registry = registries.get(reference.host);
  if (registry === undefined) {
    const digest = reference.digest || `sha256:${createHash('sha256').update(image).digest('hex')}`;
    return { digest, labels: {}, architecture: 'amd64' };
  }
  const { host, path, tag, digest } = reference;
  const wanted = digest || tag || 'latest';
  // The kubelet tells the code of an error only where it is a known one.
  const failed = (why: string, code = ''): PullError =>
    new PullError(
      `${code === '' ? '' : `rpc error: code = ${code} desc = `}failed to pull and unpack image "${image}": failed to resolve image: ${why}`,
    );
  const url = `https://${host}/v2/${path}/manifests/${wanted}`;
  const credentials = await credentialsFor(cluster, pod, host);
  if (!(await registry.authorise(credentials?.username ?? '', credentials?.password ?? ''))) {
    throw failed(
      credentials === undefined
        ? 'pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials'
        : `unexpected status from HEAD request to ${url}: 401 Unauthorized`,
    );
  }
  const get = async (part: string): Promise<Response> => {
    try {
      return await fetch(`${registry.url}/v2/${path}/${part}`, { headers: { accept } });
    } catch {
      throw failed(
        `failed to do request: Head "${url}": dial tcp ${new URL(registry.url).host}: connect: connection refused`,
      );
    }
  };
  const answer = await get(`manifests/${wanted}`);
  if (answer.status === 404) throw failed(`${image}: not found`, 'NotFound');
  if (!answer.ok) throw failed(`unexpected status from HEAD request to ${url}: ${answer.status} ${answer.statusText}`);
  const manifest = Buffer.from(await answer.arrayBuffer());
  const found = digestOf(manifest);
  if (digest !== '' && found !== digest) throw failed(`content digest ${found} does not match ${digest}`);
  const own = await ownImage(JSON.parse(manifest.toString()), get, image);
  const config: unknown = await (await get(`blobs/${textAt(own, 'config', 'digest')}`)).json();
  const labels = at(config, 'config', 'Labels');
  return {
    digest: found,
    labels: isRecord(labels)
      ? Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]))
      : {},
    architecture: textAt(config, 'architecture'),
  };
}

/** Of an image for several architectures the one for this node, which is amd64; any other image is its own. */
async function ownImage(manifest: unknown, get: (part: string) => Promise<Response>, image: string): Promise<unknown> {
  if (at(manifest, 'manifests') === undefined) return manifest;
  const found = recordsAt(manifest, 'manifests').find((one) => textAt(one, 'platform', 'architecture') === 'amd64');
  if (found === undefined) {
    throw new PullError(
      `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": no match for platform in manifest: not found`,
    );
  }
  return (await get(`manifests/${textAt(found, 'digest')}`)).json();
}

async function credentialsFor(
  cluster: Cluster,
  pod: KubeObject,
  host: string,
): Promise<{ username: string; password: string } | undefined> {
  const namespace = pod.metadata.namespace ?? '';
  for (const { name } of await pullSecretsOf(cluster, pod)) {
    const secret = await cluster.get<KubeObject>(kinds.secret, { namespace, name: String(name) });
    const text = Buffer.from(textAt(secret, 'data', '.dockerconfigjson'), 'base64').toString('utf8');
    const entry = at(text === '' ? {} : JSON.parse(text), 'auths', host);
    const [username = '', ...password] = Buffer.from(textAt(entry, 'auth'), 'base64').toString('utf8').split(':');
    if (isRecord(entry)) {
      return {
        username: textAt(entry, 'username') || username,
        password: textAt(entry, 'password') || password.join(':'),
      };
    }
  }
  return undefined;
}

/** A pod without pull Secrets gets its account's: admission's work, which the lab's API server does without. */
async function pullSecretsOf(cluster: Cluster, pod: KubeObject): Promise<Record<string, unknown>[]> {
  const own = recordsAt(pod, 'spec', 'imagePullSecrets');
  const account = textAt(pod, 'spec', 'serviceAccountName');
  if (own.length > 0 || account === '') return own;
  const ref = { namespace: pod.metadata.namespace ?? '', name: account };
  return recordsAt(await cluster.get<KubeObject>(kinds.serviceAccount, ref), 'imagePullSecrets');
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

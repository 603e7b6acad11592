import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { readAtMost } from '../bounded.js';
import { at, recordsAt, textAt } from '../cluster/fields.js';
import { McprtError, messageOf } from '../errors.js';
import { isRecord } from '../json.js';
import { isPassingProxy } from '../proxy-error.js';
import type { RegistryAnswer, RegistryRoute } from './route.js';

/** An image as the registry has it. */
export interface FoundImage {
  digest: string;
  /** Digests of the manifests in an index; empty for a single image. */
  children: string[];
  /** `os/architecture` of each image in it; empty where none is told. */
  platforms: string[];
  labels: Readonly<Record<string, string>>;
}

export interface ImageRegistry {
  /**
   * What a tag or digest names; undefined when the registry has no such image. Every digest is computed, not believed.
   *
   * @throws McprtError `registry-unreachable`, `registry-busy` (both after some tries), `registry-unauthorized`,
   * `registry-refused`, `registry-digest`; the signal's reason
   */
  find(repository: string, reference: string): Promise<FoundImage | undefined>;
}

const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const attempts = 5;
/** An index has an image for each platform, and an attestation. */
const mostParts = 200;
/** The limit that registries have for manifests; configs are smaller. In bytes. */
const largest = 4 * 1024 * 1024;
/** How long a registry's own wish to be left alone is followed, in s. */
const longestWait = 30;

/**
 * Reads images of a registry.
 *
 * @param signal ends every request
 * @param firstPause ms before the second try; each further one is twice as long
 */
export function openRegistry(route: RegistryRoute, signal: AbortSignal, firstPause = 300): ImageRegistry {
  const read = async (path: string): Promise<Buffer | undefined> =>
    pRetry(
      async () => {
        const answer = await route.request({
          method: 'GET',
          path,
          headers: { accept: [...indexTypes, ...manifestTypes, '*/*;q=0.1'].join(', ') },
          signal,
        });
        const body = await wholeBody(route.name, path, answer, signal);
        if (answer.status === 404) return undefined;
        if (answer.status < 300) return body;
        const wait = Number(answer.headers['retry-after']);
        if (isBusy(answer.status) && wait > 0) {
          await sleep(Math.min(wait, longestWait) * 1000, undefined, { signal });
        }
        throw refusal(route.name, path, answer.status, body);
      },
      {
        retries: attempts - 1,
        minTimeout: firstPause,
        factor: 2,
        randomize: true,
        signal,
        shouldRetry: ({ error }) => isPassingProxy(error) || (error instanceof McprtError && isPassing(error.code)),
      },
    ).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    });
  const readManifest = async (repository: string, reference: string): Promise<Manifest | undefined> => {
    const body = await read(`/v2/${repository}/manifests/${reference}`);
    if (body === undefined) return undefined;
    const digest = digestOf(body);
    if (reference.startsWith('sha256:') && reference !== digest)
      throw tampered(route.name, repository, reference, digest);
    const content = parsed(body);
    return { digest, content };
  };
  const readConfig = async (repository: string, { content }: Manifest): Promise<unknown> => {
    const wanted = textAt(content, 'config', 'digest');
    if (wanted === '') return {};
    const body = await read(`/v2/${repository}/blobs/${wanted}`);
    if (body !== undefined && digestOf(body) !== wanted) throw tampered(route.name, repository, wanted, digestOf(body));
    return body === undefined ? {} : parsed(body);
  };
  return {
    async find(repository, reference) {
      const manifest = await readManifest(repository, reference);
      if (manifest === undefined) return undefined;
      const parts = recordsAt(manifest.content, 'manifests').slice(0, mostParts);
      if (parts.length > 0) {
        return {
          digest: manifest.digest,
          children: parts.map((part) => textAt(part, 'digest')),
          // Attestations are in an index too, of the platform unknown/unknown.
          platforms: parts.map((part) => platformOf(at(part, 'platform'))).filter((one) => !/^$|unknown/.test(one)),
          labels: await labelsOfIndex(repository, parts, readManifest, readConfig),
        };
      }
      const config = await readConfig(repository, manifest);
      return {
        digest: manifest.digest,
        children: [],
        platforms: [platformOf(config)].filter((one) => one !== ''),
        labels: labelsOf(config),
      };
    },
  };
}

interface Manifest {
  digest: string;
  content: unknown;
}

/** The labels of an index are those of its first image. */
async function labelsOfIndex(
  repository: string,
  parts: readonly Record<string, unknown>[],
  readManifest: (repository: string, reference: string) => Promise<Manifest | undefined>,
  readConfig: (repository: string, manifest: Manifest) => Promise<unknown>,
): Promise<Record<string, string>> {
  const first = parts.find((part) => !/^$|unknown/.test(platformOf(at(part, 'platform'))));
  const manifest = first === undefined ? undefined : await readManifest(repository, textAt(first, 'digest'));
  return manifest === undefined ? {} : labelsOf(await readConfig(repository, manifest));
}

function platformOf(value: unknown): string {
  const [os, architecture] = [textAt(value, 'os'), textAt(value, 'architecture')];
  return os === '' || architecture === '' ? '' : `${os}/${architecture}`;
}

function labelsOf(config: unknown): Record<string, string> {
  const labels = at(config, 'config', 'Labels');
  const entries = Object.entries(isRecord(labels) ? labels : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

async function wholeBody(name: string, path: string, { body }: RegistryAnswer, signal: AbortSignal): Promise<Buffer> {
  const tooLarge = (): McprtError =>
    new McprtError('registry-refused', {
      what: `${name} sends more than ${largest / 1024 / 1024} MiB for GET ${path}`,
      why: 'no manifest and no configuration of an image is that large',
      next: 'check the name of the image, and what stands between this runner and the registry',
    });
  try {
    return await readAtMost(body, largest, tooLarge);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof McprtError) throw error;
    throw new McprtError('registry-unreachable', {
      what: `${name} broke off in the middle of its answer to GET ${path}`,
      why: messageOf(error),
      next: 'look at the registry’s pod (`kubectl get pods -n registry`) and at what stands before it; then run it again',
      cause: error,
    });
  }
}

function digestOf(body: Buffer): string {
  return `sha256:${createHash('sha256').update(body).digest('hex')}`;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // What is no JSON has no fields; whoever needs one of them says so.
    return {};
  }
}

function isPassing(code: string): boolean {
  return code === 'registry-unreachable' || code === 'registry-busy';
}

function isBusy(status: number): boolean {
  return status === 429 || status >= 500;
}

function refusal(name: string, path: string, status: number, body: Buffer): McprtError {
  const said = body.toString('utf8').slice(0, 200).trim();
  const what = `${name} answers ${status} to GET ${path}`;
  if (status === 401 || status === 403) {
    return new McprtError('registry-unauthorized', {
      what,
      why: said || 'it does not take the platform’s credentials',
      next: 'the password is UI_API_KEY of Secret mcp-sentinel/mcp-sentinel-secrets: when it was changed, restart mcp-platform-api, which checks it; or run action-setup',
    });
  }
  if (isBusy(status)) {
    return new McprtError('registry-busy', {
      what,
      why: said || 'it is overloaded, or restarts',
      next: 'look at the registry: `kubectl get pods -n registry`; then run it again',
    });
  }
  return new McprtError('registry-refused', {
    what,
    why: said || `status ${status}`,
    next: 'check the name of the image',
  });
}

function tampered(name: string, repository: string, wanted: string, found: string): McprtError {
  return new McprtError('registry-digest', {
    what: `${name} gave something else than was asked for`,
    why: `${repository}@${wanted}: what came has the digest ${found}`,
    next: 'nothing was changed; find out what stands between this runner and the registry',
  });
}

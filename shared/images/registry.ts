import { createHash } from 'node:crypto';
import { at, numberAt, recordsAt, textAt } from '../cluster/fields.js';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { registryCalls } from './registry-call.js';
import type { RegistryRoute } from './route.js';

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
  /** The layers of an image by their digests before they were compressed; none where it is not there. @throws as `find` */
  layers(repository: string, digest: string): Promise<ReadonlyMap<string, StoredLayer>>;
}

/** A layer as a registry has it. */
export interface StoredLayer {
  mediaType: string;
  digest: string;
  /** In bytes. */
  size: number;
  /** Where it is. */
  repository: string;
}

const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
/** An index has an image for each platform, and an attestation. */
const mostParts = 200;

/**
 * Reads images of a registry.
 *
 * @param signal ends every request
 * @param firstPause ms before the second try; each further one is twice as long
 */
export function openRegistry(route: RegistryRoute, signal: AbortSignal, firstPause = 300): ImageRegistry {
  const { name, ask, retrying } = registryCalls(route, signal, firstPause);
  const read = async (path: string): Promise<Buffer | undefined> => {
    const headers = { accept: [...indexTypes, ...manifestTypes, '*/*;q=0.1'].join(', ') };
    const { status, body } = await retrying(() => ask({ method: 'GET', path, headers }, [404]));
    return status === 404 ? undefined : body;
  };
  const readManifest = async (repository: string, reference: string): Promise<Manifest | undefined> => {
    const body = await read(`/v2/${repository}/manifests/${reference}`);
    if (body === undefined) return undefined;
    const digest = digestOf(body);
    if (reference.startsWith('sha256:') && reference !== digest) throw tampered(name, repository, reference, digest);
    const content = parsed(body);
    return { digest, content };
  };
  const readConfig = async (repository: string, { content }: Manifest): Promise<unknown> => {
    const wanted = textAt(content, 'config', 'digest');
    if (wanted === '') return {};
    const body = await read(`/v2/${repository}/blobs/${wanted}`);
    if (body !== undefined && digestOf(body) !== wanted) throw tampered(name, repository, wanted, digestOf(body));
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
    async layers(repository, digest) {
      const found = await readManifest(repository, digest);
      const parts = recordsAt(found?.content, 'manifests').slice(0, mostParts);
      const first = parts.length > 0 ? textAt(firstImage(parts), 'digest') : '';
      const manifest = first === '' ? found : await readManifest(repository, first);
      if (manifest === undefined) return new Map();
      return layersOf(repository, manifest, await readConfig(repository, manifest));
    },
  };
}

function layersOf(repository: string, { content }: Manifest, config: unknown): Map<string, StoredLayer> {
  const diffIds = at(config, 'rootfs', 'diff_ids');
  const layers = recordsAt(content, 'layers');
  // Where the two do not go together, nothing is known.
  if (!Array.isArray(diffIds) || diffIds.length !== layers.length) return new Map();
  return new Map(
    layers.map((layer, place) => {
      const [mediaType, digest] = [textAt(layer, 'mediaType'), textAt(layer, 'digest')];
      return [String(diffIds[place]), { mediaType, digest, size: numberAt(layer, 'size') ?? 0, repository }];
    }),
  );
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
  const first = firstImage(parts);
  const manifest = first === undefined ? undefined : await readManifest(repository, textAt(first, 'digest'));
  return manifest === undefined ? {} : labelsOf(await readConfig(repository, manifest));
}

function firstImage(parts: readonly Record<string, unknown>[]): Record<string, unknown> | undefined {
  return parts.find((part) => !/^$|unknown/.test(platformOf(at(part, 'platform'))));
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

function tampered(name: string, repository: string, wanted: string, found: string): McprtError {
  return new McprtError('registry-digest', {
    what: `${name} gave something else than was asked for`,
    why: `${repository}@${wanted}: what came has the digest ${found}`,
    next: 'nothing was changed; find out what stands between this runner and the registry',
  });
}

import { createHash } from 'node:crypto';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import type { KubeObject } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { pushArchive } from '../images/archive-push.js';
import {
  buildImage,
  type DockerPorts,
  type DockerState,
  dockerState,
  forgetImage,
  saveImage,
} from '../images/docker.js';
import { asTag, parseReference } from '../images/reference.js';
import { type FoundImage, type ImageRegistry, openRegistry, type StoredLayer } from '../images/registry.js';
import type { RegistryRoute } from '../images/route.js';
import type { Layout } from '../platform/resources.js';
import { referenceOf, type WantedImage } from './plan.js';
import { type GivenImage, imageOf, type KnownLayout, presets, type RolloutTarget } from './targets.js';

export interface ImageOptions {
  /** Root of the platform's source. */
  source: string;
  /** Commit of the source, with `-dirty` when it was changed; empty outside of git. */
  commit: string;
  /** SHA-256 of what was changed since the commit, in hex; empty for a source that was not. */
  sourceChanges: string;
  /** Tag of what is built; made from the commit when empty. */
  tag: string;
  platform: string | undefined;
  buildArgs: Readonly<Record<string, string>>;
  /** What the runner tells its actions about GitHub's cache; undefined for no cache of layers. */
  cacheEnv: Readonly<Record<string, string>> | undefined;
  /** Builds also what the registry has from this commit. */
  rebuild: boolean;
  given: readonly GivenImage[];
  /** `host` or `host:port` from which the nodes pull. */
  pullHost: string;
  deployments: readonly KubeObject[];
}

export interface ImagePorts {
  docker: DockerPorts;
  /** Folder in which what was built lies until it is pushed: as large as the images. */
  temporary: string;
  /** Opens the way to the platform's registry; undefined where its password is not to be read: then nothing is looked up. */
  openRoute: (() => Promise<RegistryRoute>) | undefined;
  progress: (line: string) => void;
  signal: AbortSignal;
}

/** Where the images of a rollout come from. */
export interface ImageSource {
  commit: string;
  /**
   * The image of each target: given, found in the registry, or still to be built.
   *
   * @throws McprtError `rollout-source`, `rollout-tag`, `image-missing`, and of the registry
   */
  find(targets: readonly RolloutTarget[], layout: Layout): Promise<WantedImage[]>;
  /** Builds, pushes and reads back what has no digest yet. @throws McprtError `image-build`, `image-save`, `image-push`, `docker-missing` */
  build(images: readonly WantedImage[]): Promise<WantedImage[]>;
  /** `os/architecture` by reference, of every image that was looked at. */
  platforms(): ReadonlyMap<string, readonly string[]>;
  /** Digests in an index, by the index's. */
  children(): ReadonlyMap<string, readonly string[]>;
  close(): Promise<void>;
}

const revisionLabel = 'org.opencontainers.image.revision';
/** Digest of all that an image is made of: a build of another Dockerfile or with other arguments is another one. */
const inputsLabel = 'dev.mcprt.inputs';
/** Builds at a time; each takes what processor there is. */
const width = 2;
const tellEvery = 5_000;

export function openImages(options: ImageOptions, ports: ImagePorts): ImageSource {
  const seen = new Map<string, FoundImage>();
  let route: Promise<RegistryRoute> | undefined;
  const openedRoute = (): Promise<RegistryRoute> => {
    if (ports.openRoute === undefined) throw new Error('a plan that looks at no Secret pushes nothing');
    route ??= ports.openRoute();
    return route;
  };
  const registry = async (): Promise<ImageRegistry> => openRegistry(await openedRoute(), ports.signal);
  const look = async (path: string, reference: string): Promise<FoundImage | undefined> => {
    const found = await (await registry()).find(path, reference);
    if (found !== undefined) seen.set(`${options.pullHost}/${path}@${found.digest}`, found);
    return found;
  };

  return {
    commit: options.commit,
    find: (targets, layout) => {
      const by = ports.openRoute === undefined ? undefined : look;
      return options.given.length > 0 ? findGiven(targets, options, by) : findBuilt(targets, layout, options, by);
    },
    build: async (images) => {
      const state = await dockerState(ports.docker);
      const opened = await openedRoute();
      const folder = await mkdtemp(join(ports.temporary, 'mcprt-images-'));
      const sent = new Map<string, number>();
      const teller = setInterval(() => tellSent(sent, ports.progress), tellEvery);
      const workshop = { options, ports, state, route: opened, folder, sent, look, known: new Map() };
      try {
        return await pMap(images, (image) => (image.digest === undefined ? make(image, workshop) : image), {
          concurrency: width,
          signal: ports.signal,
        });
      } finally {
        clearInterval(teller);
        await rm(folder, { recursive: true, force: true });
      }
    },
    platforms: () => new Map([...seen].map(([reference, { platforms }]) => [reference, platforms])),
    children: () => new Map([...seen.values()].map(({ digest, children }) => [digest, children])),
    async close() {
      await route?.then((opened) => opened.close()).catch(() => undefined);
    },
  };
}

type Look = (path: string, reference: string) => Promise<FoundImage | undefined>;

async function findGiven(
  targets: readonly RolloutTarget[],
  { given, pullHost }: ImageOptions,
  look: Look | undefined,
): Promise<WantedImage[]> {
  return Promise.all(
    targets.map(async (target): Promise<WantedImage> => {
      const image = given.find(
        ({ deployment, container }) =>
          deployment === target.deployment && (container === '' || container === target.container),
      );
      if (image === undefined) {
        throw new McprtError('image-missing', {
          what: `no image is given for ${target.deployment}`,
          why: `there are images for ${given.map(({ deployment }) => deployment).join(', ')}`,
          next: 'correct `images`: deployment=registry/name@sha256:digest',
        });
      }
      const { host, path, tag, digest } = image;
      // Of other registries nothing is known here, not even a password; the nodes will say.
      if (look !== undefined && host === pullHost && (await look(path, digest)) === undefined) {
        throw new McprtError('image-missing', {
          what: `the image of ${target.deployment} is not in the registry`,
          why: `${pullHost} has no ${path}@${digest}`,
          next: 'push it first, or correct `images`; nothing was changed',
        });
      }
      return { target, origin: 'given', repository: host === '' ? path : `${host}/${path}`, tag, digest, recipe: '' };
    }),
  );
}

/**
 * The images of this commit. One that is in the registry is taken for what it says only where the cluster has it by its digest
 * from an earlier rollout: who may push to the registry can give an image any tag and any label. Everything else is built again.
 */
async function findBuilt(
  targets: readonly RolloutTarget[],
  layout: Layout,
  options: ImageOptions,
  look: Look | undefined,
): Promise<WantedImage[]> {
  await requireSource(options.source, targets, layout);
  const { commit, pullHost, rebuild } = options;
  const tag = tagOf(options);
  const isClean = commit !== '' && !commit.endsWith('-dirty');
  return Promise.all(
    targets.map(async (target): Promise<WantedImage> => {
      const live = options.deployments.find(({ metadata }) => metadata.name === target.deployment);
      const running = parseReference(imageOf(live, target.container));
      const path = running?.path ?? target.deployment;
      const image = { target, repository: `${pullHost}/${path}`, tag, recipe: await recipeOf(target, options) };
      const found = isClean && !rebuild ? await look?.(path, tag) : undefined;
      const isOurs = found?.digest === running?.digest && found?.labels[inputsLabel] === image.recipe;
      return isOurs && found !== undefined
        ? { ...image, origin: 'found', digest: found.digest }
        : { ...image, origin: 'to build', digest: undefined };
    }),
  );
}

function tagOf({ tag, commit }: ImageOptions): string {
  const made = commit === '' ? '' : asTag(`${commit.slice(0, 12)}${commit.endsWith('-dirty') ? '-dirty' : ''}`);
  const wanted = tag === '' ? made : tag;
  if (asTag(wanted) !== wanted || wanted === '') {
    throw new McprtError('rollout-tag', {
      what: wanted === '' ? 'the images have no tag' : `"${wanted}" is no tag of an image`,
      why:
        wanted === ''
          ? 'the source is no git checkout, so that there is no commit to call them by'
          : 'letters, digits, `_`, `.` and `-`, 128 at most',
      next: 'set the input `tag`, or MCP_ROLLOUT_TAG in the profile',
    });
  }
  return wanted;
}

/** Refuses a source that cannot give these images: one of the other layout, or of something else. */
async function requireSource(source: string, targets: readonly RolloutTarget[], layout: Layout): Promise<void> {
  const missing = await missingFiles(source, targets);
  if (missing.length === 0) return;
  const other: KnownLayout = layout === 'mono' ? 'split' : 'mono';
  const isOther = (await missingFiles(source, presets[other])).length === 0;
  throw new McprtError('rollout-source', {
    what: isOther
      ? `the source has the layout ${other}, and the cluster ${layout}`
      : `${source} has not what is to be built`,
    why: `there is no ${missing.join(', no ')}`,
    next: isOther
      ? 'a rollout cannot change the layout: check out a commit of the cluster’s layout, or upgrade the platform with action-setup'
      : 'check out the platform’s repository (in a job: in an earlier step), and give its folder in `source`; your own list of Dockerfiles goes into `targets`',
  });
}

async function missingFiles(source: string, targets: readonly RolloutTarget[]): Promise<string[]> {
  const files = await Promise.all(
    targets.map(async ({ dockerfile }) =>
      access(join(source, dockerfile)).then(
        () => [],
        () => [dockerfile],
      ),
    ),
  );
  return files.flat();
}

/** The labels of an image that is built here. Anybody can compute them: they tell what it says it is, and prove nothing. */
export function labelsOf(commit: string, recipe: string): Record<string, string> {
  return { [revisionLabel]: commit, [inputsLabel]: recipe };
}

/** SHA-256 over all that an image is made of, in hex: the same for the same build. */
export async function recipeOf(
  { dockerfile }: RolloutTarget,
  {
    source,
    commit,
    sourceChanges,
    platform,
    buildArgs,
  }: Pick<ImageOptions, 'source' | 'commit' | 'sourceChanges' | 'platform' | 'buildArgs'>,
): Promise<string> {
  const args = Object.entries(buildArgs).sort(([a], [b]) => (a < b ? -1 : 1));
  // It need not be tracked: then the commit does not tell of it.
  const content = createHash('sha256')
    .update(await readFile(join(source, dockerfile)))
    .digest('hex');
  return createHash('sha256')
    .update(JSON.stringify([commit, sourceChanges, dockerfile, content, platform ?? '', args]))
    .digest('hex');
}

interface Workshop {
  options: ImageOptions;
  ports: ImagePorts;
  state: DockerState;
  route: RegistryRoute;
  /** For archives and layers. */
  folder: string;
  /** Bytes of layers by repository. */
  sent: Map<string, number>;
  look: Look;
  /** Layers that the registry has: of the images that run, and those that were pushed. */
  known: Map<string, StoredLayer>;
}

async function make(image: WantedImage, workshop: Workshop): Promise<WantedImage> {
  const { options, ports, state, look } = workshop;
  const { target, repository, tag } = image;
  const path = repository.slice(repository.indexOf('/') + 1);
  const local = `mcprt/${path}:${tag}`;
  const started = performance.now();
  const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  ports.progress(`building ${path} from ${target.dockerfile}`);
  await buildImage(
    state,
    {
      source: options.source,
      dockerfile: target.dockerfile,
      platform: options.platform,
      tag: local,
      buildArgs: options.buildArgs,
      labels: labelsOf(options.commit, image.recipe),
      cache: options.cacheEnv === undefined ? undefined : { scope: `mcprt-${path}`, env: options.cacheEnv },
    },
    { ...ports.docker, log: (line) => ports.docker.log(`${path}: ${line}`) },
  );
  ports.progress(`built ${path} in ${seconds()}; pushing`);
  const digest = await push(image, { local, path }, workshop);
  const found = await look(path, digest);
  if (found === undefined) {
    throw new McprtError('image-push', {
      what: `${path}:${tag} was pushed, and the registry does not have it`,
      why: `asked for ${digest}`,
      next: 'look at the registry’s log: `kubectl logs -n registry deployment/registry`; nothing was changed in the cluster',
    });
  }
  const made: WantedImage = { ...image, origin: 'built', digest: found.digest };
  ports.progress(`pushed ${referenceOf(made)} (${seconds()})`);
  return made;
}

/** Takes an image out of the engine, wherever that runs, and puts it into the registry. @returns its digest */
async function push(
  { target, tag }: WantedImage,
  { local, path }: { local: string; path: string },
  { options, ports, route, folder, sent, known }: Workshop,
): Promise<string> {
  const own = await mkdtemp(join(folder, 'image-'));
  const file = join(own, 'image.tar');
  try {
    await saveImage(local, file, ports.docker);
    const live = options.deployments.find(({ metadata }) => metadata.name === target.deployment);
    const running = parseReference(imageOf(live, target.container));
    // The layers that an image that runs says it has: a node that pulls looks whether they are what its configuration says.
    if (running !== undefined && running.host === options.pullHost && running.digest !== '') {
      const layers = await openRegistry(route, ports.signal).layers(running.path, running.digest);
      for (const [diffId, layer] of layers) known.set(diffId, layer);
    }
    const onSent = (bytes: number): unknown => sent.set(path, (sent.get(path) ?? 0) + bytes);
    const { signal } = ports;
    return await pushArchive({ file, folder: own, repository: path, tag, known, onSent }, { route, signal });
  } finally {
    await Promise.all([rm(own, { recursive: true, force: true }), forgetImage(local, ports.docker)]);
  }
}

function tellSent(sent: ReadonlyMap<string, number>, progress: (line: string) => void): void {
  const told = [...sent].map(([path, bytes]) => `${path} ${(bytes / 1e6).toFixed(1)} MB`);
  if (told.length > 0) progress(`  pushed so far: ${told.join(', ')}`);
}

import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { log } from '../../shared/action/log.js';
import { McprtError } from '../../shared/errors.js';
import { type ImageArchive, readImageArchive } from '../../shared/images/archive.js';
import { buildImage, type DockerPorts, dockerState, forgetImage, saveImage } from '../../shared/images/docker.js';
import { dockerEnvironment } from '../../shared/images/docker-environment.js';

/** The image of a run: given, or built at the first question. */
export interface ImageMaker {
  /** @throws McprtError `image-archive`, `image-build`, `image-save`, `docker-missing`, `smoke-architecture` */
  image(): Promise<ImageArchive>;
  /** Removes what was built. */
  close(): Promise<void>;
}

export interface ImageRequest {
  /** An image archive; built when empty. */
  archive: string;
  source: string;
  dockerfile: string;
  /** `os/architecture` of the nodes. */
  platform: string;
  run: string;
  signal: AbortSignal;
  progress: (line: string) => void;
  env: NodeJS.ProcessEnv;
}

export function imageMaker(request: ImageRequest): ImageMaker {
  let made: Promise<ImageArchive> | undefined;
  let folder: string | undefined;
  const make = async (): Promise<ImageArchive> => {
    if (request.archive !== '') return requirePlatform(await readImageArchive(request.archive), request.platform);
    folder = await mkdtemp(join(request.env.RUNNER_TEMP || '/tmp', 'mcprt-image-'));
    return requirePlatform(await build(request, join(folder, 'image.tar')), request.platform);
  };
  return {
    image() {
      made ??= make();
      return made;
    },
    async close() {
      await made?.catch(() => undefined);
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

async function build(request: ImageRequest, file: string): Promise<ImageArchive> {
  const { dockerfile, platform, run, signal, progress, env } = request;
  const source = resolve(request.source);
  const ports: DockerPorts = {
    env: dockerEnvironment(env),
    signal,
    log: log.debug,
  };
  const tag = `mcprt-smoke:${run}`;
  const state = await dockerState(ports);
  progress(`building ${dockerfile} of ${request.source} for ${platform}`);
  await buildImage(state, { source, dockerfile, platform, tag, buildArgs: {}, labels: {}, cache: undefined }, ports);
  try {
    await saveImage(tag, file, ports);
  } finally {
    await forgetImage(tag, ports);
  }
  return readImageArchive(file);
}

function requirePlatform(archive: ImageArchive, platform: string): ImageArchive {
  if (archive.platform === platform) return archive;
  throw new McprtError('smoke-architecture', {
    what: 'the image is for another processor than the nodes’',
    why: `${archive.file} is for ${archive.platform}, and the nodes are ${platform}`,
    next: `build it with \`--platform ${platform}\`, or correct \`image-platform\` (MCP_IMAGE_PLATFORM in the profile)`,
  });
}

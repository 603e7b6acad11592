import { join } from 'node:path';
import { type DockerEngine, startDocker } from '../../lab/driver/docker.js';
import type { ProofContext } from './proof.js';

/** What builds images for a proof. */
export interface Docker {
  engine: DockerEngine;
  /** For a step that builds. */
  env: Record<string, string>;
}

/** Has an engine for as long as a story goes, where one can be had. @param story gets how that is told in the figures */
export async function withDocker<T>(
  { folder, env, progress }: ProofContext,
  story: (docker: Docker | undefined, told: string) => Promise<T>,
): Promise<T> {
  const engine = await startDocker({ folder: join(folder, 'docker'), env, progress });
  if (typeof engine === 'string') {
    progress(`  no Docker engine (${engine}): nothing is built`);
    return story(undefined, `none: ${engine}`);
  }
  try {
    const config = join(folder, 'docker-config');
    return await story(
      { engine, env: { DOCKER_HOST: engine.host, DOCKER_CONFIG: config } },
      engine.isApart ? 'images were built where nobody reaches the runner' : 'images were built',
    );
  } finally {
    await engine.stop();
  }
}

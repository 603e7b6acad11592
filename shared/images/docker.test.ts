import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { McprtError, messageOf } from '../errors.js';
import {
  type BuildOptions,
  buildImage,
  type DockerPorts,
  dockerState,
  failingStep,
  forgetImage,
  saveImage,
} from './docker.js';

let folder: string;
let lines: string[];
let controller: AbortController;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-docker-test-'));
  lines = [];
  controller = new AbortController();
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const ports = (): DockerPorts => ({
  env: { PATH: `${folder}:/usr/bin:/bin`, FOLDER: folder },
  signal: controller.signal,
  log: (line) => lines.push(line),
});

/** A `docker` that writes down how it was called, and then runs a shell script. */
async function docker(script: string): Promise<void> {
  const file = join(folder, 'docker');
  await writeFile(file, `#!/bin/sh\necho "$*" >> $FOLDER/calls\nenv >> $FOLDER/env\n${script}\n`);
  await chmod(file, 0o755);
}

const calls = async (): Promise<string[]> => (await readFile(join(folder, 'calls'), 'utf8')).trimEnd().split('\n');

const failure = async (attempt: Promise<unknown>): Promise<McprtError> => {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof McprtError)) throw new Error(`no McprtError: ${messageOf(error)}`);
  return error;
};

const options: BuildOptions = {
  source: '/source',
  dockerfile: 'services/ui/Dockerfile',
  platform: 'linux/amd64',
  tag: 'mcprt/ui:v1',
  buildArgs: { TOKEN: 'the-secret-value' },
  labels: { revision: 'abc' },
  cache: { scope: 'mcprt-ui', env: { ACTIONS_RUNTIME_TOKEN: 'the-runtime-token' } },
};
const classic = { engine: '20.10', buildx: undefined };
const buildkit = { engine: '28.0', buildx: 'docker' };
const container = { engine: '28.0', buildx: 'docker-container' };

describe('dockerState', () => {
  it('tells the engine and the builder’s driver', async () => {
    await docker(
      'case "$1" in version) echo 28.0.1;; buildx) printf "Name: b\\nDriver:        docker-container\\n";; esac',
    );
    expect(await dockerState(ports())).toEqual({ engine: '28.0.1', buildx: 'docker-container' });
  });

  it('does without buildx', async () => {
    await docker('case "$1" in version) echo 20.10;; *) exit 1;; esac');
    expect(await dockerState(ports())).toEqual({ engine: '20.10', buildx: undefined });
  });

  it('says what to do without an engine, and without Docker', async () => {
    await docker('echo "Cannot connect to the Docker daemon" >&2; exit 1');
    const error = await failure(dockerState(ports()));
    expect([error.code, error.why]).toEqual(['docker-missing', 'Cannot connect to the Docker daemon']);
    const nowhere = { ...ports(), env: { PATH: join(folder, 'nothing') } };
    expect((await failure(dockerState(nowhere))).why).toContain('ENOENT');
  });
});

describe('buildImage', () => {
  it('keeps the values of build arguments out of every command line, and the cache’s token out of builds without one', async () => {
    await docker('');
    for (const state of [classic, buildkit]) await buildImage(state, options, ports());
    expect(await calls()).toEqual([
      'build --file /source/services/ui/Dockerfile --tag mcprt/ui:v1 --platform linux/amd64 --build-arg TOKEN --label revision=abc /source',
      'buildx build --load --progress plain --provenance=false --file /source/services/ui/Dockerfile --tag mcprt/ui:v1 --platform linux/amd64 --build-arg TOKEN --label revision=abc /source',
    ]);
    const env = await readFile(join(folder, 'env'), 'utf8');
    expect(env).toContain('TOKEN=the-secret-value');
    expect(env).not.toContain('the-runtime-token');
  });

  it('uses GitHub’s cache with a builder that can, and does not fail for it', async () => {
    await docker('');
    await buildImage(container, options, ports());
    expect((await calls())[0]).toContain(
      '--cache-from type=gha,scope=mcprt-ui --cache-to type=gha,mode=max,ignore-error=true,scope=mcprt-ui',
    );
    expect(await readFile(join(folder, 'env'), 'utf8')).toContain('ACTIONS_RUNTIME_TOKEN=the-runtime-token');
  });

  it('refuses build arguments that Docker itself goes by', async () => {
    await docker('');
    const error = await failure(buildImage(classic, { ...options, buildArgs: { DOCKER_HOST: 'x', A: 'y' } }, ports()));
    expect([error.code, error.message]).toEqual(['image-build', 'DOCKER_HOST cannot be a build argument']);
    await expect(calls()).rejects.toThrow('ENOENT');
  });

  it('passes each line on as it comes, and tells where a build failed', async () => {
    await docker('echo "Step 1/2 : FROM scratch"; echo "Step 2/2 : RUN make"; echo "make: *** error" >&2; exit 7');
    const error = await failure(buildImage(classic, options, ports()));
    expect(error.code).toBe('image-build');
    expect(error.message).toBe('services/ui/Dockerfile cannot be built: it fails at Step 2/2 : RUN make');
    expect(error.why).toContain('make: *** error');
    expect(lines).toContain('Step 1/2 : FROM scratch');
  });

  it('ends Docker and what it started when the job is cancelled, with the job’s own reason', async () => {
    // As buildx is: a child in the foreground, which Docker waits for.
    await writeFile(
      join(folder, 'plugin'),
      'trap "echo plugin stopped; exit 130" INT; touch $FOLDER/child; while :; do sleep 0.05; done',
    );
    await docker('trap : INT; sh $FOLDER/plugin; exit 130');
    const reason = new Error('the job was cancelled');
    const built = buildImage(buildkit, options, ports());
    await eventually(() => readFile(join(folder, 'child')));
    controller.abort(reason);
    await expect(built).rejects.toBe(reason);
    expect(lines).toContain('plugin stopped');
  });

  it('kills what does not end', async () => {
    await docker('trap "" INT; touch $FOLDER/child; while :; do sleep 0.1; done');
    const built = buildImage(classic, options, ports());
    await eventually(() => readFile(join(folder, 'child')));
    const started = performance.now();
    controller.abort(new Error('the job was cancelled'));
    await expect(built).rejects.toThrow('the job was cancelled');
    expect(performance.now() - started).toBeGreaterThan(4_500);
  }, 15_000);

  it('does not wait for a process that Docker left behind with its output', async () => {
    await docker('sleep 20 & echo $! > $FOLDER/child; echo done');
    await buildImage(classic, options, ports());
    expect(lines).toEqual(['done']);
    // It is still there, or this fails: the build has ended before it.
    process.kill(Number(await readFile(join(folder, 'child'), 'utf8')), 'SIGKILL');
  });
});

describe('saveImage', () => {
  it('writes an image into a file', async () => {
    await docker('echo archive > "$3"');
    const file = join(folder, 'image.tar');
    await saveImage('mcprt/ui:v1', file, ports());
    expect(await readFile(file, 'utf8')).toBe('archive\n');
    expect(await calls()).toEqual([`save --output ${file} mcprt/ui:v1`]);
  });

  it('says what Docker says when it fails', async () => {
    await docker('echo "no space left on device" >&2; exit 1');
    const error = await failure(saveImage('mcprt/ui:v1', join(folder, 'image.tar'), ports()));
    expect([error.code, error.why]).toEqual(['image-save', 'no space left on device']);
  });
});

describe('forgetImage', () => {
  it('never fails', async () => {
    await docker('exit 1');
    await forgetImage('mcprt/ui:v1', ports());
    expect(await calls()).toEqual(['rmi --no-prune mcprt/ui:v1']);
    await rm(join(folder, 'docker'));
    await forgetImage('mcprt/ui:v1', { ...ports(), env: { PATH: folder } });
  });
});

describe('failingStep', () => {
  it('reads BuildKit’s plain progress', () => {
    expect(
      failingStep([
        '#7 [build 2/3] RUN make',
        '#7 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2',
        '------',
        ' > [build 2/3] RUN make:',
        '0.123 make: *** No targets.',
        '------',
        'ERROR: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2',
      ]),
    ).toBe('[build 2/3] RUN make');
  });

  it('knows none in a build that did not begin', () => {
    expect(failingStep(['unable to prepare context: path "x" not found'])).toBeUndefined();
  });
});

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries > 300) throw error;
      await sleep(10);
    }
  }
}

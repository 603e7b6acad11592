import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { changeService } from '../../lab/platform/source.js';
import type { Story } from '../workflows/play.js';
import type { World as WorldOf } from '../world/world.js';

type World = WorldOf<'services' | 'source' | 'front'>;

const execute = promisify(execFile);

/** A runner that has git and no `docker`: it cannot build, and rolls out what was built elsewhere. */
export async function withoutDocker({ context }: Story, world: World): Promise<void> {
  const { expect, expectDone, expectRefused } = context.about('without Docker');
  const env = { PATH: await pathOf(join(context.folder, 'bin'), ['git']), DOCKER_HOST: '' };
  await changeService(world.source, 'ui', 'nobody can build this here');
  const before = JSON.stringify(await world.services.snapshot());
  const built = await world.rollout({}, env);
  expectRefused('a rollout that builds', 'docker-missing', built);
  const isUntouched = JSON.stringify(await world.services.snapshot()) === before;
  expect(isUntouched && built.outputs.changed === 'false', 'the cluster was changed', built);
  const given = await world.rollout({ images: await world.services.pushAll() }, env);
  expectDone('images by digest', given);
  expect(given.outputs.changed === 'true', 'nothing was rolled out', given);
}

/** A folder for PATH with nothing but these programs. */
async function pathOf(folder: string, programs: readonly string[]): Promise<string> {
  await mkdir(folder);
  for (const name of programs) {
    const { stdout } = await execute('which', [name]);
    await symlink(stdout.trim(), join(folder, name));
  }
  return folder;
}

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as core from '@actions/core';
import { generationNumber, namedBy } from '../../shared/action/choice.js';
import { path, readInputs, secret, text } from '../../shared/action/inputs.js';
import { folderState } from './post.js';
import { cancellation, drillAndTell, progress, telling } from './told.js';

/**
 * Drills as the action does: inputs, and nothing of the machine but what the job itself has made. What another job has left
 * in a cache, on a runner that is kept too, may be somebody else's; a workflow that vouches for one names it in
 * `MCPRT_LAB_CACHE`.
 */
export async function drillAction(): Promise<void> {
  await telling(false, async () => {
    const inputs = readInputs({
      directory: path,
      'restore-key': secret,
      generation: generationNumber,
      'max-age': text,
    });
    const { 'INPUT_RESTORE-KEY': _, ...env } = process.env;
    delete process.env['INPUT_RESTORE-KEY'];
    const cache = env.MCPRT_LAB_CACHE || (await ownFolder());
    const own = { XDG_CACHE_HOME: cache, ...(env.MCPRT_LAB_CACHE ? {} : goCaches(cache)) };
    const choice = { domain: undefined, ...namedBy({ generation: inputs.generation, name: '' }) };
    const { directory, 'max-age': maxAge, 'restore-key': restoreKey } = inputs;
    const called = { directory, choice, maxAge, fromRepository: '', certManager: undefined, restoreKey };
    await drillAndTell({ ...called, env: { ...env, ...own }, progress, signal: cancellation() }, false);
  });
}

/** A folder of this job's own, which its post step knows. */
async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(process.env.RUNNER_TEMP || tmpdir(), 'mcprt-lab-'));
  core.saveState(folderState, folder);
  return folder;
}

/** Where Go keeps what it downloads and compiles: below a folder that can be taken away again. */
function goCaches(folder: string): Record<string, string> {
  return { GOCACHE: join(folder, 'go-build'), GOMODCACHE: join(folder, 'go-mod'), GOFLAGS: '-modcacherw' };
}

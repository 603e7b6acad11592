import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { saveState } from '@actions/core';
import { generationNumber, namedBy } from '../../shared/action/choice.js';
import { duration, type InputType, path, readInputs, secret } from '../../shared/action/inputs.js';
import { folderState } from './post.js';
import { cancellation, drillAndTell, progress, telling } from './told.js';

/** A folder that must be named. */
const folder: InputType<string> = {
  expected: path.expected,
  parse(value) {
    if (value === '') throw new Error('it is empty');
    return resolve(path.parse(value));
  },
};
/** A time span, as the restore takes it. */
const maxAge: InputType<string> = {
  expected: duration.expected,
  parse(value) {
    duration.parse(value);
    return value;
  },
};
/** Each of action.yml. */
export const drillInputs = {
  directory: folder,
  'restore-key': secret,
  generation: generationNumber,
  'max-age': maxAge,
};

/**
 * Drills as the action does: inputs, and nothing of the machine but what the job itself has made. What another job has left
 * in a cache, on a runner that is kept too, may be somebody else's; a workflow that vouches for one names it in
 * `MCPRT_LAB_CACHE`.
 */
export async function drillAction(): Promise<void> {
  await telling(false, async () => {
    const { generation, directory, 'max-age': oldest, 'restore-key': restoreKey } = readInputs(drillInputs);
    const own = await mkdtemp(join(process.env.RUNNER_TEMP || tmpdir(), 'mcprt-drill-'));
    saveState(folderState, own);
    const env = environmentIn(own, process.env);
    delete process.env['INPUT_RESTORE-KEY'];
    const choice = { domain: undefined, ...namedBy({ generation, name: '' }) };
    const called = { directory, choice, maxAge: oldest, fromRepository: '', certManager: undefined, restoreKey };
    await drillAndTell({ ...called, env, progress, signal: cancellation() }, false);
  });
}

/**
 * What is built and started gets: no input, none of the job's own tokens, and places below a folder that the post step takes away.
 *
 * @param env of this process
 */
export function environmentIn(own: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = Object.entries(env).filter(([name]) => !/^(?:INPUT_|STATE_|ACTIONS_|GITHUB_TOKEN$)/.test(name));
  return {
    ...Object.fromEntries(rest),
    RUNNER_TEMP: own,
    MCPRT_LABS: join(own, 'labs'),
    ...(env.MCPRT_LAB_CACHE
      ? { XDG_CACHE_HOME: env.MCPRT_LAB_CACHE }
      : {
          XDG_CACHE_HOME: own,
          GOCACHE: join(own, 'go-build'),
          GOMODCACHE: join(own, 'go-mod'),
          // Else nobody but root could take it away.
          GOFLAGS: '-modcacherw',
        }),
  };
}

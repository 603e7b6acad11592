import { homedir } from 'node:os';
import { basename, join } from 'node:path';

const here = import.meta.dirname;
/** The repository's root: this file runs from build/lab/driver, and as a part of the bundle from dist. */
export const root = basename(here) === 'dist' ? join(here, '..') : join(here, '..', '..', '..');

/** Where builds live, outside the repository: XDG_CACHE_HOME/mcprt or ~/.cache/mcprt. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mcprt');
}

/** Where running labs live: beside the builds, or where `MCPRT_LABS` says, as their secrets must not outlive a job whose builds may. */
export function labsFolder(env: NodeJS.ProcessEnv): string {
  return env.MCPRT_LABS || join(cacheFolder(env), 'labs');
}

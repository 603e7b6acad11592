import { homedir } from 'node:os';
import { basename, join } from 'node:path';

const here = import.meta.dirname;
/** The repository's root: this file runs from build/lab/driver, and as a part of the bundle from dist. */
export const root = basename(here) === 'dist' ? join(here, '..') : join(here, '..', '..', '..');

/** Where builds and running labs live, outside the repository: XDG_CACHE_HOME/mcprt or ~/.cache/mcprt. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mcprt');
}

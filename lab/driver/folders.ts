import { homedir } from 'node:os';
import { join } from 'node:path';

/** The repository's root, also when this file runs from build/. */
export const root = join(import.meta.dirname, '..', '..', '..');

/** Where builds and running labs live, outside the repository: XDG_CACHE_HOME/mcprt or ~/.cache/mcprt. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mcprt');
}

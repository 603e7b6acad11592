import { McprtError } from '../shared/errors.js';
import type { Own } from './arguments.js';

/**
 * Refuses stores that nobody has here: GitHub's cache is open to steps of a job alone, and its artifacts to whoever has a
 * token and says of which repository.
 *
 * @throws McprtError `command-stores`
 */
export function requireStores(inputs: Readonly<Record<string, string>>, own: Own, env: NodeJS.ProcessEnv): void {
  const wanted = (inputs.stores ?? '').split(/[\s,]+/);
  if (wanted.includes('cache') && !(env.ACTIONS_RESULTS_URL && env.ACTIONS_RUNTIME_TOKEN)) {
    throw new McprtError('command-stores', {
      what: 'GitHub’s cache is not there for a command',
      why: 'GitHub opens it to the steps of a job that use an action, and to nobody else',
      next: 'give --stores directory and the folder as --directory PATH; a copy of what is in a cache is made in a workflow, by `operation: fetch`',
    });
  }
  const repository = own.repository || (env.GITHUB_REPOSITORY ?? '');
  if (!wanted.includes('artifact') || (inputs['github-token'] && repository)) return;
  throw new McprtError('command-stores', {
    what: 'it is not known whose artifacts are meant, or who asks for them',
    why: `${repository === '' ? '--repository' : 'the variable MCPRT_GITHUB_TOKEN'} is not given`,
    next: 'give --repository OWNER/NAME, and a token with `actions: read` in the variable MCPRT_GITHUB_TOKEN; or --stores directory and the folder as --directory PATH',
  });
}

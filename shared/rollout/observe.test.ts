import { expect, it } from '@jest/globals';
import { clustersOwn } from '../backup/testing/memory-world.js';
import { ApiError } from '../cluster/api-error.js';
import { memoryApi } from '../cluster/testing/memory-api.js';
import { noteWiped } from '../facts/installation.js';
import { observeRollout } from './observe.js';

it('says after a wipe that the platform is to be installed, though nothing of it may be read any more', async () => {
  const api = memoryApi();
  clustersOwn(api);
  await noteWiped(api.cluster, 'acme/platform/1/wipe');
  api.hooks.before = ({ path }) => {
    if (path.includes('/namespaces/mcp-sentinel/')) throw new ApiError(403, 'Forbidden', 'no Role', path);
  };
  const options = { run: 'acme/platform/2/rollout', mask: () => undefined, withoutSecrets: false };
  await expect(observeRollout(api.cluster, options)).rejects.toMatchObject({ code: 'setup-due' });
});

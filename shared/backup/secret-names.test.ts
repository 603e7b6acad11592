import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import { readableSecrets } from '../facts/secrets.js';
import { platformSecretNames } from '../platform/resources.js';
import { secretNamesOf } from './secret-names.js';
import { certificate, namespace, scene, secretOf } from './testing/scene.js';

const own = [certificate('blog', 'shop'), certificate('default', 'web')];

/** An API server that lets Secrets be read by these names only, as the accounts' roles do. */
async function narrowed(names: readonly string[]) {
  const made = await scene('running', [namespace('blog'), ...own, ...own.map((one) => secretOf(one))]);
  made.api.hooks.before = ({ method, path }) => {
    const name = /\/secrets\/([^/?]+)/.exec(path)?.[1];
    if (method === 'GET' && name !== undefined && !names.includes(name))
      throw new ApiError(403, 'Forbidden', `secrets "${name}" is forbidden`, `GET ${path}`);
  };
  return made;
}

describe('accounts that read Secrets by name', () => {
  it('have all that a backup reads with the names that were found before', async () => {
    const { api } = await scene('running', [namespace('blog'), ...own, ...own.map((one) => secretOf(one))]);
    const names = await secretNamesOf(api.cluster);
    expect(names).toEqual(expect.arrayContaining(['shop-tls', 'web-tls']));
    const { backUp } = await narrowed([...platformSecretNames, ...names]);
    await expect(backUp()).resolves.toBeDefined();
  });

  it('are told each Secret that came since, and nothing is stored', async () => {
    const { backUp, names: stored } = await narrowed([...platformSecretNames, 'account', 'web-tls']);
    await expect(backUp()).rejects.toMatchObject({
      code: 'permission-missing',
      why: 'get secrets shop-tls in blog',
      next: expect.stringContaining('init --accounts'),
    });
    expect(stored()).toEqual([]);
  });

  it('can do without some where that is no matter', async () => {
    const { api } = await narrowed(['web-tls']);
    const refs = own.map(({ metadata, spec }) => ({ namespace: metadata.namespace ?? '', name: spec.secretName }));
    const { secrets, forbidden } = await readableSecrets(api.cluster, refs);
    expect([...secrets.keys()]).toEqual(['default/web-tls']);
    expect(forbidden).toEqual([{ namespace: 'blog', name: 'shop-tls' }]);
  });
});

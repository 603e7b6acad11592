import { describe, expect, it } from '@jest/globals';
import { requireStores } from './stores.js';

const own = { json: false, debug: false, repository: '', 'repository-id': '', resume: '' };
const token = { 'github-token': 't' };

describe('the stores of a command', () => {
  it('are a directory, and artifacts for whoever may ask for them', () => {
    expect(() => requireStores({ stores: 'directory' }, own, {})).not.toThrow();
    expect(() => requireStores({}, own, {})).not.toThrow();
    const named = { ...own, repository: 'a/b' };
    expect(() => requireStores({ stores: 'directory, artifact', ...token }, named, {})).not.toThrow();
    expect(() => requireStores({ stores: 'artifact', ...token }, own, { GITHUB_REPOSITORY: 'a/b' })).not.toThrow();
    expect(() => requireStores({ stores: 'artifact' }, named, {})).toThrow('whose artifacts');
    expect(() => requireStores({ stores: 'artifact', ...token }, own, {})).toThrow('whose artifacts');
  });

  it('are the cache for a step of a job alone', () => {
    expect(() => requireStores({ stores: 'directory,cache' }, own, {})).toThrow('GitHub’s cache');
    const job = { ACTIONS_RESULTS_URL: 'https://results', ACTIONS_RUNTIME_TOKEN: 't' };
    expect(() => requireStores({ stores: 'cache' }, own, job)).not.toThrow();
  });
});

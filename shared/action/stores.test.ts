import { describe, expect, it } from '@jest/globals';
import { parseOciAddress } from '../backup/stores/oci/oci-address.js';
import { maskedLines } from './mask.js';
import { isGithubRegistry, openStores, type StoreInputs } from './stores.js';

const signal = new AbortController().signal;
const none: StoreInputs = {
  stores: [],
  directory: '',
  oci: undefined,
  'oci-credentials': '',
  s3: '',
  's3-endpoint': '',
  's3-credentials': '',
  'retention-days': 0,
  's3-lock-days': 0,
  'ca-bundle': '',
  'github-token': '',
};
const open = (change: Partial<StoreInputs>, env: NodeJS.ProcessEnv = {}) =>
  openStores({ ...none, ...change }, env, signal);
const registry = parseOciAddress('registry.corp/backups');

describe('the stores of a step', () => {
  it('are opened in their order, each with what takes it away', () => {
    const stores = open(
      {
        stores: ['s3', 'oci', 'directory', 'cache', 'artifact'],
        directory: '/srv/backups',
        oci: registry,
        s3: 'backups/p',
        's3-endpoint': 'https://minio.corp:9000',
        's3-credentials': 'ID:a-secret-of-s3',
      },
      { GITHUB_REPOSITORY: 'acme/platform' },
    );
    expect(stores.map(({ name, fate }) => `${name}: ${fate}`)).toEqual([
      's3: the bucket backups at minio.corp:9000',
      'oci: the registry registry.corp',
      'directory: the folder /srv/backups',
      'cache: the GitHub repository acme/platform',
      'artifact: the GitHub repository acme/platform',
    ]);
  });

  it.each<[string, Partial<StoreInputs>, string]>([
    ['there are none', {}, '`stores` names none'],
    ['there is no folder', { stores: ['directory'] }, '`directory` is empty'],
    ['there is no repository', { stores: ['oci'] }, '`oci` is empty'],
    ['there is no bucket', { stores: ['s3'] }, '`s3` is empty'],
    ['nobody may use the bucket', { stores: ['s3'], s3: 'backups' }, 'no credentials'],
    ['half a key', { stores: ['s3'], s3: 'backups', 's3-credentials': 'ID' }, 'not of the form ID:SECRET'],
    ['half a user', { stores: ['oci'], oci: registry, 'oci-credentials': 'USER:' }, 'not of the form USER:PASSWORD'],
    [
      'a password would be readable',
      { stores: ['oci'], oci: parseOciAddress('http://registry.corp/b'), 'oci-credentials': 'u:a-password' },
      'asked by http, and has credentials',
    ],
  ])('are refused where %s', (_, inputs, what) => {
    expect(() => open(inputs)).toThrow(
      expect.objectContaining({ code: 'input-invalid', message: expect.stringContaining(what) }),
    );
  });

  it('have no secret that is not known before', () => {
    open({ stores: ['oci'], oci: registry, 'oci-credentials': 'user:one-password:with-colon' });
    open({ stores: ['s3'], s3: 'backups', 's3-credentials': 'ID:one-secret:one-session' });
    open(
      { stores: ['s3'], s3: 'backups' },
      { AWS_ACCESS_KEY_ID: 'ID', AWS_SECRET_ACCESS_KEY: 'two-secret', AWS_SESSION_TOKEN: 'two-session' },
    );
    const known = [...maskedLines()];
    for (const secret of ['one-password:with-colon', 'one-secret', 'one-session', 'two-secret', 'two-session']) {
      expect(known).toContain(secret);
    }
  });
});

describe('the job’s token', () => {
  it.each<[string, string, boolean]>([
    ['ghcr.io', '', true],
    ['ghcr.io', 'https://github.com', true],
    ['containers.github.corp', 'https://github.corp', true],
    ['ghcr.io', 'https://github.corp', false],
    ['ghcr.io.corp', '', false],
    ['ghcr.io:5000', '', false],
    ['registry.corp', '', false],
  ])('is for %s of %s: %s', (host, server, isFor) => {
    expect(isGithubRegistry(host, { GITHUB_SERVER_URL: server })).toBe(isFor);
  });
});

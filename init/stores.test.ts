import { describe, expect, it } from '@jest/globals';
import type { Environment } from './environments.js';
import { parseStores, storeLines } from './stores.js';
import { facts } from './testing/facts.js';

const environment = (name: string, ...secrets: string[]): Environment => ({
  name,
  secrets,
  variables: [],
  hasReviewers: false,
  isForEveryBranch: false,
  operation: undefined,
});

describe('the stores of the workflows', () => {
  it.each([
    ['', ''],
    ['cache,artifact,oci', 'cache,artifact,oci'],
    [' s3 , oci,s3,', 's3,oci'],
  ])('are read: %s', (text, stores) => {
    expect(parseStores(text)).toBe(stores);
  });

  it.each(['directory', 'S3', 'cache artifact', 'oci,ghcr.io/acme'])('are refused: %s', (text) => {
    expect(() => parseStores(text)).toThrow(expect.objectContaining({ code: 'init-stores' }));
  });

  it('ask nothing of who has none of his own', () => {
    expect(
      storeLines([environment('mcprt-backup', 'MCPRT_BACKUP_KEY')], facts, { prefix: 'mcprt', keys: '/keys' }),
    ).toEqual([]);
  });

  it('are told once for the repository, and who may use them for each environment', () => {
    const both = ['MCPRT_OCI_CREDENTIALS', 'MCPRT_S3_CREDENTIALS'];
    const text = storeLines([environment('mcprt-backup', ...both), environment('mcprt-drill', ...both)], facts, {
      prefix: 'mcprt',
      keys: '/keys',
    });
    expect(text.filter((line) => /^(?:# |names=.*)?gh /.test(line))).toEqual([
      `names="$(gh variable list --repo acme/platform)" && { grep -qw MCPRT_OCI <<< "$names" || gh variable set MCPRT_OCI --repo acme/platform --body ghcr.io/acme/mcprt-backups; }`,
      '# gh variable set MCPRT_S3 --repo acme/platform --body BUCKET/mcprt',
      '# gh variable set MCPRT_S3_ENDPOINT --repo acme/platform --body https://minio.example.com:9000 # not for AWS',
      'gh secret set MCPRT_OCI_CREDENTIALS --env mcprt-backup --repo acme/platform < /keys/oci-credentials',
      'gh secret set MCPRT_OCI_CREDENTIALS --env mcprt-drill --repo acme/platform < /keys/oci-credentials',
      'gh secret set MCPRT_S3_CREDENTIALS --env mcprt-backup --repo acme/platform < /keys/s3-credentials',
      'gh secret set MCPRT_S3_CREDENTIALS --env mcprt-drill --repo acme/platform < /keys/s3-credentials',
    ]);
  });

  it('are told for each environment where the repository has several platforms', () => {
    const text = storeLines([environment('staging-backup', 'MCPRT_OCI_CREDENTIALS')], facts, {
      prefix: 'staging',
      keys: '/keys',
    });
    const place = '--env staging-backup --repo acme/platform';
    expect(text).toContainEqual(expect.stringContaining(`gh variable list ${place})`));
    expect(text).toContainEqual(expect.stringContaining(`set MCPRT_OCI ${place} --body ghcr.io/acme/mcprt-backups`));
  });

  it('are an example, which nobody can paste, where nobody knows them', () => {
    const elsewhere = { ...facts, host: 'github.corp' };
    const text = storeLines([environment('mcprt-backup', 'MCPRT_OCI_CREDENTIALS')], elsewhere, {
      prefix: 'mcprt',
      keys: '/keys',
    });
    expect(text.filter((line) => line.includes('MCPRT_OCI '))).toEqual([
      '# gh variable set MCPRT_OCI --repo github.corp/acme/platform --body registry.example.com/acme/mcprt-backups',
    ]);
  });
});

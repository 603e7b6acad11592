import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { authenticationConfiguration, githubIssuer, userOf, usersOf } from './authentication.js';

const options = {
  issuer: githubIssuer,
  issuerAuthority: '',
  audience: 'https://k3s.example.com:6443',
  repository: 'Acme/Platform',
  repositoryId: '42',
  branch: 'main',
  environments: [
    { name: 'mcprt-backup', isForEveryBranch: false },
    { name: 'Production', isForEveryBranch: false },
    { name: 'mcprt-pull-request', isForEveryBranch: true },
  ],
  minor: 32,
};

function rulesOf(more: Partial<typeof options> = {}): string[] {
  const { jwt } = parse(authenticationConfiguration({ ...options, ...more }));
  return jwt[0].claimValidationRules.map(({ expression }: { expression: string }) => expression);
}

describe('the file for the control plane', () => {
  it.each([
    [30, 'apiserver.config.k8s.io/v1beta1'],
    [33, 'apiserver.config.k8s.io/v1beta1'],
    [34, 'apiserver.config.k8s.io/v1'],
  ])('is called as Kubernetes 1.%i reads it', (minor, apiVersion) => {
    expect(parse(authenticationConfiguration({ ...options, minor })).apiVersion).toBe(apiVersion);
  });

  it('takes one issuer for one audience', () => {
    const { jwt } = parse(authenticationConfiguration(options));
    expect(jwt).toHaveLength(1);
    expect(jwt[0].issuer).toEqual({ url: githubIssuer, audiences: [options.audience] });
  });

  it('asks for repository, number, environment and branch', () => {
    expect(rulesOf()).toEqual([
      "(claims.repository.lowerAscii() == 'acme/platform' && claims.repository_id == '42' && " +
        "claims.environment.lowerAscii() in ['mcprt-pull-request', 'mcprt-backup', 'production'] && " +
        "(claims.environment.lowerAscii() in ['mcprt-pull-request'] || claims.ref == 'refs/heads/main'))",
    ]);
  });

  it('asks for the branch in each environment where none is for all', () => {
    const environments = [{ name: 'mcprt-backup', isForEveryBranch: false }];
    expect(rulesOf({ environments }).at(-1)).toMatch(/ && claims\.ref == 'refs\/heads\/main'\)$/);
  });

  it('lets no name out of its quotes', () => {
    expect(rulesOf({ branch: "a' || true || 'b\\" }).at(-1)).toContain("'refs/heads/a\\' || true || \\'b\\\\'");
  });

  it('names a user as GitHub tells environments apart: by no case', () => {
    expect(userOf('Acme/Platform', 'Production')).toBe('mcprt:repo:acme/platform:environment:production');
    expect(usersOf('acme/PLATFORM')(userOf('Acme/Platform', 'x'))).toBe(true);
    expect(usersOf('acme/platform')(userOf('acme/platform2', 'x'))).toBe(false);
  });
});

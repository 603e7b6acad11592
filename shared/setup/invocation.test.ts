import { describe, expect, it } from '@jest/globals';
import { furtherArguments, type InstallerSettings, invocationOf } from './invocation.js';
import type { Mode } from './mode.js';
import { usualSettings } from './testing/settings.js';

const settings: InstallerSettings = { ...usualSettings, acmeEmail: 'ops@example.com' };

function made(
  profile: Record<string, string> = {},
  mode: Mode = 'rerun',
  more: Partial<InstallerSettings> = {},
  env: NodeJS.ProcessEnv = {},
  platformMode?: string,
): ReturnType<typeof invocationOf> {
  return invocationOf({
    mode,
    platformMode,
    googleClientId: 'kept',
    settings: { ...settings, ...more },
    profile: new Map(Object.entries(profile)),
    env,
    domain: 'example.com',
    registry: 'registry.example.com',
    kubeconfig: '/job/kubeconfig',
  });
}

describe('invocationOf', () => {
  it('gives a first install the address and a rerun the issuer, never both', () => {
    expect(made({}, 'first-install').args.join(' ')).toBe(
      'setup --kubeconfig /job/kubeconfig --with-tls --acme-email ops@example.com --ingress none --registry-mode bundled-https',
    );
    expect(made().args.join(' ')).toBe(
      'setup --kubeconfig /job/kubeconfig --with-tls --tls-cluster-issuer letsencrypt-prod --skip-cert-manager-install --ingress none --registry-mode bundled-https',
    );
  });

  it('passes a platform mode only where there is one, with the sign-in that a public one asks for', () => {
    expect(made().args).not.toContain('--platform-mode');
    const org = made({}, 'rerun', {}, {}, 'org');
    expect(org.args.join(' ')).toMatch(/ --platform-mode org$/);
    expect(org.env.GOOGLE_CLIENT_ID).toBeUndefined();
    expect(made({}, 'rerun', {}, {}, 'public').env.GOOGLE_CLIENT_ID).toBe('kept');
    expect(made({ GOOGLE_CLIENT_ID: 'new' }, 'rerun', {}, {}, 'public').env.GOOGLE_CLIENT_ID).toBe('new');
  });

  it('takes away what would lead to another cluster or to the other mode', () => {
    const { env } = made(
      { MCP_ACME_EMAIL: 'a@b.c', MCP_SETUP_KUBECONFIG: '/other' },
      'rerun',
      {},
      {
        PATH: '/bin',
        KUBERNETES_SERVICE_HOST: '10.43.0.1',
        KUBERNETES_SERVICE_PORT: '443',
        MCP_ACME_EMAIL: 'x@y.z',
      },
    );
    expect(env).toMatchObject({ PATH: '/bin', KUBECONFIG: '/job/kubeconfig', NO_COLOR: '1' });
    expect(Object.keys(env)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/KUBERNETES|ACME|SETUP_KUBECONFIG/)]),
    );
  });

  it('passes no secret of the job on', () => {
    const { env } = made({}, 'rerun', {}, { INPUT_RESTOREKEY: 's', ACTIONS_RUNTIME_TOKEN: 't', GITHUB_TOKEN: 'g' });
    expect(env).toEqual({
      KUBECONFIG: '/job/kubeconfig',
      NO_COLOR: '1',
      MCP_PLATFORM_DOMAIN: 'example.com',
      MCP_REGISTRY_ENDPOINT: 'registry.example.com',
    });
  });

  it('says from where nodes pull where the registry has a public certificate, unless the profile does', () => {
    expect(made().env.MCP_REGISTRY_ENDPOINT).toBe('registry.example.com');
    expect(made({ MCP_REGISTRY_ENDPOINT: 'own.example.com' }).env.MCP_REGISTRY_ENDPOINT).toBe('own.example.com');
    expect(made({}, 'rerun', { registryMode: 'external' }).env.MCP_REGISTRY_ENDPOINT).toBeUndefined();
    expect(made({ MCP_SETUP_REGISTRY_MODE: 'bundled-http' }).env.MCP_REGISTRY_ENDPOINT).toBeUndefined();
  });

  it('tells what of the profile it leaves out, and not what it uses', () => {
    const profile = { MCP_ACME_EMAIL: 'a@b.c', MCP_SETUP_TLS_CLUSTER_ISSUER: 'own', MCP_KUBE_CONTEXT: 'c' };
    const told = (mode: Mode): string[] => made(profile, mode).notices.map((one) => one.split(' ')[0] ?? '');
    expect(told('first-install')).toEqual(['MCP_KUBE_CONTEXT', 'MCP_SETUP_TLS_CLUSTER_ISSUER']);
    expect(told('rerun')).toEqual(['MCP_KUBE_CONTEXT', 'MCP_ACME_EMAIL']);
  });

  it('maps the wait that nothing reads to the one that is read, and says so', () => {
    const mapped = made({ MCP_SETUP_WAIT_TIMEOUT: '900' });
    expect(mapped.env.MCP_DEPLOYMENT_TIMEOUT).toBe('900s');
    expect(mapped.notices).toEqual([expect.stringContaining('MCP_DEPLOYMENT_TIMEOUT=900s')]);
    expect(made({ MCP_SETUP_WAIT_TIMEOUT: '900', MCP_DEPLOYMENT_TIMEOUT: '10m' }).env.MCP_DEPLOYMENT_TIMEOUT).toBe(
      '10m',
    );
  });

  it('waits 15 minutes for a certificate on a first install', () => {
    expect(made({}, 'first-install').env.MCP_CERT_TIMEOUT).toBe('15m');
    expect(made({ MCP_CERT_TIMEOUT: '7m' }, 'first-install').env.MCP_CERT_TIMEOUT).toBe('7m');
    expect(made().env.MCP_CERT_TIMEOUT).toBeUndefined();
  });
});

describe('furtherArguments', () => {
  it('passes on what is a user’s to give', () => {
    expect(furtherArguments(['--strict-prod', '--registry-storage=40Gi'])).toEqual([
      '--strict-prod',
      '--registry-storage=40Gi',
    ]);
  });

  it.each([
    '--kubeconfig',
    '--context=other',
    '--platform-mode=org',
    '--acme-email=a@b.c',
    '--env-file',
    '--external-registry-password=x',
  ])('refuses %s', (argument) => {
    expect(() => furtherArguments(['--strict-prod', argument])).toThrow('is decided by action-setup');
  });
});

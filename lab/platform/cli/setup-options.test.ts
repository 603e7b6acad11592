import { describe, expect, it } from '@jest/globals';
import { UsageError } from './errors.js';
import { readSetupOptions, type SetupOptions, waitNotice } from './setup-options.js';

const floors = { certificate: 300, internalCertificate: 120, certManager: 120 };
const env = { MCP_PLATFORM_DOMAIN: 'https://example.com:443/x', MCP_PLATFORM_ADMIN_EMAIL: 'admin@example.com' };
const install = ['--with-tls', '--registry-mode', 'bundled-https', '--ingress=none', '--platform-mode', 'tenant'];
const read = (argv: string[], more: NodeJS.ProcessEnv = {}): SetupOptions =>
  readSetupOptions(argv, { ...env, ...more }, floors);

describe('options of setup', () => {
  it('reads flags, variables and defaults', () => {
    const options = read([...install, '--acme-email', 'ops@example.com'], { MCP_DEPLOYMENT_TIMEOUT: '1h30m' });
    expect(options.hosts).toEqual({
      platform: 'platform.example.com',
      registry: 'registry.example.com',
      mcp: 'mcp.example.com',
    });
    expect(options).toMatchObject({ acme: { email: 'ops@example.com', staging: false }, registryStorage: '20Gi' });
    expect(waitNotice(options)).toBe('per-resource timeout 1h30m0s; override with MCP_DEPLOYMENT_TIMEOUT');
  });

  it('lets a flag win over a variable, and the first variable over the second', () => {
    const variables = { MCP_SETUP_TLS_CLUSTER_ISSUER: 'first', MCP_TLS_CLUSTER_ISSUER: 'second' };
    expect(read(install, variables).clusterIssuer).toBe('first');
    expect(read([...install, '--tls-cluster-issuer=flag'], variables).clusterIssuer).toBe('flag');
  });

  it('takes only 1 and true for a switch in the environment', () => {
    expect(read(install, { MCP_SETUP_SKIP_CERT_MANAGER_INSTALL: '1' }).skipCertManager).toBe(true);
    expect(read(install, { MCP_SETUP_SKIP_CERT_MANAGER_INSTALL: 'yes' }).skipCertManager).toBe(false);
  });

  it('raises the certificate wait for ACME and for a given issuer, never for the private CA', () => {
    const waits = (argv: string[], timeout?: string): [number, number] => {
      const found = read(argv, timeout === undefined ? {} : { MCP_CERT_TIMEOUT: timeout }).waits;
      return [found.certificate, found.internalCertificate];
    };
    expect(waits([...install, '--acme-email', 'o@example.com'])).toEqual([300, 120]);
    expect(waits([...install, '--acme-email', 'o@example.com'], '15m')).toEqual([900, 900]);
    expect(waits([...install, '--tls-cluster-issuer', 'x'], '1s')).toEqual([300, 120]);
    expect(waits(install, '1s')).toEqual([1, 120]);
  });

  it.each([
    [['--nope'], 'unknown flag: --nope'],
    [['--kubeconfig'], 'flag needs an argument: --kubeconfig'],
    [['-k'], "unknown shorthand flag: 'k' in -k"],
    [
      ['--with-tls=maybe'],
      'invalid argument "maybe" for "--with-tls" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
  ])('refuses %j as cobra does', (argv, message) => {
    expect(() => read(argv)).toThrow(UsageError);
    expect(() => read(argv)).toThrow(message);
  });

  it.each<[string, string[], NodeJS.ProcessEnv, string]>([
    ['a mode', ['--storage-mode', 'tape'], {}, 'storage-mode'],
    [
      'both issuers',
      [...install, '--acme-email', 'o@example.com', '--tls-cluster-issuer', 'x'],
      {},
      'use either --acme-email (or MCP_ACME_EMAIL)',
    ],
    [
      'an issuer flag beside MCP_ACME_EMAIL',
      [...install, '--tls-cluster-issuer', 'x'],
      { MCP_ACME_EMAIL: 'o@example.com' },
      'not both',
    ],
    ['ACME without TLS', ['--acme-email', 'o@example.com'], {}, 'require --with-tls'],
    [
      'bundled-https without TLS',
      ['--registry-mode', 'bundled-https'],
      {},
      '--registry-mode bundled-https requires --with-tls so setup can provision registry-tls for the registry pod',
    ],
    ['mTLS without TLS', ['--mtls-cluster-issuer', 'x'], {}, '--mtls-cluster-issuer requires --with-tls'],
    [
      'external flags elsewhere',
      [...install, '--external-registry-url', 'r.example.com'],
      {},
      'require --registry-mode external or auto',
    ],
    [
      'no domain',
      install,
      { MCP_PLATFORM_DOMAIN: '' },
      'platform host configuration is incomplete; set MCP_PLATFORM_DOMAIN or set',
    ],
    [
      'no administrator',
      install,
      { MCP_PLATFORM_ADMIN_EMAIL: '' },
      'platform admin configuration is incomplete; set MCP_PLATFORM_ADMIN_EMAIL (or ADMIN_USERS)',
    ],
    ['public mode without sign-in', [...install, '--platform-mode', 'public'], {}, 'GOOGLE_CLIENT_ID'],
    [
      'mode auto without an endpoint',
      ['--with-tls'],
      {},
      'bundled registry setup with --registry-mode auto requires MCP_REGISTRY_ENDPOINT set to the exact registry host:port Kubernetes nodes can pull from;',
    ],
    ['a duration', install, { MCP_CERT_TIMEOUT: '15' }, 'MCP_CERT_TIMEOUT: time: invalid duration "15"'],
    [
      'what it does not stand in for',
      ['--with-tls'],
      { MCP_REGISTRY_ENDPOINT: 'r.example.com' },
      'does not stand in for --registry-mode auto',
    ],
  ])('refuses %s', (_what, argv, more, message) => {
    expect(() => read(argv, more)).toThrow(message);
  });

  it('checks in the installer’s order: issuers before TLS, TLS before hosts, hosts before the administrator', () => {
    const everything = [
      '--acme-email',
      'o@example.com',
      '--tls-cluster-issuer',
      'x',
      '--registry-mode',
      'bundled-https',
    ];
    const nothing = { MCP_PLATFORM_DOMAIN: '', MCP_PLATFORM_ADMIN_EMAIL: '' };
    expect(() => read(everything, nothing)).toThrow('use either');
    expect(() => read(['--acme-email', 'o@example.com'], nothing)).toThrow('require --with-tls');
    expect(() => read(install, nothing)).toThrow('platform host configuration');
  });
});

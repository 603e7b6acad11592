import { describe, expect, it } from '@jest/globals';
import { configPathOf, controllerSettings } from './controller-settings.js';

const settings = (args: string[], file?: string, env: { name: string; value?: string }[] = []) =>
  controllerSettings({ args, env }, 'ours', file);

describe('the settings of cert-manager’s controller', () => {
  it('are the program’s own where nothing sets them, and not those of its manifest', () => {
    expect(settings([])).toEqual({ clusterResourceNamespace: 'kube-system', shim: {} });
  });

  it.each<[string, string[]]>([
    ['joined', ['--cluster-resource-namespace=secrets']],
    ['apart', ['--cluster-resource-namespace', 'secrets', '--v=2']],
    ['given twice', ['--cluster-resource-namespace=first', '--cluster-resource-namespace=secrets']],
  ])('come from a flag, %s', (_, args) => {
    expect(settings(args).clusterResourceNamespace).toBe('secrets');
  });

  it('expand variables as the kubelet does', () => {
    const env = [
      { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
      { name: 'A', value: 'a' },
    ];
    const of = (text: string) =>
      controllerSettings({ args: [`--cluster-resource-namespace=${text}`], env }, 'ours', undefined)
        .clusterResourceNamespace;
    expect([of('$(POD_NAMESPACE)'), of('x-$(A)'), of('$(NONE)'), of('$$(A)')]).toEqual([
      'ours',
      'x-a',
      '$(NONE)',
      '$(A)',
    ]);
  });

  it('read the issuer that an Ingress gets which names none', () => {
    const shim = settings([
      '--default-issuer-name=le',
      '--default-issuer-kind=ClusterIssuer',
      '--default-issuer-group=g',
      '--auto-certificate-annotations=a,,b',
      '--extra-certificate-annotations=c',
      '--extra-certificate-annotations=d',
    ]).shim;
    expect(shim).toEqual({
      defaultIssuerName: 'le',
      defaultIssuerKind: 'ClusterIssuer',
      defaultIssuerGroup: 'g',
      autoCertificateAnnotations: ['a', 'b'],
      extraCertificateAnnotations: ['c', 'd'],
    });
  });

  it('have flags without a value, which take none from the flag after them', () => {
    expect(settings(['--enable', '--cluster-resource-namespace=secrets']).clusterResourceNamespace).toBe('secrets');
    expect(settings(['--cluster-resource-namespace', '--v=2']).clusterResourceNamespace).toBe('true');
    expect(settings(['--cluster-resource-namespace']).clusterResourceNamespace).toBe('true');
    expect(settings(['--cluster-resource-namespace=']).clusterResourceNamespace).toBe('kube-system');
  });

  it('come from the configuration file, over which a flag wins', () => {
    const file =
      'clusterResourceNamespace: filed\ningressShimConfig:\n  defaultIssuerName: le\n  defaultIssuerKind: ClusterIssuer\n  defaultIssuerGroup: g\n  defaultAutoCertificateAnnotations: [a, 1, b]\n  extraCertificateAnnotations: [c]\ncontrollers: [issuers]\n';
    expect(settings([], file)).toEqual({
      clusterResourceNamespace: 'filed',
      shim: {
        defaultIssuerName: 'le',
        defaultIssuerKind: 'ClusterIssuer',
        defaultIssuerGroup: 'g',
        autoCertificateAnnotations: ['a', 'b'],
        extraCertificateAnnotations: ['c'],
        disabled: true,
      },
    });
    expect(settings(['--cluster-resource-namespace=flag'], file).clusterResourceNamespace).toBe('flag');
    const empty = 'ingressShimConfig:\n  defaultAutoCertificateAnnotations: []\n';
    expect(settings([], empty).shim).toEqual({});
    expect(settings(['--auto-certificate-annotations='], empty).shim).toEqual({ autoCertificateAnnotations: [] });
    expect(settings([], ': no yaml\n\t').clusterResourceNamespace).toBe('kube-system');
    expect(configPathOf({ args: ['--config=/c/config.yaml'] }, 'ours')).toBe('/c/config.yaml');
  });

  it.each<[string[], boolean]>([
    [['--controllers=*'], false],
    [['--controllers=*,-ingress-shim'], true],
    [['--controllers=issuers,ingress-shim'], false],
    [['--controllers=issuers'], true],
    [['--controllers='], false],
  ])('say with %s whether Ingresses are answered', (args, disabled) => {
    expect(settings(args).shim.disabled ?? false).toBe(disabled);
  });

  it.each<[string[], string | undefined, boolean]>([
    [['--enable-gateway-api'], undefined, true],
    [['--enable-gateway-api=T'], undefined, true],
    [['--enable-gateway-api=false'], 'enableGatewayAPI: true', false],
    [[], 'enableGatewayAPI: true', true],
    [[], 'enableGatewayAPI: "no"', false],
    [[], undefined, false],
    [['--enable-gateway-api', '--controllers=*,-gateway-shim'], undefined, false],
  ])('say whether gateway-shim runs: %j, %j', (args, file, runs) => {
    expect(settings(args, file).shim.gateways ?? false).toBe(runs);
  });
});

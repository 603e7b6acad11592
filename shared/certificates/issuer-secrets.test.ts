import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { issuerSecretPaths, issuerSecretRefs } from './issuer-secrets.js';

/** A spec with one reference at a path, as the API has it there. */
function specWith(path: string): Record<string, unknown> {
  const isText = path.endsWith('secretName');
  return path
    .split('.')
    .reduceRight<unknown>(
      (inner, step) => ({ [step.replace('[]', '')]: step.endsWith('[]') ? [inner] : inner }),
      isText ? 'named' : { name: 'named', key: 'k' },
    ) as Record<string, unknown>;
}

/** Every field of cert-manager's API that names a Secret, filled in as its documentation shows them. */
const everything = `
acme:
  privateKeySecretRef: {name: account}
  externalAccountBinding: {keyID: k, keySecretRef: {name: eab, key: k}}
  solvers:
    - dns01: {acmeDNS: {host: h, accountSecretRef: {name: acme-dns, key: k}}}
    - dns01:
        akamai:
          accessTokenSecretRef: {name: akamai-access, key: k}
          clientSecretSecretRef: {name: akamai-secret, key: k}
          clientTokenSecretRef: {name: akamai-token, key: k}
    - dns01: {azureDNS: {clientID: i, clientSecretSecretRef: {name: azure, key: k}}}
    - dns01: {cloudDNS: {project: p, serviceAccountSecretRef: {name: cloud-dns, key: k}}}
    - dns01: {cloudflare: {email: e, apiKeySecretRef: {name: cloudflare-key, key: k}}}
    - dns01: {cloudflare: {apiTokenSecretRef: {name: cloudflare-token, key: k}}}
    - dns01: {digitalocean: {tokenSecretRef: {name: digital-ocean, key: k}}}
    - dns01: {rfc2136: {nameserver: n, tsigKeyName: t, tsigSecretSecretRef: {name: tsig, key: k}}}
    - dns01:
        route53:
          accessKeyIDSecretRef: {name: route53-id, key: k}
          secretAccessKeySecretRef: {name: route53-key, key: k}
    - http01: {ingress: {podTemplate: {spec: {imagePullSecrets: [{name: pull-one}, {name: pull-two}]}}}}
    - http01: {gatewayHTTPRoute: {podTemplate: {spec: {imagePullSecrets: [{name: pull-gateway}]}}}}
ca: {secretName: own-ca}
vault:
  auth:
    appRole: {path: p, roleId: r, secretRef: {name: vault-role, key: k}}
    clientCertificate: {secretName: vault-certificate}
    kubernetes: {role: r, secretRef: {name: vault-kubernetes, key: k}}
    tokenSecretRef: {name: vault-token, key: k}
  caBundleSecretRef: {name: vault-ca, key: k}
  clientCertSecretRef: {name: vault-client-certificate, key: k}
  clientKeySecretRef: {name: vault-client-key, key: k}
venafi:
  zone: z
  cloud: {apiTokenSecretRef: {name: venafi-cloud, key: k}}
  ngts: {credentialsRef: {name: venafi-ngts}}
  tpp: {caBundleSecretRef: {name: venafi-ca, key: k}, credentialsRef: {name: venafi-tpp}}
`;

describe('Secrets of an issuer', () => {
  it('are all that its API has a field for, told by their use', () => {
    const found = issuerSecretRefs(parse(everything));
    const names = (use: string): string[] => found.filter((one) => one.use === use).map(({ name }) => name);
    expect([names('account-key'), names('ca'), names('pull')]).toEqual([
      ['account'],
      ['own-ca'],
      ['pull-one', 'pull-two', 'pull-gateway'],
    ]);
    const written = [...everything.matchAll(/(?:name|secretName): ([a-z0-9-]+)/g)].map(([, name]) => name);
    expect(found.map(({ name }) => name).sort()).toEqual(written.sort());
    expect(names('credential')).toHaveLength(written.length - 5);
  });

  it.each(issuerSecretPaths)('are found at %s', (path, use) => {
    expect(issuerSecretRefs(specWith(path))).toEqual([{ use, name: 'named', path, isGuess: false }]);
  });

  it.each<[string, unknown, string[]]>([
    ['usernameSecretKeyRef', { name: 'a', key: 'k' }, ['a']],
    ['passwordSecretKeyRef', { name: 'a', key: 'k' }, ['a']],
    ['tokenSecretRef', { name: 'a', key: 'k' }, ['a']],
    ['apiKeyRef', { name: 'a' }, ['a']],
    ['secretName', 'a', ['a']],
    ['credentialsSecretName', 'a', ['a']],
    ['secretNames', ['a', 'b'], ['a', 'b']],
    ['secretRef', { namespace: 'elsewhere', name: 'a' }, ['elsewhere/a']],
    ['secret', 'Not A Name', []],
    ['zone', 'example.com', []],
  ])('are guessed from %s of a webhook', (key, value, wanted) => {
    const spec = { acme: { solvers: [{ dns01: { webhook: { config: { deeper: [{ [key]: value }] } } } }] } };
    const found = issuerSecretRefs(spec);
    expect(found.map(({ name, namespace }) => (namespace === undefined ? name : `${namespace}/${name}`))).toEqual(
      wanted,
    );
    expect(found.every(({ isGuess }) => isGuess)).toBe(true);
  });

  it('are found as deep as a person may write them', () => {
    const nested = (depth: number): object =>
      Array.from({ length: depth }).reduce<object>((inner) => ({ a: inner }), { secretName: 'x' });
    const found = (depth: number): number =>
      issuerSecretRefs({ acme: { solvers: [{ dns01: { webhook: { config: nested(depth) } } }] } }).length;
    expect([found(16), found(17)]).toEqual([1, 0]);
  });

  it('end where a configuration is deeper than any person writes', () => {
    const config = Array.from({ length: 10_000 }).reduce<object>((inner) => ({ a: inner }), { secretName: 'x' });
    expect(issuerSecretRefs({ acme: { solvers: [{ dns01: { webhook: { config } } }] } })).toEqual([]);
  });
});

import { beside, type KubeconfigCase, type Material } from './generate.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Kubeconfigs as tools and people write them, one for each thing that one may have. */
export function byHand(material: Material): KubeconfigCase[] {
  const ca = base64(material.ca);
  const pair = `client-certificate-data: ${base64(material.cert)}, client-key-data: ${base64(material.key)}`;
  const k3s = config(`certificate-authority-data: ${ca}\n    server: https://127.0.0.1:6443`, `{${pair}}`);
  const token = config(
    `certificate-authority-data: ${ca}\n    server: https://k3s.example.com:6443`,
    '{token: t0ken-0123456789}',
  );
  const cluster = (more: string): string => token.replace('    server:', `    ${more}\n    server:`);
  const server = (address: string): string => token.replace(/server: .*/, `server: ${address}`);
  const user = (fields: string): string => config(`server: https://a:6443`, fields);
  const one = (text: string | Buffer): { files: Buffer[] } => ({ files: [Buffer.from(text as string)] });
  const mark = '\ufeff';
  const utf16 = Buffer.from(`${mark}${token}`, 'utf16le');
  const cases: [string, Partial<KubeconfigCase>][] = [
    ['of k3s', one(k3s)],
    ['with a token', one(token)],
    [
      'as JSON',
      one(
        JSON.stringify({
          clusters: [{ name: 'a', cluster: { server: 'https://a' } }],
          contexts: [{ name: 'a', context: { cluster: 'a' } }],
          'current-context': 'a',
        }),
      ),
    ],
    ['keys in quotes', one(token.replace(/^(\s*(?:- )?)([\w-]+):/gm, '$1"$2":'))],
    ['CRLF', one(token.replaceAll('\n', '\r\n'))],
    ['a mark of byte order', one(`${mark}${token}`)],
    ['UTF-16', one(utf16)],
    ['UTF-16, big end first', one(Buffer.from(utf16).swap16())],
    ['base64', one(base64(token))],
    ['base64 in lines', one(base64(token).replace(/.{76}/g, '$&\n'))],
    ['a document mark and a comment first', one(`# ours\n---\n${token}`)],
    ['two documents', one(`${token}---\nclusters: []\n`)],
    ['two documents, the second broken', one(`${token}---\nclusters: [}\n`)],
    ['an end mark', one(`${token}...\n`)],
    ['a directive', one(`%YAML 1.1\n---\n${token}`)],
    ['anchors', one(token.replace('cluster:\n', 'cluster: &c\n').replace(/$/, 'spare: *c\n'))],
    [
      'a merge key',
      one(`base: &b {certificate-authority-data: ${ca}}\n${token.replace(/certificate-authority-data: .*/, '<<: *b')}`),
    ],
    ['data in a block', one(token.replace(ca, `|\n${ca.replace(/.{60}/g, '$&\n').replace(/^/gm, '      ')}`))],
    ['data folded', one(token.replace(ca, `>-\n${ca.replace(/.{60}/g, '$&\n').replace(/^/gm, '      ')}`))],
    ['unknown fields', one(`${token}future: {a: 1}\n`)],
    [
      'contexts that lead nowhere elsewhere',
      one(token.replace('contexts:', 'contexts:\n- name: old\n  context: {cluster: gone, user: gone}')),
    ],
    ['a cluster without a server elsewhere', one(token.replace('clusters:', 'clusters:\n- name: old\n  cluster: {}'))],
    ['a user without a name elsewhere', one(token.replace('users:', 'users:\n- user: {token: x}'))],
    [
      'another context that is asked for',
      { ...one(token.replace('contexts:', 'contexts:\n- name: two\n  context: {cluster: a}')), context: 'two' },
    ],
    ['a context that there is not', { ...one(token), context: 'nowhere' }],
    ['no current context', one(token.replace(/current-context: .*\n/, ''))],
    ['a current context that there is not', one(token.replace('current-context: a', 'current-context: b'))],
    ['a context without a user', one(token.replace('    user: a\n', ''))],
    ['a context of a user that there is not', one(token.replace('    user: a\n', '    user: gone\n'))],
    [
      'insecure: yes',
      one(user('{token: t0ken}').replace('    server', '    insecure-skip-tls-verify: yes\n    server')),
    ],
    ['insecure with a CA', one(cluster('insecure-skip-tls-verify: true'))],
    ['insecure as a text', one(cluster('insecure-skip-tls-verify: "true"'))],
    ['another name in the certificate', one(cluster('tls-server-name: kubernetes'))],
    ['a proxy', one(cluster('proxy-url: http://proxy.example:3128'))],
    ['a proxy with a password', one(cluster('proxy-url: http://u:p%40ss@proxy.example:3128'))],
    ['a SOCKS proxy', one(cluster('proxy-url: socks5://proxy.example:1080'))],
    ['IPv6', one(server('https://[2001:db8::1]:6443'))],
    ['a path', one(server('https://rancher.example.com/k8s/clusters/c-m-1'))],
    ['a path with a slash at its end', one(server('https://rancher.example.com/k8s/'))],
    ['no scheme', one(server('10.0.0.1:6443'))],
    ['no scheme and no port', one(server('k3s.example.com'))],
    ['no scheme and nothing of TLS', one(user('{token: t0ken}').replace('https://', ''))],
    ['http', one(server('http://10.0.0.1:8080'))],
    ['capitals', one(server('HTTPS://K3S.Example.com:6443'))],
    ['a user in the address', one(user('{}').replace('https://', 'https://u:p%20w@'))],
    ['a file for the CA', one(config(`certificate-authority: ${beside.ca}\n    server: https://a`, '{token: t}'))],
    ['files of a client certificate', one(user(`{client-certificate: ${beside.cert}, client-key: ./${beside.key}}`))],
    ['a token file', one(user(`{tokenFile: ${beside.token}}`))],
    ['a token file that is not there', one(user('{tokenFile: gone}'))],
    ['a token and its file', one(user(`{token: written, tokenFile: ${beside.token}}`))],
    ['a token in two lines', one(user('{token: "abc\\n"}'))],
    ['a token that is a number', one(user('{token: 123456}'))],
    ['a token that is a number in quotes', one(user('{token: "123456"}'))],
    ['a token that looks like a time', one(user('{token: 2026-11-30}'))],
    ['a password', one(user('{username: admin, password: "p:w"}'))],
    ['a token and a password', one(user('{username: admin, password: p, token: t}'))],
    ['a certificate and a token', one(user(`{${pair}, token: t0ken}`))],
    ['somebody else', one(user('{token: t0ken, as: system:admin}'))],
    [
      'somebody else with groups',
      one(user('{token: t0ken, as: u, as-uid: "1", as-groups: [a, b], as-user-extra: {k: [v, w]}}')),
    ],
    ['groups alone', one(user('{token: t0ken, as-groups: [a]}'))],
    [
      'a program',
      one(user('{exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}}')),
    ],
    ['an auth provider', one(user('{auth-provider: {name: oidc, config: {}}}'))],
    [
      'two files, the first with the context',
      { files: [Buffer.from('current-context: b\ncontexts: []\n'), Buffer.from(token.replaceAll(/\ba\b/g, 'b'))] },
    ],
    ['two files, the second of the same names', { files: [Buffer.from(token), Buffer.from(k3s)] }],
    ['two files, one broken', { files: [Buffer.from(token), Buffer.from('clusters: [}')] }],
    ['empty', one('')],
    ['nothing of a kubeconfig', one('a: b\n')],
    ['of another kind', one('apiVersion: v1\nkind: Secret\ndata: {}\n')],
    ['cut off', one(k3s.slice(0, k3s.indexOf('users:') + 30))],
  ];
  return cases.map(([name, given]) => ({ name, files: [], context: '', ...given }));
}

function config(cluster: string, user: string): string {
  return `apiVersion: v1
kind: Config
current-context: a
clusters:
- name: a
  cluster:
    ${cluster}
contexts:
- name: a
  context:
    cluster: a
    user: a
users:
- name: a
  user: ${user}
`;
}

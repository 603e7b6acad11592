/** One way in which a kubeconfig reaches an action, as it was meant or as it was damaged on its way. */
export interface Mangling {
  name: string;
  /** Whether a kubeconfig can still be read out of it. */
  isGood: boolean;
  of: (yaml: string) => string;
}

/** Secrets as a kubeconfig holds them. */
export interface KubeconfigSecrets {
  token: string;
  password: string;
  /** PEM. */
  key: string;
}

/** A kubeconfig with a secret in each field that can hold one. @param server without a scheme */
export function kubeconfigOf(secrets: KubeconfigSecrets, server: string): string {
  const key = Buffer.from(secrets.key).toString('base64');
  return `apiVersion: v1
kind: Config
current-context: main
clusters:
- name: main
  cluster:
    server: https://admin:${encodeURIComponent(secrets.password)}@${server}
    insecure-skip-tls-verify: false
contexts:
- name: main
  context:
    cluster: main
    user: main
users:
- name: main
  user:
    token: ${secrets.token}
- name: other
  user:
    username: admin
    password: ${JSON.stringify(secrets.password)}
    client-key-data: ${key}
`;
}

const quoted = (yaml: string): string => yaml.replace(/^(\s*(?:- )?)([\w-]+):/gm, '$1"$2":');
const indented = (yaml: string): string => yaml.replace(/^(?=.)/gm, '      ');
const json = (yaml: string, space?: number): string => {
  const token = /token: (.*)/.exec(yaml)?.[1];
  const server = /server: (.*)/.exec(yaml)?.[1];
  const key = /client-key-data: (.*)/.exec(yaml)?.[1];
  const password: unknown = JSON.parse(/password: (".*")/.exec(yaml)?.[1] ?? '""');
  const user = { token, username: 'admin', password, 'client-key-data': key };
  const context = { name: 'main', context: { cluster: 'main', user: 'main' } };
  return JSON.stringify(
    {
      'current-context': 'main',
      clusters: [{ name: 'main', cluster: { server } }],
      contexts: [context],
      users: [
        { name: 'main', user: { token } },
        { name: 'other', user },
      ],
    },
    null,
    space,
  );
};

/** Ways that are all seen in practice: a secret store, a template, a shell or an editor stood between. */
export const manglings: readonly Mangling[] = [
  { name: 'as it is', isGood: true, of: (yaml) => yaml },
  { name: 'JSON on one line', isGood: true, of: (yaml) => json(yaml) },
  { name: 'JSON on many lines', isGood: true, of: (yaml) => json(yaml, 2) },
  { name: 'JSON with tabs', isGood: true, of: (yaml) => json(yaml, 2).replace(/^ +/gm, '\t') },
  { name: 'keys in quotes', isGood: true, of: quoted },
  { name: 'CRLF', isGood: true, of: (yaml) => yaml.replaceAll('\n', '\r\n') },
  { name: 'a byte order mark', isGood: true, of: (yaml) => `\ufeff${yaml}` },
  { name: 'indented', isGood: true, of: indented },
  { name: 'indented, keys in quotes', isGood: true, of: (yaml) => indented(quoted(yaml)) },
  { name: 'empty lines around', isGood: true, of: (yaml) => `\n\n${yaml}\n\n` },
  { name: 'a comment and a document mark first', isGood: true, of: (yaml) => `# ours\n---\n${yaml}` },
  { name: 'base64', isGood: true, of: (yaml) => Buffer.from(yaml).toString('base64') },
  {
    name: 'base64 in lines',
    isGood: true,
    of: (yaml) => Buffer.from(yaml).toString('base64').replace(/.{76}/g, '$&\n'),
  },
  { name: 'base64url', isGood: true, of: (yaml) => Buffer.from(yaml).toString('base64url') },
  { name: 'base64 of UTF-16', isGood: true, of: (yaml) => Buffer.from(`\ufeff${yaml}`, 'utf16le').toString('base64') },
  { name: 'line ends turned into blanks', isGood: false, of: (yaml) => yaml.replaceAll('\n', ' ') },
  {
    name: 'line ends turned into blanks, keys in quotes',
    isGood: false,
    of: (yaml) => quoted(yaml).replaceAll('\n', ' '),
  },
  { name: 'line ends lost', isGood: false, of: (yaml) => yaml.replaceAll('\n', '') },
  { name: 'line ends written out', isGood: false, of: (yaml) => yaml.replaceAll('\n', '\\n') },
  { name: 'in quotes, as a string of JSON', isGood: false, of: (yaml) => JSON.stringify(yaml) },
  { name: 'lone carriage returns', isGood: false, of: (yaml) => yaml.replaceAll('\n', '\r') },
  { name: 'tabs for blanks', isGood: false, of: (yaml) => yaml.replaceAll('  ', '\t') },
  {
    name: 'cut off in the middle',
    isGood: false,
    of: (yaml) => yaml.slice(0, yaml.indexOf('users:')).replace('clusters:', 'clusters: ['),
  },
  { name: 'only its users', isGood: false, of: (yaml) => yaml.slice(yaml.indexOf('users:')) },
  { name: 'a bracket that is not closed', isGood: false, of: (yaml) => yaml.replace('users:', 'users: [}') },
  {
    name: 'twice base64',
    isGood: false,
    of: (yaml) => Buffer.from(Buffer.from(yaml).toString('base64')).toString('base64'),
  },
  { name: 'base64 with a letter lost', isGood: false, of: (yaml) => Buffer.from(yaml).toString('base64').slice(1) },
  { name: 'percent-encoded', isGood: false, of: encodeURIComponent },
  { name: 'only the token', isGood: false, of: (yaml) => /token: (.*)/.exec(yaml)?.[1] ?? '' },
  {
    name: 'only the key',
    isGood: false,
    of: (yaml) => Buffer.from(/key-data: (.*)/.exec(yaml)?.[1] ?? '', 'base64').toString(),
  },
  { name: 'a path before it', isGood: false, of: (yaml) => `/home/runner/.kube/config ${yaml.replaceAll('\n', ' ')}` },
];

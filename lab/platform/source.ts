import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { type Layout, namespaces } from './names.js';

const run = promisify(execFile);

/** The services of each layout that a rollout builds, by their folder in the source. */
export const services: Readonly<Record<Layout, readonly string[]>> = {
  mono: ['api', 'ui'],
  split: ['platform-api', 'runtime-api', 'analytics-api', 'ui'],
};

/**
 * What a rollout needs of the platform's source, as a checkout has it: a Dockerfile for each service, and the manifests
 * with the APIs' permissions. The images are empty but for one file: nothing of them is run in a lab.
 */
export function sourceFiles(layout: Layout): Record<string, string> {
  return {
    ...Object.fromEntries(services[layout].map((service) => [dockerfileOf(service), dockerfile(service, {})])),
    ...Object.fromEntries(services[layout].map((service) => [`services/${service}/program.txt`, `${service}\n`])),
    ...permissionFiles(layout),
  };
}

/**
 * Changes a service in a checkout and commits it, so that the next image of it is another one.
 *
 * @param labels of the image: what the kubelet stand-in goes by
 * @returns the commit
 */
export async function changeService(
  folder: string,
  service: string,
  text: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  const files = {
    [dockerfileOf(service)]: dockerfile(service, labels),
    [`services/${service}/program.txt`]: `${text}\n`,
  };
  return commitFiles(folder, files, `${service}: ${text}`);
}

/** Writes files of a checkout and commits them. @returns the commit */
export async function commitFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
  message: string,
): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const git = (...args: string[]): Promise<{ stdout: string }> => run('git', args, { cwd: folder });
  await git('add', '--all');
  const author = ['-c', 'user.name=lab', '-c', 'user.email=lab@example.com', '-c', 'commit.gpgsign=false'];
  await git(...author, 'commit', '--quiet', '--message', message);
  return (await git('rev-parse', 'HEAD')).stdout.trim();
}

function dockerfileOf(service: string): string {
  return `services/${service}/Dockerfile`;
}

function dockerfile(service: string, labels: Readonly<Record<string, string>>): string {
  return [
    'FROM scratch',
    'ARG FLAVOUR',
    `COPY services/${service}/program.txt /program.txt`,
    ...Object.entries(labels).map(([name, value]) => `LABEL ${name}=${JSON.stringify(value)}`),
    '',
  ].join('\n');
}

function permissionFiles(layout: Layout): Record<string, string> {
  const group = 'rbac.authorization.k8s.io';
  const namespace = namespaces.sentinel;
  const account = (name: string): unknown => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace },
  });
  const role = (name: string): unknown[] => [
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRole',
      metadata: { name },
      rules: [{ apiGroups: ['mcpruntime.org'], resources: ['mcpservers'], verbs: ['get', 'list', 'watch'] }],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ];
  const manifest = (name: string): string => [account(name), ...role(name)].map((one) => stringify(one)).join('---\n');
  return layout === 'mono'
    ? { 'k8s/08-api-rbac.yaml': manifest('mcp-sentinel-api') }
    : {
        'k8s/08-platform-api-rbac.yaml': manifest('mcp-platform-api'),
        'k8s/08-runtime-api-rbac.yaml': manifest('mcp-runtime-api'),
      };
}

import { storeNames } from '../shared/backup/stores/store.js';
import { McprtError } from '../shared/errors.js';
import { shellWord } from '../shared/shell-word.js';
import { type Environment, usualPrefix } from './environments.js';
import { repositoryWord, variablePlaces } from './place.js';
import { publicHost } from './remotes.js';
import type { Facts } from './repository-facts.js';

/** Those that a job has: a folder of a runner ends with it. */
const ofJobs = storeNames.filter((name) => name !== 'directory');

/** Who may use the stores outside GitHub: of a registry, and of a bucket. */
export const storeSecrets = ['MCPRT_OCI_CREDENTIALS', 'MCPRT_S3_CREDENTIALS'] as const;

/** Reads a list as `cache,artifact,oci`. @returns it without blanks and repetitions; empty for an empty text @throws McprtError `init-stores` */
export function parseStores(text: string): string {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.every((name) => ofJobs.some((one) => one === name))) return [...new Set(names)].join(',');
  throw new McprtError('init-stores', {
    what: `${JSON.stringify(text)} is no list of stores that jobs have`,
    why: `there are ${ofJobs.join(', ')}, with commas between them`,
    next: 'give those that you want with --stores, such as --stores cache,artifact,oci',
  });
}

/**
 * What is left to do for stores outside GitHub, as lines of Markdown; none where the workflows have none.
 *
 * @param keys folder of the keys, into which somebody puts what lets in
 */
export function storeLines(
  environments: readonly Environment[],
  facts: Facts,
  { prefix, keys }: { prefix: string; keys: string },
): string[] {
  const at = `--repo ${shellWord(repositoryWord(facts))}`;
  const needing = (secret: string): string[] =>
    environments.filter(({ secrets }) => secrets.includes(secret)).map(({ name }) => name);
  const [oci = [], s3 = []] = storeSecrets.map(needing);
  const lines = (names: readonly string[], form: (place: string) => string): string[] =>
    variablePlaces(names, facts, prefix === usualPrefix).map(form);
  // What somebody has set is where their backups are: it stays where these lines are pasted again.
  const offered = (names: readonly string[], variable: string, value: string): string[] =>
    lines(names, (place) => {
      const set = `gh variable set ${variable} ${place} --body ${shellWord(value)}`;
      return `names="$(gh variable list ${place})" && { grep -qw ${variable} <<< "$names" || ${set}; }`;
    });
  const asked = (names: readonly string[], variable: string, example: string): string[] =>
    lines(names, (place) => `# gh variable set ${variable} ${place} --body ${example}`);
  const fileOf = (secret: (typeof storeSecrets)[number]): string =>
    `${keys}/${secret === 'MCPRT_OCI_CREDENTIALS' ? 'oci' : 's3'}-credentials`;
  const owner = facts.repository.split('/')[0]?.toLowerCase() || 'owner';
  const variables = [
    ...(facts.host === publicHost
      ? offered(oci, 'MCPRT_OCI', `ghcr.io/${owner}/mcprt-backups`)
      : asked(oci, 'MCPRT_OCI', `registry.example.com/${owner}/mcprt-backups`)),
    ...asked(s3, 'MCPRT_S3', 'BUCKET/mcprt'),
    ...asked(s3, 'MCPRT_S3_ENDPOINT', 'https://minio.example.com:9000 # not for AWS'),
  ];
  if (variables.length === 0) return [];
  const credentials = [
    ...(oci.length > 0 ? [`USER:PASSWORD of the registry into ${fileOf('MCPRT_OCI_CREDENTIALS')}`] : []),
    ...(s3.length > 0 ? [`ID:SECRET of the bucket into ${fileOf('MCPRT_S3_CREDENTIALS')}`] : []),
  ];
  return [
    '## Stores',
    '',
    'Where the backups are kept besides GitHub. Put your own places into the lines that begin with #, and run them without it; what is set already stays. What each needs and may have: docs/stores.md.',
    '',
    '```sh',
    ...variables,
    '```',
    '',
    `Who may use them: put ${credentials.join(', and ')}. Jobs that only restore need no right to write: give them others where you can.`,
    '',
    '```sh',
    ...storeSecrets.flatMap((secret) =>
      needing(secret).map(
        (name) => `gh secret set ${secret} --env ${shellWord(name)} ${at} < ${shellWord(fileOf(secret))}`,
      ),
    ),
    '```',
    '',
  ];
}

import { McprtError } from '../shared/errors.js';

/** Options that change how jobs are let into the cluster: each is another run. */
const runs = ['accounts', 'renew', 'remove'] as const;

/** What says something of a run, and nothing without it. */
const belonging: Readonly<Record<string, readonly (typeof runs)[number][]>> = {
  tokens: ['accounts', 'renew'],
  server: ['accounts', 'renew'],
  'skip-server-check': ['accounts', 'renew'],
  audience: ['accounts'],
  issuer: ['accounts'],
  'issuer-ca': ['accounts'],
  'repository-id': ['accounts'],
};

/**
 * Whoever gives an option that has no effect believes that it had one; and none of them may change a cluster that nobody has
 * asked it to change.
 *
 * @param values what was given; what is empty or false was not
 * @throws McprtError `init-options`
 */
export function requireTogether(values: Readonly<Record<string, unknown>>): void {
  const isGiven = (name: string): boolean => Boolean(values[name]);
  const asked = runs.filter(isGiven);
  if (asked.length > 1) {
    throw new McprtError('init-options', {
      what: `${listed(asked)} are runs of their own`,
      why: 'one lets jobs in, one makes new tokens for accounts that are there, and one takes all of it away',
      next: 'give one of them',
    });
  }
  for (const [name, companions] of Object.entries(belonging)) {
    if (!isGiven(name) || companions.some(isGiven)) continue;
    throw new McprtError('init-options', {
      what: `--${name} does nothing by itself`,
      why: `it goes with ${companions.map((one) => `--${one}`).join(' or ')}, and neither the cluster nor the repository was changed`,
      next: `give it with --${companions[0]}, or leave it out`,
    });
  }
}

function listed(names: readonly string[]): string {
  const words = names.map((name) => `--${name}`);
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

import type { McprtError } from '../../errors.js';

/** The places that there are. */
export const storeNames = ['cache', 'artifact', 'directory', 'oci', 's3'] as const;

/** A place that keeps sealed backups. What is in it is public and may have been planted: readers authenticate. */
export interface Store {
  readonly name: (typeof storeNames)[number];
  /** What takes away all that is in it, in words: the copies of two places of one fate go together. */
  readonly fate: string;
  /**
   * Keeps a backup under a name.
   *
   * @throws McprtError `store-…` with the reason, in the words of the place
   */
  save(name: string, bytes: Buffer): Promise<Kept>;
  /** Exactly that backup, as this run has stored it. @throws McprtError `store-…` */
  read(name: string): Promise<Buffer>;
  /**
   * What a job of this ref can see of a name, or of everything that begins as a profile's backups do. Nothing is fetched
   * yet; no order is promised.
   *
   * @throws McprtError `store-…`; an empty place is no error
   */
  list(wanted: Wanted): Promise<Listing>;
  /** How long the place keeps what it holds under a name. @throws McprtError `store-…` */
  holds(name: string): Promise<Hold>;
}

/** How long a copy is safe. */
export interface Hold {
  /** Until then, as far as the place says. */
  until: Date | undefined;
  /** What ends it sooner or later, for people. */
  words: string;
}

/** Which entries are asked for. */
export type Wanted = { prefix: string } | { name: string };

export interface Listing {
  entries: Entry[];
  /** Why there may be more than these; undefined when these are all. */
  cut: McprtError | undefined;
  /** Where was looked, and why something may be gone: for the message that nothing is there. */
  where: string;
}

export interface Kept {
  /** Where a person finds it. */
  where: string;
  /** When the place will forget it, as far as it says. */
  until: Date | undefined;
  /** What the user must know, for example that less time was granted than asked for. */
  notes: string[];
  /** What was asked of the place and is not known to be so, with what to do; left out where all is. */
  doubt?: string;
}

/** What a place holds under a name; a place may hold several under one. */
export interface Entry {
  name: string;
  /** Why no run that may hold the keys has made this, as far as the place knows; undefined when one may have. */
  foreign: string | undefined;
  /** @throws McprtError `store-…`, `backup-malformed` */
  fetch: () => Promise<Buffer>;
  /** @throws McprtError `store-prune` */
  remove: () => Promise<void>;
}

/** What to do where a place has no backup. */
export const nextWhenMissing = {
  cache:
    'run backups on the default branch; restore from the artifact when the cache has lost it; `gh cache list` shows what is there',
  artifact: 'check the profile’s domain; ask for a longer retention with `retention-days` of action-backup',
  directory: 'check the input `directory` and the profile’s domain',
  oci: 'check the repository in `oci` and the profile’s domain; `oras repo tags REPOSITORY` shows what is there',
  s3: 'check bucket and prefix in `s3`, `s3-endpoint` and the profile’s domain; a lifecycle rule of the bucket may have deleted it',
} as const;

/** What takes GitHub's own places away. */
export function repositoryFate(repository: string): string {
  return `the GitHub repository ${repository}`.trim();
}

/** Whether an entry of this name is asked for. */
export function isWanted(name: string, wanted: Wanted): boolean {
  return 'name' in wanted ? name === wanted.name : name.startsWith(wanted.prefix);
}

/** `mcprt-backup-DOMAIN-` begins every name of a profile's backups. */
export function prefixOf(domain: string): string {
  return `mcprt-backup-${domain}-`;
}

/** A name that sorts by generation and is never used twice: places keep no second entry of a name. */
export function nameFor(domain: string, generation: number, run: { runId: string; runAttempt: string }): string {
  return `${prefixOf(domain)}g${String(generation).padStart(8, '0')}-r${run.runId || '0'}.${run.runAttempt || '1'}`;
}

/** The generation that a name claims; 0 for a name of another form. Only a signature proves it. */
export function generationOf(name: string): number {
  return Number(/-g(\d{8,15})-r[^-]*$/.exec(name)?.[1] ?? 0);
}

/** Whether a name is one that `nameFor` gives for the domain. */
export function isNameOf(name: string, domain: string): boolean {
  const prefix = prefixOf(domain);
  return name.startsWith(prefix) && /^g\d{8,15}-r[\w]+\.\d+$/.test(name.slice(prefix.length));
}

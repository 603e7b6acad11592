/** A place that keeps sealed backups. What is in it is public and may have been planted: readers authenticate. */
export interface Store {
  readonly name: 'cache' | 'artifact' | 'directory';
  /**
   * Keeps a backup under a name.
   *
   * @throws McprtError `store-…` with the reason, in the words of the place
   */
  save(name: string, bytes: Buffer): Promise<Kept>;
  /**
   * The newest backup whose name starts with the prefix. Its bytes are fetched apart: whoever cannot read it still has to
   * know that something claims to be newer.
   *
   * @throws McprtError `store-…`; `store-miss` explains where was looked
   */
  newest(prefix: string): Promise<Found>;
  /** Exactly that backup. @throws McprtError `store-…` */
  read(name: string): Promise<Buffer>;
  /**
   * Everything whose name starts with the prefix, as far as a job of this ref may delete it.
   *
   * @throws McprtError `store-…`
   */
  list(prefix: string): Promise<Entry[]>;
}

export interface Kept {
  /** Where a person finds it. */
  where: string;
  /** When the place will forget it, as far as it says. */
  until: Date | undefined;
  /** What the user must know, for example that less time was granted than asked for. */
  notes: string[];
}

export interface Found {
  name: string;
  /** @throws McprtError `store-…`, `backup-malformed` */
  fetch: () => Promise<Buffer>;
}

/** What a place holds under a name; a place may hold several under one. */
export interface Entry extends Found {
  /** @throws McprtError `store-prune` */
  remove: () => Promise<void>;
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
  return Number(/-g(\d{8,})-r[^-]*$/.exec(name)?.[1] ?? 0);
}

/** Where an operation runs: what a backup's statement binds it to. */
export interface RunContext {
  repository: string;
  repositoryId: string;
  workflow: string;
  runId: string;
  runAttempt: string;
  job: string;
  domain: string;
  tool: string;
}

/** How a run is called as a holder: the same for all its attempts. */
export function holderOf({ repository, runId, job }: RunContext): string {
  return `${repository}/${runId}/${job}`;
}

import { McprtError } from '../shared/errors.js';

/** A repository with the platform's source. */
export interface Source {
  /** `OWNER/NAME` */
  repository: string;
  /** Branch, tag or commit; empty for the default branch. */
  ref: string;
}

/** Reads `OWNER/NAME[@REF]`. @returns undefined for an empty text @throws McprtError `init-source` */
export function parseSource(text: string): Source | undefined {
  if (text === '') return undefined;
  const [, repository, ref = ''] = /^([\w-][\w.-]*\/[\w-][\w.-]*)(?:@([\w][\w./+-]*))?$/.exec(text) ?? [];
  if (repository !== undefined) return { repository, ref };
  throw new McprtError('init-source', {
    what: `${JSON.stringify(text)} is no repository with the source of MCP Runtime`,
    why: 'OWNER/NAME is wanted, on the same GitHub, with @REF for a branch, a tag or a commit of it',
    next: 'give it with --source, such as --source acme/mcp-runtime@v1.4.0',
  });
}

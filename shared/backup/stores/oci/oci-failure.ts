import { McprtError, toldBy } from '../../../errors.js';
import { RegistryRefusal } from '../../../images/registry-call.js';
import { isUntrusted, speaksNoTls } from '../tls.js';

/** What was asked of a registry. */
export type Doing = 'read' | 'write' | 'delete';

/** Whom was asked, as far as a message needs it. */
export interface Asked {
  /** The repository, as a person names it. */
  shown: string;
  /** Where the registry's paths are. */
  origin: string;
  /** Whether it is GitHub's own registry, where a job's permissions decide. */
  isGithub: boolean;
  /** Whether the step gave credentials. */
  hasCredentials: boolean;
}

const rights = { read: 'pull', write: 'push', delete: 'delete' } as const;
const lowest = { read: 'store-read', write: 'store-write', delete: 'store-prune' } as const;

/** What a registry's failure is to whoever keeps backups in it: its cause, and what to do. Other errors stay as they are. */
export function ociFailure(error: unknown, doing: Doing, asked: Asked): unknown {
  if (!(error instanceof McprtError) || !/^(?:registry|proxy)-/.test(error.code)) return error;
  const { shown } = asked;
  const make = (code: McprtError['code'], what: string, next: string): McprtError =>
    new McprtError(code, { what, why: toldBy(error), next, cause: error });
  if (error.code === 'registry-unauthorized') return unauthorized(error, doing, asked, make);
  if (!(error instanceof RegistryRefusal)) {
    return make(
      error.code === 'registry-refused' ? lowest[doing] : 'store-unavailable',
      `the registry of ${shown} cannot be used`,
      nextWhenUnreachable(error, asked),
    );
  }
  const { status, words } = error;
  if (status === 429 || status >= 500) {
    return make(
      'store-unavailable',
      `the registry of ${shown} does not answer`,
      'run the operation again in some minutes',
    );
  }
  if (doing === 'delete' && (status === 405 || status === 404 || words.includes('UNSUPPORTED'))) {
    return make(
      'store-prune',
      `the registry of ${shown} deletes nothing by its API`,
      asked.isGithub
        ? 'delete old versions on the package’s page, or in a job with `permissions: packages: write` by actions/delete-package-versions; set `keep: 0` where that is done'
        : 'allow deletion in the registry (Distribution: `storage.delete.enabled`), or let a retention rule of the registry do it and set `keep: 0`',
    );
  }
  if (status === 413 || (status === 403 && /quota/i.test(error.why))) {
    return make(
      'store-full',
      `the registry of ${shown} takes no blob of that size`,
      'raise its quota, or the limit of the proxy before it',
    );
  }
  if (doing === 'write' && words.includes('NAME_UNKNOWN')) return noRepository(shown, make);
  if (doing === 'write' && words.includes('MANIFEST_INVALID')) {
    return make(
      'store-write',
      `the registry of ${shown} takes no artifacts`,
      'it must know OCI artifacts (image specification 1.1): bring it up to date, or use another one',
    );
  }
  return make(
    lowest[doing],
    `the registry of ${shown} refuses to ${doing} the backup`,
    'look at its log, and run the operation again',
  );
}

type Make = (code: McprtError['code'], what: string, next: string) => McprtError;

function nextWhenUnreachable({ code, why, next }: McprtError, { shown, origin, hasCredentials }: Asked): string {
  if (code.startsWith('proxy-')) return next;
  if (isUntrusted(why)) return 'give the PEM of its CA in `ca-bundle`';
  if (speaksNoTls(why)) {
    return hasCredentials
      ? 'what answers there speaks no TLS, and a password is sent to nobody without: correct the port in `oci`, or put TLS before the registry'
      : `what answers there speaks no TLS: correct the port, or ask it without by \`oci: http://${shown}\``;
  }
  return `check host and port in \`oci\`, and that this machine reaches it: \`curl -v ${origin}/v2/\`; then run the operation again`;
}

function unauthorized(
  error: McprtError,
  doing: Doing,
  { shown, isGithub, hasCredentials }: Asked,
  make: Make,
): McprtError {
  const right = rights[doing];
  if (isGithub) {
    return make(
      'store-permission',
      `this job may not ${right} ${shown}`,
      doing === 'read'
        ? 'give the job `permissions: packages: read`; where the package is not this repository’s, add the repository on the package’s page under “Manage Actions access”, with the role Read'
        : 'give the job `permissions: packages: write`; where the package is not this repository’s, add the repository on the package’s page under “Manage Actions access”, with the role Write',
    );
  }
  if (hasCredentials && error instanceof RegistryRefusal && error.status === 403) {
    return make(
      'store-permission',
      `the user of \`oci-credentials\` may not ${right} ${shown}`,
      `give that user the right to ${right} in the registry`,
    );
  }
  return make(
    'store-credentials',
    hasCredentials
      ? `the registry of ${shown} does not take the credentials`
      : `the registry of ${shown} asks who this is`,
    hasCredentials
      ? 'check `oci-credentials`: USER:PASSWORD, or USER:TOKEN where the registry has tokens; an expired one must be replaced'
      : 'give USER:PASSWORD in `oci-credentials`, from a secret',
  );
}

function noRepository(shown: string, make: Make): McprtError {
  return make(
    'store-address',
    `there is no repository ${shown}`,
    'create it, or the project that it is in: this registry does not make one by itself; or correct `oci`',
  );
}

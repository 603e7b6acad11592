import { McprtError } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';

/** An answer of the API server that is not a success. `status` is the HTTP status, `reason` Kubernetes' own word. */
export class ApiError extends McprtError {
  readonly status: number;
  readonly reason: string;
  /** The server's own text. It names objects and fields, never their values. */
  readonly detail: string;

  constructor(status: number, reason: string, detail: string, request: string) {
    const isLeaving = isTerminating(status, detail);
    super(isLeaving ? 'namespace-terminating' : codeOf(status, reason), {
      what: `${request}: ${status} ${reason}`,
      why: detail === '' ? 'the API server gave no reason' : detail,
      next: isLeaving
        ? 'run the operation again when `kubectl get namespaces` does not show it any more'
        : adviceFor(status),
    });
    this.status = status;
    this.reason = reason;
    this.detail = detail;
  }
}

/** Reads a Kubernetes Status document; anything else (a proxy's page) gives the HTTP status alone. */
export function apiErrorFrom(status: number, body: string, request: string): ApiError {
  const parsed = parsedJson(body);
  const { reason, message } = isRecord(parsed) && parsed.kind === 'Status' ? parsed : {};
  const textOr = (value: unknown, other: string): string => (typeof value === 'string' ? value : other);
  return new ApiError(status, textOr(reason, 'Unknown'), textOr(message, ''), request);
}

/** The API server forbids to make something in a namespace that is being deleted, whatever the account may do. */
function isTerminating(status: number, detail: string): boolean {
  return status === 403 && detail.includes('because it is being terminated');
}

function codeOf(status: number, reason: string): McprtError['code'] {
  if (status === 401) return 'cluster-unauthorized';
  if (status === 403) return 'cluster-forbidden';
  if (status === 404) return 'cluster-not-found';
  if (status === 409) return reason === 'AlreadyExists' ? 'cluster-exists' : 'cluster-conflict';
  if (status === 422) return 'cluster-invalid';
  return status >= 500 || status === 429 ? 'cluster-unavailable' : 'cluster-refused';
}

function adviceFor(status: number): string {
  if (status === 401)
    return 'the token or client certificate is not valid (any more): renew the kubeconfig secret, or delete it where the job is given `server` as well: a kubeconfig wins';
  if (status === 403)
    return 'grant the verb that the message names: docs/permissions.md has the smallest Role for each operation';
  if (status === 409) return 'something else changed the object at the same time: run the operation again';
  if (status >= 500 || status === 429) return 'the API server is overloaded or starting: run the operation again';
  return 'see the server’s message';
}

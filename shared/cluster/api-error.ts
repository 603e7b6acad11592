import { McprtError } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';
import { anonymous, type Refusal, refusalIn } from './refusals.js';

/** An answer of the API server that is not a success. `status` is the HTTP status, `reason` Kubernetes' own word. */
export class ApiError extends McprtError {
  readonly status: number;
  readonly reason: string;
  /** The server's own text. It names objects and fields, never their values. */
  readonly detail: string;

  /** @param isAnonymous whether nothing was sent that says who asks */
  constructor(status: number, reason: string, detail: string, request: string, isAnonymous = false) {
    const { code, next } = meaningOf(status, reason, detail, isAnonymous);
    super(code, {
      what: `${request}: ${status} ${reason}`,
      why: detail === '' ? 'the API server gave no reason' : detail,
      next,
    });
    this.status = status;
    this.reason = reason;
    this.detail = detail;
  }
}

/** Reads a Kubernetes Status document; anything else (a proxy's page) gives the HTTP status alone. */
export function apiErrorFrom(status: number, body: string, request: string, isAnonymous = false): ApiError {
  const parsed = parsedJson(body);
  const { reason, message } = isRecord(parsed) && parsed.kind === 'Status' ? parsed : {};
  const textOr = (value: unknown, other: string): string => (typeof value === 'string' ? value : other);
  return new ApiError(status, textOr(reason, 'Unknown'), textOr(message, ''), request, isAnonymous);
}

function meaningOf(status: number, reason: string, detail: string, isAnonymous: boolean): Refusal {
  if (status === 401 && isAnonymous) return anonymous;
  return refusalIn(status, detail) ?? { code: codeOf(status, reason), next: adviceFor(status) };
}

function codeOf(status: number, reason: string): Refusal['code'] {
  if (status === 401) return 'cluster-unauthorized';
  if (status === 403) return 'cluster-forbidden';
  if (status === 404) return 'cluster-not-found';
  if (status === 409) return reason === 'AlreadyExists' ? 'cluster-exists' : 'cluster-conflict';
  if (status === 422) return 'cluster-invalid';
  if (status === 429) return 'cluster-throttled';
  return status >= 500 ? 'cluster-unavailable' : 'cluster-refused';
}

function adviceFor(status: number): string {
  if (status === 401)
    return 'the token or client certificate is not valid (any more): renew the kubeconfig, or leave it out where `server` is given as well: a kubeconfig wins';
  if (status === 403)
    return 'grant the verb that the message names: docs/permissions.md has the smallest Role for each operation';
  if (status === 409) return 'something else changed the object at the same time: run the operation again';
  if (status === 429)
    return 'the API server asks for fewer requests: run the operation again later, and not beside others; `kubectl get --raw /metrics` has apiserver_flowcontrol_rejected_requests_total';
  if (status >= 500) return 'the API server is overloaded or starting: run the operation again';
  return 'see the server’s message';
}

/** What a call is answered with: `body` as JSON, or `text` as it is. */
export interface Answer {
  status: number;
  body?: unknown;
  text?: string;
  headers?: Readonly<Record<string, string>>;
}

/** A call that is refused; thrown from wherever that is noticed. */
export class Refusal extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`${answer.status} ${JSON.stringify(answer.body ?? answer.text)}`);
    this.answer = answer;
  }
}

const codes: Readonly<Record<number, string>> = {
  400: 'invalid_request_body',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  413: 'request_too_large',
  422: 'internal_error',
  429: 'too_many_requests',
  500: 'internal_error',
  503: 'service_unavailable',
};

/** A refusal in the platform's shape, with the code that it gives for that status. */
export function refuse(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Refusal {
  return new Refusal({ status, body: { error: codes[status] ?? 'internal_error', message }, headers });
}

export const unauthenticated = (): Refusal => refuse(401, 'authentication required');

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown): Answer => ({ status: 201, body });

/** What a path that nobody serves is answered with. */
export const nothingHere: Answer = { status: 404, text: '404 page not found\n' };
/** What the load balancer answers while a program has no available replica. */
export const noServer: Answer = { status: 503, text: 'no available server\n' };

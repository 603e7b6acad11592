import { z } from 'zod';
import type { Faults, Service } from './faults.js';
import { bearerToken, type Call, json, jsonBody, type Reply } from './http.js';
import type { Caller, Tokens } from './tokens.js';

/** The statuses that Twirp gives its error codes. Rule: the Twirp wire protocol, version 7. */
const STATUS = {
  malformed: 400,
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  bad_route: 404,
  not_found: 404,
  already_exists: 409,
  resource_exhausted: 429,
  unavailable: 503,
} as const;

/** A Twirp error. */
export function twirpError(
  code: keyof typeof STATUS,
  msg: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return json(STATUS[code], { code, msg }, headers);
}

/** What a method knows of the call besides its message. */
export interface Context {
  readonly caller: Caller;
  /** The origin that the caller used: signed URLs must lead back to it. */
  readonly origin: string;
}

type Method = (message: unknown, context: Context) => Reply;

/** The methods of one Twirp service, by name. */
export type Methods = Readonly<Record<string, Method>>;

/** A method that takes messages of one form. Fields that the form does not have are refused: they are typing errors. */
export function method<T>(schema: z.ZodType<T>, run: (message: T, context: Context) => Reply): Method {
  return (message, context) => {
    const parsed = schema.safeParse(message);
    return parsed.success ? run(parsed.data, context) : twirpError('malformed', z.prettifyError(parsed.error));
  };
}

/** A Twirp service behind /twirp/, and the faults that it may have. */
export interface TwirpService {
  readonly name: string;
  readonly service: Service;
  readonly methods: Methods;
}

/** Answers a call to one of the services. Only JSON is spoken, as the clients do. */
export function answerTwirpCall(
  call: Call,
  { services, tokens, faults }: { services: readonly TwirpService[]; tokens: Tokens; faults: Faults },
): Reply {
  const [, name, methodName = ''] = /^\/twirp\/([^/]+)\/([^/]+)$/.exec(call.url.pathname) ?? [];
  const found = services.find((each) => each.name === name);
  const run = found !== undefined && Object.hasOwn(found.methods, methodName) ? found.methods[methodName] : undefined;
  if (found === undefined || run === undefined) return twirpError('bad_route', `no handler for ${call.url.pathname}`);
  if (call.method !== 'POST') return twirpError('bad_route', 'only POST is allowed');
  if (!call.headers['content-type']?.startsWith('application/json')) return twirpError('bad_route', 'not JSON');
  if (faults.hits('down', found.service)) return twirpError('unavailable', 'the results service is down');
  if (faults.hits('rate-limited', found.service)) {
    return twirpError('resource_exhausted', 'too many requests', { 'retry-after': '60' });
  }
  const token = faults.hits('missing-token', found.service) ? undefined : bearerToken(call.headers);
  const caller = token === undefined ? undefined : tokens.readRuntimeToken(token);
  if (caller === undefined) return twirpError('unauthenticated', 'missing or invalid token');
  const message = jsonBody(call);
  return message === undefined
    ? twirpError('malformed', 'not JSON')
    : run(message, { caller, origin: call.url.origin });
}

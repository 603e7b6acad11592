import type { IncomingMessage } from 'node:http';
import type { ZodType } from 'zod';
import { parsedJson } from '../../../shared/json.js';
import { type Answer, refuse } from './answer.js';
import type { Principal } from './principal.js';

/** One call to the API, with what is known of its caller. */
export interface Exchange {
  method: string;
  /** Without the API's base. */
  path: string;
  query: URLSearchParams;
  request: IncomingMessage;
  /** Address of the client, as the proxy before the API tells it. */
  address: string;
  caller: Principal | undefined;
  /** The body that was read; empty for a route that streams. */
  body: Buffer;
}

export type Handler = (exchange: Exchange, ...parameters: string[]) => Promise<Answer>;

/** A path that the API serves. */
export interface Route {
  path: RegExp;
  methods: Readonly<Record<string, Handler>>;
  /** Which of the split APIs serves it. */
  service: 'platform' | 'runtime' | 'analytics';
  /** The handler asks for credentials itself, or needs none. */
  open?: boolean;
  /** Any method is taken for this one. */
  anyMethod?: string;
  /** The header `allow` of a refused method, where it is not the methods that there are. */
  allow?: string;
  methodMessage?: string;
  /** Bytes that a body may have. */
  limit?: number;
  /** The handler reads the body itself. */
  streams?: boolean;
}

/** Makes a route. @param facts its service, and what else is said of it */
export function route(
  facts: Route['service'] | Omit<Route, 'path' | 'methods'>,
  path: RegExp,
  methods: Route['methods'],
): Route {
  return { ...(typeof facts === 'string' ? { service: facts } : facts), path, methods };
}

/** The body as a schema has it. @throws Refusal in the words for what is no JSON of that shape */
export function bodyOf<T>({ body }: Pick<Exchange, 'body'>, schema: ZodType<T>): T {
  const parsed = schema.safeParse(jsonOf(body));
  if (!parsed.success) throw refuse(400, 'invalid request body');
  return parsed.data;
}

/** What a body holds as JSON; undefined when it is none. */
export function jsonOf(body: Buffer): unknown {
  return parsedJson(body.toString('utf8'));
}

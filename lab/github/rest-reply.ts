import { z } from 'zod';
import { type Call, json, type Reply } from './http.js';

const DOCUMENTATION = 'https://docs.github.com/rest';
const DEFAULT_PER_PAGE = 30;
const MAX_PER_PAGE = 100;

/** A refusal in GitHub's form. */
export function failure(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return json(status, { message, documentation_url: DOCUMENTATION, status: String(status) }, headers);
}

/** A refusal of a body that is not what a call takes. */
export function invalid(error: z.ZodError): Reply {
  return failure(422, `Validation Failed: ${z.prettifyError(error)}`);
}

/** Who wrote something, in GitHub's form. */
export function describeUser(login: string): { login: string; type: string } {
  return { login, type: login.endsWith('[bot]') ? 'Bot' : 'User' };
}

/** The items of the page that a call asks for, and the link to the next one. */
export function pageOf<T>({ url }: Call, items: readonly T[]): { items: T[]; headers: Record<string, string> } {
  const size = Math.min(Number(url.searchParams.get('per_page') ?? DEFAULT_PER_PAGE), MAX_PER_PAGE);
  const number = Number(url.searchParams.get('page') ?? 1);
  const next = new URL(url);
  next.searchParams.set('page', String(number + 1));
  const isLast = number * size >= items.length;
  return {
    items: items.slice((number - 1) * size, number * size),
    headers: isLast ? {} : { link: `<${next.href}>; rel="next"` },
  };
}

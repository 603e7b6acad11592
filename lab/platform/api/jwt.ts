import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';

const team = z.object({ id: z.string(), slug: z.string(), name: z.string(), namespace: z.string(), role: z.string() });

const claims = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.array(z.string()),
  exp: z.number(),
  iat: z.number(),
  email: z.string(),
  role: z.enum(['admin', 'user']),
  namespace: z.string().optional(),
  teams: z.array(team).optional(),
  allowed_namespaces: z.array(z.string()),
  auth_type: z.string(),
});

export type Claims = z.infer<typeof claims>;
/** A membership as a token and a principal carry it. */
export type TeamOfCaller = z.infer<typeof team>;

const header = encode({ alg: 'HS256', typ: 'JWT' });

/** A token with these claims, HS256. */
export function sign(content: Claims, secret: string): string {
  const body = `${header}.${encode(content)}`;
  return `${body}.${signature(body, secret)}`;
}

/** The claims of a token that this secret signed and that has not expired; undefined for any other text. */
export function verify(token: string, secret: string, now = Date.now()): Claims | undefined {
  const [head = '', body = '', given = '', ...more] = token.split('.');
  const expected = signature(`${head}.${body}`, secret);
  if (more.length > 0 || given.length !== expected.length) return undefined;
  if (!timingSafeEqual(Buffer.from(given), Buffer.from(expected))) return undefined;
  try {
    const found = claims.parse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8')));
    return found.exp * 1000 > now ? found : undefined;
  } catch {
    return undefined;
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signature(body: string, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('base64url');
}

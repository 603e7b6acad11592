import * as z from 'zod';
import type { User } from './accounts.js';
import { type Answer, created, ok, refuse, unauthenticated } from './answer.js';
import { type ApiContext, tokenFor } from './context.js';
import { bodyOf, type Exchange, type Route, route } from './exchange.js';
import { allowedNamespaces, type Principal, sharedNamespace } from './principal.js';

const login = z.object({ email: z.string().default(''), password: z.string().default('') });
const account = login.extend({ role: z.string().default('') });

/** Logging in and signing up, who one is, and making users. */
export function authRoutes(context: ApiContext): Route[] {
  const { accounts, lockout } = context;
  const session = (user: User): Record<string, unknown> => ({
    access_token: tokenFor(context, user),
    expires_in: context.settings.tokenSeconds,
    token_type: 'bearer',
    user: userItem(user),
  });
  return [
    route({ service: 'platform', open: true, limit: 4096 }, /^\/auth\/login$/, {
      async POST(exchange) {
        if (lockout.isLocked(exchange.address)) throw refuse(429, 'too many requests');
        const { email, password } = bodyOf(exchange, login);
        const user = accounts.userWith(email, password);
        if (user === undefined) {
          lockout.failed(exchange.address);
          throw refuse(401, 'invalid credentials');
        }
        lockout.succeeded(exchange.address);
        return ok(session(user));
      },
    }),
    route({ service: 'platform', open: true, limit: 4096 }, /^\/auth\/signup$/, {
      async POST(exchange) {
        const { email, password, role } = bodyOf(exchange, account);
        if (role === 'admin' && exchange.caller?.role !== 'admin') {
          throw refuse(403, 'admin signup requires an admin principal');
        }
        return created(session(accounts.addUser(email, password, role)));
      },
    }),
    route({ service: 'platform', open: true }, /^\/auth\/oidc$/, {
      async POST() {
        throw refuse(503, 'oidc not configured');
      },
    }),
    route({ service: 'platform', anyMethod: 'GET' }, /^\/auth\/me$/, { GET: me }),
    route({ service: 'platform', limit: 8192 }, /^\/users$/, {
      async POST(exchange) {
        if (exchange.caller?.role !== 'admin') throw refuse(403, 'insufficient permissions');
        const { email, password, role } = bodyOf(exchange, account);
        return created({ user: userItem(accounts.addUser(email, password, role)) });
      },
    }),
  ];
}

async function me({ caller }: Exchange): Promise<Answer> {
  if (caller === undefined) throw unauthenticated();
  return ok({ authenticated: true, principal: principalItem(caller), sharedCatalogNamespace: sharedNamespace });
}

function principalItem(caller: Principal): Record<string, unknown> {
  const { role, subject, email, teams } = caller;
  if (subject === undefined) return { role };
  const [first] = teams;
  return {
    role,
    subject,
    email,
    ...(first === undefined ? {} : { namespace: first.namespace }),
    allowedNamespaces: allowedNamespaces(caller),
    ...(first === undefined ? {} : { teams }),
  };
}

/** A user as the API shows one: without the namespace, whatever his teams. */
export function userItem({ id, email, role }: User): Record<string, unknown> {
  return { id, email, role, namespace: '' };
}

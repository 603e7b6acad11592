import { unauthenticated } from './answer.js';
import type { ApiContext } from './context.js';
import { type Route, route } from './exchange.js';
import { type Principal, personOf, principalOf, type UserKeys } from './principal.js';

/** What the platform says of a call to the registry. */
export type RegistryVerdict = 'allowed' | 'forbidden' | 'unknown';

/** Who may use which repository. */
export class RegistryAccess {
  readonly #context: ApiContext;
  readonly #keys: UserKeys;

  constructor(context: ApiContext, keys: UserKeys) {
    this.#context = context;
    this.#keys = keys;
  }

  /** Judges a call with a user's name and password, as Docker sends them. */
  byPassword(username: string, password: string, path: string): RegistryVerdict {
    const { credentials, accounts } = this.#context;
    if (username === 'platform-service') return credentials.adminKeys.includes(password) ? 'allowed' : 'unknown';
    const user = accounts.userWith(username, password) ?? this.#keys.ownerOf(password);
    if (user === undefined) return 'unknown';
    return verdictFor(personOf(user, accounts.teamsOf(user), 'user-key'), path);
  }

  /** Traefik's question about a call, with the call's own credentials. */
  route(): Route {
    return route({ service: 'platform', open: true }, /^\/registry\/authz$/, {
      GET: async ({ request }) => {
        const path = String(request.headers['x-forwarded-uri'] ?? '/v2/');
        const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
        const [name = '', ...rest] = Buffer.from(basic ?? '', 'base64')
          .toString('utf8')
          .split(':');
        const caller = principalOf(request.headers, this.#context.credentials);
        const verdict =
          basic !== undefined
            ? this.byPassword(name, rest.join(':'), path)
            : caller === undefined
              ? 'unknown'
              : verdictFor(caller, path);
        if (verdict === 'allowed') return { status: 200 };
        if (verdict === 'forbidden') return { status: 403, body: { error: 'forbidden', message: 'forbidden' } };
        const headers = { 'www-authenticate': 'Basic realm="mcp-runtime-registry"' };
        return { ...unauthenticated().answer, headers };
      },
    });
  }
}

function verdictFor(caller: Principal, path: string): RegistryVerdict {
  if (caller.role === 'admin') return 'allowed';
  if (caller.subject === undefined) return 'forbidden';
  const repository = /^\/v2\/([^?]*)/.exec(path)?.[1] ?? '';
  const isOwn = caller.teams.some(({ slug }) => repository.startsWith(`${slug}/`));
  return repository === '' || isOwn ? 'allowed' : 'forbidden';
}

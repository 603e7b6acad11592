import { randomBytes, randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { User } from './accounts.js';
import { type Answer, created, ok, refuse, unauthenticated } from './answer.js';
import type { ApiContext } from './context.js';
import { bodyOf, type Exchange, type Route, route } from './exchange.js';
import type { Principal, UserKeys } from './principal.js';

const named = z.object({ name: z.string().default('') });
const publication = z.object({
  image_ref: z.string(),
  source_image: z.string().optional(),
  mode: z.string().optional(),
});

/** What users have of their own: API keys, passwords for the registry, and what they report. */
export function userRoutes(context: ApiContext, registryKeys: UserKeys): Route[] {
  const { userKeys } = context.credentials;
  return [
    route('runtime', /^\/user\/api-keys$/, {
      async GET({ caller }) {
        return ok({ keys: userKeys.of(subjectOf(caller)) });
      },
      async POST(exchange) {
        const user = userOf(context, exchange.caller);
        const id = `uk_${randomBytes(8).toString('hex')}`;
        const { key, clear } = userKeys.add(user, bodyOf(exchange, named).name, { text: 'mcpu', id });
        return ok({ api_key: clear, key, one_time_key: clear });
      },
    }),
    route('platform', /^\/user\/registry-credentials$/, {
      async GET({ caller }) {
        const credentials = registryKeys.of(subjectOf(caller));
        return ok({ credentials: credentials.length === 0 ? null : credentials });
      },
      async POST(exchange) {
        const user = userOf(context, exchange.caller);
        const id = `rk_${randomUUID()}`;
        const { key, clear } = registryKeys.add(user, bodyOf(exchange, named).name, { text: 'mcpr', id });
        const username = exchange.caller?.teams[0]?.namespace ?? '';
        return created({ credential: key, password: clear, username });
      },
    }),
    route('platform', /^\/user\/activity\/image-publish$/, { POST: reportPublication }),
  ];
}

async function reportPublication(exchange: Exchange): Promise<Answer> {
  const { image_ref } = bodyOf(exchange, publication);
  return { status: 202, body: { image_ref, ok: true } };
}

function subjectOf(caller: Principal | undefined): string {
  if (caller?.subject === undefined) throw unauthenticated();
  return caller.subject;
}

function userOf({ accounts }: ApiContext, caller: Principal | undefined): User {
  const user = accounts.user(subjectOf(caller));
  // A token outlives its user.
  if (user === undefined) throw refuse(400, 'user not found');
  return user;
}

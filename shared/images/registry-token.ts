import { readAtMost } from '../bounded.js';
import { textAt } from '../cluster/fields.js';
import { McprtError } from '../errors.js';
import { parsedJson } from '../json.js';
import type { RegistryAnswer, RegistryRoute } from './route.js';

/** What a registry asks for instead of a password: a token of somebody else. */
interface Challenge {
  realm: URL;
  service: string;
  scope: string;
}

interface Token {
  text: string;
  /** In ms, by this process's clock. */
  until: number;
}

/** Tokens for one registry, each used until shortly before its end. */
export interface RegistryTokens {
  /** The token for requests, where one has been asked for before; a new one where that has ended. */
  current(): Promise<string | undefined>;
  /**
   * A new token for what an answer with status 401 asks; undefined where it asks for none.
   *
   * @throws McprtError `registry-unauthorized`, and of the route
   */
  renew(answer: RegistryAnswer): Promise<string | undefined>;
}

/** How long a token is good that does not say so, by the registries' own specification, and how early a new one is asked for, in s. */
const life = { byDefault: 60, early: 10 } as const;
/** A token has a few kB. In bytes. */
const largest = 256 * 1024;

/** @param scope what every token is asked for; without it, what the registry names */
export function registryTokens(route: RegistryRoute, signal: AbortSignal, scope?: string): RegistryTokens {
  let asked: Challenge | undefined;
  let token: Token | undefined;
  const fetchToken = async ({ realm, service, scope }: Challenge): Promise<string> => {
    const url = new URL(realm);
    if (service !== '') url.searchParams.set('service', service);
    if (scope !== '') url.searchParams.set('scope', scope);
    const answer = await route.elsewhere(url, { withCredentials: true, signal });
    const fail = (why: string): McprtError =>
      new McprtError('registry-unauthorized', {
        what: `${route.name} wants a token, and ${realm.host} gives none`,
        why,
        next: 'check the password that the registry’s own tokens are given for; `registry-access: port-forward` goes around it',
      });
    const body = await readAtMost(answer.body, largest, () => fail('its answer has no end'));
    if (answer.status !== 200) throw fail(`it answers ${answer.status}`);
    const said = parsedJson(body.toString('utf8'));
    const text = textAt(said, 'token') || textAt(said, 'access_token');
    if (text === '') throw fail('its answer has no token in it');
    const seconds = (said as { expires_in?: unknown }).expires_in;
    const lasts = typeof seconds === 'number' && seconds > 0 ? seconds : life.byDefault;
    token = { text, until: performance.now() + Math.max(lasts - life.early, 1) * 1000 };
    return text;
  };
  return {
    async current() {
      if (asked === undefined || token === undefined) return undefined;
      return performance.now() < token.until ? token.text : fetchToken(asked);
    },
    async renew(answer) {
      const challenge = challengeOf(answer.headers['www-authenticate']);
      if (challenge === undefined) return undefined;
      asked = { ...challenge, scope: scope ?? challenge.scope };
      return fetchToken(asked);
    },
  };
}

/** What the header of a 401 asks for; undefined where that is no token. */
export function challengeOf(header: string | string[] | undefined): Challenge | undefined {
  const bearer = [header ?? []].flat().find((one) => /^Bearer /i.test(one));
  if (bearer === undefined) return undefined;
  const parts = new Map(
    [...bearer.matchAll(/([a-z]{1,20})="([^"]{0,2000})"/gi)].map(([, name = '', value = '']) => [name, value]),
  );
  const realm = parts.get('realm') ?? '';
  if (!URL.canParse(realm)) return undefined;
  return { realm: new URL(realm), service: parts.get('service') ?? '', scope: parts.get('scope') ?? '' };
}

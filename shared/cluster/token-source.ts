/** Tokens that end, and are made anew before they do. */
export interface TokenSource {
  /** A token that is good for a while yet. @throws McprtError where none is made */
  current(): Promise<string>;
  /** Forgets a token that the API server has refused. Gives false for one so new that another would be no better. */
  refused(token: string): boolean;
}

/** What a token says about itself. Nobody has verified it: it is good for messages and for knowing when it ends. */
export type Claims = Readonly<Record<string, unknown>>;

/** A token is made anew when less than this part of its life is left, and never with less left than the second, in ms. */
const renewal = { share: 0.4, least: 30_000 };
/** What a token must still live for a call, in ms. */
const lastMoment = 5_000;
/** A refused token that is younger, in ms, is refused for what it says, and not for its age. */
const young = 5_000;

interface Held {
  token: string;
  /** When it was made, when it is to be replaced, and when it ends, by a clock that nobody sets. */
  at: number;
  until: number;
  ends: number;
}

/**
 * Keeps a token until a good part of its life has passed. How long that is, the token says; when it was made, this
 * process' own clock, so that a runner whose clock is wrong does not matter. Who asks while one is being made waits for it.
 *
 * @param make makes a token: a JWT
 * @param clock in ms, never set back
 */
export function renewing(make: () => Promise<string>, clock: () => number = () => performance.now()): TokenSource {
  let held: Held | undefined;
  let making: Promise<Held> | undefined;
  const renew = async (): Promise<Held> => {
    const at = clock();
    const token = await make();
    const life = lifeOf(claimsIn(token));
    const until = at + life - Math.max(life * renewal.share, Math.min(renewal.least, life / 2));
    return { token, at, until, ends: at + life };
  };
  return {
    async current() {
      if (held !== undefined && clock() < held.until) return held.token;
      making ??= renew().finally(() => {
        making = undefined;
      });
      try {
        held = await making;
      } catch (error) {
        // Who makes tokens may be away for a moment: the one before is good until its end.
        if (held === undefined || clock() + lastMoment >= held.ends) throw error;
      }
      return held.token;
    },
    refused(token) {
      if (held?.token !== token) return true;
      if (clock() - held.at < young) return false;
      held = undefined;
      return true;
    },
  };
}

/** The claims of a JWT; none of anything else. */
export function claimsIn(token: string): Claims {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Claims) : {};
  } catch {
    return {};
  }
}

/** In ms. A token that does not say is used once. */
function lifeOf({ iat, nbf, exp }: Claims): number {
  const from = typeof iat === 'number' ? iat : nbf;
  return typeof exp === 'number' && typeof from === 'number' ? Math.max(exp - from, 0) * 1000 : 0;
}

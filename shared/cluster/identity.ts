import { McprtError } from '../errors.js';
import type { Credentials } from './credentials.js';
import { type Claims, claimsIn, type TokenSource } from './token-source.js';

/** How a job with an identity of GitHub's, and nothing stored, reaches an API server. */
export interface IdentityOptions {
  /** `https://HOST:PORT` */
  server: string;
  /** The CA of the server in PEM; empty for those that the machine trusts. It is no secret. */
  certificateAuthority: string;
  tokens: TokenSource;
}

/** Credentials that are an identity: each request shows a token that is good at that moment. */
export function identityCredentials({ server, certificateAuthority, tokens }: IdentityOptions): Credentials {
  return {
    server,
    context: 'identity',
    headers: {},
    tokens,
    explainRefusal: (token) => identityRefused(server, claimsIn(token)),
    tls: certificateAuthority === '' ? {} : { ca: certificateAuthority },
    secrets: [],
  };
}

/**
 * An API server that does not take an identity says nothing but 401: what the token claims is told, to be held against the
 * rules of its AuthenticationConfiguration.
 */
function identityRefused(server: string, claims: Claims): McprtError {
  const told = ['repository', 'environment', 'ref', 'event_name', 'aud', 'iss'].map(
    (name) => `${name === 'aud' ? 'audience' : name === 'iss' ? 'issuer' : name}: ${wordOf(claims[name])}`,
  );
  return new McprtError('identity-refused', {
    what: `the API server ${server} does not take this job’s identity`,
    why: [
      ...told,
      typeof claims.environment === 'string'
        ? 'one of these is not what its AuthenticationConfiguration asks for, its file does not name GitHub’s issuer, or it cannot fetch the issuer’s keys'
        : 'the job names no environment, and every identity that mcprt’s rules take has one',
    ].join('\n'),
    next:
      'compare them with the file that `init --accounts` has written for the control plane (docs/keyless.md); `init --accounts` also asks the API server whether it knows the issuer. ' +
      'The input `kubeconfig` is the other way in',
  });
}

function wordOf(claim: unknown): string {
  if (typeof claim === 'string') return claim.slice(0, 200);
  return Array.isArray(claim) ? claim.map(wordOf).join(' ') : '(none)';
}

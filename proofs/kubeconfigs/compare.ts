import type { Credentials } from '../../shared/cluster/credentials.js';
import { withoutEnd } from '../../shared/text.js';
import type { GoAnswer } from './go-loader.js';

/** What reaches the API server, as far as a kubeconfig decides it. */
export interface Meaning {
  server: string;
  ca: string;
  cert: string;
  key: string;
  authorization: string;
  serverName: string;
  isUnchecked: boolean;
  proxy: string;
  impersonation: object;
}

/** What kubectl would do. @param tokenOf reads a token file */
export async function meaningOfGo(answer: GoAnswer, tokenOf: (path: string) => Promise<string>): Promise<Meaning> {
  const server = new URL(answer.server);
  // The file is read again and again, and wins over what stands in the kubeconfig.
  const token = answer.tokenFile === '' ? answer.token : await tokenOf(answer.tokenFile);
  const basic = (name: string, password: string): string =>
    `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  const { UserName: user, UID: uid, Groups: groups, Extra: extra } = answer.impersonate;
  return {
    server: withoutEnd(`${server.origin}${server.pathname}`, '/'),
    ca: answer.ca ?? '',
    cert: answer.cert ?? '',
    key: answer.key ?? '',
    authorization:
      token !== ''
        ? `Bearer ${token.trim()}`
        : answer.username !== '' || answer.password !== ''
          ? basic(answer.username, answer.password)
          : server.username === ''
            ? ''
            : basic(decodeURIComponent(server.username), decodeURIComponent(server.password)),
    serverName: answer.serverName,
    isUnchecked: answer.insecure,
    proxy: answer.proxy === '' ? '' : new URL(answer.proxy).href,
    impersonation: user === '' ? {} : { user, uid, groups: groups ?? [], extra: extra ?? {} },
  };
}

/** What mcprt does. */
export async function meaningOf(credentials: Credentials): Promise<Meaning> {
  const { server, tls, headers, tokens, proxyUrl, impersonation } = credentials;
  const packed = (bytes: string | Buffer | undefined): string =>
    bytes === undefined ? '' : Buffer.from(bytes).toString('base64');
  return {
    server,
    ca: packed(tls.ca),
    cert: packed(tls.cert),
    key: packed(tls.key),
    authorization: tokens === undefined ? (headers.authorization ?? '') : `Bearer ${await tokens.current()}`,
    serverName: tls.servername ?? '',
    isUnchecked: tls.rejectUnauthorized === false,
    proxy: proxyUrl === undefined ? '' : new URL(proxyUrl).href,
    impersonation: impersonation ?? {},
  };
}

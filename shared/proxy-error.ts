import { McprtError, messageOf } from './errors.js';
import { hostPort } from './text.js';

/** A proxy's address, and what the messages call it: never with its user. */
export interface ProxyAddress {
  url: URL;
  name: string;
}

const example = 'http://USER:PASSWORD@HOST:PORT';
const settings = '`HTTPS_PROXY` and `HTTP_PROXY` of this machine, or `proxy-url` in the kubeconfig';
const certificate = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/;
/** What answers as no HTTP proxy does: other bytes, or TLS on one side only. */
const otherProtocol = /^(?:HPE_|EPROTO$|ERR_SSL_)/;
/** Failures that may be over at the next try; nothing of the request has been sent by then. */
const passing = ['proxy-unreachable', 'proxy-gateway'];

/**
 * Reads a proxy's address, which may have a password in it: what is thrown quotes nothing of it.
 *
 * @throws McprtError `proxy-invalid`
 */
export function proxyAddress(text: string): ProxyAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (/^socks\w{0,2}:$/.test(url?.protocol ?? '')) {
    throw new McprtError('proxy-invalid', {
      what: 'the proxy that is named is a SOCKS proxy',
      why: 'mcprt asks a proxy by HTTP (CONNECT), as Docker and most programs do, and speaks no SOCKS',
      next: `give the HTTP port that many such proxies have beside (Tor has HTTPTunnelPort), or put a proxy before it that speaks both, such as privoxy with forward-socks5; then ${settings}: ${example}. Where this machine needs no proxy, name the hosts in NO_PROXY`,
    });
  }
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new McprtError('proxy-invalid', {
      what: 'the address of a proxy cannot be used',
      why: url === undefined ? 'it is no address' : 'only http and https lead to a proxy',
      next: `correct ${settings}: ${example}, with what is special in user and password percent-encoded`,
    });
  }
  return { url, name: hostPort(url.hostname, url.port || (url.protocol === 'https:' ? '443' : '80')) };
}

/** What a failure on the way to a proxy is to a reader. */
export function proxyFailure(name: string, cause: unknown): McprtError {
  if (cause instanceof McprtError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const why = [code, messageOf(cause)].filter((part) => part !== '').join(': ');
  if (certificate.test(code)) {
    return new McprtError('proxy-untrusted', {
      what: `the certificate of the proxy ${name} is not accepted`,
      why,
      next: 'give the path of its CA’s PEM in the variable NODE_EXTRA_CA_CERTS, or address the proxy by http, as most are',
      cause,
    });
  }
  if (otherProtocol.test(code)) {
    return new McprtError('proxy-invalid', {
      what: `what answers at ${name} is no such proxy`,
      why,
      next: `compare scheme and port in ${settings}: most proxies are addressed by http, and SOCKS is none of them`,
      cause,
    });
  }
  return new McprtError('proxy-unreachable', {
    what: `the proxy ${name} cannot be reached`,
    why: why || 'it ended the connection without an answer',
    next: `check that the proxy runs and that this machine reaches it, and the address in ${settings}`,
    cause,
  });
}

/** A proxy that takes the connection, and answers nothing. */
export function proxySilent(name: string, to: string, seconds: number): McprtError {
  return new McprtError('proxy-silent', {
    what: `the proxy ${name} does not answer`,
    why: `it was asked for ${to} ${seconds} s ago`,
    next: `either the proxy hangs, or it waits for ${to}: ask it from this machine, \`curl -v -x http://${name} https://${to}\`; where it is not to go through the proxy, name it in NO_PROXY`,
  });
}

/** What a proxy's answer other than yes is to a reader. */
export function proxyRefusal(name: string, to: string, status: number, told: string): McprtError {
  const why = `it answers ${status}${told === '' ? '' : ` ${told.slice(0, 100)}`}`;
  if (status === 407) {
    return new McprtError('proxy-authentication', {
      what: `the proxy ${name} asks for another user`,
      why,
      next: `put user and password into ${settings}: ${example}, with what is special percent-encoded; only Basic is spoken`,
    });
  }
  if (status >= 500) {
    return new McprtError('proxy-gateway', {
      what: `the proxy ${name} does not get to ${to}`,
      why,
      next: `check that ${to} has a DNS record that the proxy finds, and that it answers; where this machine reaches it without the proxy, name it in NO_PROXY`,
    });
  }
  return new McprtError('proxy-refused', {
    what: `the proxy ${name} does not let this machine through to ${to}`,
    why,
    next: `have it allow CONNECT to ${to}, as many allow port 443 only; where this machine reaches it without the proxy, name it in NO_PROXY`,
  });
}

/** Whether a proxy may do better at the next try. Nothing has been sent through it, so any request may be tried again. */
export function isPassingProxy(error: unknown): boolean {
  return error instanceof McprtError && passing.includes(error.code);
}

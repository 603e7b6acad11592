import { isIP } from 'node:net';
import type { Kind } from './reference.js';

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const HOST = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})+$`);
const EMAIL = /^[^\s@<>,]+@[^\s@<>,]+\.[^\s@<>,]+$/;
const PLATFORM = /^[a-z0-9]+\/[a-z0-9_]+(?:\/v[0-9]+)?$/;

const UNITS = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const DURATION = /^\+?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const DURATION_PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

function isUnit(text: string | undefined): text is keyof typeof UNITS {
  return text !== undefined && Object.hasOwn(UNITS, text);
}

/**
 * A length of time as the platform writes it: numbers with a unit (15m, 1h30m, 90s), in milliseconds. Undefined for
 * anything else, also for a number without a unit and for a negative one. Rule: Go's time.ParseDuration.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.replace('+', '').matchAll(DURATION_PART)) {
    if (isUnit(unit)) total += Number(amount) * UNITS[unit];
  }
  return total;
}

/** Whether the text is a DNS name of at least two labels in lower case, as an Ingress wants it. Rule: RFC 1123, 2.1. */
export function isHost(text: string): boolean {
  return HOST.test(text) && isIP(text) === 0;
}

/** The host of `host`, `host:port` or `[address]:port`. */
export function hostOf(endpoint: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(endpoint)?.[1];
  if (bracketed !== undefined) return bracketed;
  return isIP(endpoint) === 6 ? endpoint : endpoint.replace(/:\d+$/, '');
}

/**
 * The bare domain in what people write for one: without scheme, path, port, trailing dot and capital letters.
 * Undefined when no DNS name is left.
 */
export function bareDomain(text: string): string | undefined {
  const withoutScheme = text.trim().replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\//, '');
  const authority = withoutScheme.replace(/[/?#].*$/, '');
  const domain = hostOf(authority).replace(/\.$/, '').toLowerCase();
  return isHost(domain) ? domain : undefined;
}

/** Whether a switch is on. The platform takes `1` and `true` and nothing else. */
export function isOn(text: string | undefined): boolean {
  return text === '1' || text === 'true';
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;
}

function isEndpoint(text: string): boolean {
  const host = hostOf(text);
  return isIP(host) !== 0 || isHost(host) || /^[a-z0-9-]+:\d+$/.test(text);
}

/** What a value of this kind must look like, for a sentence; undefined when the value does. */
export function formFault(kind: Kind, value: string): string | undefined {
  if (typeof kind !== 'string') return kind.includes(value) ? undefined : `one of ${kind.join(', ')}`;
  switch (kind) {
    case 'text':
    case 'path':
    case 'secret':
    case 'domain':
      return undefined;
    case 'url':
      return /^https?:\/\/[^\s/]+/.test(value) ? undefined : 'a URL that begins with http:// or https://';
    case 'host':
      return isHost(value) ? undefined : 'a host name in lower case without scheme, port and path';
    case 'endpoint':
      return isEndpoint(value) ? undefined : 'a host name, with or without a port, and without a scheme';
    case 'email':
      return EMAIL.test(value) ? undefined : 'one e-mail address';
    case 'duration':
      return parseDuration(value) === undefined ? 'a number with a unit, such as 15m or 90s' : undefined;
    case 'count':
      return /^\d+$/.test(value) ? undefined : 'a whole number';
    case 'port':
      return isPort(value) ? undefined : 'a port from 1 to 65535';
    case 'platform':
      return PLATFORM.test(value) ? undefined : 'an operating system and a processor, such as linux/amd64';
    case 'switch':
      return ['0', '1', 'false', 'true'].includes(value) ? undefined : '1 or true for on, 0 or false for off';
  }
}

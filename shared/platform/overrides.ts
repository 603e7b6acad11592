import { isIP } from 'node:net';
import { withoutBrackets } from '../text.js';

/** Where a name is looked for instead of where DNS says: a cluster can be checked before DNS points at it. */
export interface Override {
  host: string;
  /** Only connections to this port; all when undefined. */
  port: number | undefined;
  address: string;
  toPort: number | undefined;
}

/**
 * Reads overrides as `host=address` or `host:port=address:port`, one a line.
 *
 * @throws Error with what is wrong with the first line that is none
 */
export function parseOverrides(text: string): Override[] {
  return text
    .split(/[\n,]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line, index) => {
      const [, host, port, address, toPort] =
        /^([a-z0-9.-]+)(?::(\d+))?=(\[[0-9a-f:]+\]|[0-9.]+)(?::(\d+))?$/i.exec(line) ?? [];
      const plain = withoutBrackets(address ?? '');
      if (host === undefined || isIP(plain) === 0) {
        throw new Error(`entry ${index + 1} is not host=address or host:port=address:port`);
      }
      return {
        host: host.toLowerCase(),
        port: port === undefined ? undefined : Number(port),
        address: plain,
        toPort: toPort === undefined ? undefined : Number(toPort),
      };
    });
}

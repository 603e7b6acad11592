import type { Finding } from '../checks/finding.js';
import { type ErrorCode, McprtError } from '../errors.js';

/** Something that setup needs and has not got, whether the cluster says so or an input. */
interface Obstacle {
  code: string;
  /** In one line. */
  told: string;
  next: string;
}

/**
 * The one error that tells everything that stands in the way of setup: what was found of the cluster and its names, and
 * what is wrong with the inputs. Whoever sees one after the other has begun again as many times. A single fault of the
 * inputs stays the error that it is.
 *
 * @returns undefined where nothing stands in the way
 */
export function obstaclesError(errors: readonly Finding[], faults: readonly McprtError[]): McprtError | undefined {
  const [first] = faults;
  if (errors.length === 0 && faults.length <= 1) return first;
  const access = errors.find(({ code }) => code === 'permission-missing');
  const code: ErrorCode = access === undefined ? 'setup-preflight' : 'permission-missing';
  const obstacles = [...errors.map(ofFinding), ...faults.map(ofFault)];
  return new McprtError(code, {
    what: `${obstacles.length} thing${obstacles.length === 1 ? ' stands' : 's stand'} in the way of setup; nothing was changed`,
    why: [...obstacles.map((one) => `${one.told} (${one.code})`), ...(access?.evidence ?? [])].join('\n'),
    next: [...new Set(obstacles.map(({ next }) => next))].join('\n'),
  });
}

function ofFinding({ code, subject, cause, remedy }: Finding): Obstacle {
  return { code, told: `${subject}: ${cause}`, next: remedy };
}

function ofFault({ code, message, why, next }: McprtError): Obstacle {
  return { code, told: `${message}: ${why.replaceAll('\n', '; ')}`, next };
}

import { z } from 'zod';
import { FAULT_SCHEMA, type Fault, SERVICES } from './faults.js';
import { type Call, json, jsonBody, type Reply } from './http.js';

/** What a test in another process can do to the stand-in. */
export interface Controls {
  state(): unknown;
  inject(fault: Fault): void;
  clearFaults(): void;
  /** How many entries there were. */
  evict(key: string): number;
  /** Whether there was something to change. */
  tamper(service: 'cache' | 'artifacts', name: string): boolean;
}

/** Where the control calls are, below the origin. */
export const CONTROL_PATH = '/_control';

const EVICT = z.strictObject({ key: z.string() });
const TAMPER = z.strictObject({ on: z.enum(SERVICES).exclude(['rest']), name: z.string() });
const DONE: Reply = { status: 204 };

/**
 * Answers GET /_control, POST and DELETE /_control/faults, POST /_control/evict and POST /_control/tamper. A body that
 * is not what the call takes is a 400 that says why.
 */
export function answerControlCall(call: Call, controls: Controls): Reply {
  switch (`${call.method} ${call.url.pathname.slice(CONTROL_PATH.length)}`) {
    case 'GET ':
      return json(200, controls.state());
    case 'DELETE /faults':
      controls.clearFaults();
      return DONE;
    case 'POST /faults':
      return withBody(call, FAULT_SCHEMA, (fault) => {
        controls.inject(fault);
        return true;
      });
    case 'POST /evict':
      return withBody(call, EVICT, ({ key }) => controls.evict(key) > 0);
    case 'POST /tamper':
      return withBody(call, TAMPER, ({ on, name }) => controls.tamper(on, name));
    default:
      return { status: 404 };
  }
}

function withBody<T>(call: Call, schema: z.ZodType<T>, act: (value: T) => boolean): Reply {
  const parsed = schema.safeParse(jsonBody(call));
  if (!parsed.success) return { status: 400, body: z.prettifyError(parsed.error) };
  return act(parsed.data) ? DONE : { status: 404 };
}

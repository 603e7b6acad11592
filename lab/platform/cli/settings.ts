import * as z from 'zod';
import { CliError } from './errors.js';

const schema = z.strictObject({
  /** The ACME server that stands in for Let's Encrypt, whose address the installer has built in. */
  acme: z.object({ directory: z.string(), caBundle: z.string() }),
  /** Folder with cert-manager's CRDs, which the installer fetches from the Internet. */
  crds: z.string(),
  layout: z.enum(['mono', 'split']),
  /** How often waits look again; the installer looks every five seconds. */
  pollMilliseconds: z.number().positive().default(250),
  /** How long building and pushing one image takes. */
  pushMilliseconds: z.number().nonnegative().default(200),
  /** The lower limits that the installer has for its waits; a lab that shows a failed issuance makes them shorter. */
  floors: z
    .strictObject({
      certificate: z.number().positive().default(300),
      internalCertificate: z.number().positive().default(120),
      certManager: z.number().positive().default(120),
    })
    .prefault({}),
});

/** What the stand-in needs to know of the lab and what the installer has built in. */
export type Settings = z.output<typeof schema>;
export type GivenSettings = z.input<typeof schema>;

/** The variable in which the executable hands the settings on, as JSON. */
export const settingsVariable = 'MCP_RUNTIME_STAND_IN';

/** @throws CliError when the executable gave none, or wrong ones */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const text = env[settingsVariable];
  if (text === undefined) {
    throw new CliError(
      `this stand-in of mcp-runtime was not started by its executable: ${settingsVariable} is not set`,
    );
  }
  return schema.parse(JSON.parse(text));
}

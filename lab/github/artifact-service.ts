import { z } from 'zod';
import type { Artifact, ArtifactStore } from './artifact-store.js';
import type { Blobs } from './blobs.js';
import type { Faults } from './faults.js';
import { json, type Reply } from './http.js';
import type { Caller } from './tokens.js';
import { type Context, method, type TwirpService, twirpError } from './twirp.js';

/** The first version of the protocol in which an artifact is one immutable blob. */
const FIRST_VERSION = 4;

const IDS = { workflow_run_backend_id: z.string(), workflow_job_run_backend_id: z.string() };
const NAME = z
  .string()
  .min(1)
  .regex(/^[^":<>|*?\r\n\\/]+$/, 'the artifact name is not valid');
const COUNT = z.string().regex(/^\d+$/);

const CREATE = z.strictObject({
  ...IDS,
  name: NAME,
  expires_at: z.iso.datetime().optional(),
  version: z.int().min(FIRST_VERSION),
  mime_type: z.string().optional(),
});
const FINALIZE = z.strictObject({ ...IDS, name: NAME, size: COUNT.default('0'), hash: z.string().optional() });
const LIST = z.strictObject({ ...IDS, name_filter: z.string().optional(), id_filter: COUNT.optional() });
const ONE = z.strictObject({ ...IDS, name: NAME });

const TAKEN = 'an artifact with this name already exists on the workflow run';

export interface ArtifactServiceOptions {
  readonly store: ArtifactStore;
  readonly blobs: Blobs;
  readonly faults: Faults;
}

/** The URL from which an artifact is downloaded, with the headers that name its file. */
export function downloadUrl({ blob, name }: Artifact, blobs: Blobs, origin: string): string {
  const rscd = `attachment; filename="${encodeURIComponent(name)}.zip"; filename*=UTF-8''${encodeURIComponent(name)}.zip`;
  return blobs.sign(blob, 'read', origin, { rscd, rsct: 'application/zip' });
}

/** Version 4 of the artifact service, as the client speaks it. */
export function artifactService({ store, blobs, faults }: ArtifactServiceOptions): TwirpService {
  return {
    name: 'github.actions.results.api.v1.ArtifactService',
    service: 'artifacts',
    methods: {
      CreateArtifact: method(CREATE, (message, context) =>
        ofOwnRun(message, context, ({ runBackendId, jobBackendId }) => {
          if (faults.hits('full', 'artifacts'))
            return twirpError('permission_denied', 'insufficient usage to create artifact');
          const { name, expires_at } = message;
          const asked = expires_at === undefined ? undefined : new Date(expires_at);
          const isTaken = faults.hits('duplicate', 'artifacts');
          const artifact = isTaken ? undefined : store.create(name, runBackendId, jobBackendId, asked);
          if (artifact === undefined) return twirpError('already_exists', TAKEN);
          return json(200, { ok: true, signed_upload_url: blobs.sign(artifact.blob, 'write', context.origin) });
        }),
      ),
      FinalizeArtifact: method(FINALIZE, (message, context) =>
        ofOwnRun(message, context, ({ runBackendId }) => {
          const artifact = store.finalize(message.name, runBackendId, Number(message.size), message.hash);
          if (artifact !== undefined) return json(200, { ok: true, artifact_id: String(artifact.id) });
          return twirpError('invalid_argument', 'no upload of this name, size and hash to finalize');
        }),
      ),
      ListArtifacts: method(LIST, (message, context) =>
        ofOwnRun(message, context, ({ runBackendId }) => {
          const { name_filter: name, id_filter: id } = message;
          const isWanted = (each: Artifact) =>
            (name ?? each.name) === each.name && (id ?? `${each.id}`) === `${each.id}`;
          return json(200, { artifacts: store.ofRun(runBackendId).filter(isWanted).map(describe) });
        }),
      ),
      GetSignedArtifactURL: method(ONE, (message, context) =>
        ofOwnRun(message, context, ({ runBackendId }) => {
          const artifact = store.find(runBackendId, message.name);
          if (artifact === undefined) return twirpError('not_found', 'artifact not found');
          return json(200, { signed_url: downloadUrl(artifact, blobs, context.origin) });
        }),
      ),
      DeleteArtifact: method(ONE, (message, context) =>
        ofOwnRun(message, context, ({ runBackendId }) => {
          const artifact = store.find(runBackendId, message.name);
          if (artifact === undefined) return twirpError('not_found', 'artifact not found');
          store.remove(artifact);
          return json(200, { ok: true, artifact_id: String(artifact.id) });
        }),
      ),
    },
  };
}

/** A token opens the artifacts of its own run only. */
function ofOwnRun(
  message: { workflow_run_backend_id: string },
  { caller }: Context,
  run: (caller: Caller) => Reply,
): Reply {
  const isOwn = message.workflow_run_backend_id === caller.runBackendId;
  return isOwn ? run(caller) : twirpError('permission_denied', 'the token belongs to another run');
}

function describe({ id, name, runBackendId, jobBackendId, createdAt, blob, digest }: Artifact) {
  return {
    workflow_run_backend_id: runBackendId,
    workflow_job_run_backend_id: jobBackendId,
    database_id: String(id),
    name,
    size: String(blob.bytes?.length ?? 0),
    created_at: createdAt.toISOString(),
    digest,
  };
}

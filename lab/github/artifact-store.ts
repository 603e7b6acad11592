import { type Blob, type Blobs, digestOf } from './blobs.js';

const DAY = 86_400_000;

export interface Artifact {
  readonly id: number;
  readonly name: string;
  readonly runBackendId: string;
  readonly jobBackendId: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly blob: Blob;
  /** sha256:… of what was uploaded; empty until the upload is finalized, and nobody can read it before. */
  digest: string;
}

/** When an artifact goes: when asked for, but never later than the repository allows. */
export function grantedExpiry(asked: Date | undefined, createdAt: Date, retentionDays: number): Date {
  const latest = new Date(createdAt.getTime() + retentionDays * DAY);
  return asked !== undefined && asked < latest ? asked : latest;
}

export interface ArtifactStoreOptions {
  readonly blobs: Blobs;
  readonly retentionDays: number;
  readonly now: () => Date;
  readonly nextId: () => number;
}

/** The artifacts of one repository. */
export class ArtifactStore {
  #artifacts: readonly Artifact[] = [];
  readonly #options: ArtifactStoreOptions;

  constructor(options: ArtifactStoreOptions) {
    this.#options = options;
  }

  /** Every finalized artifact, the newest first, expired ones among them. */
  get artifacts(): readonly Artifact[] {
    return this.#artifacts.filter(({ digest }) => digest !== '').toReversed();
  }

  isExpired({ expiresAt }: Artifact): boolean {
    return expiresAt <= this.#options.now();
  }

  /** The artifact of this name in a run, if it has not expired. */
  find(runBackendId: string, name: string): Artifact | undefined {
    return this.ofRun(runBackendId).find((each) => each.name === name);
  }

  /** The artifacts of a run that have not expired. */
  ofRun(runBackendId: string): readonly Artifact[] {
    return this.artifacts.filter((each) => each.runBackendId === runBackendId && !this.isExpired(each));
  }

  /** A new artifact to upload to; undefined when the run has one of this name, be it unfinished. */
  create(name: string, runBackendId: string, jobBackendId: string, asked: Date | undefined): Artifact | undefined {
    if (this.#artifacts.some((each) => each.name === name && each.runBackendId === runBackendId)) return undefined;
    const { blobs, now, nextId, retentionDays } = this.#options;
    const createdAt = now();
    const expiresAt = grantedExpiry(asked, createdAt, retentionDays);
    const blob = blobs.create('artifacts', '.zip');
    const artifact = { id: nextId(), name, runBackendId, jobBackendId, createdAt, expiresAt, blob, digest: '' };
    this.#artifacts = [...this.#artifacts, artifact];
    return artifact;
  }

  /** Makes an upload readable; undefined when there is none of this size and, if one is given, digest. */
  finalize(name: string, runBackendId: string, size: number, digest: string | undefined): Artifact | undefined {
    const found = this.#artifacts.find(
      (each) => each.name === name && each.runBackendId === runBackendId && each.digest === '',
    );
    const bytes = found?.blob.bytes;
    if (found === undefined || bytes?.length !== size) return undefined;
    const actual = digestOf(bytes);
    if (digest !== undefined && digest !== actual) return undefined;
    found.digest = actual;
    found.blob.isSealed = true;
    return found;
  }

  remove(artifact: Artifact): void {
    this.#options.blobs.remove(artifact.blob);
    this.#artifacts = this.#artifacts.filter((each) => each !== artifact);
  }
}

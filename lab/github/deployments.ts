import { z } from 'zod';
import { type Call, json, jsonBody, type Reply } from './http.js';
import { failure, invalid, pageOf } from './rest-reply.js';

const NEW_DEPLOYMENT = z.looseObject({
  ref: z.string().min(1),
  environment: z.string().min(1).default('production'),
  description: z.string().max(140).nullish(),
  auto_merge: z.boolean().default(true),
  required_contexts: z.array(z.string()).optional(),
  transient_environment: z.boolean().default(false),
  production_environment: z.boolean().optional(),
  payload: z.unknown().optional(),
});

const NEW_STATUS = z.looseObject({
  state: z.enum(['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success']),
  description: z.string().max(140).default(''),
  log_url: z.union([z.url(), z.literal('')]).default(''),
  environment_url: z.union([z.url(), z.literal('')]).default(''),
  auto_inactive: z.boolean().default(true),
});

/** A deployment as a test sees it, with its statuses from the first to the newest. */
export interface DeploymentFacts {
  readonly id: number;
  readonly sha: string;
  readonly environment: string;
  readonly description: string;
  readonly transient: boolean;
  readonly payload: unknown;
  readonly statuses: readonly { state: string; description: string; environmentUrl: string; logUrl: string }[];
}

type Deployment = Omit<DeploymentFacts, 'statuses'> & {
  readonly createdAt: string;
  readonly statuses: { state: string; description: string; environmentUrl: string; logUrl: string }[];
};

/** The deployments of a repository. Rules: GitHub's REST reference of deployments and their statuses. */
export class Deployments {
  readonly #all: Deployment[] = [];
  readonly #now: () => Date;
  readonly #nextId: () => number;

  constructor({ now, nextId }: { now: () => Date; nextId: () => number }) {
    this.#now = now;
    this.#nextId = nextId;
  }

  get facts(): readonly DeploymentFacts[] {
    return this.#all;
  }

  /** Answers a call below `/repos/OWNER/NAME/deployments`, whose rest is `path`. */
  answer(call: Call, path: string): Reply {
    if (path === '') {
      if (call.method === 'GET') return this.#list(call);
      return call.method === 'POST' ? this.#create(call) : failure(404, 'Not Found');
    }
    const [, id, rest] = /^\/(\d+)(\/statuses)?$/.exec(path) ?? [];
    const found = this.#all.find((each) => each.id === Number(id));
    if (found === undefined) return failure(404, 'Not Found');
    switch (`${call.method} ${rest ?? ''}`) {
      case 'GET ':
        return json(200, this.#describe(found));
      case 'DELETE ':
        return this.#delete(found);
      case 'GET /statuses': {
        const { items, headers } = pageOf(call, found.statuses.toReversed());
        return json(200, items.map(describeStatus), headers);
      }
      case 'POST /statuses':
        return this.#tell(call, found);
      default:
        return failure(404, 'Not Found');
    }
  }

  #list(call: Call): Reply {
    const terms = call.url.searchParams;
    const is = (name: string, value: string): boolean => (terms.get(name) ?? value) === value;
    const wanted = this.#all.filter((each) => is('environment', each.environment) && is('sha', each.sha));
    const { items, headers } = pageOf(call, wanted.toReversed());
    return json(
      200,
      items.map((each) => this.#describe(each)),
      headers,
    );
  }

  #create(call: Call): Reply {
    const parsed = NEW_DEPLOYMENT.safeParse(jsonBody(call));
    if (!parsed.success) return invalid(parsed.error);
    const { ref, environment, description, required_contexts, transient_environment, payload } = parsed.data;
    if (!/^[0-9a-f]{40}$/.test(ref)) return failure(422, `No ref found for: ${ref}`);
    // The job that deploys is itself a check of the commit, and has not ended.
    if (required_contexts === undefined) return failure(409, `Conflict: Commit status checks failed for ${ref}.`);
    const made: Deployment = {
      id: this.#nextId(),
      sha: ref,
      environment,
      description: description ?? '',
      transient: transient_environment,
      payload: payload ?? '',
      createdAt: this.#now().toISOString(),
      statuses: [],
    };
    this.#all.push(made);
    return json(201, this.#describe(made));
  }

  #tell(call: Call, deployment: Deployment): Reply {
    const parsed = NEW_STATUS.safeParse(jsonBody(call));
    if (!parsed.success) return invalid(parsed.error);
    const { state, description, log_url, environment_url, auto_inactive } = parsed.data;
    if (state === 'success' && auto_inactive) {
      for (const other of this.#all) {
        const isReplaced =
          other !== deployment && other.environment === deployment.environment && stateOf(other) === 'success';
        if (isReplaced) other.statuses.push({ state: 'inactive', description: '', environmentUrl: '', logUrl: '' });
      }
    }
    const status = { state, description, environmentUrl: environment_url, logUrl: log_url };
    deployment.statuses.push(status);
    return json(201, describeStatus(status));
  }

  #delete(deployment: Deployment): Reply {
    const isOnly = this.#all.every((each) => each === deployment || each.environment !== deployment.environment);
    if (stateOf(deployment) !== 'inactive' && !isOnly) {
      return failure(
        422,
        'We cannot delete an active deployment unless it is the only deployment in a given environment.',
      );
    }
    this.#all.splice(this.#all.indexOf(deployment), 1);
    return { status: 204 };
  }

  #describe({ id, sha, environment, description, transient, payload, createdAt }: Deployment) {
    return {
      id,
      sha,
      ref: sha,
      task: 'deploy',
      environment,
      description,
      payload,
      transient_environment: transient,
      created_at: createdAt,
      updated_at: createdAt,
    };
  }
}

function stateOf({ statuses }: Deployment): string {
  return statuses.at(-1)?.state ?? 'pending';
}

function describeStatus({ state, description, environmentUrl, logUrl }: Deployment['statuses'][number]) {
  return { state, description, environment_url: environmentUrl, log_url: logUrl };
}

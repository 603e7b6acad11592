import { z } from 'zod';
import { type Call, json, jsonBody, type Reply } from './http.js';
import { describeUser, failure, invalid, pageOf } from './rest-reply.js';

/** GitHub refuses longer comments. */
const LONGEST_COMMENT = 65_536;
const BODY = z.looseObject({ body: z.string().min(1).max(LONGEST_COMMENT) });
/** Who writes with a job's GITHUB_TOKEN. */
export const ACTIONS_BOT = 'github-actions[bot]';

/** A pull request, as a test makes it. */
export interface PullRequest {
  readonly number: number;
  readonly state: 'open' | 'closed';
  readonly headSha: string;
  /** owner/name of where the branch is; another one than the repository's for a fork. */
  readonly headRepository: string;
}

export interface Comment {
  readonly id: number;
  readonly pullRequest: number;
  readonly user: string;
  body: string;
  /** How often it was changed. */
  edits: number;
}

/** Pull requests and the comments on them. Rules: GitHub's REST reference of pulls and issue comments. */
export class PullRequests {
  readonly comments: Comment[] = [];
  readonly #all = new Map<number, PullRequest>();
  readonly #nextId: () => number;

  constructor({ nextId }: { nextId: () => number }) {
    this.#nextId = nextId;
  }

  get all(): readonly PullRequest[] {
    return [...this.#all.values()];
  }

  set(pullRequest: PullRequest): void {
    this.#all.set(pullRequest.number, pullRequest);
  }

  /** Writes a comment as somebody. */
  comment(pullRequest: number, user: string, body: string): Comment {
    const made: Comment = { id: this.#nextId(), pullRequest, user, body, edits: 0 };
    this.comments.push(made);
    return made;
  }

  /** Answers a call below `/repos/OWNER/NAME`, whose rest is `path`: `/pulls…` or `/issues…`. */
  answer(call: Call, path: string): Reply {
    const [, pull] = /^\/pulls\/(\d+)$/.exec(path) ?? [];
    if (pull !== undefined) {
      const found = this.#all.get(Number(pull));
      return found === undefined || call.method !== 'GET' ? failure(404, 'Not Found') : json(200, describePull(found));
    }
    const [, issue] = /^\/issues\/(\d+)\/comments$/.exec(path) ?? [];
    if (issue !== undefined) return this.#ofPullRequest(call, Number(issue));
    const [, id] = /^\/issues\/comments\/(\d+)$/.exec(path) ?? [];
    const comment = this.comments.find((each) => each.id === Number(id));
    return comment === undefined ? failure(404, 'Not Found') : this.#one(call, comment);
  }

  #ofPullRequest(call: Call, number: number): Reply {
    if (!this.#all.has(number)) return failure(404, 'Not Found');
    if (call.method === 'GET') {
      const { items, headers } = pageOf(
        call,
        this.comments.filter(({ pullRequest }) => pullRequest === number),
      );
      return json(200, items.map(describeComment), headers);
    }
    if (call.method !== 'POST') return failure(404, 'Not Found');
    const parsed = BODY.safeParse(jsonBody(call));
    if (!parsed.success) return invalid(parsed.error);
    return json(201, describeComment(this.comment(number, ACTIONS_BOT, parsed.data.body)));
  }

  #one(call: Call, comment: Comment): Reply {
    if (call.method === 'GET') return json(200, describeComment(comment));
    if (call.method === 'DELETE') {
      this.comments.splice(this.comments.indexOf(comment), 1);
      return { status: 204 };
    }
    if (call.method !== 'PATCH') return failure(404, 'Not Found');
    const parsed = BODY.safeParse(jsonBody(call));
    if (!parsed.success) return invalid(parsed.error);
    comment.body = parsed.data.body;
    comment.edits += 1;
    return json(200, describeComment(comment));
  }
}

function describePull({ number, state, headSha, headRepository }: PullRequest) {
  return { number, state, head: { sha: headSha, repo: { full_name: headRepository } } };
}

function describeComment({ id, user, body }: Comment) {
  return { id, body, user: describeUser(user) };
}

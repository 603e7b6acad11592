import { z } from 'zod';
import { type Call, json, jsonBody, type Reply } from './http.js';
import { ACTIONS_BOT, type PullRequest } from './pull-requests.js';
import { describeUser, failure, invalid, pageOf } from './rest-reply.js';

/** GitHub refuses longer titles, and bodies of issues and comments. */
const LONGEST_TITLE = 256;
const LONGEST_BODY = 65_536;

const TITLE = z.string().min(1).max(LONGEST_TITLE);
const TEXT = z.string().max(LONGEST_BODY);
const LABELS = z.array(z.string().min(1));
const NEW_ISSUE = z.looseObject({ title: TITLE, body: TEXT.nullish(), labels: LABELS.default([]) });
const CHANGE = z.looseObject({
  title: TITLE.optional(),
  body: TEXT.nullish(),
  labels: LABELS.optional(),
  state: z.enum(['open', 'closed']).optional(),
  state_reason: z.enum(['completed', 'not_planned', 'duplicate', 'reopened']).nullish(),
});
const NEW_COMMENT = z.looseObject({ body: TEXT.min(1) });
const STATES = z.enum(['open', 'closed', 'all']).default('open');

/** An issue as a test sees it, with the comments on it from the first to the newest. */
export interface IssueFacts {
  readonly number: number;
  readonly user: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly state: 'open' | 'closed';
  readonly stateReason: string | null;
  readonly comments: readonly string[];
}

type Issue = { -readonly [Field in keyof IssueFacts]: IssueFacts[Field] };

export interface IssuesOptions {
  readonly nextId: () => number;
  /** They are numbered with the issues, and listed among them. */
  readonly pullRequests: () => readonly PullRequest[];
}

/** The issues of a repository. Rules: GitHub's REST reference of issues and issue comments. */
export class Issues {
  readonly #all: Issue[] = [];
  readonly #options: IssuesOptions;

  constructor(options: IssuesOptions) {
    this.#options = options;
  }

  get facts(): readonly IssueFacts[] {
    return this.#all;
  }

  /** Opens an issue as somebody. */
  open(user: string, { title, body, labels = [] }: { title: string; body: string; labels?: string[] }): IssueFacts {
    const taken = [...this.#all, ...this.#options.pullRequests()].map(({ number }) => number);
    const number = Math.max(0, ...taken) + 1;
    const issue: Issue = { number, user, title, body, labels, state: 'open', stateReason: null, comments: [] };
    this.#all.push(issue);
    return issue;
  }

  has(number: number): boolean {
    return this.#all.some((each) => each.number === number);
  }

  /** Answers a call below `/repos/OWNER/NAME/issues`, whose rest is `path`. */
  answer(call: Call, path: string): Reply {
    if (path === '') {
      if (call.method === 'GET') return this.#list(call);
      return call.method === 'POST' ? this.#create(call) : failure(404, 'Not Found');
    }
    const [, number, rest = ''] = /^\/(\d+)(\/comments)?$/.exec(path) ?? [];
    const issue = this.#all.find((each) => each.number === Number(number));
    if (issue === undefined) return failure(404, 'Not Found');
    switch (`${call.method} ${rest}`) {
      case 'GET ':
        return json(200, describeIssue(issue));
      case 'PATCH ':
        return change(call, issue);
      case 'POST /comments':
        return this.#comment(call, issue);
      default:
        return failure(404, 'Not Found');
    }
  }

  /** Pull requests are issues too, with a field that tells them apart; the newest come first unless told otherwise. */
  #list(call: Call): Reply {
    const { searchParams: terms } = call.url;
    const state = STATES.safeParse(terms.get('state') ?? undefined);
    if (!state.success) return invalid(state.error);
    const [creator, labels = ''] = [terms.get('creator'), terms.get('labels') ?? ''];
    const wanted = labels.split(',').filter((label) => label !== '');
    const pulls = this.#options.pullRequests().map(describePull);
    const found = [...this.#all.map(describeIssue), ...pulls].filter(
      (each) =>
        (state.data === 'all' || each.state === state.data) &&
        (creator === null || each.user.login === creator) &&
        wanted.every((label) => each.labels.some(({ name }) => name === label)),
    );
    const direction = terms.get('direction') === 'asc' ? 1 : -1;
    const { items, headers } = pageOf(
      call,
      found.toSorted((a, b) => direction * (a.number - b.number)),
    );
    return json(200, items, headers);
  }

  #create(call: Call): Reply {
    const parsed = NEW_ISSUE.safeParse(jsonBody(call));
    if (!parsed.success) return invalid(parsed.error);
    const { title, body, labels } = parsed.data;
    return json(201, describeIssue(this.open(ACTIONS_BOT, { title, body: body ?? '', labels })));
  }

  #comment(call: Call, issue: Issue): Reply {
    const parsed = NEW_COMMENT.safeParse(jsonBody(call));
    if (!parsed.success) return invalid(parsed.error);
    issue.comments = [...issue.comments, parsed.data.body];
    return json(201, { id: this.#options.nextId(), body: parsed.data.body, user: describeUser(ACTIONS_BOT) });
  }
}

function change(call: Call, issue: Issue): Reply {
  const parsed = CHANGE.safeParse(jsonBody(call));
  if (!parsed.success) return invalid(parsed.error);
  const { title, body, labels, state, state_reason } = parsed.data;
  if (title !== undefined) issue.title = title;
  if (body !== undefined) issue.body = body ?? '';
  if (labels !== undefined) issue.labels = labels;
  if (state !== undefined && state !== issue.state) {
    issue.state = state;
    issue.stateReason = state_reason ?? (state === 'closed' ? 'completed' : 'reopened');
  }
  return json(200, describeIssue(issue));
}

function describeIssue({ number, user, title, body, labels, state, stateReason, comments }: Issue) {
  return {
    number,
    title,
    body,
    state,
    state_reason: stateReason,
    user: describeUser(user),
    labels: labels.map((name) => ({ name })),
    comments: comments.length,
  };
}

function describePull({ number, state }: PullRequest) {
  const labels: { name: string }[] = [];
  return { number, title: '', body: null, state, user: describeUser('somebody'), labels, pull_request: {} };
}

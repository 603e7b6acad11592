import { json, type Reply } from './http.js';
import { failure } from './rest-reply.js';

/** The environments of the repository, as far as their rules are asked for. Rules: GitHub's REST reference. */
export class Environments {
  readonly #reviewed = new Map<string, boolean>();

  /** Makes an environment, or changes it. */
  set(name: string, { hasReviewers }: { hasReviewers: boolean }): void {
    this.#reviewed.set(name, hasReviewers);
  }

  /** @param name as in the path, percent-encoded */
  answer(name: string): Reply {
    const plain = decodeURIComponent(name);
    const hasReviewers = this.#reviewed.get(plain);
    if (hasReviewers === undefined) return failure(404, 'Not Found');
    const reviewers = { id: 2, type: 'required_reviewers', prevent_self_review: false, reviewers: [] };
    return json(200, {
      name: plain,
      protection_rules: [{ id: 1, type: 'branch_policy' }, ...(hasReviewers ? [reviewers] : [])],
      deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    });
  }
}

import { json, type Reply } from './http.js';
import { failure } from './rest-reply.js';

/** The rules of an environment, as its settings have them. Rules of apps are listed elsewhere, and not here. */
export interface EnvironmentRules {
  hasReviewers: boolean;
  /** Who may let a job in; one user where it is left out. Empty when all of them have left. */
  reviewers?: readonly string[];
  preventsSelfReview?: boolean;
  adminsBypass?: boolean;
}

/** The environments of the repository, as far as their rules are asked for. Rules: GitHub's REST reference. */
export class Environments {
  readonly #rules = new Map<string, EnvironmentRules>();

  /** Makes an environment, or changes it. */
  set(name: string, rules: EnvironmentRules): void {
    this.#rules.set(name, rules);
  }

  /** @param name as in the path, percent-encoded */
  answer(name: string): Reply {
    const plain = decodeURIComponent(name);
    const rules = this.#rules.get(plain);
    if (rules === undefined) return failure(404, 'Not Found');
    const { hasReviewers, reviewers = ['octocat'], preventsSelfReview = false, adminsBypass = false } = rules;
    const reviewed = {
      id: 2,
      type: 'required_reviewers',
      prevent_self_review: preventsSelfReview,
      reviewers: reviewers.map((login, id) => ({ type: 'User', reviewer: { id, login } })),
    };
    return json(200, {
      name: plain,
      can_admins_bypass: adminsBypass,
      protection_rules: [{ id: 1, type: 'branch_policy' }, ...(hasReviewers ? [reviewed] : [])],
      deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    });
  }
}

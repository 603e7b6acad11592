import { randomUUID } from 'node:crypto';
import { refuse } from './answer.js';
import type { TeamOfCaller } from './jwt.js';

export type Role = 'admin' | 'user';
export type TeamRole = 'owner' | 'member';

export interface User {
  id: string;
  email: string;
  role: Role;
  password: string;
}

export interface Team {
  id: string;
  slug: string;
  name: string;
  namespace: string;
  created_at: string;
}

export interface Membership {
  team: Team;
  user: User;
  role: TeamRole;
  created_at: string;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** A subdomain of RFC 1123: a name with dots passes here, and fails as a namespace's name later. */
const slugPattern = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Users, teams and memberships: what the platform keeps in PostgreSQL. */
export class Accounts {
  readonly #users: User[] = [];
  readonly #teams: Team[] = [];
  readonly #burnt = new Set<string>();
  readonly #memberships: Membership[] = [];

  /** @throws Refusal in the database's own words for a second user of that e-mail */
  addUser(email: string, password: string, role = ''): User {
    const address = normal(email);
    if (!/^[^@\s]+@[^@\s]+$/.test(address)) throw refuse(400, 'valid email required');
    if (password.length < 8) throw refuse(400, 'password must be at least 8 characters');
    if (Buffer.byteLength(password) > 72) throw refuse(400, 'bcrypt: password length exceeds 72 bytes');
    if (!['', 'user', 'admin'].includes(role)) throw refuse(400, 'invalid role');
    if (this.#users.some((one) => one.email === address)) {
      throw refuse(400, 'pq: duplicate key value violates unique constraint "users_email_key" (23505)');
    }
    const user: User = { id: randomUUID(), email: address, role: role === 'admin' ? 'admin' : 'user', password };
    this.#users.push(user);
    return user;
  }

  /** Whom this e-mail and password belong to. */
  userWith(email: string, password: string): User | undefined {
    return this.#users.find((one) => one.email === normal(email) && one.password === password);
  }

  user(id: string): User | undefined {
    return this.#users.find((one) => one.id === id);
  }

  get teams(): readonly Team[] {
    return this.#teams;
  }

  team(slug: string): Team | undefined {
    return this.#teams.find((one) => one.slug === slug);
  }

  teamOfNamespace(namespace: string): Team | undefined {
    return this.#teams.find((one) => one.namespace === namespace);
  }

  /** @throws Refusal of every slug that is bad, taken or burnt, all in the same words */
  addTeam(slug: string, name: string): Team {
    const own = normal(slug);
    if (!slugPattern.test(own) || own.length > 253 || this.#burnt.has(own) || this.team(own) !== undefined) {
      throw refuse(400, 'create team: status 400');
    }
    const team = {
      id: randomUUID(),
      slug: own,
      name: name.trim() || own,
      namespace: `mcp-team-${own}`,
      created_at: timestamp(),
    };
    this.#teams.push(team);
    return team;
  }

  /** Takes a team back whose namespace could not be made. Its slug stays in the table, so that nobody can have it again. */
  burn(team: Team): void {
    this.#teams.splice(this.#teams.indexOf(team), 1);
    this.#burnt.add(team.slug);
  }

  membersOf(team: Team): Membership[] {
    return this.#memberships.filter((one) => one.team === team);
  }

  /** The user's teams, the first by slug first, as a token made now has them. */
  teamsOf(user: User): TeamOfCaller[] {
    return this.#memberships
      .filter((one) => one.user === user)
      .map(({ team: { id, slug, name, namespace }, role }) => ({ id, slug, name, namespace, role }))
      .sort((a, b) => a.slug.localeCompare(b.slug));
  }

  /** Gives a user a role in a team. @throws Refusal */
  putMember(slug: string, userId: string, role: string): Membership {
    if (!['', 'owner', 'member'].includes(role) || !uuid.test(userId)) {
      throw refuse(400, 'upsert team membership: status 400');
    }
    const team = this.team(slug);
    const user = this.#users.find(({ id }) => id === userId);
    if (team === undefined || user === undefined) throw refuse(404, 'team or user not found');
    const wanted: TeamRole = role === 'owner' ? 'owner' : 'member';
    const present = this.#memberships.find((one) => one.team === team && one.user === user);
    if (present !== undefined) {
      present.role = wanted;
      return present;
    }
    const membership: Membership = { team, user, role: wanted, created_at: timestamp() };
    this.#memberships.push(membership);
    return membership;
  }

  /** @returns false when there was none */
  removeMember(slug: string, userId: string): boolean {
    const index = this.#memberships.findIndex((one) => one.team.slug === slug && one.user.id === userId);
    if (index >= 0) this.#memberships.splice(index, 1);
    return index >= 0;
  }
}

/** A time as Go's JSON writes it, to the second. */
export function timestamp(date = new Date()): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

function normal(text: string): string {
  return text.trim().toLowerCase();
}

import { acting } from "./audit.js";
import { one, run, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";

/** A role, as the view carillon.role_details has it. */
export interface RoleRow {
  name: string;
  appId: string | null;
  permissions: string[];
  inherits: string[];
  granted: string[];
  members: number;
  createdAt: Date;
}

export interface RoleInput {
  name: string;
  permissions: string[];
  inherits?: string[] | undefined;
}

export const createRole = (sql: Queryable, role: RoleInput, actor: Actor | null = null) =>
  run(sql`
    select carillon.create_role(
      name => ${role.name}, permissions => ${role.permissions}, inherits => ${role.inherits ?? []}, ${acting(sql, actor)})`);

/** Changes what a role grants or inherits; what is not given stays. */
export const updateRole = (
  sql: Queryable,
  name: string,
  change: { permissions?: string[] | undefined; inherits?: string[] | undefined },
  actor: Actor | null,
) =>
  run(sql`
    select carillon.update_role(
      name => ${name}, permissions => ${change.permissions ?? null}, inherits => ${change.inherits ?? null}, ${acting(sql, actor)})`);

export const deleteRole = (sql: Queryable, name: string, actor: Actor | null) =>
  run(sql`
    select carillon.delete_role(
      name => ${name}, ${acting(sql, actor)})`);

export const getRole = (sql: Queryable, name: string) =>
  one<RoleRow>(sql`select * from carillon.get_role(name => ${name})`);

/** Roles by name, those after the cursor. */
export const listRoles = (sql: Queryable, filter: { after?: string | undefined; limit: number }) =>
  run(sql<RoleRow[]>`
    select * from carillon.list_roles(after => ${filter.after ?? null}, max_rows => ${filter.limit})`);

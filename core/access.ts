/** Who may do what: roles and the accounts that a request may see. */

/** What a key may do, each including the ones before: look, change something, look after the service. */
export const ROLES = ["read", "write", "admin"] as const;

/** What a key may do. */
export type Role = typeof ROLES[number];

/** What a request may see and do. */
export type Access = {
  /** The key that it came with, null where none is needed or none was given. */
  keyId: number | null;
  role: Role;
  /** The accounts that it may see; null: all of them. */
  configIds: readonly number[] | null;
};

/** While there are no keys, whoever works on the machine itself may do everything. */
export const EVERYTHING: Access = { keyId: null, role: "admin", configIds: null };

/** What may be asked without a key where keys are needed. */
export const NOTHING: Access = { keyId: null, role: "read", configIds: [] };

/** Whether a role includes another one. */
export function includesRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

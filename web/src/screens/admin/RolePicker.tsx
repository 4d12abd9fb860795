import { useInfiniteQuery } from "@tanstack/react-query";
import type { Role } from "carillon/client";
import { ErrorState, Loading } from "../../parts/States.js";
import styles from "./admin.module.css";
import { rolesQuery } from "./queries.js";

interface RolePickerProps {
  label: string;
  value: readonly string[];
  onChange: (value: string[]) => void;
  without?: string;
  error?: string | undefined;
}

/** Roles, each with what it grants. */
export function RolePicker({ label, value, onChange, without, error }: RolePickerProps) {
  const query = useInfiniteQuery(rolesQuery());
  const roles = query.data?.pages.flatMap(({ items }) => items);
  return (
    <fieldset className={styles.picker}>
      <legend>{label}</legend>
      {roles === undefined &&
        (query.error === null ? <Loading rows={3} /> : <ErrorState error={query.error} />)}
      {roles && (
        <div className={styles.groups} tabIndex={0} role="group" aria-label="Roles there are">
          {roles
            .filter(({ name }) => name !== without)
            .map((role) => (
              <label key={role.name} className={styles.check}>
                <input
                  type="checkbox"
                  checked={value.includes(role.name)}
                  onChange={() =>
                    onChange(
                      value.includes(role.name)
                        ? value.filter((one) => one !== role.name)
                        : [...value, role.name],
                    )
                  }
                />
                <span>
                  <strong>{role.name}</strong>
                  <span className={styles.opens}> {grantsOf(role)}</span>
                </span>
              </label>
            ))}
        </div>
      )}
      {error && (
        <p role="alert" className={styles.error}>
          {error}
        </p>
      )}
    </fieldset>
  );
}

function grantsOf({ granted }: Role): string {
  if (granted.length === 0) return "grants nothing";
  const more = granted.length > 4 ? `, and ${granted.length - 4} more` : "";
  return `${granted.slice(0, 4).join(", ")}${more}`;
}

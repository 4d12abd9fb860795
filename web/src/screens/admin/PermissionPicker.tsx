import { useQuery } from "@tanstack/react-query";
import { Loadable } from "../../parts/States.js";
import styles from "./admin.module.css";
import { permissionsQuery, type KnownPermission } from "./queries.js";

interface PermissionPickerProps {
  label: string;
  value: readonly string[];
  onChange: (value: string[]) => void;
  error?: string | undefined;
}

/** Permissions by what they are about; what one does not hold one cannot give. */
export function PermissionPicker({ label, value, onChange, error }: PermissionPickerProps) {
  const query = useQuery(permissionsQuery());
  const toggle = (permission: string) =>
    onChange(
      value.includes(permission)
        ? value.filter((one) => one !== permission)
        : [...value, permission],
    );
  return (
    <fieldset className={styles.picker}>
      <legend>{label}</legend>
      <Loadable query={query}>
        {(known) => (
          <div
            className={styles.groups}
            tabIndex={0}
            role="group"
            aria-label="Permissions there are"
          >
            {groups(known, value).map(({ name, permissions }) => (
              <div key={name}>
                <h3>{name}</h3>
                {permissions.map(({ permission, held, opens }) => (
                  <label key={permission} className={styles.check}>
                    <input
                      type="checkbox"
                      checked={value.includes(permission)}
                      disabled={!held && !value.includes(permission)}
                      onChange={() => toggle(permission)}
                    />
                    <span>
                      <code>{permission}</code>
                      {opens.length > 0 && (
                        <span className={styles.opens}> {opens.slice(0, 2).join("; ")}</span>
                      )}
                    </span>
                  </label>
                ))}
              </div>
            ))}
          </div>
        )}
      </Loadable>
      {error && (
        <p role="alert" className={styles.error}>
          {error}
        </p>
      )}
    </fieldset>
  );
}

type Choice = Pick<KnownPermission, "permission" | "held" | "opens">;

/** The system's, then each app's with all of it on top; and what is chosen and in no list. */
function groups(known: readonly KnownPermission[], value: readonly string[]) {
  const apps = [...new Set(known.map(({ appId }) => appId))].sort((a, b) =>
    (a ?? "").localeCompare(b ?? ""),
  );
  const found = apps.map((appId) => {
    const own = known.filter((one) => one.appId === appId);
    const all: Choice = {
      permission: appId === null ? "system:*" : `app:${appId}:*`,
      held: own.every(({ held }) => held),
      opens: [appId === null ? "all of the installation's" : `all of ${appId}'s`],
    };
    return { name: appId ?? "Installation", permissions: [all, ...own] as Choice[] };
  });
  const listed = new Set(found.flatMap(({ permissions }) => permissions.map((p) => p.permission)));
  const others = value.filter((one) => !listed.has(one));
  if (others.length === 0) return found;
  const rest = others.map((permission) => ({ permission, held: false, opens: [] }));
  return [{ name: "Besides", permissions: rest }, ...found];
}

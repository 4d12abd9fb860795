import { useInfiniteQuery } from "@tanstack/react-query";
import type { Role } from "carillon/client";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useLiveOptions } from "../../live/live.js";
import { Button } from "../../parts/Button.js";
import { confirm } from "../../parts/confirm.js";
import { Chip, Page } from "../../parts/Page.js";
import { EmptyState } from "../../parts/States.js";
import { Th } from "../../parts/Table.js";
import { say } from "../../parts/toasts.js";
import { permissionsText } from "../../session/permissions.js";
import { client, useGrants } from "../../session/session.js";
import { counted } from "../../time/format.js";
import styles from "./admin.module.css";
import { FormDialog } from "./FormDialog.js";
import { List } from "./List.js";
import { MayNot } from "./MayNot.js";
import { NameField } from "./NameField.js";
import { PermissionPicker } from "./PermissionPicker.js";
import { changed, rolesQuery } from "./queries.js";
import { RolePicker } from "./RolePicker.js";
import { useForm } from "./use-form.js";

/** Named sets of permissions, and what they take from one another. */
export function Roles() {
  const grants = useGrants();
  const may = grants("system:role.read");
  const query = useInfiniteQuery({ ...rolesQuery(), ...useLiveOptions(15_000), enabled: may });
  const [open, setOpen] = useState<"new" | Role>();
  if (!may) return <MayNot title="Roles" what="roles" missing="system:role.read" />;
  const mayWrite = grants("system:role.write");
  return (
    <Page
      title="Roles"
      lead={<p className="small muted">A change holds at once for everybody who holds the role.</p>}
      actions={
        mayWrite && (
          <Button look="primary" onClick={() => setOpen("new")}>
            <Plus size={14} aria-hidden="true" /> New role
          </Button>
        )
      }
    >
      <List
        query={query}
        what="Roles"
        empty={<EmptyState title="No roles yet" />}
        head={
          <>
            <Th>Role</Th>
            <Th>Inherits</Th>
            <Th>Grants itself</Th>
            <Th>Grants in all</Th>
            <Th right>Held by</Th>
            <Th hidden>Actions</Th>
          </>
        }
        row={(role) => (
          <Row key={role.name} role={role} mayWrite={mayWrite} onEdit={() => setOpen(role)} />
        )}
      />
      {open && (
        <RoleDialog
          key={open === "new" ? "new" : open.name}
          role={open === "new" ? undefined : open}
          onClose={() => setOpen(undefined)}
        />
      )}
    </Page>
  );
}

/** Those that came with an app, and admin, stay as they are. */
const isFixed = ({ name, appId }: Role) => name === "admin" || appId !== null;

interface RowProps {
  role: Role;
  mayWrite: boolean;
  onEdit: () => void;
}

function Row({ role, mayWrite, onEdit }: RowProps) {
  const { name, appId, inherits, permissions, granted, members } = role;
  return (
    <tr className={styles.top}>
      <td>
        <strong>{name}</strong> {appId && <Chip>comes with {appId}</Chip>}
      </td>
      <td data-label="Inherits">
        <span className={styles.chips}>
          {inherits.map((one) => (
            <Chip key={one}>{one}</Chip>
          ))}
          {inherits.length === 0 && <span className="muted">none</span>}
        </span>
      </td>
      <td data-label="Grants itself">
        <Permissions all={permissions} />
      </td>
      <td data-label="Grants in all" title={granted.join("\n")}>
        {permissionsText(granted)}
      </td>
      <td data-label="Held by" data-right>
        {members}
      </td>
      <td data-right className="nowrap">
        {mayWrite && !isFixed(role) && (
          <>
            <Button small aria-label={`Edit ${name}…`} onClick={onEdit}>
              Edit…
            </Button>{" "}
            <Button small aria-label={`Delete ${name}…`} onClick={() => askToDelete(role)}>
              Delete…
            </Button>
          </>
        )}
      </td>
    </tr>
  );
}

function Permissions({ all }: { all: readonly string[] }) {
  if (all.length === 0) return <span className="muted">nothing</span>;
  const shown = all.slice(0, 4);
  return (
    <span className={styles.chips} title={all.join("\n")}>
      {shown.map((one) => (
        <Chip key={one}>{one}</Chip>
      ))}
      {all.length > shown.length && (
        <span className="small muted">+{all.length - shown.length}</span>
      )}
    </span>
  );
}

function RoleDialog({ role, onClose }: { role: Role | undefined; onClose: () => void }) {
  const [name, setName] = useState(role?.name ?? "");
  const [permissions, setPermissions] = useState<string[]>(role?.permissions ?? []);
  const [inherits, setInherits] = useState<string[]>(role?.inherits ?? []);
  const form = useForm(
    () =>
      role === undefined
        ? client().roles.create({ name: name.trim(), permissions, inherits })
        : client().roles.update(role.name, { permissions, inherits }),
    (saved) => {
      void changed("roles", "principals");
      say({ title: role === undefined ? `Created ${saved.name}` : `Saved ${saved.name}` });
      onClose();
    },
    ["name", "permissions", "inherits"],
  );
  return (
    <FormDialog
      title={role === undefined ? "New role" : `Edit ${role.name}`}
      verb={role === undefined ? "Create role" : "Save role"}
      open
      onClose={onClose}
      form={form}
      wide
    >
      {role === undefined ? (
        <NameField
          hint="Such as crm-reader."
          error={form.errorOf("name")}
          maxLength={128}
          value={name}
          onChange={setName}
        />
      ) : (
        <p>It holds at once for {counted(role.members, "principal")}.</p>
      )}
      <PermissionPicker
        label="Grants itself"
        value={permissions}
        onChange={setPermissions}
        error={form.errorOf("permissions")}
      />
      <RolePicker
        label="Inherits all of"
        value={inherits}
        onChange={setInherits}
        error={form.errorOf("inherits")}
        {...(role && { without: role.name })}
      />
    </FormDialog>
  );
}

function askToDelete(role: Role): void {
  confirm({
    title: `Delete ${role.name}?`,
    body: (
      <p>
        {counted(role.members, "principal")} {role.members === 1 ? "holds" : "hold"} it and{" "}
        {role.members === 1 ? "loses" : "lose"} what it grants, and so does every role that inherits
        it. It cannot be brought back.
      </p>
    ),
    verb: "Delete role",
    danger: true,
    run: async () => {
      await client().roles.delete(role.name);
      say({ title: `Deleted ${role.name}` });
      await changed("roles", "principals");
    },
  });
}

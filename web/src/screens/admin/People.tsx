import { useInfiniteQuery } from "@tanstack/react-query";
import type { Principal } from "carillon/client";
import { MoreHorizontal, Plus } from "lucide-react";
import { useState } from "react";
import { useLiveOptions } from "../../live/live.js";
import { Button, IconButton } from "../../parts/Button.js";
import { Menu, MenuItem, MenuSeparator } from "../../parts/Menu.js";
import { Chip, Page } from "../../parts/Page.js";
import { EmptyState } from "../../parts/States.js";
import { Th } from "../../parts/Table.js";
import { permissionsText } from "../../session/permissions.js";
import { useGrants } from "../../session/session.js";
import { Time } from "../../time/Time.js";
import styles from "./admin.module.css";
import { IdentitiesDialog } from "./IdentitiesDialog.js";
import { List } from "./List.js";
import { MayNot } from "./MayNot.js";
import { askToDelete, askToDisable, enable } from "./people-acts.js";
import { NewPersonDialog, RolesDialog } from "./PersonDialogs.js";
import { peopleQuery } from "./queries.js";

/** Users and service accounts, and what they may do. */
export function People() {
  const grants = useGrants();
  const may = grants("system:principal.read");
  const query = useInfiniteQuery({ ...peopleQuery(), ...useLiveOptions(15_000), enabled: may });
  const [making, setMaking] = useState(false);
  const [roles, setRoles] = useState<Principal>();
  const [comes, setComes] = useState<Principal>();
  if (!may) {
    return <MayNot title="People" what="people" missing="system:principal.read" />;
  }
  return (
    <Page
      title="People"
      actions={
        grants("system:principal.write") && (
          <Button look="primary" onClick={() => setMaking(true)}>
            <Plus size={14} aria-hidden="true" /> New principal
          </Button>
        )
      }
    >
      <List
        query={query}
        what="People and service accounts"
        empty={<EmptyState title="Nobody yet" />}
        head={
          <>
            <Th>Name</Th>
            <Th>Kind</Th>
            <Th>Roles</Th>
            <Th>May do</Th>
            <Th>Since</Th>
            <Th>State</Th>
            <Th hidden>Actions</Th>
          </>
        }
        row={(one) => (
          <Row
            key={one.id}
            person={one}
            onRoles={() => setRoles(one)}
            onIdentities={() => setComes(one)}
          />
        )}
      />
      {making && <NewPersonDialog onClose={() => setMaking(false)} />}
      {roles && <RolesDialog person={roles} onClose={() => setRoles(undefined)} />}
      {comes && <IdentitiesDialog person={comes} onClose={() => setComes(undefined)} />}
    </Page>
  );
}

interface RowProps {
  person: Principal;
  onRoles: () => void;
  onIdentities: () => void;
}

function Row({ person, onRoles, onIdentities }: RowProps) {
  const { username, kind, enabled, disabledAt, createdAt, roles, permissions } = person;
  const may = useGrants()("system:principal.write") && kind !== "system";
  return (
    <tr>
      <td>
        <strong dir="auto">{username}</strong>
      </td>
      <td data-label="Kind">{kind === "user" ? "person" : kind}</td>
      <td data-label="Roles">
        <span className={styles.chips}>
          {roles.length === 0 ? (
            <span className="muted">none</span>
          ) : (
            roles.map((role) => <Chip key={role}>{role}</Chip>)
          )}
        </span>
      </td>
      <td data-label="May do" title={permissions.join("\n")}>
        {permissionsText(permissions)}
      </td>
      <td data-label="Since">
        <Time at={createdAt} show="day" />
      </td>
      <td data-label="State">
        {enabled ? (
          "enabled"
        ) : (
          <span className={styles.bad}>
            disabled
            {disabledAt && (
              <>
                {" "}
                <Time at={disabledAt} show="day" />
              </>
            )}
          </span>
        )}
      </td>
      <td data-right>
        {may && (
          <Menu
            trigger={
              <IconButton label={`More for ${username}`} small>
                <MoreHorizontal size={16} aria-hidden="true" />
              </IconButton>
            }
          >
            <MenuItem onClick={onRoles}>Roles…</MenuItem>
            <MenuItem onClick={onIdentities}>Sign-ins…</MenuItem>
            {enabled ? (
              <MenuItem onClick={() => askToDisable(person)}>Disable…</MenuItem>
            ) : (
              <MenuItem onClick={() => void enable(person)}>Enable</MenuItem>
            )}
            <MenuSeparator />
            <MenuItem danger onClick={() => askToDelete(person)}>
              Delete…
            </MenuItem>
          </Menu>
        )}
      </td>
    </tr>
  );
}

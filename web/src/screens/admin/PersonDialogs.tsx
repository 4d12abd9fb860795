import type { Principal } from "carillon/client";
import { useState } from "react";
import { RadioCards } from "../../parts/RadioCards.js";
import { say } from "../../parts/toasts.js";
import { client, useGrants } from "../../session/session.js";
import { FormDialog } from "./FormDialog.js";
import { NameField } from "./NameField.js";
import { changed } from "./queries.js";
import { RolePicker } from "./RolePicker.js";
import { useForm } from "./use-form.js";

/** Makes somebody, or a service account. */
export function NewPersonDialog({ onClose }: { onClose: () => void }) {
  const [username, setUsername] = useState("");
  const [kind, setKind] = useState<"user" | "service">("user");
  const [roles, setRoles] = useState<string[]>([]);
  const mayRoles = useGrants()("system:role.read");
  const form = useForm(
    () => client().principals.create({ username: username.trim(), kind, roles }),
    (person) => {
      void changed("principals", "roles");
      say({ title: `Created ${person.username}` });
      onClose();
    },
    ["username", "roles"],
  );
  return (
    <FormDialog title="New principal" verb="Create" open onClose={onClose} form={form} wide>
      <NameField
        hint="Such as maria.okafor or deploy-bot."
        error={form.errorOf("username")}
        maxLength={128}
        value={username}
        onChange={setUsername}
      />
      <RadioCards
        label="Kind"
        value={kind}
        onChange={setKind}
        options={[
          { value: "user", title: "Person", text: "Somebody who signs in." },
          { value: "service", title: "Service account", text: "A program; crons may run as it." },
        ]}
      />
      {mayRoles && (
        <RolePicker label="Roles" value={roles} onChange={setRoles} error={form.errorOf("roles")} />
      )}
    </FormDialog>
  );
}

/** Which roles somebody holds, each with what it grants: so it is seen why they may what they may. */
export function RolesDialog({ person, onClose }: { person: Principal; onClose: () => void }) {
  const [roles, setRoles] = useState<string[]>(person.roles);
  const form = useForm(
    async () => {
      const added = roles.filter((role) => !person.roles.includes(role));
      const taken = person.roles.filter((role) => !roles.includes(role));
      for (const role of added) await client().principals.grantRole(person.id, role);
      for (const role of taken) await client().principals.revokeRole(person.id, role);
      return added.length + taken.length;
    },
    (many) => {
      void changed("principals", "roles");
      say({ title: many === 0 ? "Nothing was changed" : `Changed what ${person.username} may do` });
      onClose();
    },
  );
  return (
    <FormDialog
      title={`Roles of ${person.username}`}
      verb="Save roles"
      open
      onClose={onClose}
      form={form}
      wide
    >
      <RolePicker label="Holds" value={roles} onChange={setRoles} />
    </FormDialog>
  );
}

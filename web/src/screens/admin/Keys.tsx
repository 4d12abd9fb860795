import { useInfiniteQuery } from "@tanstack/react-query";
import type { ApiKey } from "carillon/client";
import { Plus } from "lucide-react";
import { useState } from "react";
import { BASE } from "../../config.js";
import { useLiveOptions } from "../../live/live.js";
import { Button } from "../../parts/Button.js";
import { confirm } from "../../parts/confirm.js";
import { Select } from "../../parts/Field.js";
import { Chip, Page } from "../../parts/Page.js";
import { EmptyState } from "../../parts/States.js";
import { Th } from "../../parts/Table.js";
import { say } from "../../parts/toasts.js";
import { client, useGrants, useMe } from "../../session/session.js";
import { serverNow } from "../../time/clock.js";
import { counted } from "../../time/format.js";
import { Ago, Time } from "../../time/Time.js";
import { useSearchState } from "../../url/use-search-state.js";
import styles from "./admin.module.css";
import { List } from "./List.js";
import { NewKeyDialog, type MadeKey } from "./NewKeyDialog.js";
import { changed, keysQuery } from "./queries.js";
import { keysSearch } from "./search.js";
import { ShownOnce } from "./ShownOnce.js";

/** API keys: one's own, or everybody's. */
export function Keys() {
  const [{ whose }, change] = useSearchState(keysSearch);
  const grants = useGrants();
  const { key } = useMe();
  const query = useInfiniteQuery({ ...keysQuery(whose), ...useLiveOptions(15_000) });
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<MadeKey>();
  const cannot = key === null || key.mintsKeys ? undefined : BY_PEOPLE;
  return (
    <Page
      title="Keys"
      lead={
        cannot && (
          <p className="small muted">
            Keys are made by people: sign in as one, or use <code>carillon keys create</code>.
          </p>
        )
      }
      actions={
        <>
          {grants("system:key.read") && (
            <Select
              label="Whose keys"
              value={whose}
              options={[
                ["mine", "Yours"],
                ["all", "Everybody's"],
              ]}
              onChange={(next) => change({ whose: next })}
            />
          )}
          <Button look="primary" refusal={cannot} onClick={() => setMaking(true)}>
            <Plus size={14} aria-hidden="true" /> New key
          </Button>
        </>
      }
    >
      <List
        query={query}
        what="Keys"
        empty={
          <EmptyState title="No keys yet">
            A program signs in by a key. It is shown once, when it is made.
          </EmptyState>
        }
        head={
          <>
            <Th>Key</Th>
            <Th>Whose</Th>
            <Th>Carries</Th>
            <Th>Last used</Th>
            <Th>Expires</Th>
            <Th>State</Th>
            <Th hidden>Actions</Th>
          </>
        }
        row={(one) => <Row key={one.id} apiKey={one} own={key?.id === one.id} />}
      />
      {making && (
        <NewKeyDialog
          onClose={() => setMaking(false)}
          onMade={(one) => {
            setMaking(false);
            setMade(one);
          }}
        />
      )}
      {made && (
        <ShownOnce
          title={`The key ${made.name}`}
          variable="CARILLON_KEY"
          secret={made.key}
          trial={{
            does: "Try it:",
            line: `curl -H "Authorization: Bearer $CARILLON_KEY" ${new URL(BASE, location.href).href}api/v1/me`,
          }}
          onDone={() => setMade(undefined)}
        />
      )}
    </Page>
  );
}

const BY_PEOPLE = "A key makes no keys, except the one an installation begins with";

function Row({ apiKey: key, own }: { apiKey: ApiKey; own: boolean }) {
  const mayRevoke = useGrants()("system:key.write") || useMe().principal.id === key.principalId;
  return (
    <tr>
      <td>
        <strong dir="auto">{key.name}</strong>{" "}
        {own && <Chip title="What you are signed in by">this one</Chip>}
        <p className="small muted mono">crl_{key.prefix}…</p>
      </td>
      <td data-label="Whose">{key.username}</td>
      <td data-label="Carries">
        {key.scopes === null ? (
          "all its owner may"
        ) : (
          <span title={key.scopes.join("\n")}>{counted(key.scopes.length, "permission")}</span>
        )}
      </td>
      <td data-label="Last used">
        {key.lastUsedAt ? <Ago at={key.lastUsedAt} /> : <span className="muted">never</span>}
      </td>
      <td data-label="Expires">
        {key.expiresAt === null ? (
          <span className="muted">never</span>
        ) : (
          <span className={isSoon(key.expiresAt) ? styles.warn : undefined}>
            <Time at={key.expiresAt} show="day" />
          </span>
        )}
      </td>
      <td data-label="State" className={key.status === "active" ? undefined : styles.bad}>
        {key.status}
      </td>
      <td data-right>
        {key.status !== "revoked" && mayRevoke && (
          <Button small aria-label={`Revoke ${key.name}…`} onClick={() => askToRevoke(key, own)}>
            Revoke…
          </Button>
        )}
      </td>
    </tr>
  );
}

const FORTNIGHT = 14 * 86_400_000;
const isSoon = (at: string) => Date.parse(at) - serverNow() < FORTNIGHT;

function askToRevoke(key: ApiKey, own: boolean): void {
  confirm({
    title: `Revoke ${key.name}?`,
    body: (
      <>
        <p>
          {key.lastUsedAt ? (
            <>
              Last used <Ago at={key.lastUsedAt} />.
            </>
          ) : (
            "It was never used."
          )}{" "}
          It stops working at once, and cannot be brought back.
        </p>
        {own && <p>You are signed in by this very key: you will have to sign in by another.</p>}
      </>
    ),
    verb: "Revoke key",
    danger: true,
    run: async () => {
      await client().keys.revoke(key.id);
      say({ title: `Revoked ${key.name}` });
      await changed("keys");
    },
  });
}

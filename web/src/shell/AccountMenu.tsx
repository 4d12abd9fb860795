import { CircleUser, Keyboard, LogOut } from "lucide-react";
import { queryClient } from "../api/query-client.js";
import { Button } from "../parts/Button.js";
import { Menu, MenuChoice, MenuItem, MenuSeparator } from "../parts/Menu.js";
import { signOut, useMe } from "../session/session.js";
import { useStore } from "../store.js";
import { helpOpen } from "./help-open.js";
import styles from "./shell.module.css";
import { setTheme, theme } from "./theme.js";

/** Who is signed in, and how the page looks to them. */
export function AccountMenu() {
  const { principal, key } = useMe();
  const look = useStore(theme);
  return (
    <Menu
      trigger={
        <Button look="quiet" aria-label={`Account: ${principal.username}`}>
          <CircleUser size={16} aria-hidden="true" />
        </Button>
      }
    >
      <p className={styles.who}>
        <strong>{principal.username}</strong>
        <span>{key === null ? "by your session" : `by the key ${key.name} (${key.prefix}…)`}</span>
      </p>
      <MenuSeparator />
      <MenuChoice
        label="Theme"
        value={look}
        onChange={setTheme}
        options={[
          { value: "system", text: "As the system has it" },
          { value: "light", text: "Light" },
          { value: "dark", text: "Dark" },
        ]}
      />
      <MenuSeparator />
      <MenuItem icon={<Keyboard size={14} aria-hidden="true" />} onClick={() => helpOpen.set(true)}>
        Keyboard shortcuts
      </MenuItem>
      {key !== null && (
        <>
          <MenuItem
            icon={<LogOut size={14} aria-hidden="true" />}
            onClick={() => {
              signOut();
              queryClient.clear();
            }}
          >
            Sign out
          </MenuItem>
        </>
      )}
    </Menu>
  );
}

import { CloudOff } from "lucide-react";
import { useSyncExternalStore } from "react";
import { Notice } from "../parts/States.js";
import { serverNow } from "../time/clock.js";
import { clockTime } from "../time/format.js";
import { useTimeStyle } from "../time/times.js";
import styles from "./shell.module.css";
import { useAge } from "./use-age.js";

/** Said calmly while the browser has no network: what is seen stays, and of when it is. */
export function Offline() {
  const online = useSyncExternalStore(watch, () => navigator.onLine);
  return (
    <div role="status">
      {!online && (
        <div className={styles.offline}>
          <Notice tone="late">
            <CloudOff size={16} aria-hidden="true" />
            <Words />
          </Notice>
        </div>
      )}
    </div>
  );
}

function Words() {
  const { at } = useAge();
  const style = useTimeStyle();
  return (
    <p>
      <strong>You are offline.</strong>{" "}
      {at !== undefined && `Data of ${clockTime(at + serverNow() - Date.now(), style)}. `}
      It is read again by itself when you are back; nothing can be changed until then.
    </p>
  );
}

function watch(changed: () => void): () => void {
  window.addEventListener("online", changed);
  window.addEventListener("offline", changed);
  return () => {
    window.removeEventListener("online", changed);
    window.removeEventListener("offline", changed);
  };
}

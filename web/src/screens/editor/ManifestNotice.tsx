import { Button } from "../../parts/Button.js";
import { copyText } from "../../parts/copy-text.js";
import { Notice } from "../../parts/States.js";
import { say } from "../../parts/toasts.js";
import { newCron } from "../../crons/spec.js";
import { NOTHING, type EditorValues } from "../../crons/values.js";

/** A manifest's cron is changed where it is declared: what is typed here is offered as its entry. */
export function ManifestNotice({ appId, values }: { appId: string; values: EditorValues }) {
  const copy = async () => {
    const entry = newCron(values, NOTHING);
    const { name, schedule, ...rest } = entry;
    const text = JSON.stringify({ name, schedule, ...rest }, null, 2);
    if (await copyText(text)) say({ title: "Copied the manifest's entry as it stands here" });
    else say({ title: "Copy it by hand", detail: text, failed: true });
  };
  return (
    <Notice tone="late">
      <strong>The manifest of {appId} declares this cron.</strong> What is saved here lasts until
      the next deploy, which brings it back to the manifest. Change it there:
      <Button small onClick={() => void copy()}>
        Copy the manifest&apos;s entry
      </Button>
    </Notice>
  );
}

import { Autocomplete } from "@base-ui/react/autocomplete";
import { Dialog } from "@base-ui/react/dialog";
import { useState } from "react";
import entry from "../parts/options.module.css";
import styles from "./palette.module.css";
import { useCommands, type Command } from "./use-commands.js";

interface PaletteProps {
  open: boolean;
  onClose: () => void;
}

/** Pages, crons by name, a job by its id, and what can be done on the page that is open. */
export function Palette({ open, onClose }: PaletteProps) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => next || onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles.backdrop} />
        <Dialog.Popup className={styles.popup} aria-label="Go to">
          {open && <Commands onClose={onClose} />}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Commands({ onClose }: { onClose: () => void }) {
  const [query, setQuery] = useState("");
  const { commands, searching } = useCommands(query);
  const groups = [...new Set(commands.map(({ group }) => group))].map((group) => ({
    value: group,
    items: commands.filter((command) => command.group === group),
  }));
  return (
    <Autocomplete.Root
      open
      inline
      items={groups}
      // What fits was picked already: crons by the server, the rest by their words.
      filter={null}
      value={query}
      onValueChange={setQuery}
      itemToStringValue={({ text }: Command) => text}
      autoHighlight="always"
      keepHighlight
    >
      <Autocomplete.Input
        className={styles.input}
        aria-label="Go to a page, a cron or a job"
        placeholder="A page, a cron's name, a job's number"
        spellCheck={false}
      />
      <Dialog.Close className="sr-only">Close</Dialog.Close>
      <div className={styles.scroll}>
        <Autocomplete.Empty>
          <p className={styles.empty}>
            {query.trim() === "" || searching ? "Searching…" : `Nothing is called “${query}”.`}
          </p>
        </Autocomplete.Empty>
        <Autocomplete.List className={styles.list}>
          {(group: { value: string; items: Command[] }) => (
            <Autocomplete.Group key={group.value} items={group.items}>
              <Autocomplete.GroupLabel className={entry.label}>
                {group.value}
              </Autocomplete.GroupLabel>
              <Autocomplete.Collection>
                {(command: Command) => (
                  <Autocomplete.Item
                    key={command.id}
                    value={command}
                    className={entry.item}
                    onClick={() => {
                      onClose();
                      command.run();
                    }}
                  >
                    <span className="clip" dir="auto">
                      {command.text}
                    </span>
                    {command.hint && <span className={entry.hint}>{command.hint}</span>}
                  </Autocomplete.Item>
                )}
              </Autocomplete.Collection>
            </Autocomplete.Group>
          )}
        </Autocomplete.List>
      </div>
    </Autocomplete.Root>
  );
}

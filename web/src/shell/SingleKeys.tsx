import { RadioCards } from "../parts/RadioCards.js";
import { useStore } from "../store.js";
import { singleKeys } from "./shortcuts.js";

/** The switch for shortcuts of a single key: in the help, and among the settings. */
export function SingleKeys() {
  const keys = useStore(singleKeys);
  return (
    <RadioCards
      label="Shortcuts of a single key"
      value={keys}
      onChange={singleKeys.set}
      options={[
        { value: "on", title: "On", text: "Such as g c, / and r; press ? for all of them." },
        { value: "off", title: "Off", text: "For who speaks to the machine. Ctrl K stays." },
      ]}
    />
  );
}

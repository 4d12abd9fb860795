import { Clock } from "lucide-react";
import { Button } from "../parts/Button.js";
import { Menu, MenuChoice, MenuSeparator } from "../parts/Menu.js";
import { useStore } from "../store.js";
import { cityOf } from "../time/format.js";
import { keptHours, MY_ZONE, useSetTimes, useTimes } from "../time/times.js";

/** Whose clock every time on the page is read by. */
export function TimesMenu() {
  const times = useTimes();
  const setTimes = useSetTimes();
  const hours = useStore(keptHours);
  const mine = cityOf(MY_ZONE);
  const words = { cron: "Cron's zone", utc: "UTC", mine };
  return (
    <Menu
      trigger={
        <Button look="quiet" aria-label={`Times: ${words[times]}`}>
          <Clock size={15} aria-hidden="true" />
          <span data-wide>{words[times]}</span>
        </Button>
      }
    >
      <MenuChoice
        label="Show all times in"
        value={times}
        onChange={setTimes}
        options={[
          { value: "cron", text: "Each cron's own zone" },
          { value: "utc", text: "UTC" },
          { value: "mine", text: "Your time", hint: mine },
        ]}
      />
      <MenuSeparator />
      <MenuChoice
        label="Hours"
        value={hours}
        onChange={keptHours.set}
        options={[
          { value: "24", text: "14:05" },
          { value: "12", text: "2:05 pm" },
        ]}
      />
    </Menu>
  );
}

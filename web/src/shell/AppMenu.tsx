import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Boxes } from "lucide-react";
import { appsQuery } from "../api/queries.js";
import { Button } from "../parts/Button.js";
import { Menu, MenuChoice } from "../parts/Menu.js";
import { useSearchState } from "../url/use-search-state.js";
import { appSearch } from "../url/app-search.js";

/** One app alone, or all of those one may see. */
export function AppMenu() {
  const [{ app }] = useSearchState(appSearch);
  const { data = [] } = useQuery(appsQuery());
  const navigate = useNavigate();
  const choose = (next: string) => {
    void navigate({
      to: ".",
      search: ((previous: object) => ({ ...previous, app: next || undefined })) as never,
    });
  };
  return (
    <Menu
      trigger={
        <Button look="quiet" aria-label={`App: ${app || "All apps"}`}>
          <Boxes size={15} aria-hidden="true" />
          <span data-wide>{app || "All apps"}</span>
        </Button>
      }
    >
      <MenuChoice
        label="Show"
        value={app}
        onChange={choose}
        options={[
          { value: "", text: "All apps" },
          ...data.map(({ id, name }) => ({ value: id, text: id, ...(name && { hint: name }) })),
        ]}
      />
    </Menu>
  );
}

import { Link } from "@tanstack/react-router";
import { useLive } from "../../live/live.js";
import { attentionQuery } from "../../needs/needs.js";
import { Card, Page } from "../../parts/Page.js";
import { EmptyState, Loadable, Loading } from "../../parts/States.js";
import { useTimeStyle } from "../../time/times.js";
import { appSearch } from "../../url/app-search.js";
import { useSearchState } from "../../url/use-search-state.js";
import { upcomingQuery } from "../upcoming/queries.js";
import { Timeline } from "../upcoming/Timeline.js";
import { AttentionList } from "./AttentionList.js";
import { LastDay } from "./LastDay.js";
import { Present } from "./Present.js";
import { dayQuery } from "./queries.js";
import { RunningNow } from "./RunningNow.js";
import styles from "./overview.module.css";

/** What needs somebody, what fires next, and how the last day was: each block by itself. */
export function Overview() {
  const [{ app }] = useSearchState(appSearch);
  const { zone } = useTimeStyle();
  const attention = useLive(attentionQuery(app), 10_000);
  const ahead = useLive(upcomingQuery(app, "1h", zone), 15_000);
  const day = useLive(dayQuery(app), 5000);
  return (
    <Page title="Overview">
      <Card title="Needs attention" flush>
        <Loadable query={attention} loading={<Loading rows={4} />}>
          {(found) => <AttentionList attention={found} />}
        </Loadable>
      </Card>
      <Card
        title="Next hour"
        aside={
          <Link to="/upcoming" className="link">
            Open Upcoming
          </Link>
        }
      >
        <Loadable query={ahead} loading={<Loading rows={2} height="3rem" />}>
          {(found) =>
            found.buckets.length === 0 ? (
              <EmptyState title="Nothing is due in the next hour" />
            ) : (
              <Timeline ahead={found} height={72} />
            )
          }
        </Loadable>
      </Card>
      <div className={styles.columns}>
        <Card title="Last 24 hours">
          <Loadable query={day}>{({ hours }) => <LastDay hours={hours} />}</Loadable>
        </Card>
        <Card title="Running now" flush>
          <Loadable query={day}>{({ running }) => <RunningNow jobs={running} />}</Loadable>
        </Card>
      </div>
      <Loadable query={day} loading={null}>
        {(found) => <Present day={found} />}
      </Loadable>
    </Page>
  );
}

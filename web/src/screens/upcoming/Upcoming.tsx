import { Link } from "@tanstack/react-router";
import { useLive } from "../../live/live.js";
import { Card, Page } from "../../parts/Page.js";
import { EmptyState, Loadable } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { useNow } from "../../time/clock.js";
import { counted, dateKey } from "../../time/format.js";
import { Ago, Time } from "../../time/Time.js";
import { useTimeStyle } from "../../time/times.js";
import { appSearch } from "../../url/app-search.js";
import { useSearchState } from "../../url/use-search-state.js";
import { upcomingQuery, type Ahead } from "./queries.js";
import { upcomingSearch, WINDOWS } from "./search.js";
import { Timeline } from "./Timeline.js";
import styles from "./upcoming.module.css";

const WORDS = { "1h": "Next hour", "24h": "Next 24 hours", "7d": "Next 7 days" } as const;

/** What fires next, over all crons, and what falls together. */
export function Upcoming() {
  const [{ app }] = useSearchState(appSearch);
  const [{ window }, change] = useSearchState(upcomingSearch);
  const { zone } = useTimeStyle();
  const query = useLive(upcomingQuery(app, window, zone), 15_000);
  return (
    <Page
      title="Upcoming"
      lead="Slots ahead of all crons: what fires next, and what falls together."
      actions={
        <div role="group" aria-label="How far" className={styles.windows}>
          {WINDOWS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === window}
              onClick={() => change({ window: one })}
            >
              {WORDS[one]}
            </button>
          ))}
        </div>
      }
    >
      <Loadable query={query}>
        {(ahead) =>
          ahead.buckets.length === 0 ? (
            <Card>
              <EmptyState title={`Nothing is due in the ${WORDS[window].toLowerCase()}`}>
                {window === "7d" ? "No cron has a slot so soon." : "Look further ahead, above."}
              </EmptyState>
            </Card>
          ) : (
            <>
              <Card title={WORDS[window]}>
                <Timeline ahead={ahead} />
              </Card>
              <Together ahead={ahead} />
              <NextCrons ahead={ahead} />
            </>
          )
        }
      </Loadable>
    </Page>
  );
}

/** The fullest buckets: where a jitter would spread the load. */
function Together({ ahead: { buckets } }: { ahead: Ahead }) {
  const style = useTimeStyle();
  const now = useNow(60_000);
  const full = buckets
    .filter(({ crons }) => crons.length >= 3)
    .toSorted((a, b) => b.count - a.count)
    .slice(0, 5);
  if (full.length === 0) return null;
  const today = dateKey(now, style.zone);
  return (
    <Card title="Falls together" aside="a jitter moves a cron by the same seconds each time">
      <ul className={styles.together}>
        {full.map(({ at, count, crons }) => (
          <li key={at}>
            <strong>
              <Time
                at={at}
                show={dateKey(Date.parse(at), style.zone) === today ? "clock" : "full"}
              />
            </strong>
            <span className="num">{counted(count, "slot")}</span>
            <span className={styles.names}>
              {crons.map(({ id, appId, name }) => (
                <Link
                  key={id}
                  to="/crons/$appId/$cronId"
                  params={{ appId, cronId: id }}
                  className="link"
                >
                  {name}
                </Link>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function NextCrons({ ahead: { next } }: { ahead: Ahead }) {
  return (
    <Card title="Next of each cron" flush>
      <div className={styles.next}>
        <Table
          caption="Crons by their next slot"
          cards
          head={
            <>
              <Th width="9rem">Due</Th>
              <Th width="14rem">At</Th>
              <Th>Cron</Th>
              <Th>App</Th>
            </>
          }
        >
          {next.map(({ id, appId, name, at }) => (
            <tr key={id}>
              <td className={styles.due}>
                <Ago at={at} />
              </td>
              <td className={styles.at}>
                <Time at={at} seconds />
              </td>
              <td className={styles.what}>
                <Link
                  to="/crons/$appId/$cronId"
                  params={{ appId, cronId: id }}
                  className={styles.cron}
                >
                  {name}
                </Link>
              </td>
              <td className={`muted ${styles.app ?? ""}`}>{appId}</td>
            </tr>
          ))}
        </Table>
      </div>
    </Card>
  );
}

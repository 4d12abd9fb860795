import { CircleCheck, CircleX, RefreshCw, TriangleAlert } from "lucide-react";
import { problemOf } from "../../api/problem.js";
import { queryOptions } from "@tanstack/react-query";
import { useLive } from "../../live/live.js";
import { Button } from "../../parts/Button.js";
import { confirm } from "../../parts/confirm.js";
import { Copy } from "../../parts/Copy.js";
import { Card, Page } from "../../parts/Page.js";
import { EmptyState, Loadable } from "../../parts/States.js";
import { say } from "../../parts/toasts.js";
import { client, useGrants } from "../../session/session.js";
import { serverNow } from "../../time/clock.js";
import { counted } from "../../time/format.js";
import { Ago } from "../../time/Time.js";
import { changed } from "../admin/queries.js";
import { MayNot } from "../admin/MayNot.js";
import { checksOf, reportOf, type Check } from "./checks.js";
import styles from "./doctor.module.css";
import { Queues } from "./Queues.js";
import { Workers } from "./Workers.js";

const doctorQuery = () =>
  queryOptions({
    queryKey: ["system", "doctor"],
    queryFn: async ({ signal }) => {
      const begun = performance.now();
      const system = await client().system.status({ signal });
      const took = performance.now() - begun;
      const [{ queues }, workers] = await Promise.all([
        client().overview.get({}, { signal }),
        client().overview.workers({}, { signal }),
      ]);
      const unready = await client()
        .system.ready({ signal, maxRetries: 0 })
        .then(() => undefined)
        .catch((error: unknown) => problemOf(error).detail);
      const now = serverNow();
      const skew = now - Date.now();
      const checks = checksOf({ system, queues, unready, took, skew, now });
      return { system, queues, workers, checks, at: now };
    },
  });

/** What is not as it should be, what that causes, and what to do. It repairs nothing by itself. */
export function Doctor() {
  const grants = useGrants();
  const may = grants("system:read");
  const query = useLive({ ...doctorQuery(), enabled: may }, 15_000);
  if (!may) return <MayNot title="Doctor" what="how the installation is" missing="system:read" />;
  const at = query.data && new Date(query.data.at).toISOString();
  return (
    <Page
      title="Doctor"
      lead={query.data && at && <Lead checks={query.data.checks} at={at} />}
      actions={
        <>
          {query.data && at && <Copy text={reportOf(query.data.checks, at)} what="the report" />}
          <Button onClick={() => void query.refetch()}>
            <RefreshCw size={14} aria-hidden="true" /> Check again
          </Button>
        </>
      }
    >
      <Loadable query={query}>
        {({ checks, system, queues, workers }) => (
          <>
            <Bad checks={checks} />
            {system.clone.clone && grants("system:release") && (
              <Card title="Release this copy">
                <p>
                  Makes {system.clone.here.database} the home of its schedules. From then on they
                  fire here.
                </p>
                <p className={styles.act}>
                  <Button look="danger" onClick={() => askToRelease(system.clone.here.database)}>
                    Release…
                  </Button>
                </p>
              </Card>
            )}
            <Workers workers={workers} />
            <Queues queues={queues} />
            <Good checks={checks} />
          </>
        )}
      </Loadable>
    </Page>
  );
}

function Lead({ checks, at }: { checks: readonly Check[]; at: string }) {
  const many = (state: Check["state"]) => checks.filter((check) => check.state === state).length;
  return (
    <p role="status">
      <strong>
        {counted(many("problem"), "problem")}, {counted(many("warning"), "warning")},{" "}
        {counted(many("ok"), "check")} passed
      </strong>
      <span className="muted">
        {" · "}
        <Ago at={at} />
      </span>
    </p>
  );
}

function Bad({ checks }: { checks: readonly Check[] }) {
  const bad = checks.filter(({ state }) => state !== "ok");
  if (bad.length === 0) {
    return (
      <Card>
        <EmptyState good title="Nothing is wrong">
          All {checks.length} checks passed.
        </EmptyState>
      </Card>
    );
  }
  const worst = [...bad].sort(
    (a, b) => Number(b.state === "problem") - Number(a.state === "problem"),
  );
  return worst.map((check) => (
    <Card key={check.found}>
      <div className={styles.check} data-state={check.state}>
        {check.state === "problem" ? (
          <CircleX size={18} role="img" aria-label="Problem" />
        ) : (
          <TriangleAlert size={18} role="img" aria-label="Warning" />
        )}
        <div className={styles.text}>
          <p>
            <strong>{check.found}</strong>
          </p>
          {check.means && <p>{check.means}</p>}
          {check.repair && (
            <p className={styles.repair}>
              <span className="nowrap">Try:</span> <code>{check.repair}</code>{" "}
              <Copy text={check.repair} what="the repair" />
            </p>
          )}
        </div>
      </div>
    </Card>
  ));
}

function Good({ checks }: { checks: readonly Check[] }) {
  const good = checks.filter(({ state }) => state === "ok");
  const areas = [...new Set(good.map(({ area }) => area))];
  return (
    <div className={styles.areas}>
      {areas.map((area) => (
        <Area key={area} area={area} checks={good.filter((check) => check.area === area)} />
      ))}
    </div>
  );
}

function Area({ area, checks }: { area: string; checks: readonly Check[] }) {
  return (
    <Card title={area}>
      <ul className={styles.good}>
        {checks.map(({ found }) => (
          <li key={found}>
            <CircleCheck size={15} role="img" aria-label="Passed" /> {found}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function askToRelease(database: string): void {
  confirm({
    title: `Release ${database}?`,
    body: (
      <p>
        Its schedules fire here from then on. If the database it was copied from goes on firing,
        everything runs twice.
      </p>
    ),
    verb: "Release copy",
    danger: true,
    mustType: database,
    run: async () => {
      await client().system.release();
      say({ title: `${database} is the home of its schedules now` });
      await changed("system");
    },
  });
}

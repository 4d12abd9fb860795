import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { cronQuery } from "../../crons/queries.js";
import { StateMark } from "../../crons/state.js";
import type { CronSummary } from "../../crons/types.js";
import { useLive } from "../../live/live.js";
import { Card, Chip, Page } from "../../parts/Page.js";
import { Copy } from "../../parts/Copy.js";
import { ErrorState, Loading } from "../../parts/States.js";
import { Tabs } from "../../parts/Tabs.js";
import { useSearchState } from "../../url/use-search-state.js";
import { AuditTab } from "./AuditTab.js";
import { Backfills } from "./Backfills.js";
import { CalendarTab } from "./CalendarTab.js";
import { ConfigurationTab } from "./ConfigurationTab.js";
import styles from "./cron.module.css";
import { CronActions } from "./CronActions.js";
import { Lead } from "./Lead.js";
import { LedgerTab } from "./LedgerTab.js";
import { JobsTab } from "./JobsTab.js";
import { Notices } from "./Notices.js";
import { RunsTab } from "./RunsTab.js";
import { cronSearch, type Tab } from "./search.js";
import { SlotStrip } from "./SlotStrip.js";
import { TimingTab } from "./TimingTab.js";

/** One cron: how it is, what was decided about each of its slots, and what made it so. */
export function Cron() {
  const { appId = "", cronId = "" } = useParams({ strict: false });
  const query = useLive(cronQuery(appId, cronId), 3000);
  if (query.data !== undefined) return <Found summary={query.data} />;
  return (
    <Page title="Cron" lead={<Crumb appId={appId} />}>
      <Card>
        {query.error === null ? (
          <Loading rows={8} />
        ) : (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        )}
      </Card>
    </Page>
  );
}

function Crumb({ appId }: { appId: string }) {
  return (
    <p className="small muted">
      <Link to="/crons" className="link" activeOptions={{ exact: true }}>
        Crons
      </Link>
      {" / "}
      {appId}
    </p>
  );
}

function Found({ summary }: { summary: CronSummary }) {
  const { cron, can, state, stateText } = summary;
  const [{ tab }, change] = useSearchState(cronSearch);
  const navigate = useNavigate();
  const tabs: { value: Tab; text: string; panel: () => React.ReactNode }[] = [
    { value: "ledger", text: "Ledger", panel: () => <LedgerTab summary={summary} /> },
    { value: "calendar", text: "Calendar", panel: () => <CalendarTab summary={summary} /> },
    ...(can.includes("readJobs")
      ? [
          {
            value: "timing" as const,
            text: "Timing",
            panel: () => <TimingTab summary={summary} />,
          },
          { value: "jobs" as const, text: "Jobs", panel: () => <JobsTab cron={cron} /> },
        ]
      : []),
    { value: "runs", text: "pg_cron runs", panel: () => <RunsTab cron={cron} /> },
    {
      value: "configuration",
      text: "Configuration",
      panel: () => <ConfigurationTab summary={summary} />,
    },
    ...(can.includes("readAudit")
      ? [{ value: "audit" as const, text: "Audit", panel: () => <AuditTab cron={cron} /> }]
      : []),
  ];
  return (
    <Page
      title={cron.name}
      mark={<StateMark state={state} text={stateText} size={20} />}
      lead={
        <>
          <Lead summary={summary} />
          <p className={`small muted ${styles.crumbs ?? ""}`}>
            <span className="nowrap">
              <Link to="/crons" className="link" activeOptions={{ exact: true }}>
                Crons
              </Link>
              {" / "}
              {cron.appId}
            </span>
            <Chip>{cron.origin}</Chip>
            <span className="mono clip">{cron.id}</span>
            <Copy text={cron.id} what="the cron's id" />
          </p>
        </>
      }
      actions={<CronActions summary={summary} onDeleted={() => void navigate({ to: "/crons" })} />}
    >
      <Notices summary={summary} />
      <Backfills cron={cron} />
      <SlotStrip summary={summary} />
      <Tabs
        label="About this cron"
        value={tabs.some(({ value }) => value === tab) ? tab : "ledger"}
        onChange={(next) => change({ tab: next, outcome: [] })}
        tabs={tabs}
      />
    </Page>
  );
}

import { one, type Queryable } from "./connect.js";

/** Lengths of a bucket. */
export const STATS_BUCKETS = ["1m", "5m", "15m", "1h", "6h", "1d"] as const;
export type StatsBucket = (typeof STATS_BUCKETS)[number];

export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
}

/** How jobs ended in a stretch of time; times in seconds, null where no job has any. */
export interface StatsSummary {
  completed: number;
  failed: number;
  canceled: number;
  successRate: number | null;
  duration: (Percentiles & { mean: number; max: number }) | null;
  wait: Percentiles | null;
  lag: Percentiles | null;
}

export interface Stats {
  from: string;
  to: string;
  bucket: StatsBucket;
  timezone: string;
  total: StatsSummary;
  buckets: (StatsSummary & { from: string; to: string })[];
}

export interface StatsOptions {
  cronId?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  bucket?: StatsBucket | undefined;
  timezone?: string | undefined;
}

/** How the jobs of an app, or of a cron of it, ended. */
export const getStats = async (sql: Queryable, appId: string, options: StatsOptions = {}) => {
  const row = await one<{ stats: Stats }>(sql`
    select carillon.get_stats(
      app => ${appId}, cron => ${options.cronId ?? null}, from_at => ${options.from ?? null}::text::timestamptz,
      to_at => ${options.to ?? null}::text::timestamptz, bucket => ${options.bucket ?? null},
      timezone => ${options.timezone ?? null}) as stats`);
  return row.stats;
};

import type { TestSql } from "../helpers/database.js";
import { claim, type Job } from "../sql/support.js";
import type { Step } from "./job-steps.js";

/** Seconds that a lease lasts. */
export const LEASE = 30;
const MOST_LOST = 5;

/** Every job by its id; `print` is of all that is kept of one that has ended. */
export type Snapshot = Map<number, { status: string; attempt: number; print: string }>;

/** What is to be known of a job to tell what becomes of it. */
interface Modelled {
  readonly id: number;
  due: number;
  leased: boolean;
  attempt: number;
  failures: number;
  lost: number;
  /** Whether an attempt is on record, so that it no longer expires. */
  tried: boolean;
  readonly expires: number | undefined;
  readonly maxAttempts: number;
  ended?: "completed" | "failed" | "canceled";
}

interface Lease {
  readonly job_id: number;
  readonly attempt: number;
}

interface Redriven {
  readonly job_id: number;
  readonly retry_of: number;
}

/** Jobs as they should be. Times are seconds from the start. */
export class JobModel {
  readonly #start: number;
  readonly #jobs = new Map<number, Modelled>();
  /** Every lease ever given, so that outdated ones are tried as well. */
  readonly #leases: Lease[] = [];
  /** Jobs whose dead letter nobody has redriven. */
  readonly #letters = new Set<number>();
  #now = 0;
  /** Every job that was accepted. */
  readonly accepted = new Set<number>();
  /** The status of those for which a call said how they ended. */
  readonly recorded = new Map<number, string>();
  /** Dead letters put back to work. */
  redriven = 0;

  constructor(start: number) {
    this.#start = start;
  }

  statuses(): Record<number, string> {
    return Object.fromEntries([...this.#jobs].map(([id, job]) => [id, this.#status(job)]));
  }

  #status(job: Modelled): string {
    if (job.ended) return job.ended;
    if (job.due > this.#now) return job.leased ? "running" : "pending";
    return "queued";
  }

  /** Takes a step in the database and in the model. */
  async take(sql: TestSql, step: Step): Promise<void> {
    const { pick, by } = step;
    switch (step.op) {
      case "enqueue": {
        const id = await this.act(sql, step);
        this.#jobs.set(Number(id), this.#fresh(Number(id), by, pick));
        return;
      }
      case "runAgain": {
        const old = this.#pickJob(pick);
        const id = await this.act(sql, step);
        if (old?.ended) this.#again(Number(id), old);
        return;
      }
      case "redrive": {
        const redriven = (await this.act(sql, step)) as Redriven[];
        const most = Math.min(limit(by), this.#letters.size);
        if (redriven.length !== most) {
          throw new Error(`${redriven.length} letters were redriven, not ${most}`);
        }
        for (const { job_id, retry_of } of redriven) {
          const old = this.#jobs.get(retry_of);
          if (!old || !this.#letters.delete(retry_of)) throw new Error(`no letter of ${retry_of}`);
          this.#again(job_id, old);
          this.redriven += 1;
        }
        return;
      }
      case "advance":
        await this.act(sql, step);
        return;
      case "die":
        for (let n = 0; n < MOST_LOST; n += 1) {
          await this.take(sql, { op: "claim", by: 100, pick });
          await this.take(sql, { op: "advance", by: LEASE + 1, pick });
        }
        return;
      case "claim":
        await this.act(sql, step);
        this.#claim(by);
        return;
      case "sweep":
        await this.act(sql, step);
        for (const job of this.#live()) {
          if (job.leased && job.due <= this.#now && job.lost >= MOST_LOST - 1) {
            job.ended = "failed";
            this.#letters.add(job.id);
          } else if (this.#hasExpired(job)) job.ended = "canceled";
        }
        return;
      case "cancel": {
        const job = this.#pickJob(pick);
        await this.act(sql, step);
        if (job && !job.ended) job.ended = "canceled";
        return;
      }
      case "move": {
        const job = this.#pickJob(pick);
        await this.act(sql, step);
        if (!job || job.ended || job.leased) return;
        const due = this.#now + by - 5;
        if (job.expires === undefined || job.tried || job.expires > due)
          job.due = Math.max(this.#now, due);
        return;
      }
      case "complete":
      case "fail":
      case "retryLater":
      case "discard":
      case "release":
      case "extend": {
        const lease = this.#pickLease(pick);
        await this.act(sql, step);
        const job = lease && this.#jobs.get(lease.job_id);
        if (job?.leased && !job.ended && job.attempt === lease?.attempt) this.#settle(job, step);
      }
    }
  }

  #settle(job: Modelled, { op, by }: Step): void {
    if (op === "extend") {
      job.due = this.#now + LEASE;
    } else if (op === "release") {
      job.leased = false;
      job.due = this.#now;
    } else if (op === "complete") {
      job.ended = "completed";
    } else if (op === "retryLater" || (op === "fail" && job.failures + 1 < job.maxAttempts)) {
      if (op === "fail") job.failures += 1;
      job.leased = false;
      job.tried = true;
      job.due = this.#now + (op === "retryLater" ? by : 0);
    } else {
      job.ended = "failed";
    }
  }

  #claim(most: number): void {
    if (most === 0) return;
    for (const job of this.#live()) {
      if (job.leased && job.due <= this.#now && job.lost < MOST_LOST - 1) {
        job.leased = false;
        job.tried = true;
        job.lost += 1;
      }
    }
    const waiting = this.#live()
      .filter((job) => !job.leased && job.due <= this.#now && !this.#hasExpired(job))
      .sort((a, b) => a.due - b.due || a.id - b.id);
    for (const job of waiting.slice(0, most)) {
      job.leased = true;
      job.attempt += 1;
      job.due = this.#now + LEASE;
    }
  }

  #live(): Modelled[] {
    return [...this.#jobs.values()].filter((job) => !job.ended);
  }

  #hasExpired({ expires, leased, tried }: Modelled): boolean {
    return expires !== undefined && !leased && !tried && expires <= this.#now;
  }

  #fresh(id: number, by: number, pick: number): Modelled {
    const due = this.#now + delay(by);
    return {
      ...{ id, due, leased: false, attempt: 0, failures: 0, lost: 0, tried: false },
      expires: expiry(pick, due),
      maxAttempts: 1 + (pick % 3),
    };
  }

  /** A new job that repeats one that has ended. */
  #again(id: number, { maxAttempts }: Modelled): void {
    this.#jobs.set(id, { ...this.#fresh(id, 0, 0), expires: undefined, maxAttempts });
  }

  #pickJob(pick: number): Modelled | undefined {
    return this.#jobs.get(this.#pickId(pick) ?? 0);
  }

  #pickId(pick: number): number | undefined {
    return [...this.accepted][pick % this.accepted.size];
  }

  #pickLease(pick: number): Lease | undefined {
    // Mostly one of the latest.
    return this.#leases.at(-1 - (pick % Math.min(this.#leases.length, 1 + (pick % 12))));
  }

  /** Takes a step in the database alone; what is refused changes nothing, and is no failure. */
  async act(sql: TestSql, { op, pick, by }: Step): Promise<unknown> {
    const id = this.#pickId(pick) ?? 0;
    switch (op) {
      case "enqueue": {
        const due = this.#now + delay(by);
        const expires = expiry(pick, due);
        const [row] = await sql<{ id: number }[]>`
          select carillon.enqueue_job(app => 'crm', run_at => ${this.#time(due)}, retry_delay => 0,
            max_attempts => ${1 + (pick % 3)},
            expires_at => ${expires === undefined ? null : this.#time(expires)}) as id`;
        this.accepted.add(row!.id);
        return row!.id;
      }
      case "claim":
        this.#leases.push(...(await claim(sql, "crm", by, LEASE)).map(leaseOf));
        return;
      case "cancel":
        return refused(sql`select carillon.cancel_job(job => ${id})`, "TK103", "TK204");
      case "move":
        return refused(
          sql`select carillon.update_job(job => ${id},
            patch => jsonb_build_object('runAt', to_char(${this.#time(this.#now + by - 5)}::timestamptz at time zone 'UTC',
              'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))`,
          ...["TK001", "TK103", "TK204"],
        );
      case "runAgain": {
        const rows = await refused(
          sql<{ id: number }[]>`select carillon.retry_job(job => ${id}) as id`,
          ...["TK103", "TK204"],
        );
        if (rows) this.accepted.add(rows[0]!.id);
        return rows?.[0]?.id;
      }
      case "redrive": {
        const redriven = await sql<Redriven[]>`
          select job_id, retry_of
          from carillon.redrive_letters(app => 'crm', max_letters => ${limit(by)})`;
        for (const { job_id } of redriven) this.accepted.add(job_id);
        return redriven;
      }
      case "advance":
        this.#now += by;
        return sql`update test_clock.clock set at = at + ${by} * interval '1 second'`;
      case "sweep":
        return sql`select carillon._bury_lost_jobs(), carillon._expire_jobs()`;
      case "die":
        throw new Error("a step of many");
      case "complete":
      case "fail":
      case "retryLater":
      case "discard":
      case "release":
      case "extend":
        return this.#tell(sql, op, this.#pickLease(pick), by);
    }
  }

  async #tell(sql: TestSql, op: Step["op"], lease: Lease | undefined, by: number): Promise<void> {
    if (lease === undefined) return;
    const { job_id, attempt } = lease;
    if (op === "extend") {
      await sql`select carillon.extend_leases(
        job_ids => ${[job_id]}, attempts => ${[attempt]}, lease_seconds => ${LEASE})`;
    } else if (op === "release") {
      await sql`select carillon.release_jobs(job_ids => ${[job_id]}, attempts => ${[attempt]})`;
    } else {
      const failed = { error: { name: "Error", message: "no" } };
      const more = {
        complete: {},
        fail: failed,
        retryLater: { ...failed, retry_in: by },
        discard: { ...failed, discard: true },
      };
      const status = op === "complete" ? "completed" : "failed";
      const outcome = { job_id, attempt, status, ...more[op as keyof typeof more] };
      const rows =
        await sql`select * from carillon.finish_jobs(outcomes => ${sql.json([outcome])})`;
      if (rows.length > 0 && (op === "complete" || op === "discard"))
        this.recorded.set(job_id, status);
    }
  }

  /** Completes whatever is leased. */
  async finishAll(sql: TestSql): Promise<void> {
    const outcomes = this.#leases.map((lease) => ({ ...lease, status: "completed" }));
    const rows = await sql<{ id: number }[]>`
      select * from carillon.finish_jobs(outcomes => ${sql.json(outcomes)}) as id`;
    for (const { id } of rows) this.recorded.set(id, "completed");
  }

  #time(seconds: number): string {
    return new Date(this.#start + seconds * 1000).toISOString();
  }
}

const leaseOf = ({ job_id, attempt }: Job): Lease => ({ job_id, attempt });

/** How many letters to redrive. */
const limit = (by: number): number => 1 + (by % 3);

/** Two in three are due at once. */
const delay = (by: number): number => (by % 3 === 0 ? by : 0);

/** One in four expires soon after it is due. */
const expiry = (pick: number, due: number): number | undefined =>
  pick % 4 === 0 ? due + 1 + (pick % 40) : undefined;

async function refused<T>(statement: PromiseLike<T>, ...codes: string[]): Promise<T | undefined> {
  try {
    return await statement;
  } catch (error) {
    if (codes.includes((error as { code?: string }).code ?? "")) return undefined;
    throw error;
  }
}

import postgres from "postgres";

/** A connection of its own that tells how the statements inside a call are carried out. */
export class PlanWatch implements AsyncDisposable {
  readonly sql: postgres.Sql;
  readonly #plans: string[] = [];

  private constructor(url: string) {
    const onnotice = ({ message = "" }: postgres.Notice) => this.#plans.push(message);
    this.sql = postgres(url, { max: 1, onnotice });
  }

  static async open(url: string): Promise<PlanWatch> {
    const watch = new PlanWatch(url);
    await watch.sql.unsafe(`
      load 'auto_explain';
      set auto_explain.log_min_duration = 0;
      set auto_explain.log_nested_statements = on;
      set client_min_messages = log`);
    return watch;
  }

  /**
   * The indexes by which a call reads the history, its statistics and the queue, without the day.
   * Fails for a call that reads one of these tables from end to end.
   */
  async indexesOf(call: () => PromiseLike<unknown>): Promise<string> {
    this.#plans.length = 0;
    await call();
    const names = new Set<string>();
    for (const plan of this.#plans) {
      const whole = /Seq Scan on (job_(?:history|tags)_\d{8}|job_stats|q_jobs)\b.*/.exec(plan);
      if (whole) throw new Error(`a table is read from end to end: ${whole[0]}\n${plan}`);
      for (const [, name = ""] of plan.matchAll(
        /Index (?:Only )?Scan (?:Backward )?(?:using|on) (\S+)/g,
      )) {
        if (INDEXES.test(name)) names.add(name.replace(/_\d{8}_/, "_").replace(/_idx\d*$/, ""));
      }
    }
    return [...names].sort().join(", ");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sql.end({ timeout: 1 });
  }
}

/** The indexes of partitions are named after their columns. */
const INDEXES = /^(job_history_\d|job_tags_\d|job_stats|carillon_jobs|q_jobs)/;

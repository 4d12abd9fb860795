import postgres from "postgres";

import { type Contestant, type Handler, type JobPayload, payload } from "../harness/contestant.js";
import { runProgram } from "../harness/program.js";

const QUEUE = "bench";
const BATCH = 500;

interface Message {
  msg_id: string;
  message: JobPayload;
}

/** pgmq alone: a loop of read and archive on each connection, with the driver Carillon uses. */
class Pgmq implements Contestant {
  #sql: postgres.Sql | undefined;
  #working = false;
  #loops: Promise<void>[] = [];

  get #db(): postgres.Sql {
    if (this.#sql === undefined) throw new Error("not open");
    return this.#sql;
  }

  async open(url: string): Promise<void> {
    this.#sql = postgres(url, { max: 10, onnotice: () => undefined });
    await this.#db`create extension if not exists pgmq`;
    await this.#db`select pgmq.create(${QUEUE})`;
  }

  async enqueue(count: number): Promise<void> {
    for (let first = 0; first < count; first += 1000) {
      const jobs = Array.from({ length: Math.min(1000, count - first) }, (_, i) =>
        payload(first + i),
      );
      await this.#db`
        select pgmq.send_batch(${QUEUE}, array(
          select j from jsonb_array_elements(${this.#db.json(jobs as never)}) as j))`;
    }
  }

  async send(job: JobPayload): Promise<void> {
    await this.#db`select pgmq.send(${QUEUE}, ${this.#db.json(job as never)})`;
  }

  work(handler: Handler, { concurrency = 1 }: { concurrency?: number }): Promise<void> {
    this.#working = true;
    this.#loops = Array.from({ length: concurrency }, () => this.#loop(handler));
    return Promise.resolve();
  }

  async #loop(handler: Handler): Promise<void> {
    while (this.#working) {
      const messages = await this.#db<Message[]>`select * from pgmq.read(${QUEUE}, 30, ${BATCH})`;
      for (const { message } of messages) await handler(message);
      if (messages.length > 0) {
        await this.#db`select pgmq.archive(${QUEUE}, ${messages.map((m) => m.msg_id)}::bigint[])`;
      } else {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  async rest(): Promise<void> {
    this.#working = false;
    await Promise.all(this.#loops);
  }

  async close(): Promise<void> {
    await this.rest();
    await this.#sql?.end({ timeout: 1 });
  }
}

runProgram(new Pgmq());

import { claimJobs, enqueueJob, finishJobs, targetsOf, type JobOutcome } from "../../db/jobs.js";
import type { Seeding } from "./seeding.js";

/** What a call met: the status, and how long it took. */
interface Answer {
  status: number;
  ms: number;
  body: object;
  /** Seconds until the job is tried again. */
  again?: number;
}

interface Call {
  /** Seconds before now. */
  ago: number;
  order: string;
  answers: readonly Answer[];
}

const BUSY = { error: "provider_unavailable", detail: "try again later" };

/** Charges that went to a payments provider by HTTP: fine, fine after a retry, and not at all. */
const CALLS: readonly Call[] = [
  {
    ...{ ago: 1460, order: "LF-2026-118839" },
    answers: [{ status: 201, ms: 212.4, body: { charge: "ch_5501873920184467", state: "paid" } }],
  },
  {
    ...{ ago: 1180, order: "LF-2026-118842" },
    answers: [
      { status: 503, ms: 3041.7, body: BUSY, again: 20 },
      { status: 503, ms: 2874.2, body: BUSY, again: 40 },
      { status: 201, ms: 248.9, body: { charge: "ch_5501873920184502", state: "paid" } },
    ],
  },
  {
    ...{ ago: 640, order: "LF-2026-118847" },
    answers: [{ status: 402, ms: 187.3, body: { error: "card_declined", code: "51" } }],
  },
];

const TARGET = {
  type: "http",
  method: "POST",
  url: "https://payments.example/v1/charges",
  timeout: 20,
  headers: { authorization: "Bearer {{secret.PAYMENTS_TOKEN}}" },
} as const;

/** Has calls over HTTP on record, each with its exchange. */
export async function makeCalls({ sql, clock, now, actors }: Seeding): Promise<void> {
  const userId = actors["priya.raman"]?.principalId;
  for (const { ago, order, answers } of CALLS) {
    let at = now.getTime() - ago * 1000;
    await clock.set(new Date(at));
    const body = { order, amount: 48_950, currency: "EUR" };
    const options = { userId, maxAttempts: 4, retryDelay: 20, tags: ["charge"] };
    await enqueueJob(sql, "billing", body, { ...options, target: { ...TARGET, body } });
    for (const answer of answers) {
      await clock.set(new Date(at + 30));
      const [job] = await claimJobs(sql, [targetsOf("billing")], "dispatcher-1c9e", 1, 60);
      if (job === undefined) throw new Error(`the call for ${order} was not claimed`);
      at += 30 + Math.round(answer.ms);
      await clock.set(new Date(at));
      await finishJobs(sql, [outcomeOf(answer, job)]);
      at += (answer.again ?? 0) * 1000;
    }
  }
}

function outcomeOf(
  { status, ms, body, again }: Answer,
  { jobId, attempt }: { jobId: number; attempt: number },
): JobOutcome {
  const result = recordOf(status, ms, body, jobId, attempt);
  if (status < 300) return { jobId, attempt, status: "completed", result };
  const error = { name: "status", message: `the answer's status is ${status}` };
  return again === undefined
    ? { jobId, attempt, status: "failed", error, result, discard: true }
    : { jobId, attempt, status: "failed", error, result, wait: again };
}

/** As an HTTP target keeps it. */
function recordOf(status: number, ms: number, body: object, jobId: number, attempt: number) {
  const text = JSON.stringify(body);
  return {
    type: "http",
    request: {
      ...{ method: TARGET.method, url: TARGET.url },
      headers: {
        authorization: "Bearer {{secret.PAYMENTS_TOKEN}}",
        "content-type": "application/json",
        "idempotency-key": `job-${jobId}`,
        "carillon-app": "billing",
        "carillon-attempt": String(attempt),
        "user-agent": "carillon/0.1.0",
      },
    },
    redirects: [],
    statusCode: status,
    headers: {
      "content-type": "application/json",
      "content-length": String(text.length),
      "x-request-id": `req-${jobId}-${attempt}`,
      ...(status === 503 ? { "retry-after": "20" } : {}),
    },
    ...{ body: text, bodyEncoding: "text", bodyTruncated: false },
    timing: { dns: 3.2, connect: 11.8, tls: 27.5, firstByte: ms - 46.1, total: ms },
  };
}

import { CircleCheck, RefreshCw, TriangleAlert } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { problemOf } from "../api/problem.js";
import { Button } from "./Button.js";
import styles from "./states.module.css";

/** Nothing for the first moment, then the outline of what comes, then words. */
export function Loading({ rows = 6, height = "2.25rem" }: { rows?: number; height?: string }) {
  const waited = useWaited();
  if (waited < 300) return <div className={styles.space} aria-busy="true" />;
  return (
    <div aria-busy="true" className={styles.skeletons}>
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} className={styles.skeleton} style={{ height }} />
      ))}
      <p role="status" className={waited < 2000 ? "sr-only" : styles.still}>
        Still reading{waited < 2000 ? "" : `, ${(waited / 1000).toFixed(0)} s`}
      </p>
    </div>
  );
}

function useWaited(): number {
  const [waited, setWaited] = useState(0);
  useEffect(() => {
    const begun = performance.now();
    const first = setTimeout(() => setWaited(301), 300);
    const timer = setInterval(() => setWaited(performance.now() - begun), 1000);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
    };
  }, []);
  return waited;
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
  /** Empty because all is well. */
  good?: boolean;
}

/** What is not there, why, and the one next step. */
export function EmptyState({ title, children, good = false }: EmptyProps) {
  return (
    <div className={styles.empty} data-good={good || undefined}>
      {good && <CircleCheck size={18} aria-hidden="true" />}
      <div>
        <p className={styles.title}>{title}</p>
        {children && <div className={styles.text}>{children}</div>}
      </div>
    </div>
  );
}

/** What went wrong with one block of a page, and the way to try again. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { title, detail, code, requestId } = problemOf(error);
  return (
    <div className={styles.error} role="alert">
      <TriangleAlert size={18} aria-hidden="true" />
      <div className={styles.grow}>
        <p className={styles.title}>{title}</p>
        <p className={styles.text}>{detail}</p>
        {code && (
          <p className={styles.code}>
            <code>{code}</code>
            {requestId && (
              <>
                {" · request "}
                <code>{requestId}</code>
              </>
            )}
          </p>
        )}
      </div>
      {onRetry && (
        <Button small onClick={onRetry}>
          <RefreshCw size={13} aria-hidden="true" /> Try again
        </Button>
      )}
    </div>
  );
}

interface LoadableProps<T> {
  query: { data: T | undefined; error: Error | null; isPending: boolean; refetch: () => unknown };
  loading?: ReactNode;
  children: (data: T) => ReactNode;
}

/** A block of a page by the state of its query; what was there stays while it is asked for anew. */
export function Loadable<T>({ query, loading = <Loading />, children }: LoadableProps<T>) {
  const { data, error, refetch } = query;
  if (data !== undefined) return children(data);
  return error === null ? loading : <ErrorState error={error} onRetry={() => void refetch()} />;
}

/** A line about the whole page: what is so, and what to do about it. */
export function Notice({
  tone = "info",
  children,
}: {
  tone?: "info" | "late" | "failed" | "missed";
  children: ReactNode;
}) {
  return (
    <div className={styles.notice} data-tone={tone}>
      {children}
    </div>
  );
}

import { Copy } from "../../parts/Copy.js";
import { duration } from "../../time/format.js";
import { readable, type Headers, type HttpExchange, type Span } from "./exchange.js";
import styles from "./job.module.css";

/** One call over HTTP: where its time went, what was sent, and what came back. Always as text. */
export function Exchange({ exchange, attempt }: { exchange: HttpExchange; attempt: number }) {
  const { request, redirects, status, headers, timing, total } = exchange;
  return (
    <div className={styles.exchange}>
      {total !== null && timing.length > 0 && <Spans spans={timing} total={total} />}
      {redirects.length > 0 && (
        <ol className={styles.hops} aria-label="Redirects">
          {redirects.map(({ status: code, url }) => (
            <li key={url}>
              <strong className="num">{code}</strong> <code>{url}</code>
            </li>
          ))}
        </ol>
      )}
      <div className={styles.split}>
        <HeaderList title="Request" headers={request.headers} />
        {status === null ? (
          <p className="muted">No answer came.</p>
        ) : (
          <HeaderList title={`Answer ${status}`} headers={headers} />
        )}
      </div>
      {status !== null && <Body exchange={exchange} attempt={attempt} />}
    </div>
  );
}

const TONES: Readonly<Record<Span["name"], string>> = {
  ...{ DNS: "dns", Connect: "connect", TLS: "tls", Waiting: "waiting", Rest: "rest" },
};

function Spans({ spans, total }: { spans: readonly Span[]; total: number }) {
  let at = 0;
  return (
    <figure className={styles.spans}>
      <svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
        {spans.map(({ name, ms }) => {
          const x = at;
          at += (ms / total) * 1000;
          return (
            <rect
              key={name}
              data-span={TONES[name]}
              x={x}
              width={Math.max(2, at - x)}
              height={10}
            />
          );
        })}
      </svg>
      <figcaption>
        <ul>
          {spans.map(({ name, ms }) => (
            <li key={name} data-span={TONES[name]}>
              {name} <strong className="num">{duration(ms)}</strong>
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  );
}

function HeaderList({ title, headers }: { title: string; headers: Headers }) {
  return (
    <section aria-label={title} className={styles.headers}>
      <h3>{title}</h3>
      {headers.length === 0 ? (
        <p className="muted small">No headers.</p>
      ) : (
        <dl>
          {headers.map(([name, value]) => (
            <div key={`${name} ${value}`}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

function Body({ exchange, attempt }: { exchange: HttpExchange; attempt: number }) {
  const { body, encoding, truncated, headers } = exchange;
  if (body === null) return <p className="muted small">The answer has no body.</p>;
  const text = encoding === "text" ? readable(body, headers) : body;
  return (
    <section aria-label="Body of the answer" className={styles.answer}>
      <h3>
        Body
        {encoding === "base64" && <span className="muted"> · no text: in base64</span>}
        {truncated && <span className="muted"> · only its beginning was kept</span>}
        <Copy text={body} what={`the body of attempt ${attempt}`} />
      </h3>
      <pre tabIndex={0} aria-label={`Body of the answer to attempt ${attempt}`} dir="auto">
        {text}
      </pre>
    </section>
  );
}

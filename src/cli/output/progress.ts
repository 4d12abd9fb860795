/** How far a long piece of work is: one line that changes on a terminal, a line now and then elsewhere. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #last = "";
  #lastAt = -Infinity;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  show(text: string): void {
    if (text === this.#last) return;
    const now = performance.now();
    if (this.#stream.isTTY) this.#stream.write(`\r\u001b[2K${text}`);
    else if (now - this.#lastAt >= 2000) this.#stream.write(`${text}\n`);
    else return;
    this.#last = text;
    this.#lastAt = now;
  }

  /** Leaves the line as it is. */
  done(text = this.#last): void {
    if (text === "") return;
    if (this.#stream.isTTY) this.#stream.write(`\r\u001b[2K${text}\n`);
    else if (text !== this.#last) this.#stream.write(`${text}\n`);
  }
}

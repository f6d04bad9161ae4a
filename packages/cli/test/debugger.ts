/** A debugger: a client of the inspector's protocol, as far as the tests need it. */
interface Answer {
  readonly id?: number;
  readonly method?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- messages of all kinds
  readonly params?: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- results of all kinds
  readonly result?: any;
}

export class Debugger {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  readonly #events = new Map<string, (answer: Answer) => void>();
  readonly #last = new Map<string, Answer>();
  #count = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#hear(JSON.parse(String(data)) as Answer));
  }

  static async attach(url: string): Promise<Debugger> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", reject);
    });
    return new Debugger(socket);
  }

  async send(method: string, params: object = {}): Promise<Answer["result"]> {
    this.#count += 1;
    const id = this.#count;
    const answer = new Promise<Answer>((resolve) => this.#answers.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    return (await answer).result;
  }

  /** The next event of this kind. */
  async event(method: string): Promise<Answer["params"]> {
    return (await new Promise<Answer>((resolve) => this.#events.set(method, resolve))).params;
  }

  /** The event of this kind that came last. */
  last(method: string): Answer["params"] {
    return this.#last.get(method)?.params;
  }

  close(): void {
    this.#socket.close();
  }

  #hear(answer: Answer): void {
    if (answer.id !== undefined) this.#answers.get(answer.id)?.(answer);
    if (answer.method === undefined) return;
    this.#last.set(answer.method, answer);
    const waiting = this.#events.get(answer.method);
    this.#events.delete(answer.method);
    waiting?.(answer);
  }
}

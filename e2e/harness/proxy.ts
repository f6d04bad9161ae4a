/** A TCP proxy that can be cut, stopped and made to lie: the network between two processes. */
import {
  connect,
  createServer,
  type AddressInfo,
  type NetConnectOpts,
  type Server,
  type Socket,
} from "node:net";

export class Proxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #mode: "open" | "cut" | "silent" = "open";

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** `rewrite` sees what the target sends, chunk by chunk. */
  static async to(target: NetConnectOpts, rewrite = (data: Buffer): Buffer => data): Promise<Proxy> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve());
    });
    const proxy = new Proxy(server);
    server.on("connection", (near) => proxy.#join(near, target, rewrite));
    return proxy;
  }

  /** Ends all connections, and each new one at once. */
  cut(): void {
    this.#mode = "cut";
    this.#endAll();
  }

  /** Passes nothing on any more, and ends nothing: what a cable that was pulled does. */
  silence(): void {
    this.#mode = "silent";
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  open(): void {
    this.#mode = "open";
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#mode = "cut";
    this.#endAll();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #join(near: Socket, target: NetConnectOpts, rewrite: (data: Buffer) => Buffer): void {
    if (this.#mode === "cut") {
      near.resetAndDestroy();
      return;
    }
    const far = connect(target);
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    near.on("data", (data) => far.write(data));
    far.on("data", (data) => near.write(rewrite(data)));
    for (const socket of pair) {
      if (this.#mode === "silent") socket.pause();
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
  }

  #endAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#pairs.clear();
  }
}

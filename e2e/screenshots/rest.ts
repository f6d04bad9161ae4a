/** When a page has come to rest. */
import type { Page, Request } from "playwright-core";

/** So long nothing was asked for, and nothing moved. */
const restMs = 300;
const patienceMs = 10_000;

/** When a page has all that it asked for. What stays open, as what is live, is not waited for. */
export class Rest {
  readonly #page: Page;
  readonly #asked = new Set<Request>();
  #since = performance.now();

  constructor(page: Page) {
    this.#page = page;
    const done = (request: Request): void => {
      this.#asked.delete(request);
      this.#since = performance.now();
    };
    page.on("request", (request) => {
      if (!/\/(?:live|follow)\b/.test(request.url())) this.#asked.add(request);
    });
    page.on("requestfinished", done);
    page.on("requestfailed", done);
  }

  async come(): Promise<void> {
    const end = performance.now() + patienceMs;
    while (this.#asked.size > 0 || performance.now() - this.#since < restMs) {
      if (performance.now() > end) return;
      await this.#page.waitForTimeout(50);
    }
  }
}
